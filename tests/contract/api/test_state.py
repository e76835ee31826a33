"""What needs no token, and the questions."""

from __future__ import annotations

from typing import Any

import pytest

from geodns.errors import Reason

ANONYMOUS = {"Authorization": ""}


def test_live_is_always_live(api: Any) -> None:
    assert api.get("/livez", headers=ANONYMOUS).status_code == 200
    assert api.request("HEAD", "/livez", headers=ANONYMOUS).status_code == 200


def test_ready_says_what_serves(prod: Any) -> None:
    answer = prod.get("/readyz", headers=ANONYMOUS)
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "engine": "python", "generation": 1}


def test_not_ready_says_why(api: Any) -> None:
    api.observer.found = [Reason("", "no_verdicts", "Health is not known yet."),
                          Reason("", "announce_only", "No node is up.")]  # fmt: skip
    answer = api.get("/readyz", headers=ANONYMOUS)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [each["code"] for each in answer.json()["reasons"]] == ["no_verdicts"]
    assert len(api.get("/readyz?for=announce").json()["reasons"]) == 2
    assert api.get("/readyz?for=lunch").status_code == 422


def test_ready_may_differ_from_ready_to_announce(api: Any) -> None:
    api.observer.found = [Reason("", "announce_only", "No node is up.")]
    assert api.get("/readyz").status_code == 200
    assert api.get("/readyz?for=announce").status_code == 503


def test_docs_need_nothing_from_elsewhere(api: Any) -> None:
    answer = api.get("/docs", headers=ANONYMOUS)
    assert answer.status_code == 200
    assert "/api/v1/zones/{zone}/rrsets/{owner}/{type}" in answer.text
    assert "<script" not in answer.text
    assert "http://" not in answer.text.replace("http://api.test", "")
    assert "https://" not in answer.text
    assert "style-src 'sha256-" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_the_style_of_the_docs_has_the_hash_its_policy_allows(api: Any) -> None:
    import base64
    import hashlib

    answer = api.get("/docs")
    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in answer.headers["Content-Security-Policy"]


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [ref for value in part.values() for ref in _references(value)]
    if isinstance(part, list):
        return [ref for value in part for ref in _references(value)]
    return []


def test_the_contract_is_whole(api: Any) -> None:
    document = api.get("/openapi.json", headers=ANONYMOUS).json()
    assert document["openapi"].startswith("3.1")
    refs = _references(document)
    assert refs
    for ref in refs:
        part = document
        for step in ref.removeprefix("#/").split("/"):
            part = part[step]
    put = document["paths"]["/api/v1/nodes/{id}"]["put"]
    schema = put["requestBody"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/NodeBody"}
    assert {each["name"] for each in put["parameters"]} >= {"id", "plan", "wait", "If-Match"}
    assert put["security"] == [{"bearer": []}]
    ids = [each["operationId"] for path in document["paths"].values() for each in path.values()]
    assert len(ids) == len(set(ids))


def test_every_route_is_in_the_contract(api: Any) -> None:
    documented = api.get("/openapi.json").json()["paths"].keys()
    sections = {"nodes", "pools", "monitors", "zones", "zones/{zone}/steers", "document", "plan",
                "zones/{zone}/rrsets", "explain", "status", "geo/lookup"}  # fmt: skip
    assert {f"/api/v1/{section}" for section in sections} <= documented


# --- Questions ---


def test_explain_hands_the_question_on(api: Any) -> None:
    params = {"name": "www.example.com", "from": "79.6.0.9/24", "resolver": "2001:DB8::1"}
    assert api.get("explain", params=params).json() == {
        "name": "www.example.com",
        "type": "A",
        "source": "79.6.0.0/24",
        "resolver": "2001:db8::1",
    }
    assert api.get("explain", params={"name": "x", "type": "AAAA"}).json()["type"] == "AAAA"


@pytest.mark.parametrize(
    "query",
    ["", "name=", "name=x&from=nowhere", "name=x&from=192.0.2.0/33", "name=x&resolver=192.0.2.0/24",
     "name=x&colour=red"],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(api: Any, query: str) -> None:
    assert api.get(f"explain?{query}").status_code == 422


def test_status_tells_generation_and_revision(prod: Any) -> None:
    assert prod.get("status").json() == {
        "generation": 1,
        "revision": 1,
        "engine": "python",
        "tls": None,
    }


def test_an_address_is_looked_up_with_who_announces_it(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Asn:
        def as_text(self) -> str:
            return "AS64500 Example Ltd"

    monkeypatch.setattr(api.geo, "knows_asns", True, raising=False)
    monkeypatch.setattr(api.geo, "asn", lambda address: Asn())
    monkeypatch.setattr(api.geo, "describe_asns", lambda: "asn-lite 2026-11")
    found = api.get("geo/lookup?address=192.0.2.7").json()
    assert (found["asn"], found["asn_database"]) == ("AS64500 Example Ltd", "asn-lite 2026-11")


def test_an_address_is_looked_up(api: Any) -> None:
    assert api.get("geo/lookup?address=192.0.2.7").json() == {
        "address": "192.0.2.7",
        "place": "EU-DE",
        "location": {"lat": 50.11, "lon": 8.68},
        "database": "dbip-city-lite 2026-11",
    }
    unknown = api.get("geo/lookup?address=203.0.113.1").json()
    assert unknown["place"] is unknown["location"] is None
    assert api.get("geo/lookup?address=300.0.0.1").status_code == 422
    assert api.get("geo/lookup").status_code == 422


def test_the_schema_of_documents_is_served_to_editors(api: Any) -> None:
    reply = api.get("/schema.json", headers={"Authorization": ""})
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/schema+json")
    assert reply.json()["required"] == ["geodns"]
