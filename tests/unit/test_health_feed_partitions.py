"""Kafka's murmur2, against the answers of Kafka's own tests."""

from __future__ import annotations

import pytest

from producers.partitions import murmur2, partition_of


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # org.apache.kafka.common.utils.UtilsTest.testMurmur2
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_gives_the_answers_of_kafkas_own_test(data: bytes, expected: int) -> None:
    assert murmur2(data) == expected % 2**32


def test_a_partition_is_never_negative() -> None:
    assert {partition_of(str(number).encode(), 3) for number in range(50)} == {0, 1, 2}
