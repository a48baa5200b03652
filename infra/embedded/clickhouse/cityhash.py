"""CityHash128 of CityHash 1.0.2, the checksum in front of ClickHouse's compressed blocks.

ClickHouse keeps that old version for good; later ones give other values. Written from the published algorithm
(Geoff Pike and Jyrki Alakuijala, Google, 2011, MIT licence); all sums and products are modulo 2**64.
"""

from __future__ import annotations

import struct

_M = (1 << 64) - 1
_K0, _K1 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273
_K2, _K3 = 0x9AE16A3B2F90404F, 0xC949D7C7509E6557
_MUL = 0x9DDFEA08EB382D69


def _rotate(value: int, shift: int) -> int:
    return (value >> shift) | ((value << (64 - shift)) & _M)


def _mix(value: int) -> int:
    return value ^ (value >> 47)


def _hash16(low: int, high: int) -> int:
    a = _mix(((low ^ high) * _MUL) & _M)
    return (_mix(((high ^ a) * _MUL) & _M) * _MUL) & _M


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _hash_short(data: bytes) -> int:
    """The hash of at most 16 bytes."""
    size = len(data)
    if size > 8:
        a, b = _word(data, 0), _word(data, size - 8)
        return b ^ _hash16(a, _rotate((b + size) & _M, size))
    if size >= 4:
        a, b = int.from_bytes(data[:4], "little"), int.from_bytes(data[-4:], "little")
        return _hash16(size + (a << 3), b)
    if size > 0:
        y = data[0] + (data[size >> 1] << 8)
        z = size + (data[-1] << 2)
        return (_mix(((y * _K2) & _M) ^ ((z * _K3) & _M)) * _K2) & _M
    return _K2


def _murmur(data: bytes, a: int, b: int) -> tuple[int, int]:
    """The hash of less than 128 bytes."""
    size = len(data)
    if size <= 16:
        a = (_mix((a * _K1) & _M) * _K1) & _M
        c = (b * _K1 + _hash_short(data)) & _M
        d = _mix((a + (_word(data, 0) if size >= 8 else c)) & _M)
    else:
        c = _hash16((_word(data, size - 8) + _K1) & _M, a)
        d = _hash16((b + size) & _M, (c + _word(data, size - 16)) & _M)
        a = (a + d) & _M
        for at in range(0, size - 16, 16):
            a = ((a ^ (_mix((_word(data, at) * _K1) & _M) * _K1) & _M) * _K1) & _M
            b ^= a
            c = ((c ^ (_mix((_word(data, at + 8) * _K1) & _M) * _K1) & _M) * _K1) & _M
            d ^= c
    a, b = _hash16(a, c), _hash16(d, b)
    return a ^ b, _hash16(b, a)


def _weak(w: int, x: int, y: int, z: int, a: int, b: int) -> tuple[int, int]:
    a += w
    b = _rotate((b + a + z) & _M, 21)
    c = a
    a += x + y
    b += _rotate(a & _M, 44)
    return (a + z) & _M, (b + c) & _M


def _long(data: bytes, x: int, y: int) -> tuple[int, int]:
    """The hash of at least 128 bytes."""
    size = len(data)
    words = struct.unpack(f"<{size // 8}Q", data[: size - size % 8])
    z = (size * _K1) & _M
    v0 = (_rotate(y ^ _K1, 49) * _K1 + words[0]) & _M
    v1 = (_rotate(v0, 42) * _K1 + words[1]) & _M
    w0 = (_rotate((y + z) & _M, 35) * _K1 + x) & _M
    w1 = (_rotate((x + words[11]) & _M, 53) * _K1) & _M
    done = size - size % 128
    for at in range(0, done // 8, 8):
        s0, s1, s2, s3, s4, s5, s6, s7 = words[at : at + 8]
        x = (_rotate((x + y + v0 + s2) & _M, 37) * _K1) & _M ^ w1
        y = (_rotate((y + v1 + s6) & _M, 42) * _K1) & _M ^ v0
        z = _rotate(z ^ w0, 33)
        v0, v1 = _weak(s0, s1, s2, s3, v1 * _K1, x + w0)
        w0, w1 = _weak(s4, s5, s6, s7, z + w1, y)
        z, x = x, z
    y = (y + _rotate(w0, 37) * _K0 + z) & _M
    x = (x + _rotate((v0 + z) & _M, 49) * _K0) & _M
    for tail in range(32, size - done + 32, 32):
        at = size - tail
        y = (_rotate((y - x) & _M, 42) * _K0 + v1) & _M
        w0 = (w0 + _word(data, at + 16)) & _M
        x = (_rotate(x, 49) * _K0 + w0) & _M
        w0 = (w0 + v0) & _M
        s0, s1, s2, s3 = struct.unpack_from("<4Q", data, at)
        v0, v1 = _weak(s0, s1, s2, s3, v0, v1)
    x, y = _hash16(x, v0), _hash16(y, w0)
    return (_hash16((x + v1) & _M, w1) + y) & _M, _hash16((x + w1) & _M, (y + v1) & _M)


def cityhash128(data: bytes) -> bytes:
    """The 16 bytes of the hash as they stand in front of a block: the low half, then the high half, little-endian."""
    size = len(data)
    if size >= 16:
        rest, a, b = data[16:], _word(data, 0) ^ _K3, _word(data, 8)
    elif size >= 8:
        rest, a, b = b"", _word(data, 0) ^ (size * _K0) & _M, _word(data, size - 8) ^ _K1
    else:
        rest, a, b = data, _K0, _K1
    low, high = _long(rest, a, b) if len(rest) >= 128 else _murmur(rest, a, b)
    return struct.pack("<QQ", low, high)
