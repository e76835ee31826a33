"""The mix: the vectors that the native engine is tested with too."""

from __future__ import annotations

import pytest

from geodns.steering.mix import GOLDEN, MASK, mix, mix64

VECTORS = [
    (0, 0, 0x48218226FF3CD4BF),
    (0, 1, 0xDCE423FC82C0D5B8),
    (1, 0, 0x9E0160293A33AAF7),
    (1, 1, 0x5C52BD4054E958C9),
    (MASK, MASK, 0x4650BC0EB3312E23),
    (MASK, 0x61C8864680B583EB, 0xB4D055FCF2CBBD7B),
    (0x0123456789ABCDEF, 0xFEDCBA9876543210, 0x729FAB7EA7D788C6),
    (0xDEADBEEFCAFEF00D, 0xFFFF, 0x1EB9538BA193DB44),
]


@pytest.mark.parametrize(("key", "value", "wanted"), VECTORS)
def test_mix_gives_the_vectors_shared_with_the_native_engine(
    key: int, value: int, wanted: int
) -> None:
    assert mix(key, value) == wanted


def test_mix64_of_successive_increments_is_the_published_splitmix64_stream() -> None:
    stream = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC]
    assert [mix64(GOLDEN * step & MASK) for step in range(1, 5)] == stream


def test_mix_takes_values_modulo_two_to_the_64() -> None:
    assert mix(5, MASK + 1 + 7) == mix(5, 7)


def test_mix_of_one_key_never_maps_two_values_to_one() -> None:
    assert len({mix(42, value) for value in range(10_000)}) == 10_000
