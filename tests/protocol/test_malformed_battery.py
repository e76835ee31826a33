"""The battery: every packet of it gets exactly what its RFC asks for, over every transport."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from protocol.malformed.battery import CASES
from protocol.malformed.case import Case, Grade, judge
from protocol.malformed.inside import Ask, inside
from protocol.malformed.peers import program_of, running_geodns, running_peer
from protocol.malformed.report import worse_than
from protocol.malformed.run import play
from protocol.malformed.zone import on_steered_name

from geodns.geo.world import World


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory, tiny_world: World, engine: str) -> Ask:
    return inside(tmp_path_factory.mktemp("malformed"), tiny_world, engine)


def names(cases: list[Case]) -> list[str]:
    return [case.name for case in cases]


UDP = [case for case in CASES if case.tcp is not True]
SAMPLE = [case for case in CASES if not case.name.startswith("second flag octet")]
"""The battery without the many that differ only in flags."""
TCP = [case for case in CASES if case.tcp is not False]


def test_the_battery_is_large_and_every_case_has_its_own_name() -> None:
    assert len(CASES) >= 300
    assert len(set(names(list(CASES)))) == len(CASES)


@pytest.mark.parametrize("case", UDP, ids=names(UDP))
def test_exactly_what_its_rfc_asks_for(ask: Ask, case: Case) -> None:
    grade, words = judge(case, ask(case.packet, False))
    assert grade is Grade.EXACT, f"{words}; {case.source}"


@pytest.mark.parametrize("case", TCP, ids=names(TCP))
def test_exactly_what_its_rfc_asks_for_over_tcp(ask: Ask, case: Case) -> None:
    grade, words = judge(case, ask(case.packet, True))
    assert grade is Grade.EXACT, f"{words}; {case.source}"


def test_exactly_what_its_rfc_asks_for_of_a_steered_name(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    for case in UDP:
        packet = on_steered_name(case.packet)
        grade, words = judge(replace(case, packet=packet), ask(packet, False))
        assert grade is Grade.EXACT, f"{case.name}: {words}; {case.source}"
    assert not caplog.records  # what raises is logged, and answered SERVFAIL


@pytest.mark.slow
def test_exactly_what_its_rfc_asks_for_of_a_running_server(tmp_path: Path, engine: str) -> None:
    with running_geodns(tmp_path, engine=engine) as port:
        found = play(port, CASES)
    assert [str(verdict) for verdict in found if verdict.grade is not Grade.EXACT] == []


@pytest.mark.slow
@pytest.mark.skipif(program_of("BIND") is None, reason="named is not installed")
def test_bind_does_better_in_no_case(tmp_path: Path) -> None:
    with running_geodns(tmp_path / "ours") as port:
        ours = play(port, SAMPLE)
    with running_peer("BIND", tmp_path / "theirs") as port:
        theirs = play(port, SAMPLE)
    assert [str(verdict) for verdict in worse_than(ours, theirs)] == []
    assert sum(verdict.grade is Grade.EXACT for verdict in theirs) > len(theirs) // 2
