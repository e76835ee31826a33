"""geodns: an authoritative DNS server that sends every user to the nearest healthy edge node."""

__version__ = "0.1.0"
