"""What workers count: zones keep their rows, targets their slots, and nothing is without bound."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodns.dns.names import from_text
from geodns.engine import counts
from geodns.engine.counts import FIRST_ZONE, NO_ZONE, OTHER_ZONE, ZONES_MAX, Counts, key_of
from geodns.engine.tally import Asked, Tally
from geodns.errors import Unavailable
from geodns.steering.choose import Why

REPLY = bytes([0, 0, 0x84, 3]) + bytes(96)
SLOTS = 64


@pytest.fixture
def tally(tmp_path: Path) -> Tally:
    return Tally(tmp_path / "0.counts", SLOTS)


def apex(name: str) -> bytes:
    return from_text(name)


def count(tally: Tally, zone: int, rtype: int = 1, **asked: object) -> None:
    told = Asked(zone, rtype, bool(asked.get("is_v6")), 50)
    tally.answered(tally.blocks[0], told, REPLY, (3,), Why.FALLBACK)


def test_a_zone_keeps_its_row_over_generations_and_successors(tmp_path: Path, tally: Tally) -> None:
    rows = tally.rows([apex("a.test."), apex("b.test.")])
    assert rows == {apex("a.test."): FIRST_ZONE, apex("b.test."): FIRST_ZONE + 1}
    count(tally, rows[apex("b.test.")])
    again = Tally(tmp_path / "0.counts", SLOTS)
    assert again.rows([apex("b.test.")]) == {apex("b.test."): FIRST_ZONE + 1}
    assert again.rows([apex("c.test."), apex("b.test.")])[apex("b.test.")] == FIRST_ZONE + 1
    reader = Counts(tmp_path / "0.counts")
    assert sum(reader.requests(0, reader.zone_keys()[key_of(apex("b.test."))])) == 1


def test_a_row_is_not_given_away_while_somebody_may_count_there(tally: Tally) -> None:
    first = tally.rows([apex("a.test.")])[apex("a.test.")]
    count(tally, first)
    assert tally.rows([apex("b.test.")])[apex("b.test.")] != first
    assert tally.rows([apex("c.test.")])[apex("c.test.")] == first  # nobody does any more
    assert sum(tally.blocks[0][64 + 64 * first :][:64]) == 0


def test_zones_without_a_row_of_their_own_share_one(tally: Tally) -> None:
    rows = tally.rows(apex(f"z{number}.test.") for number in range(2 * ZONES_MAX))
    assert sorted(rows.values())[: ZONES_MAX + 2] == [OTHER_ZONE] * (ZONES_MAX + 2)
    assert tally.row_of(b"") == NO_ZONE


def test_a_slot_counts_anew_for_another_target(tally: Tally) -> None:
    class Pools:
        tag = 7

        def column(self, name: str) -> list[int]:
            return {"v4_slot": [3], "v4_tag": [self.tag]}.get(name, [])

    pools = Pools()
    tally.own(pools)  # type: ignore[arg-type]
    count(tally, NO_ZONE)
    tally.own(pools)  # type: ignore[arg-type]
    assert sum(tally.blocks[0][-8 * SLOTS :]) == 1
    pools.tag = 8
    tally.own(pools)  # type: ignore[arg-type]
    assert sum(tally.blocks[0][-8 * SLOTS :]) == 0


def test_types_that_are_not_known_are_others(tmp_path: Path, tally: Tally) -> None:
    for rtype in range(0, 65_536, 61):
        count(tally, NO_ZONE, rtype)
    requests = Counts(tmp_path / "0.counts").requests(0, NO_ZONE)
    assert requests[counts.TYPES.index("other")] >= 1000
    assert counts.TYPES[-1] == "other"


def test_a_cut_reply_names_nobody(tally: Tally) -> None:
    cut = bytes([0, 0, 0x86, 0]) + bytes(8)
    tally.answered(tally.blocks[0], Asked(NO_ZONE, 1, False, 50), cut, (3,), Why.RULE)
    assert sum(tally.blocks[0][-8 * SLOTS :]) == 0


def test_another_file_is_refused_and_one_of_another_size_made_anew(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(100_000))
    with pytest.raises(Unavailable, match="holds no counters"):
        Counts(tmp_path / "x")
    with pytest.raises(Unavailable, match="cannot be mapped"):
        Counts(tmp_path / "none")
    assert Tally(tmp_path / "x", SLOTS).rows([]) == {}
    assert Counts(tmp_path / "x").slots == SLOTS
