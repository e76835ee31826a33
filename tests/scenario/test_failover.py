"""Nodes die and come back; users follow, and the server says why."""

from __future__ import annotations

import os
import signal

import dns.edns
import dns.rcode
import dns.rdatatype
import pytest
from support.patience import Stopwatch, within
from support.server import until

from .conftest import ADDRESSES, USER, Fleet

NAME = "www.example.test"
OUT_S = 2.5
"""A killed node is out within so long when checked every second. Source: the promise."""


def test_users_leave_a_killed_node_for_the_next_nearest_and_return(fleet: Fleet) -> None:
    assert fleet.serving() == "lon"
    fleet.nodes["lon"].stop()
    within(OUT_S, lambda: fleet.serving() == "fra")
    fleet.nodes["lon"].start()
    watch = Stopwatch()
    # rise is 2: one good check is not enough, and the checks are a second apart.
    within(2 * 1.05 + 1, lambda: fleet.serving() == "lon")
    assert watch.elapsed_s > 0.9


def test_explain_tells_why_a_node_is_passed_over(fleet: Fleet) -> None:
    fleet.nodes["lon"].stop()
    until(lambda: fleet.serving() == "fra")
    by_dns = fleet.server.text(f"_explain.{NAME}", USER)
    by_api = fleet.server.api("GET", f"explain?name={NAME}&from={USER}")
    for told in (by_dns, "\n".join(by_api["lines"])):
        assert f"{NAME} A = fra {ADDRESSES['fra']}" in told
        assert f"- lon {ADDRESSES['lon']}" in told
        assert "down" in told
        assert "refused" in told, "the reason of the probe is missing"
    node = fleet.server.api("GET", "nodes/lon")
    assert node["status"]["state"] == "down"
    assert "refused" in node["status"]["targets"][0]["reason"]


def test_a_node_that_answers_503_is_out_like_a_dead_one(fleet: Fleet) -> None:
    fleet.nodes["lon"].status = 503
    within(OUT_S, lambda: fleet.serving() == "fra")
    assert "HTTP 503" in fleet.server.text(f"_explain.{NAME}", USER)
    fleet.nodes["lon"].status = 200
    until(lambda: fleet.serving() == "lon")


def test_the_fallback_pool_answers_when_its_pool_is_down(fleet: Fleet) -> None:
    assert fleet.serving("spare.example.test") == "lon"
    fleet.nodes["lon"].stop()
    fleet.nodes["fra"].stop()
    within(OUT_S, lambda: fleet.serving("spare.example.test") == "nyc")


def test_with_all_nodes_down_it_answers_openly_or_not_at_all_as_asked(fleet: Fleet) -> None:
    for node in fleet.nodes.values():
        node.stop()
    until(lambda: errors_of(fleet, NAME))
    reply = fleet.server.ask(NAME, subnet=USER)
    assert reply.rcode() == dns.rcode.NOERROR
    assert fleet.serving() == "lon", "open: as if all were up"
    assert fleet.serving("spare.example.test") == "lon", "the first pool of the chain decides"
    closed = fleet.server.ask("shut.example.test", subnet=USER)
    assert (closed.rcode(), closed.answer) == (dns.rcode.NOERROR, [])
    assert [rrset.rdtype for rrset in closed.authority] == [dns.rdatatype.SOA]
    assert errors_of(fleet, "shut.example.test")


@pytest.mark.parametrize("process", ["control", "health"])
def test_answers_go_on_when_a_process_is_killed(fleet: Fleet, process: str) -> None:
    pid = fleet.server.pid_of(process)
    os.kill(pid, signal.SIGKILL)
    answers = [fleet.serving() for _ in range(200)]
    assert set(answers) == {"lon"}
    until(lambda: fleet.server.pid_of(process) not in (0, pid), f"no new {process}")
    fleet.server.await_ready()
    assert set(fleet.serving() for _ in range(20)) == {"lon"}


def test_users_still_move_while_control_is_dead(fleet: Fleet) -> None:
    """Stopped first, so that it cannot be back before the node dies; then killed."""
    pid = fleet.server.pid_of("control")
    before = fleet.server.api("GET", "status")["generation"]
    os.kill(pid, signal.SIGSTOP)
    try:
        fleet.nodes["lon"].stop()
        within(OUT_S, lambda: fleet.serving() == "fra")
    finally:
        os.kill(pid, signal.SIGKILL)
    until(lambda: fleet.server.pid_of("control") not in (0, pid), "no new control")
    fleet.server.await_ready()
    after = fleet.server.api("GET", "status")
    assert after["generation"] >= before
    path = "zones/example.test/rrsets/new/A?wait=true"
    fleet.server.api("PUT", path, {"values": ["192.0.2.1"]})
    assert fleet.server.addresses("new.example.test") == {"192.0.2.1"}


def test_words_stay_when_health_is_killed_and_checks_go_on(fleet: Fleet) -> None:
    fleet.nodes["lon"].stop()
    until(lambda: fleet.serving() == "fra")
    pid = fleet.server.pid_of("health")
    os.kill(pid, signal.SIGKILL)
    answers = set()
    until(lambda: answers.add(fleet.serving()) or fleet.server.pid_of("health") not in (0, pid))
    fleet.server.await_ready()
    answers |= {fleet.serving() for _ in range(50)}
    assert answers == {"fra"}, "a node that is down came back by a restart"
    fleet.nodes["lon"].start()
    until(lambda: fleet.serving() == "lon")


def errors_of(fleet: Fleet, name: str) -> list[int]:
    """The extended DNS errors of a reply (RFC 8914)."""
    options = fleet.server.ask(name, subnet=USER).options
    return [int(option.code) for option in options if isinstance(option, dns.edns.EDEOption)]
