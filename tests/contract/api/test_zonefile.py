"""A zone as a master file: out, in, and every fault with its line."""

from __future__ import annotations

from typing import Any

import dns.rdatatype
import dns.zone
import pytest

PATH = "zones/example.com/zonefile"
TEXT = """\
$TTL 600
@ IN SOA ns1 hostmaster ( 7 7200 900 1209600 45 )
    NS ns1
    NS ns2.example.net.
    MX 10 mail
ns1  A 192.0.2.53
mail 60 A 192.0.2.25
\\003odd\\;name TXT "a;b" "c"
"""


def put(api: Any, text: str, path: str = PATH, **headers: str) -> Any:
    return api.raw("PUT", path, text.encode(), **{"content_type": "text/dns"} | headers)


def test_a_master_file_makes_a_zone(api: Any) -> None:
    made = put(api, TEXT)
    assert (made.status_code, made.json()["changed"]) == (201, True)
    assert api.get("zones/example.com").json()["negative_ttl"] == 45
    assert api.get("zones/example.com/rrsets/mail/A").json()["ttl"] == 60
    assert api.publisher.published


def test_what_is_exported_is_read_by_others_and_by_us(api: Any) -> None:
    put(api, TEXT)
    exported = api.get(PATH)
    assert exported.headers["Content-Type"].startswith("text/dns")
    zone = dns.zone.from_text(exported.text, "example.com.", relativize=False)
    assert zone.get_rdataset("mail.example.com.", dns.rdatatype.A).ttl == 60
    again = put(api, exported.text)
    assert (again.status_code, again.json()["changed"]) == (200, False)


def test_steers_stay_when_the_records_are_replaced(api: Any) -> None:
    put(api, TEXT)
    api.put("nodes/fra1", {"addresses": ["192.0.2.10"]})
    api.put("pools/web", {"nodes": ["fra1"]})
    api.put("zones/example.com/steers/www", {"pool": "web"})
    assert put(api, TEXT.replace("mail 60", "mail 61")).status_code == 200
    assert api.get("zones/example.com/steers/www").status_code == 200
    assert "; www" in api.get(PATH).text


@pytest.mark.parametrize(
    ("line", "wrong"),
    [(8, "bad A 192.0.2.300"), (8, "x CNAME a\nx A 192.0.2.1"), (8, "$INCLUDE /etc/passwd")],
)
def test_every_fault_names_its_line_and_nothing_changes(api: Any, line: int, wrong: str) -> None:
    refused = put(api, TEXT + wrong + "\n")
    assert refused.status_code == 422
    assert any(f"ine {line + 1}" in each["detail"] for each in refused.json()["reasons"])
    assert api.get("zones/example.com").status_code == 404
    assert api.publisher.published == []


def test_a_plan_changes_nothing(api: Any) -> None:
    planned = put(api, TEXT, PATH + "?plan=true")
    assert {change["pointer"] for change in planned.json()["changes"]} >= {"/zones/example.com"}
    assert api.get("zones/example.com").status_code == 404


def test_other_media_types_and_other_octets_are_refused(api: Any) -> None:
    assert api.raw("PUT", PATH, b"{}").status_code == 415
    assert put(api, "").status_code == 422
    refused = api.raw("PUT", PATH, b"\xff", content_type="text/dns")
    assert refused.json()["reasons"][0]["code"] == "not_utf8"


def test_a_zone_that_is_not_there_has_no_file(api: Any) -> None:
    assert api.get("zones/nowhere.example/zonefile").status_code == 404


HEAD = (
    "$TTL 300\n@ IN SOA ns1.example.net. h.example.com. 1 3600 600 604800 30\n"
    "@ IN NS ns1.example.net.\n"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        (";\n", 200, ""),
        ("{i:x} A 10.0.0.1\n", 413, "too_large"),
        ("\tA 10.0.0.1\n", 422, "too_large"),
        ("host{i} 300 IN A 10.0.0.1\n", 413, "too_large"),
        ("x y z\n", 422, "unknown_type"),
    ],
)
def test_a_million_lines_are_read_or_refused_clearly(
    prod: Any, line: str, status: int, code: str
) -> None:
    lines = "".join(line.format(i=number) for number in range(1_000_000))
    reply = prod.raw(
        "PUT",
        PATH + "?force=true&reason=test",
        (HEAD + lines).encode()[: 30 * 2**20],
        content_type="text/dns",
    )
    assert reply.status_code == status
    if code:
        assert code in {reason["code"] for reason in reply.json()["reasons"]}
        assert len(reply.content) < 200_000
        assert prod.service.revision == 1
