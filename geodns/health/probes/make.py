"""The probe that a monitor's type asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from geodns.health.observation import Probe
from geodns.health.probes.dns import DnsProbe
from geodns.health.probes.general import GeneralHttpProbe
from geodns.health.probes.grpc import GrpcProbe
from geodns.health.probes.icmp import IcmpProbe
from geodns.health.probes.lean import LeanHttpProbe
from geodns.health.probes.local import Local
from geodns.health.probes.script import ScriptProbe
from geodns.health.probes.tcp import TcpProbe
from geodns.health.probes.tls import TlsProbe
from geodns.health.probes.udp import UdpProbe
from geodns.model.monitor import Monitor

_KINDS: dict[str, Callable[[str, Monitor, Local], Probe]] = {
    "http": LeanHttpProbe,
    "https": GeneralHttpProbe,
    "tcp": TcpProbe,
    "tls": TlsProbe,
    "udp": UdpProbe,
    "dns": DnsProbe,
    "icmp": IcmpProbe,
    "grpc": GrpcProbe,
    "script": ScriptProbe,
}


COSTS = {"https": 16.0, "tls": 10.0, "grpc": 16.0, "script": 32.0}
"""CPU of a check in plain HTTP checks, 0.1 ms each. Source: measured, https 2 ms, of which the
handshake takes half; no reference for script, a process costs some 3 ms."""


def cost_of(monitor: Monitor) -> float:
    """What a check takes, one of plain HTTP being 1."""
    return COSTS.get(monitor.type, 1.0)


@dataclass(frozen=True, slots=True)
class ProbeMaker:
    """Makes probes for one machine.

    Errors: KeyError for a type that sends nothing itself (`geodns.model.monitor.UNPROBED`).
    """

    local: Local

    def __call__(self, address: str, monitor: Monitor) -> Probe:
        """The probe of a monitor for one address or name."""
        return _KINDS[monitor.type](address, monitor, self.local)
