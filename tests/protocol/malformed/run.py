"""The battery put to one server over UDP and TCP."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from .case import Case, judge
from .report import Verdict
from .wire import GRACE_S, Dead, ask_tcp, ask_udp


def play(port: int, cases: Iterable[Case], grace_s: float = GRACE_S) -> list[Verdict]:
    """Every case over each transport that it is for; a server that dies stays dead.

    Units: ``grace_s`` is how long a reply may come after the one to a later query.
    """
    found: list[Verdict] = []
    dead = False
    for case in cases:
        for tcp, ask in ((False, partial(ask_udp, grace_s=grace_s)), (True, ask_tcp)):
            if case.tcp in (None, tcp):
                try:
                    reply = None if dead else ask(port, case.packet)
                except Dead:
                    dead = True
                grade, words = (None, "dead") if dead else judge(case, reply)
                found.append(Verdict(case, tcp, grade, words))
    return found
