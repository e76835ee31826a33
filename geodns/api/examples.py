"""One example of each body, good as it stands: for the contract's readers and generators."""

from __future__ import annotations

from typing import Any

BODIES: dict[str, dict[str, Any]] = {
    "zone": {"nameservers": ["ns1.example.net", "ns2.example.net"], "ttl": 300},
    "steer": {"pool": "web", "ttl": 30},
    "rrset": {"values": ["192.0.2.25"], "ttl": 300},
    "node": {
        "addresses": ["192.0.2.10", "2001:db8::10"],
        "at": "FRA",
        "labels": {"tier": "edge", "site": "fra"},
        "weight": 100,
    },
    "pool": {"select": {"tier": "edge"}, "order": "nearest", "monitor": "web"},
    "monitor": {
        "type": "https",
        "host": "www.example.com",
        "path": "/healthz",
        "expect": {"status": ["200-299"], "body": "ok"},
    },
    "network": {"subnets": ["198.51.100.0/24"], "at": "MXP"},
    "latency": {"rows": [["EU-DE", "fra1", 12.5, 100]]},
    "override": {
        "match": {"labels": {"site": ["fra"]}},
        "state": "down",
        "reason": "maintenance",
        "until": "2030-01-01T05:00:00Z",
    },
    "webhook": {
        "url": "https://hooks.example.com/geodns",
        "secret": "whsec_C2FVsBQIhrscChlQIMV-b5sSYspob7oD",
        "events": ["transition", "alarm"],
    },
}

PATCHES: dict[str, dict[str, Any]] = {
    "zone": {"ttl": 60},
    "steer": {"ttl": 10},
    "rrset": {"ttl": 60},
    "node": {"weight": 0},
    "pool": {"order": "listed"},
    "monitor": {"interval_s": 10},
    "network": {"at": "FRA"},
    "override": {"until": None},
    "webhook": {"events": ["alarm"]},
}

PATH = {
    "zone": "example.com",
    "owner": "www",
    "type": "A",
    "number": 7,
    "node": "fra1",
}

IDS = {
    "zone": "example.com",
    "steer": "www",
    "rrset": "mail/A",
    "node": "fra1",
    "pool": "web",
    "monitor": "web",
    "network": "milan-office",
    "latency": "measured",
    "override": "fra-maintenance",
    "webhook": "chat",
}

QUERY = {
    "reason": "new site",
    "prefix": "fra",
    "label": "site=fra",
    "name": "www.example.com",
    "from": "79.6.0.0/24",
    "resolver": "192.0.2.53",
    "address": "79.6.0.9",
}

ZONE_FILE = """\
$TTL 300
@     IN SOA ns1.example.net. hostmaster.example.com. 1 3600 600 604800 30
@     IN NS  ns1.example.net.
mail  IN A   192.0.2.25
"""

LATENCY_TABLE = "from,node,rtt_ms,samples\nEU-DE,fra1,12.5,100\n"

DOCUMENT: dict[str, Any] = {
    "geodns": 1,
    "name": "prod",
    "zones": {
        "example.com": {
            "nameservers": ["ns1.example.net", "ns2.example.net"],
            "steers": {"www": {"pool": "web"}},
            "rrsets": {"mail": {"A": ["192.0.2.25"]}},
        }
    },
    "pools": {"web": {"select": {"tier": "edge"}, "monitor": "web"}},
    "nodes": {
        "fra1": {"at": "FRA", "addresses": ["192.0.2.10"], "labels": {"tier": "edge"}},
        "mil1": {"at": "MXP", "addresses": ["192.0.2.20"], "labels": {"tier": "edge"}},
    },
    "monitors": {"web": {"type": "http", "path": "/healthz"}},
}

OTHERS: dict[str, dict[str, Any]] = {
    "Heartbeat": {"load": 0.4},
    "PushedVerdict": {"state": "down", "reason": "deploy failed"},
    "NewToken": {"id": "fra-agents", "role": "agent", "nodes": ["fra*"]},
    "Document": DOCUMENT,
}

REASON = {
    "pointer": "/nodes/1",
    "code": "unknown_reference",
    "value": "mil9",
    "detail": "No node mil9.",
    "hint": "Did you mean mil1?",
}

PROBLEM = {
    "type": "/problems/invalid",
    "title": "Refused",
    "status": 422,
    "detail": "No node mil9.",
    "request_id": "01KB3WQ6Y2N0V7C1D8E9F0A1B2",
    "reasons": [REASON],
}
