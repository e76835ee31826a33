"""Places by name: codes and cities are found, what is ambiguous is refused with the choices."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest

from geodns.errors import ConfigError
from geodns.geo import gazetteer
from geodns.geo.gazetteer import find, fold

LIST = Path(__file__).resolve().parents[3] / "data" / "places.tsv.gz"


@pytest.mark.parametrize(
    ("at", "lat", "lon"),
    [
        # Airports' reference points as their aeronautical publications give them, to a tenth.
        ("FRA", 50.0, 8.6),
        ("MXP", 45.6, 8.7),
        ("JFK", 40.6, -73.8),
        ("SYD", -33.9, 151.2),
        ("GRU", -23.4, -46.5),
        # A code of several airports is amidst them; of one that bears it too, the airport's.
        ("LON", 51.6, -0.2),
        ("DXB", 25.2, 55.4),
        ("Frankfurt", 50.1, 8.7),
        ("Frankfurt, DE", 50.1, 8.7),
        ("frankfurt am main", 50.1, 8.7),
        ("München", 48.1, 11.6),
        ("munchen, de", 48.1, 11.6),
        ("Sao Paulo", -23.5, -46.6),
        ("New York", 40.7, -74.0),
        ("Springfield, US-IL", 39.8, -89.6),
        ("springfield , us-il", 39.8, -89.6),
        ("London, CA-ON", 43.0, -81.2),
        ("London, GB", 51.5, -0.1),
        ("St. Louis", 38.6, -90.2),
    ],
)
def test_a_place_is_found(at: str, lat: float, lon: float) -> None:
    spot = find(at)
    assert (spot.latitude, spot.longitude) == pytest.approx((lat, lon), abs=0.1)


def refusal(at: str) -> tuple[str, str]:
    with pytest.raises(ConfigError) as refused:
        find(at)
    (reason,) = refused.value.reasons
    assert reason.value == at
    return reason.code, str(reason)


@pytest.mark.parametrize(
    ("at", "code", "told"),
    [
        ("Springfield", "ambiguous", "Springfield, US-IL"),
        ("London", "ambiguous", "London, GB; London, CA. Say which."),
        ("San Pedro", "ambiguous", "San Pedro, "),
        ("Xinglong, CN-33", "ambiguous", "Give location {lat, lon}."),
        ("fra", "unknown_place", "Did you mean FRA?"),
        ("Frankfrt", "unknown_place", "Did you mean Frankfurt am Main, DE?"),
        ("Frankfurt, FR", "unknown_place", "Known are Frankfurt am Main, DE."),
        ("QQQ", "unknown_place", "Give location {lat, lon}."),
        ("Москва", "unknown_place", "Give location {lat, lon}."),
        (", DE", "unknown_place", "Give location {lat, lon}."),
        ("FRA, DE", "unknown_place", ""),
        ("\0" * 100, "unknown_place", ""),
    ],
)
def test_what_is_none_or_several_is_refused_with_the_choices(at: str, code: str, told: str) -> None:
    assert refusal(at)[0] == code
    assert told in refusal(at)[1]


def test_every_choice_that_is_offered_can_be_asked_for() -> None:
    for offered in refusal("Springfield")[1].partition(": ")[2].split(". ")[0].split("; "):
        assert find(offered).as_text() == offered


def test_the_choices_are_bounded() -> None:
    assert " more" in refusal("San Juan")[1] or len(refusal("San Juan")[1]) < 400
    assert len(refusal("San Antonio")[1]) < 400


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("São Paulo", "sao paulo"),
        ("Łódź", "lodz"),
        ("St. John's", "st john s"),
        ("ʻEwa Beach", "ewa beach"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("東京", ""),
        ("", ""),
    ],
)
def test_names_are_compared_without_case_accents_and_punctuation(name: str, folded: str) -> None:
    assert fold(name) == folded


def test_the_list_is_sound() -> None:
    lines = gzip.decompress(LIST.read_bytes()).decode().splitlines()
    assert LIST.stat().st_size < 2**20
    assert len(lines) > 40_000
    codes = [line.split("\t")[0] for line in lines]
    assert sum(map(bool, codes)) > 7_800
    for line in lines:
        _, name, country, _, latitude, longitude, _ = line.split("\t")
        assert name
        assert len(country) == 2
        assert abs(float(latitude)) <= 90
        assert abs(float(longitude)) <= 180


def test_the_list_is_read_in_less_than_a_second() -> None:
    gazetteer._places.cache_clear()
    before = time.process_time()
    gazetteer._places()
    assert time.process_time() - before < 1
