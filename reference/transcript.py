# SPDX-License-Identifier: Apache-2.0
"""The transcript of docs/spec/transcript.md."""

import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from field import P  # noqa: E402


class Transcript:
    def __init__(self, protocol: str):
        self.state = bytes(32)
        self.state = self._step(0, "protocol", protocol.encode())

    def _step(self, tag: int, label: str, message: bytes) -> bytes:
        name = label.encode()
        framed = bytes([tag]) + len(name).to_bytes(8, "little") + name + message
        return hashlib.sha256(self.state + framed).digest()

    def absorb(self, label: str, message: bytes):
        self.state = self._step(1, label, message)

    def _word(self, label: str) -> int:
        self.state = self._step(2, label, b"")
        return int.from_bytes(self.state[:8], "little")

    def _base(self, label: str) -> int:
        while (word := self._word(label)) >= P:
            pass
        return word

    def draw(self, label: str) -> tuple:
        a = self._base(label)
        return a, self._base(label)

    def indices(self, label: str, log_n: int, count: int) -> list:
        drawn = []
        while len(drawn) < count:
            index = self._word(label) % 2**log_n
            if index not in drawn:
                drawn.append(index)
        return drawn

    def check_work(self, label: str, bits: int, nonce: int) -> bool:
        self.state = self._step(3, label, nonce.to_bytes(8, "little"))
        return int.from_bytes(self.state, "big") >> (256 - bits) == 0 if bits else True

    def grind(self, label: str, bits: int) -> int:
        before, nonce = self.state, 0
        while not self.check_work(label, bits, nonce):
            self.state, nonce = before, nonce + 1
        return nonce
