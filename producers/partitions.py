"""Which partition a key belongs to: Kafka's default, as Java's clients, aiokafka and `murmur2_random` compute it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SEED = 0x9747B28C
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """The 32-bit MurmurHash2 with Kafka's seed (`org.apache.kafka.common.utils.Utils.murmur2`), unsigned."""
    length = len(data)
    value = (_SEED ^ length) & _MASK
    whole = length & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * _M & _MASK
        word = (word ^ word >> 24) * _M & _MASK
        value = value * _M & _MASK ^ word
    if whole < length:
        value = (value ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    value = (value ^ value >> 13) * _M & _MASK
    return value ^ value >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key on a topic of so many partitions."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def partitions_of(keys: NDArray[np.uint8], partitions: int) -> NDArray[np.int64]:
    """The partition of each of many keys of one width, a multiple of four: shape (n, width), a row of bytes each."""
    words = np.ascontiguousarray(keys).view("<u4")
    mixer = np.uint32(_M)
    value = np.full(len(words), (_SEED ^ keys.shape[1]) & _MASK, np.uint32)
    for column in range(words.shape[1]):
        word = words[:, column] * mixer
        value = value * mixer ^ (word ^ word >> np.uint32(24)) * mixer
    value = (value ^ value >> np.uint32(13)) * mixer
    value ^= value >> np.uint32(15)
    return (value & np.uint32(0x7FFFFFFF)).astype(np.int64) % partitions
