#!/usr/bin/env python3
"""Writes conversions.txt: float32 bits and what PyTorch makes of them in narrower types.

Columns (hex): F32, F16, BF16, F8_E4M3, F8_E5M2.  NaN results are written as "nan".
And int8.txt: a matrix quantised per channel by torch.fake_quantize's arithmetic.
Needs torch; the C++ test reads the committed output.
"""
import pathlib
import struct

import torch

HERE = pathlib.Path(__file__).parent
bits = set()
for special in (0x00000000, 0x00000001, 0x007FFFFF, 0x00800000, 0x7F7FFFFF, 0x7F800000, 0x7FC00000,
                0x7F800001, 0x3F800000, 0x477FE000, 0x477FEFFF, 0x477FF000, 0x477FFFFF, 0x47800000,
                0x33000000, 0x33000001, 0x33800000, 0x337FFFFF, 0x43E00000, 0x43E7FFFF, 0x43E80000,
                0x43E80001, 0x43F00000, 0x7F7F8000, 0x7F7F7FFF, 0x47600000, 0x476FFFFF, 0x47700000):
    bits.add(special)
generator = torch.Generator().manual_seed(20)
for exponent in list(range(100, 145)) + [0, 1, 2, 253, 254]:
    for _ in range(3):
        bits.add(exponent << 23 | int(torch.randint(1 << 23, (), generator=generator)))
    for shift in (13, 16, 20, 21):  # ties of F16, BF16, E4M3, E5M2, to even and to odd
        m = int(torch.randint(1 << (23 - shift), (), generator=generator))
        bits.add(exponent << 23 | (m << shift) & 0x7FFFFF | 1 << (shift - 1))
bits = sorted(bits) + sorted(b | 1 << 31 for b in bits)


def column(dtype, width):
    x = torch.tensor([b if b < 1 << 31 else b - (1 << 32) for b in bits], dtype=torch.int32)
    y = x.view(torch.float32).to(dtype)
    raw = y.view(torch.int16 if width == 4 else torch.int8)
    mask = (1 << 4 * width) - 1
    return ["nan" if n else f"{int(v) & mask:0{width}x}"
            for v, n in zip(raw, torch.isnan(y.to(torch.float32)))]


columns = [column(torch.float16, 4), column(torch.bfloat16, 4),
           column(torch.float8_e4m3fn, 2), column(torch.float8_e5m2, 2)]
with open(HERE / "conversions.txt", "w") as f:
    for b, *rest in zip(bits, *columns):
        f.write(f"{b:08x} {' '.join(rest)}\n")

# int8: rows are output channels (axis 0).
w = torch.randn(4, 9, generator=generator) * torch.tensor([1e-3, 1.0, 40.0, 0.0])[:, None]
with open(HERE / "int8.txt", "w") as f:
    for row in w:
        scale = (row.double().abs().max() / 127).float()
        scale = torch.tensor(1.0) if scale == 0 else scale
        q = torch.clamp(torch.round(row.double() / scale.double()), -127, 127).to(torch.int8)
        f.write(" ".join(struct.pack(">f", float(v)).hex() for v in row))
        f.write(f" | {struct.pack('>f', float(scale)).hex()} | {' '.join(map(str, q.tolist()))}\n")
