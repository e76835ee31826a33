"""Several files make one document; variables stand only where they are declared."""

from __future__ import annotations

from typing import Any

import pytest

from geodns.document.compose import expanded, merged
from geodns.errors import ConfigError

A: dict[str, Any] = {
    "geodns": 1,
    "zones": {"example.com": {"nameservers": ["ns.example.net"], "rrsets": {"a": {"A": ["1"]}}}},
    "nodes": {"fra1": {"addresses": ["192.0.2.1"]}},
}
B: dict[str, Any] = {
    "geodns": 1,
    "zones": {"example.com": {"rrsets": {"a": {"TXT": ["x"]}, "b": {"A": ["2"]}}, "ttl": 60}},
    "pools": {"web": {"nodes": ["fra1"]}},
}


def test_files_add_to_the_same_sections_and_zones() -> None:
    before = repr((A, B))
    assert merged({"a.yaml": A, "b.yaml": B}) == {
        "geodns": 1,
        "zones": {
            "example.com": {
                "nameservers": ["ns.example.net"],
                "rrsets": {"a": {"A": ["1"], "TXT": ["x"]}, "b": {"A": ["2"]}},
                "ttl": 60,
            }
        },
        "nodes": {"fra1": {"addresses": ["192.0.2.1"]}},
        "pools": {"web": {"nodes": ["fra1"]}},
    }
    assert repr((A, B)) == before


def test_one_resource_in_two_files_is_refused_with_both_names() -> None:
    other = {"name": "x", "nodes": {"fra1": {"addresses": ["192.0.2.2"]}}}
    with pytest.raises(ConfigError) as refused:
        merged({"a.yaml": A | {"name": "y"}, "c.yaml": other})
    assert [(each.pointer, each.detail) for each in refused.value.reasons] == [
        ("/name", "c.yaml says otherwise than a.yaml."),
        ("/nodes/fra1", "c.yaml says otherwise than a.yaml."),
    ]


def test_one_file_is_taken_as_it_is() -> None:
    assert merged({"a.yaml": ["odd"]}) == ["odd"]
    with pytest.raises(ConfigError, match=r"odd\.yaml must be a mapping"):
        merged({"a.yaml": A, "odd.yaml": ["odd"]})


def test_variables_are_replaced_in_values_where_they_are_declared() -> None:
    data = {
        "env": ["SITE"],
        "nodes": {"${SITE}": {"labels": {"site": "${SITE}-1", "other": "${HOME} $SITE ${SITE"}}},
    }
    assert expanded(data, {"SITE": "fra${SITE}", "HOME": "/"}) == {
        "nodes": {"${SITE}": {"labels": {"site": "fra${SITE}-1", "other": "${HOME} $SITE ${SITE"}}}
    }
    assert expanded({"a": "${SITE}"}, {"SITE": "x"}) == {"a": "${SITE}"}


def test_a_declared_variable_that_is_not_set_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"A is not set.*B is not set"):
        expanded({"env": ["A", "B"]}, {})
    with pytest.raises(ConfigError, match="env lists"):
        expanded({"env": {"A": "x"}}, {})
