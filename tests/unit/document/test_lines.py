"""Every fault of a document has a line, whatever it is written in."""

from __future__ import annotations

import json

import pytest

from geodns.document.lines import line_of, lines_of

YAML = """\
geodns: 1
nodes:
  fra1:
    addresses:
      - 192.0.2.1
      - 192.0.2.300
    location: {lat: 95,
               lon: 8}
zones:
  a/b~c: {}
x: &x {y: 1}
z: *x
"""


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("/geodns", 1), ("/nodes", 2), ("/nodes/fra1", 3), ("/nodes/fra1/addresses/1", 6),
        ("/nodes/fra1/location/lat", 7), ("/nodes/fra1/location/lon", 8), ("/zones/a~1b~0c", 10),
        ("/x/y", 11), ("/z", 12), ("/z/y", 12), ("/nodes/fra1/weight", 3), ("/pools/x", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_pointer_has_a_line(pointer: str, line: int | None) -> None:
    assert line_of(pointer, lines_of(YAML)) == line


def test_json_has_lines_too() -> None:
    text = json.dumps({"a": [{"b": 1}, {"c": [2, 3]}], "d": {}}, indent=1)
    lines = text.splitlines()
    for pointer, line in lines_of(text).items():
        last = pointer.rpartition("/")[2]
        if last and not last.isdecimal():
            assert f'"{last}"' in lines[line - 1]
