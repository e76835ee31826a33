"""One question as a check asks it, and what a reply to it says. dnspython's code all through."""

from __future__ import annotations

from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype

REPLY_MAX_OCTETS = 8192
"""Longest reply that is read. Source: no reference; dnspython takes some 10 ms for one full of
records, and a check asks for a few."""

_PAYLOAD_OCTETS = 1232  # what fits any path, DNS flag day 2020


class NotAReply(Exception):
    """Octets that are no reply to the question; the text says why."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a reply says: its response code, and its answers' data as master files write it."""

    rcode: str
    answers: tuple[str, ...]
    truncated: bool


class Question:
    """A question of class IN for a name and a type, such as "www.example.com A".

    Errors: ValueError in words when it is none, or when ``answer`` is no data of that type.
    """

    def __init__(self, text: str, answer: str | None = None) -> None:
        name, _, kind = text.partition(" ")
        try:
            self._name = dns.name.from_text(name)
            self._type = dns.rdatatype.from_text(kind or "A")
        except (dns.exception.DNSException, ValueError, UnicodeError):
            raise ValueError(f"{text!r} is no name and type to ask for") from None
        self.wanted = None if answer is None else self._normal(answer)

    def octets(self, number: int) -> bytes:
        """The query with a message ID."""
        return self._query(number).to_wire()

    def read(self, number: int, octets: bytes) -> Said:
        """What a reply to the query of that ID says.

        Errors: NotAReply.
        """
        try:
            reply = dns.message.from_wire(octets[:REPLY_MAX_OCTETS], ignore_trailing=True)
        except dns.message.Truncated:
            raise NotAReply("the reply is cut off") from None
        except (dns.exception.DNSException, ValueError, IndexError) as error:
            raise NotAReply(f"not DNS: {type(error).__name__}") from None
        if not self._query(number).is_response(reply):
            raise NotAReply("not a reply to the question")
        answers = tuple(rdata.to_text() for rrset in reply.answer for rdata in rrset)
        truncated = bool(reply.flags & dns.flags.TC)
        return Said(dns.rcode.to_text(reply.rcode()), answers, truncated)

    def _query(self, number: int) -> dns.message.QueryMessage:
        return dns.message.make_query(
            self._name, self._type, use_edns=0, payload=_PAYLOAD_OCTETS, id=number
        )

    def _normal(self, answer: str) -> str:
        try:
            data = dns.rdata.from_text(dns.rdataclass.IN, self._type, answer, dns.name.root)
        except (dns.exception.DNSException, ValueError, UnicodeError):
            kind = dns.rdatatype.to_text(self._type)
            raise ValueError(f"{answer!r} is no data of type {kind}") from None
        return data.to_text()


def is_rcode(text: str) -> bool:
    """Whether there is a response code of this name."""
    try:
        dns.rcode.from_text(text)
    except (dns.exception.DNSException, ValueError):
        return False
    return True
