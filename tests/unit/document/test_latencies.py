"""Latency tables as CSV: in, out, and every fault with its line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodns.document.latencies import in_lines, rows_from_csv, table_to_csv
from geodns.errors import ConfigError
from geodns.model.base import read
from geodns.model.latency import Latency

HEAD = "from,node,rtt_ms,samples\n"


def table(text: str) -> Latency:
    return read(Latency, rows_from_csv(text)[0])


def test_rows_are_read_by_the_names_of_their_columns() -> None:
    text = "node,samples,from,rtt_ms\nfra1,100,EU-DE,12.5\n\nfra1,3, AS064500 ,8\n"
    assert [tuple(row) for row in table(text).rows] == [
        ("EU-DE", "fra1", 12.5, 100),
        ("AS64500", "fra1", 8.0, 3),
    ]


def test_a_spreadsheets_file_is_read() -> None:
    text = '\ufeff"from","node","rtt_ms","samples"\r\n"192.0.2.0/24","fra1","1e1","2"\r\n'
    assert tuple(table(text).rows[0]) == ("192.0.2.0/24", "fra1", 10.0, 2)


SOURCES = st.sampled_from(
    ["EU-DE", "NA-US-CA", "AS1", "AS4294967295", "10.0.0.0/8", "2001:db8::/64"]
)
ROWS = st.tuples(
    SOURCES,
    st.sampled_from(["a", "b1", "c-d"]),
    st.floats(0.001, 60_000).map(lambda each: float(f"{each:.15g}")),
    st.integers(1, 2**53),
)


@given(st.lists(ROWS, min_size=1, max_size=20))
def test_what_is_written_is_read_as_the_same_table(rows: list[Any]) -> None:
    known = read(Latency, {"rows": [list(row) for row in rows]})
    assert table(table_to_csv(known)) == known


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Line 1 must be the header from,node,rtt_ms,samples."),
        ("from,node,rtt_ms\n", "Line 1 must be the header"),
        ("from,from,node,rtt_ms,samples\n", "Line 1 must be the header"),
        (HEAD + "EU-DE,fra1,1\n", "Line 2 has 3 fields, not 4."),
        (HEAD + "EU-DE,fra1,1,2,3\n", "Line 2 has 5 fields, not 4."),
        (HEAD + 'EU-DE,"fra1,1,2\n', "Line 2: unexpected end of data."),
        (HEAD + "EU-DE,fra1,1,2\nEU-DE,fra1\nEU-FR,x\n", "Line 3 has 2 fields, not 4.; Line 4 has"),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        rows_from_csv(text)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("EU,fra1,1,1", "from: EU is more than a country."),
        ("EU27,fra1,1,1", "from: EU27 is more than a country."),
        ("unknown,fra1,1,1", "from: unknown is more than a country."),
        ("DE,fra1,1,1", "from: 'DE' begins with no continent. Did you mean EU-DE?"),
        ("AS0,fra1,1,1", "from: AS0 is no autonomous system"),
        ("10.0.0.1/8,fra1,1,1", "from: 10.0.0.1/8 has bits beyond its length."),
        ("EU-DE,FRA1,1,1", "node: Must match"),
        ("EU-DE,fra1,0,1", "rtt_ms: Must be above 0."),
        ("EU-DE,fra1,60001,1", "rtt_ms: Must be at most 60000."),
        ("EU-DE,fra1,nan,1", "rtt_ms: "),
        ("EU-DE,fra1,fast,1", "rtt_ms: Must be a valid number."),
        ("EU-DE,fra1,1,0", "samples: Must be at least 1."),
        ("EU-DE,fra1,1,1.5", "samples: Must be a valid integer."),
    ],
)
def test_a_bad_field_is_refused_with_its_line_and_column(row: str, told: str) -> None:
    body, lines = rows_from_csv(f"{HEAD}\nEU-FR,fra1,1,1\n{row}\n")
    with pytest.raises(ConfigError) as refused:
        read(Latency, body)
    (reason,) = in_lines(refused.value.reasons, lines)
    assert f"Line 4, {told}" in str(reason)


def test_a_table_has_a_row_at_least() -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        table(HEAD)
