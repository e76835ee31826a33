"""The words of the API that completion offers. A test compares them with the model."""

from __future__ import annotations

FIELDS = {
    "zone": ("nameservers", "contact", "ttl", "negative_ttl", "ecs", "whoami"),
    "node": (
        "addresses", "cname", "at", "location", "bias", "serves", "refuses", "shed", "weight",
        "labels", "probe_address", "lease_s",
    ),
    "pool": (
        "nodes", "select", "weights", "order", "latency", "hysteresis_ms", "hysteresis_percent",
        "bias_mode", "slow_start_s", "band_percent", "band_km", "band_ms", "spread", "sticky_bits",
        "answers", "min_answers", "families", "monitor", "fallback", "min_up", "all_down",
    ),
    "monitor": (
        "type", "port", "host", "path", "method", "headers", "tls", "verify", "ca", "service",
        "send", "send_hex", "query", "argv", "of", "count", "canary", "expect", "interval_s",
        "timeout_s", "rise", "recheck", "recheck_after_s", "hold_s", "damping", "lease_s",
    ),
    "network": ("subnets", "at", "location"),
    "override": ("match", "state", "reason", "from", "until"),
    "webhook": ("url", "secret", "events", "format"),
    "token": ("role", "zones", "nodes", "expires_at"),
}  # fmt: skip
"""The fields of each noun."""

MAPPINGS = frozenset(
    {"labels", "select", "weights", "headers", "expect", "match", "serves", "refuses", "shed"}
)
"""Fields whose keys are set one by one, as in ``labels.tier=edge``."""

CHOICES = {
    ("pool", "order"): ("nearest", "listed", "equal", "latency"),
    ("pool", "bias_mode"): ("symmetric", "route53"),
    ("pool", "spread"): ("weighted", "sticky", "first"),
    ("pool", "families"): ("near", "each"),
    ("pool", "all_down"): ("open", "closed"),
    ("monitor", "type"): (
        "http", "https", "tcp", "tls", "udp", "dns", "icmp", "grpc", "script", "push", "all",
        "any", "count", "not",
    ),
    ("monitor", "method"): ("GET", "HEAD"),
    ("override", "state"): ("up", "down"),
    ("webhook", "format"): ("json", "slack"),
    ("token", "role"): ("operator", "agent", "reader"),
}  # fmt: skip
"""What a field may be, where that is one of few words."""

REFERENCES = {
    ("pool", "nodes"): "nodes",
    ("pool", "latency"): "latency",
    ("pool", "monitor"): "monitors",
    ("pool", "fallback"): "pools",
    ("monitor", "of"): "monitors",
}
"""The collection of what a field names."""

TYPES = (
    "A", "AAAA", "CAA", "CNAME", "DNAME", "DS", "HINFO", "HTTPS", "LOC", "MX", "NAPTR", "NS",
    "PTR", "RP", "SRV", "SSHFP", "SVCB", "TLSA", "TXT", "URI",
)  # fmt: skip
"""The types of records that one writes."""

FILTERS = {
    "node": ("label", "state", "pool", "address"),
    "pool": ("node", "monitor", "fallback"),
    "monitor": ("type",),
    "network": ("address",),
    "override": ("state", "node"),
    "webhook": ("event", "format"),
}
"""What lists can be filtered by, besides ``prefix``."""

STATES = ("up", "down", "unknown")
