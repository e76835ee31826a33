"""Revisions, the way back to them, and the audit."""

from __future__ import annotations

from typing import Any

NODE = {"addresses": ["198.51.100.9"], "location": {"lat": 1.0, "lon": 2.0}}


def test_revisions_are_listed_newest_first_in_pages(prod: Any) -> None:
    prod.put("nodes/a", NODE)
    prod.delete("nodes/a")
    first = prod.get("revisions?limit=2").json()
    assert [(each["revision"], each["changed"]) for each in first["items"]] == [(3, 1), (2, 1)]
    rest = prod.get(f"revisions?cursor={first['next']}").json()
    assert [(each["revision"], each["document"]) for each in rest["items"]] == [(1, "prod")]
    assert rest["next"] is None


def test_a_revision_tells_who_changed_what_why_and_by_which_request(prod: Any) -> None:
    reply = prod.put("nodes/a?reason=new site", NODE)
    found = prod.get("revisions/2").json()
    assert (found["actor"], found["reason"]) == ("admin", "new site")
    assert found["request_id"] == reply.headers["x-request-id"]
    assert found["changes"] == [{"kind": "node", "id": "a", "before": None, "after": NODE}]


def test_a_revision_that_never_was_is_not_found(prod: Any) -> None:
    for number in ("2", "0", "999999999999999"):
        assert prod.get(f"revisions/{number}").status_code == 404
        assert prod.post(f"revisions/{number}/restore", None).status_code == 404
    assert prod.get("revisions/x").status_code == 422
    assert prod.get("audit?cursor=-1").status_code == 422


def test_restoring_is_one_new_revision_with_everything_as_it_was(prod: Any) -> None:
    before = prod.get("document").json()
    prod.put("nodes/a", NODE)
    prod.delete("zones/example.com/rrsets/mail/A")
    prod.patch("nodes/fra1", {"weight": 7})
    planned = prod.post("revisions/1/restore?plan=true", None).json()
    assert [change["kind"] for change in planned["changes"]] == ["remove", "change", "add"]
    restored = prod.post("revisions/1/restore", None)
    assert restored.json()["revision"] == 5
    assert prod.get("document").json() == before
    assert prod.get("revisions/5").json()["reason"] == "restore 1"
    assert prod.post("revisions/1/restore", None).json()["changed"] is False


def test_restoring_respects_brakes_and_preconditions(prod: Any, document: Any) -> None:
    document["nodes"] |= {f"n{i}": NODE | {"addresses": [f"198.51.100.{i}"]} for i in range(4)}
    document["pools"]["web"]["nodes"] += ["n0", "n1", "n2", "n3"]
    assert prod.put("document", document).status_code == 200
    held = prod.post("revisions/1/restore", None)
    assert (held.status_code, held.json()["reasons"][0]["code"]) == (409, "brake")
    stale = prod.post("revisions/1/restore", None, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    forced = prod.post("revisions/1/restore?force=true&reason=bad deploy", None)
    assert forced.json()["revision"] == 3


def test_the_audit_tells_of_tokens_too_and_can_be_verified(prod: Any) -> None:
    entries = prod.get("audit").json()["items"]
    assert [(each["number"], each["revision"]) for each in entries] == [(2, 1), (1, None)]
    assert entries[1]["changes"][0] | {"before": None} == {
        "kind": "token",
        "id": "admin",
        "before": None,
        "after": {"role": "admin"},
    }
    assert prod.get("audit/verify").json() == {"first": 1, "last": 2, "head": entries[0]["hash"]}
    prod.store._db.execute("UPDATE audit SET actor = 'mallory' WHERE number = 2")
    reply = prod.get("audit/verify")
    assert (reply.status_code, "entry 2" in reply.text) == (503, True)


def test_writes_that_come_together_are_each_a_revision_of_its_own(prod: Any) -> None:
    import asyncio

    async def together() -> list[int]:
        puts = [
            prod._client.put(f"/api/v1/nodes/n{i}", json=NODE | {"addresses": [f"203.0.113.{i}"]})
            for i in range(1, 21)
        ]
        return [reply.json()["revision"] for reply in await asyncio.gather(*puts)]

    assert sorted(prod._runner.run(together())) == list(range(2, 22))
    assert prod.service.revision == 21


def test_no_secret_is_told_by_the_audit_and_restoring_brings_it_back(prod: Any) -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    hook = {"url": "https://198.51.100.7/T0/hush", "secret": secret}
    assert prod.put("webhooks/chat", hook).status_code == 201
    prod.delete("webhooks/chat")
    for path in ("audit", "revisions/2", "revisions/3"):
        told = prod.get(path).text
        assert "hush" not in told
        assert secret not in told
        assert "198.51.100.7" in told
    assert prod.post("revisions/2/restore", None).status_code == 200
    kept = prod.store.read()[1]["webhook", ("chat",)].body
    assert (kept["url"], kept["secret"]) == (hook["url"], secret)


def test_the_audit_tells_who_made_and_ended_a_token(prod: Any) -> None:
    prod.post("tokens", {"id": "fra", "role": "agent", "nodes": ["fra*"]})
    prod.delete("tokens/fra")
    ended, made = prod.get("audit?limit=2").json()["items"]
    assert (made["actor"], ended["actor"]) == ("admin", "admin")
    assert made["changes"][0]["after"] == {"role": "agent", "nodes": ["fra*"]}
    assert ended["changes"][0]["before"] == {"role": "agent", "nodes": ["fra*"]}
    assert made["request_id"] != ended["request_id"] != ""
