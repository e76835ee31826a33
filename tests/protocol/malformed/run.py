"""The battery put to one server over UDP and TCP."""

from __future__ import annotations

from collections.abc import Iterable

from .case import Case, judge
from .report import Verdict
from .wire import Dead, ask_tcp, ask_udp


def play(port: int, cases: Iterable[Case]) -> list[Verdict]:
    """Every case over each transport that it is for; a server that dies stays dead."""
    found: list[Verdict] = []
    dead = False
    for case in cases:
        for tcp, ask in ((False, ask_udp), (True, ask_tcp)):
            if case.tcp in (None, tcp):
                try:
                    reply = None if dead else ask(port, case.packet)
                except Dead:
                    dead = True
                grade, words = (None, "dead") if dead else judge(case, reply)
                found.append(Verdict(case, tcp, grade, words))
    return found
