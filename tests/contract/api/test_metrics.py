"""What /metrics says, how it is written, and that nobody can make it grow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse

from geodns.api.metrics import METHODS, TABLE, markdown

ANONYMOUS = {"Authorization": ""}
README = Path(__file__).parents[3] / "README.md"
BOUNDED = re.compile(r"[a-z][a-z0-9_]*")


def scrape(api: Any, accept: str = "") -> dict[str, Any]:
    answer = api.get("/metrics", headers={**ANONYMOUS, "Accept": accept})
    assert answer.status_code == 200
    return {family.name: family for family in parse(answer.text)}


def test_metrics_are_prometheus_text_with_help_and_type(prod: Any) -> None:
    answer = prod.get("/metrics", headers=ANONYMOUS)
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    assert "geodns_health_holding 1.0" in lines
    assert 'geodns_resources{kind="node"} 4.0' in lines
    assert any(line.startswith('geodns_build_info{engine="python",version=') for line in lines)
    assert answer.text.endswith("\n")
    families = scrape(prod)
    assert families["geodns_resources"].type == "gauge"
    assert all(family.documentation for family in families.values())


@pytest.mark.parametrize(
    ("accept", "is_open"),
    [
        ("application/openmetrics-text", True),
        # What Prometheus 3 sends.
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
            "application/openmetrics-text;version=0.0.1;q=0.5,"
            "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,"
            "*/*;q=0.2",
            True,
        ),
        ("text/plain, application/openmetrics-text;q=0.1", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=x;version=\x09", False),
        ("text/html,*/*", False),
        (",;;q=,", False),
    ],
)
def test_the_format_is_what_is_asked_for(api: Any, accept: str, is_open: bool) -> None:
    answer = api.get("/metrics", headers={**ANONYMOUS, "Accept": accept})
    assert answer.headers["Content-Type"].startswith("application/openmetrics") == is_open
    if is_open:
        assert answer.text.endswith("# EOF\n")
        assert "geodns_health_holding" in {family.name for family in parse_open(answer.text)}


def test_requests_count_by_route_and_not_by_what_is_in_them(api: Any) -> None:
    for number in range(1000):
        path = (f"nodes/n{number}", f"/x{number}", f"zones/z{number}.test/steers/s")[number % 3]
        api.request(("GET", "PUT", f"M{number}")[number % 3], path)
    api.request("HEAD", "/livez")
    samples = scrape(api)["geodns_api_requests"].samples
    routes = {sample.labels["route"] for sample in samples}
    assert {"/api/v1/nodes/{id}", "none", "/livez"} <= routes
    assert not any(re.search("[0-9]{2}", route) for route in routes)
    assert {sample.labels["method"] for sample in samples} <= METHODS | {"other"}
    assert {sample.labels["code"] for sample in samples} <= {"2xx", "3xx", "4xx", "5xx", "0xx"}
    assert len(samples) < 20
    timed = scrape(api)["geodns_api_request_duration_seconds"].samples
    assert sum(s.value for s in timed if s.name.endswith("_count")) >= 1000


def test_the_readme_has_the_table_of_metrics() -> None:
    assert markdown() in README.read_text()


def test_names_follow_the_conventions() -> None:
    for row in TABLE:
        assert row.name.startswith("geodns_")
        assert (row.kind == "counter") == row.name.endswith("_total"), row.name
        assert all(BOUNDED.fullmatch(label) for label in row.labels)
        assert row.kind != "histogram" or row.name.endswith(("_seconds", "_bytes")), row.name
    bare = [row.name.removesuffix("_total") for row in TABLE]
    assert len(bare) == len(set(bare))
