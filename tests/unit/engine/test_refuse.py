"""Before the first generation: refused, and by the same rules as ever."""

from __future__ import annotations

import dns.message
import dns.rcode
import pytest
from support.lab import question

from geodns.engine.responder import refuse


@pytest.mark.parametrize("edns", [0, False])
def test_every_query_is_refused_with_edns_if_it_had_it(edns: int | bool) -> None:
    query = question("www.example.test", edns=edns)
    octets = refuse(query.to_wire())
    assert octets is not None
    reply = dns.message.from_wire(octets)
    assert (reply.rcode(), reply.edns) == (dns.rcode.REFUSED, -1 if edns is False else 0)


def test_what_is_malformed_is_answered_as_ever() -> None:
    assert refuse(b"too short") is None
    reply = refuse(question("www.example.test").to_wire() + b"more")
    assert reply is not None
    assert dns.message.from_wire(reply).rcode() == dns.rcode.FORMERR
