# SPDX-License-Identifier: Apache-2.0
"""Ed25519 signing after RFC 8032, slow and plain: a signer that shares no code with the hub."""

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
I = pow(2, (P - 1) // 4, P)
DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def _recover_x(y, odd):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * I % P
    return P - x if x % 2 != odd else x


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (_recover_x(BASE_Y, 0), BASE_Y)


def _add(a, b):
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + t, P - 2, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - t, P - 2, P)
    return x % P, y % P


def _times(k, point):
    out = (0, 1)
    while k:
        if k & 1:
            out = _add(out, point)
        point = _add(point, point)
        k >>= 1
    return out


def _encode(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def _number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


class Key:
    """A wallet made from a 32-byte seed."""

    def __init__(self, seed):
        digest = hashlib.sha512(seed).digest()
        self._scalar = (int.from_bytes(digest[:32], "little") & (2**254 - 8)) | 2**254
        self._prefix = digest[32:]
        self.public = _encode(_times(self._scalar, BASE))
        self.secret = seed + self.public  # what id.json holds

    def sign(self, message):
        r = _number(self._prefix, message) % L
        point = _encode(_times(r, BASE))
        s = (r + _number(point, self.public, message) * self._scalar) % L
        return point + s.to_bytes(32, "little")

    @property
    def wallet(self):
        value, out = int.from_bytes(self.public, "big"), ""
        while value:
            value, digit = divmod(value, 58)
            out = DIGITS[digit] + out
        return "1" * (len(self.public) - len(self.public.lstrip(b"\0"))) + out
