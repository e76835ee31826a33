"""Latency tables as text/csv (RFC 4180): header ``from,node,rtt_ms,samples``, a row each."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from geodns.errors import ConfigError, Reason
from geodns.model.latency import ROWS_MAX, Latency

HEADER = ("from", "node", "rtt_ms", "samples")

FAULTS_MAX = 100
"""Source: no reference; more rows of a wrong form than this are one misunderstanding."""


def table_to_csv(table: Latency) -> str:
    """The table as text that `rows_from_csv` reads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")  # RFC 4180 says CRLF; every reader takes both
    writer.writerow(HEADER)
    writer.writerows((row.from_, row.node, f"{row.rtt_ms:.15g}", row.samples) for row in table.rows)
    return text.getvalue()


def rows_from_csv(text: str) -> tuple[dict[str, Any], list[int]]:
    """The body of a latency table, and the line of each of its rows.

    Errors: ConfigError with every row that has not a field for each column, and its line. What
            the fields hold is left to the model.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    rows: list[list[Any]] = []
    lines: list[int] = []
    faults: list[Reason] = []
    try:
        order = _order(next(reader, []))
        for fields in reader:
            if len(fields) == len(HEADER) and len(rows) <= ROWS_MAX:
                rows.append([_READERS[name](fields[at]) for name, at in order])
                lines.append(reader.line_num)
            elif fields:
                faults.append(_wrong_length(reader.line_num, fields))
    except csv.Error as error:
        faults.append(Reason("", "bad_csv", f"Line {reader.line_num}: {error}."))
    if faults:
        raise ConfigError(faults[:FAULTS_MAX])
    return {"rows": rows}, lines


def in_lines(reasons: Iterable[Reason], lines: Sequence[int]) -> list[Reason]:
    """The reasons with the line of the row that they point to."""
    return [_in_line(reason, lines) for reason in reasons]


def _in_line(reason: Reason, lines: Sequence[int]) -> Reason:
    tokens = reason.pointer.split("/")
    if tokens[:2] != ["", "rows"] or len(tokens) < 3 or int(tokens[2]) >= len(lines):
        return reason
    column = f", {HEADER[int(tokens[3])]}" if len(tokens) > 3 else ""
    return replace(reason, detail=f"Line {lines[int(tokens[2])]}{column}: {reason.detail}")


def _order(found: list[str]) -> list[tuple[str, int]]:
    """Where each column stands. Errors: ConfigError unless all are there, and no others."""
    names = [name.strip() for name in found]
    if sorted(names) != sorted(HEADER):
        detail = f"Line 1 must be the header {','.join(HEADER)}."
        raise ConfigError([Reason("", "bad_csv", detail, ",".join(found)[:200])])
    return [(name, names.index(name)) for name in HEADER]


def _wrong_length(line: int, fields: list[str]) -> Reason:
    detail = f"Line {line} has {len(fields)} fields, not {len(HEADER)}."
    return Reason("", "bad_csv", detail, ",".join(fields)[:200])


def _number(text: str) -> object:
    """The number a field spells; else the text itself, which the model refuses."""
    return float(text) if _DECIMAL.fullmatch(text.strip()) else text


def _whole(text: str) -> object:
    return int(text) if _INTEGER.fullmatch(text.strip()) else text


_DECIMAL = re.compile(
    r"[-+]?([0-9]{1,20}\.?[0-9]{0,20}|\.[0-9]{1,20})([eE][-+]?[0-9]{1,2})?", re.ASCII
)
_INTEGER = re.compile(r"[-+]?[0-9]{1,20}", re.ASCII)

_READERS: Mapping[str, Callable[[str], object]] = {
    "from": str.strip,
    "node": str.strip,
    "rtt_ms": _number,
    "samples": _whole,
}
