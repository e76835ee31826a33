"""A zone through its master file: what is kept, what is told, what is refused."""

from __future__ import annotations

from typing import Any

import dns.name
import dns.rdatatype
import dns.zone
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodns.dns.names import to_url
from geodns.dns.rdata import rdata_to_text
from geodns.document.check import check, warnings
from geodns.document.load import from_document
from geodns.document.zonefile import ImportedZone, with_zone, zone_from_text, zone_to_text
from geodns.errors import ConfigError, NotFound, Reason
from geodns.model.config import Config
from geodns.model.zone import NameServer, RRset, Zone

ZONE = "example.test"
HEAD = """\
$TTL 300
@ SOA ns1.example.net. host.master 7 14400 3600 1209600 30
@ NS ns1.example.net.
"""
DOCUMENT: dict[str, Any] = {
    "geodns": 1,
    "zones": {
        ZONE: {
            "nameservers": ["ns1.example.net", "ns", {"name": f"ns2.{ZONE}", "addresses": [
                "2001:db8::53", "192.0.2.53"]}],
            "contact": f"first.last@{ZONE}",
            "ttl": 600,
            "ecs": False,
            "steers": {"@": {"pool": "web"}, "www": {"pool": "web"}},
            "rrsets": {
                "@": {"MX": ["10 mail", "20 mx.example.net."], "TXT": ['"v=spf1 -all"']},
                "mail": {"A": {"values": ["192.0.2.25", "192.0.2.26"], "ttl": 60},
                         "AAAA": {"values": ["2001:db8::25"], "ttl": 600}},
                "*.wild": {"CNAME": ["mail"]},
                "sub": {"NS": ["ns.sub"], "DS": [f"1 13 2 {'00' * 32}"]},
                "ns.sub": {"A": ["192.0.2.99"]},
                r"\036\064\000\255": {"TYPE999": [r"\# 2 abcd"]},
            },
        },
    },
    "pools": {"web": {"nodes": ["fra1"]}},
    "nodes": {"fra1": {"addresses": ["192.0.2.10"], "location": {"lat": 50, "lon": 8.6}}},
}  # fmt: skip
DOCUMENT["zones"]["ns"] = {"nameservers": [{"name": "ns", "addresses": ["192.0.2.54"]}]}
CONFIG = from_document(DOCUMENT)
EMPTY = Config()


def load(lines: str, config: Config = EMPTY) -> ImportedZone:
    return zone_from_text(config, ZONE, HEAD + lines)


def faults(text: str, config: Config = EMPTY) -> list[Reason]:
    with pytest.raises(ConfigError) as refusal:
        zone_from_text(config, ZONE, text)
    return list(refusal.value.reasons)


def told(imported: ImportedZone) -> list[str]:
    """The notes, but for the one on the serial, which always stands there."""
    found = [note.detail for note in imported.notes if "its serial" not in note.detail]
    assert len(found) == len(imported.notes) - 1
    return found


# There and back


def test_the_sample_can_be_served() -> None:
    assert check(CONFIG) == []


def test_import_of_an_export_changes_nothing() -> None:
    imported = zone_from_text(CONFIG, ZONE, zone_to_text(CONFIG, ZONE, 5))
    assert with_zone(CONFIG, ZONE, imported) == CONFIG
    assert told(imported) == []


def test_export_of_an_import_into_nothing_is_the_same_file() -> None:
    text = zone_to_text(CONFIG, ZONE, 5)
    there = with_zone(EMPTY, ZONE, zone_from_text(EMPTY, ZONE, text))
    records = [line for line in text.splitlines() if not line.startswith(";")]
    assert zone_to_text(there, ZONE, 5).splitlines() == records


label_octets = st.binary(min_size=1, max_size=20) | st.sampled_from([b"$", b"@", b";", b"\\", b"."])
owner_names = st.lists(label_octets, min_size=1, max_size=3).map(
    lambda parts: to_url(b"".join(bytes((len(part),)) + part for part in parts) + b"\x00")
)
string_sets = st.lists(st.binary(max_size=255), min_size=1, max_size=4, unique=True).map(
    lambda strings: tuple(rdata_to_text(16, bytes((len(s),)) + s) for s in strings)
)
ttls = st.none() | st.integers(0, 2**31 - 1)


@settings(max_examples=100)
@given(st.dictionaries(owner_names, st.builds(RRset, values=string_sets, ttl=ttls), max_size=5))
def test_odd_owners_and_strings_come_back_as_they_were(held: dict[str, RRset]) -> None:
    zone = Zone(nameservers=("ns1.example.net",), ttl=77)
    config = Config({ZONE: zone}, rrsets={(ZONE, owner, "TXT"): held[owner] for owner in held})
    imported = zone_from_text(config, ZONE, zone_to_text(config, ZONE))
    assert with_zone(config, ZONE, imported) == config


@pytest.mark.parametrize("zone_id", ["@", "test", r"a\032b.test", "2.0.192.in-addr.arpa"])
def test_every_zone_comes_back(zone_id: str) -> None:
    zone = Zone(nameservers=("ns1.example.net",))
    config = Config({zone_id: zone}, rrsets={(zone_id, "x", "A"): RRset(values=("192.0.2.1",))})
    imported = zone_from_text(config, zone_id, zone_to_text(config, zone_id))
    assert with_zone(config, zone_id, imported) == config


@pytest.mark.parametrize(
    "contact",
    [None, "a@b.example", "first.last@b.example", "host.example", r"a\064b.example.net", "."],
)
def test_every_contact_comes_back(contact: str | None) -> None:
    config = Config({ZONE: Zone(nameservers=("ns1.example.net",), contact=contact)})
    text = zone_to_text(config, ZONE)
    assert zone_from_text(config, ZONE, text).zone.contact == contact
    again = zone_from_text(EMPTY, ZONE, text)
    assert zone_to_text(with_zone(EMPTY, ZONE, again), ZONE) == text


# Import


def test_a_file_becomes_a_zone_and_rrsets() -> None:
    lines = "@ NS ns\nns A 192.0.2.53\nwww 60 A 192.0.2.1\nWWW 60 A 192.0.2.2\n"
    imported = load(lines)
    assert imported.zone == Zone(
        nameservers=("ns1.example.net", f"ns.{ZONE}"),
        contact=f"host@master.{ZONE}",
        ttl=300,
        negative_ttl=30,
    )
    assert imported.rrsets == {
        (ZONE, "ns", "A"): RRset(values=("192.0.2.53",)),
        (ZONE, "www", "A"): RRset(values=("192.0.2.1", "192.0.2.2"), ttl=60),
    }
    assert told(imported) == []
    assert check(with_zone(EMPTY, ZONE, imported)) == []


def test_values_are_relative_to_the_zone_whatever_the_origin_was() -> None:
    imported = load("$ORIGIN b\na MX 10 c\n")
    assert imported.rrsets[ZONE, "a.b", "MX"].values == ("10 c.b",)


def test_the_ttl_of_the_soa_is_the_zones_where_there_is_no_default() -> None:
    text = HEAD.replace("$TTL 300\n@", "@ 900") + "www A 192.0.2.1\n"
    imported = zone_from_text(EMPTY, ZONE, text)
    assert (imported.zone.ttl, imported.rrsets[ZONE, "www", "A"].ttl) == (900, 900)


def test_what_a_file_cannot_say_is_kept() -> None:
    imported = load("", CONFIG)
    there = with_zone(CONFIG, ZONE, imported)
    assert not imported.zone.ecs
    assert there.steers == CONFIG.steers
    assert [key for key in there.rrsets if key[0] == ZONE] == []


def test_addresses_of_servers_outside_are_kept() -> None:
    servers = (NameServer(name="ns1.example.net", addresses=("192.0.2.1",)),)
    imported = load("", Config({ZONE: Zone(nameservers=servers)}))
    assert imported.zone.nameservers == servers


def test_glue_that_changed_moves_to_rrsets() -> None:
    text = zone_to_text(CONFIG, ZONE).replace("192.0.2.53", "192.0.2.55")
    there = with_zone(CONFIG, ZONE, zone_from_text(CONFIG, ZONE, text))
    assert there.zones[ZONE].nameservers[2] == f"ns2.{ZONE}"
    assert there.rrsets[ZONE, "ns2", "A"].values == ("192.0.2.55",)
    assert check(there) == []


def test_a_server_in_a_zone_of_ours_below_keeps_its_glue_with_its_name() -> None:
    child = f"child.{ZONE}"
    below = Config({child: Zone(nameservers=("ns1.example.net",))})
    lines = "@ NS ns.child\nns.child 60 A 192.0.2.1\nchild NS ns1.example.net.\n"
    imported = load(lines, below)
    assert imported.zone.nameservers[1] == NameServer(name=f"ns.{child}", addresses=("192.0.2.1",))
    assert check(with_zone(below, ZONE, imported)) == []
    held = Config(below.zones, rrsets={(child, "ns", "A"): RRset(values=("192.0.2.1",))})
    assert load(lines, held).zone.nameservers[1] == f"ns.{child}"
    assert check(with_zone(held, ZONE, load(lines, held))) == []


# What is told


def test_what_is_lost_of_the_soa_is_told() -> None:
    soa = "@ 60 SOA hidden host 2026112301 1 2 3 30\n@ NS ns1.example.net.\n"
    imported = zone_from_text(EMPTY, ZONE, "$TTL 300\n" + soa)
    assert {(note.pointer, note.code) for note in imported.notes} == {
        (f"/zones/{ZONE}", "soa_changed")
    }
    details = " ".join(note.detail for note in imported.notes)
    for lost in ("2026112301", "(1, 2, 3)", f"hidden.{ZONE}.", "TTL 60"):
        assert lost in details
    assert all(note.detail.startswith("Line 2: ") for note in imported.notes)


def test_the_primary_is_kept_by_naming_it_first() -> None:
    text = HEAD.replace("SOA ns1.", "SOA NS2.") + "@ NS ns2.example.net.\n"
    imported = zone_from_text(EMPTY, ZONE, text)
    assert imported.zone.nameservers == ("ns2.example.net", "ns1.example.net")
    assert told(imported) == []


def test_rfc2181_s5_2_the_lowest_ttl_of_an_rrset_is_taken() -> None:
    imported = load("www A 192.0.2.1\nwww 60 A 192.0.2.2\nwww 500 A 192.0.2.3\n")
    assert imported.rrsets[ZONE, "www", "A"].ttl == 60
    (note,) = (note for note in imported.notes if note.code == "ttl_changed")
    assert note.pointer == f"/zones/{ZONE}/rrsets/www/A"
    assert note.detail.startswith("Line 4: The RRset has TTLs from 60 to 500")


def test_equal_ttls_are_not_told() -> None:
    imported = load("www A 192.0.2.1\nwww 300 A 192.0.2.2\n")
    assert imported.rrsets[ZONE, "www", "A"].ttl is None
    assert told(imported) == []


def test_another_ttl_of_the_ns_records_is_told() -> None:
    (note,) = told(zone_from_text(EMPTY, ZONE, HEAD.replace("@ NS", "@ 60 NS")))
    assert note == "Line 3: The zone's NS records take its ttl, 300, not 60."


def test_a_record_that_stands_twice_is_left_out() -> None:
    imported = load("www A 192.0.2.1\nwww A 192.0.2.1\n@ NS ns1.example.net.\n")
    assert imported.rrsets[ZONE, "www", "A"].values == ("192.0.2.1",)
    assert imported.zone.nameservers == ("ns1.example.net",)
    assert [detail[:7] for detail in told(imported)] == ["Line 6:", "Line 5:"]


# Faults


def test_faults_of_the_file_are_all_told() -> None:
    found = faults(HEAD + "www A 1.2.3\nout.test. A 192.0.2.1\n")
    assert [(reason.code, reason.detail[:7]) for reason in found] == [
        ("bad_rdata", "Line 4,"),
        ("out_of_zone", "Line 5,"),
    ]


def test_faults_of_the_zone_are_all_told() -> None:
    mailbox = r"\001" * 63 + "." + r"\001" * 63
    text = f"@ 5 SOA a {mailbox} 1 2 3 4 2147483648\n"
    long = " ".join(["é" * 100] * 170)
    text += "".join(f"a A 192.0.{n // 250}.{n % 250}\n" for n in range(1001)) + f"b TXT {long}\n"
    assert [(reason.code, reason.detail[:10]) for reason in faults(text)] == [
        ("too_large", "Line 1: Th"),
        ("ns_missing", "example.te"),
        ("out_of_range", "Line 1: Th"),
        ("too_many", "Line 2: a."),
        ("too_large", "Line 1003:"),
    ]


def test_too_many_name_servers_are_refused_with_their_line() -> None:
    text = HEAD + "".join(f"@ NS ns{n}.example.org.\n" for n in range(32))
    (reason,) = faults(text)
    assert (reason.pointer, reason.code) == (f"/zones/{ZONE}/nameservers", "too_many")
    assert reason.detail.startswith("Line 3: ")


def test_what_check_finds_gets_its_line() -> None:
    imported = load("a CNAME b\na A 192.0.2.1\nwww A 192.0.2.1\n@ NS ns\n\n@ CNAME x\n", CONFIG)
    found = imported.located(check(with_zone(CONFIG, ZONE, imported)))
    assert {(reason.pointer, reason.detail[:7]) for reason in found} == {
        (f"/zones/{ZONE}/nameservers/1", "Line 3:"),
        (f"/zones/{ZONE}/rrsets/a/CNAME", "Line 4:"),
        (f"/zones/{ZONE}/rrsets/www/A", "Line 6:"),
        (f"/zones/{ZONE}/rrsets/@/CNAME", "Line 9:"),
    }


def test_what_stands_elsewhere_gets_no_line() -> None:
    imported = load("")
    elsewhere = Reason(f"/zones/{ZONE}/steers/www/pool", "unknown_reference", "No pool web.")
    assert imported.located([elsewhere]) == [elsewhere]


def test_warnings_get_their_line() -> None:
    imported = load("www.example.test A 192.0.2.1\n")
    (warning,) = imported.located(warnings(with_zone(EMPTY, ZONE, imported)))
    assert (warning.code, warning.detail[:7]) == ("doubled_name", "Line 4:")


# Export


def test_steered_names_are_comments() -> None:
    assert zone_to_text(CONFIG, ZONE, 5).splitlines()[:4] == [
        "; @ is steered by pool web",
        "; www is steered by pool web",
        "$ORIGIN example.test.",
        "$TTL 600",
    ]


def test_dnspython_reads_the_export() -> None:
    zone = dns.zone.from_text(zone_to_text(CONFIG, ZONE, 5), f"{ZONE}.")
    soa = zone.get_soa()
    assert (soa.serial, soa.minimum) == (5, 30)
    assert soa.mname == dns.name.from_text("ns1.example.net.")
    assert zone["ns2"].get_rdataset(dns.rdataclass.IN, dns.rdatatype.A).ttl == 600
    assert zone["mail"].get_rdataset(dns.rdataclass.IN, dns.rdatatype.A).ttl == 60
    assert len(list(zone.iterate_rdatas())) == 1 + 3 + 2 + 2 + 1 + 3 + 1 + 2 + 1 + 1


def test_a_zone_that_was_never_published_has_a_serial() -> None:
    assert dns.zone.from_text(zone_to_text(CONFIG, ZONE), f"{ZONE}.").get_soa().serial == 1


def test_hints_that_follow_a_steer_come_back_and_are_told() -> None:
    held = {(ZONE, "www", "HTTPS"): RRset(values=('1 . alpn="h2" ipv4hint=auto',))}
    config = Config(CONFIG.zones, CONFIG.steers, {**CONFIG.rrsets, **held})
    text = zone_to_text(config, ZONE)
    assert "; www HTTPS has hints that follow its steer" in text
    imported = zone_from_text(config, ZONE, text)
    assert imported.rrsets[ZONE, "www", "HTTPS"] == held[ZONE, "www", "HTTPS"]


def test_an_unknown_zone_is_not_found() -> None:
    with pytest.raises(NotFound, match="No zone nowhere"):
        zone_to_text(CONFIG, "nowhere")
