from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geodns.geo.cache import load_arrays, save_arrays
from geodns.geo.world import World, load_world

from .conftest import MILAN, MakeDatabase


def same(a: World, b: World) -> bool:
    tables = ("starts4", "location4", "starts6", "location6")
    columns = ("latitude", "longitude", "continent", "country", "subdivision", "coarse")
    return (
        a.info == b.info
        and all(np.array_equal(getattr(a, name), getattr(b, name)) for name in tables)
        and all(
            np.array_equal(
                np.array(getattr(a.locations, name)),
                np.array(getattr(b.locations, name)),
                equal_nan=name in ("latitude", "longitude"),
            )
            for name in columns
        )
    )


def only_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def test_a_world_from_the_cache_equals_the_one_read(tiny: Path, tmp_path: Path) -> None:
    read = load_world(tiny, tmp_path / "cache")
    assert same(load_world(tiny, tmp_path / "cache"), read)
    assert same(load_world(tiny, None), read)


def test_the_second_time_the_cache_is_what_is_read(tiny: Path, tmp_path: Path) -> None:
    load_world(tiny, tmp_path)
    file = only_file(tmp_path)
    arrays = load_arrays(file)
    assert arrays is not None
    save_arrays(file, arrays | {"latitude": np.full_like(arrays["latitude"], 12.0)})
    assert (load_world(tiny, tmp_path).locations.latitude == 12.0).all()


def test_another_database_has_another_cache(
    tiny: Path, make_database: MakeDatabase, tmp_path: Path
) -> None:
    other = make_database({"1.0.0.0/8": MILAN})
    assert not same(load_world(tiny, tmp_path), load_world(other, tmp_path))
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_cache_is_built_anew(tiny: Path, tmp_path: Path) -> None:
    fresh = load_world(tiny, tmp_path)
    file = only_file(tmp_path)
    good = file.read_bytes()
    damages = [b"", good[:-1], good[: len(good) // 2], b"\0" * len(good)]
    damages += [
        good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1 :] for at in range(0, len(good), 31)
    ]
    for damage in damages:
        file.write_bytes(damage)
        assert same(load_world(tiny, tmp_path), fresh)
    assert load_arrays(file) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"latitude": np.zeros(2, "<f4")},
        {"starts4": np.zeros(0, "<u4")},
        {"starts4": np.ones(3, "<u4")},
        {"location6": np.full(9, 4_000_000, "<u4")},
        {"country": np.array([None], object)},
        {"more": np.zeros(1)},
    ],
)
def test_a_cache_of_other_arrays_is_built_anew(
    tiny: Path, tmp_path: Path, change: dict[str, np.ndarray]
) -> None:
    fresh = load_world(tiny, tmp_path)
    file = only_file(tmp_path)
    arrays = load_arrays(file)
    assert arrays is not None
    np.savez(file, **(arrays | change))
    assert same(load_world(tiny, tmp_path), fresh)


def test_a_place_that_cannot_be_written_is_not_fatal(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert same(load_world(tiny, tmp_path / "file"), load_world(tiny, None))


def test_saving_leaves_no_draft_behind(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    assert save_arrays(tmp_path / "target", {"a": np.zeros(3)}) is False
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
