"""The rules for monitors: what each type needs, takes and cannot mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from geodns.dns.check import Question, is_rcode
from geodns.document.resources import pointer
from geodns.errors import Reason
from geodns.model.config import Config
from geodns.model.expect import Expect
from geodns.model.monitor import Monitor, MonitorType
from geodns.model.pattern import NoPatterns, compiled

DEPTH_MAX = 8
"""Source: no reference; nobody follows more, and code may walk it by recursion."""

_TIMES = frozenset({"interval_s", "timeout_s", "rise", "recheck", "recheck_after_s", "hold_s"})
_PROBED = _TIMES | {"canary", "damping"}
_WEB = frozenset({"port", "host", "path", "method", "headers"})
_TLS = frozenset({"port", "host", "verify", "ca"})
_OCTETS = frozenset({"port", "send", "send_hex"})
_CONTENT = frozenset({"body", "regex", "body_hex"})


@dataclass(frozen=True, slots=True)
class _Rules:
    """The fields a type takes besides ``type``, those it needs, and what it may expect."""

    takes: frozenset[str]
    needs: Mapping[str, str]
    expects: frozenset[str]


def _probed(
    takes: frozenset[str], needs: Mapping[str, str] | None = None, expects: frozenset[str] = _PROBED
) -> _Rules:
    allowed = frozenset() if expects is _PROBED else expects
    return _Rules(takes | _PROBED, needs or {}, allowed | {"max_latency_ms"})


_PORT = {"port": "there is no usual one"}
_NAME = "the name its certificate is checked for"
_LIST = {"of": "the monitors it judges by"}

RULES: Mapping[MonitorType, _Rules] = {
    "http": _probed(_WEB, expects=frozenset({"status"}) | _CONTENT),
    "https": _probed(_WEB | _TLS, {"host": _NAME}, frozenset({"status"}) | _CONTENT),
    "tcp": _probed(_OCTETS, _PORT, _CONTENT),
    "tls": _probed(_TLS, {"host": _NAME}),
    "udp": _probed(_OCTETS, _PORT, _CONTENT),
    "dns": _probed(
        frozenset({"port", "query"}),
        {"query": "the question to ask"},
        frozenset({"rcode", "answer"}),
    ),
    "icmp": _probed(frozenset()),
    "grpc": _probed(_TLS | {"tls", "service"}, _PORT),
    "script": _probed(frozenset({"argv"}), {"argv": "the program and its arguments"}),
    "push": _Rules(frozenset({"lease_s"}), {"lease_s": "how long a verdict holds"}, frozenset()),
    "all": _Rules(frozenset({"of"}), _LIST, frozenset()),
    "any": _Rules(frozenset({"of"}), _LIST, frozenset()),
    "not": _Rules(frozenset({"of"}), _LIST, frozenset()),
    "count": _Rules(
        frozenset({"of", "count"}), _LIST | {"count": "how many must be up"}, frozenset()
    ),
}


def monitor_faults(config: Config) -> Iterator[Reason]:
    """Monitors that cannot work as they are written."""
    for monitor_id, monitor in config.monitors.items():
        at = pointer("monitor", (monitor_id,))
        yield from _fields_of_type(at, monitor)
        yield from _times(at, monitor)
        yield from _content(at, monitor)
        yield from _parts(at, monitor_id, monitor)
        yield from _regex(at, monitor)
        yield from _question(at, monitor)
    circles = list(_circles(config.monitors))
    yield from circles or _depths(config.monitors)


def _fields_of_type(at: str, monitor: Monitor) -> Iterator[Reason]:
    """Fields that are missing, and fields that nobody would look at."""
    rules, kind = RULES[monitor.type], f"{_article(monitor.type)} monitor"
    for field, why in rules.needs.items():
        if not getattr(monitor, field):
            detail = f"A{kind[1:]} needs {field}: {why}."
            yield Reason(f"{at}/{field}", "required", detail)
    takes = rules.takes | {"type", "expect"}
    if monitor.canary and "canary" in takes:
        takes |= {"host"}  # a canary may name the server to probe, which no node is
    for field, default in _defaults(Monitor):
        value = getattr(monitor, field)
        if field not in takes and value != default:
            detail = f"{field} means nothing to {kind}."
            yield Reason(f"{at}/{field}", "meaningless", detail, value)
    for field, default in _defaults(Expect):
        value = getattr(monitor.expect, field)
        if field not in rules.expects and value != default:
            detail = f"expect.{field} means nothing to {kind}."
            yield Reason(f"{at}/expect/{field}", "meaningless", detail, value)


def _times(at: str, monitor: Monitor) -> Iterator[Reason]:
    if "timeout_s" in monitor.model_fields_set and monitor.timeout_s > monitor.interval_s:
        # The next probe would be due while this one is still waiting. A default that an
        # interval of a second leaves behind is no mistake of the operator's.
        yield Reason(
            f"{at}/timeout_s",
            "out_of_range",
            f"timeout_s {monitor.timeout_s:g} is above interval_s {monitor.interval_s:g}.",
            monitor.timeout_s,
            f"Set timeout_s to {monitor.interval_s:g} or less.",
        )
    latency_ms = monitor.expect.max_latency_ms
    if latency_ms is not None and latency_ms > monitor.timeout_s * 1000:
        yield Reason(
            f"{at}/expect/max_latency_ms",
            "out_of_range",
            f"max_latency_ms {latency_ms:g} is above timeout_s {monitor.timeout_s:g}: "
            "no reply is waited for so long.",
            latency_ms,
        )


def _content(at: str, monitor: Monitor) -> Iterator[Reason]:
    """What is sent and looked for, where two fields contradict each other."""
    expect = monitor.expect
    if monitor.send is not None and monitor.send_hex is not None:
        detail = "send and send_hex are two forms of the same; give one."
        yield Reason(f"{at}/send_hex", "contradiction", detail, monitor.send_hex)
    if monitor.type == "udp" and not monitor.payload:
        yield Reason(f"{at}/send", "required", "A udp monitor needs send or send_hex.")
    if monitor.method == "HEAD" and expect.reads_body:
        # RFC 9110 section 9.3.2: a response to HEAD has no content.
        field = next(name for name in ("body", "regex", "body_hex") if getattr(expect, name))
        detail = "A reply to HEAD has no body to find this in."
        yield Reason(f"{at}/expect/{field}", "contradiction", detail, getattr(expect, field))
    if monitor.type == "grpc" and not monitor.tls:
        for field in ("verify", "ca"):
            if getattr(monitor, field) != Monitor.model_fields[field].default:
                detail = f"{field} means nothing to a grpc monitor without tls."
                yield Reason(f"{at}/{field}", "meaningless", detail, getattr(monitor, field))
    if monitor.type == "grpc" and monitor.tls and monitor.host is None:
        yield Reason(f"{at}/host", "required", f"A grpc monitor with tls needs host: {_NAME}.")
    if monitor.ca is not None and not monitor.verify:
        detail = "Without verify no authority is asked."
        yield Reason(f"{at}/ca", "contradiction", detail)
    if expect.answer is not None and expect.rcode != "NOERROR":
        detail = f"A reply of {expect.rcode} has no answer to find this in."
        yield Reason(f"{at}/expect/answer", "contradiction", detail, expect.answer)


def _parts(at: str, monitor_id: str, monitor: Monitor) -> Iterator[Reason]:
    """The monitors that one judges by."""
    if monitor.type == "not" and len(monitor.of) > 1:
        detail = "A not monitor turns one verdict round; combine several by all or any first."
        yield Reason(f"{at}/of", "too_many", detail, list(monitor.of))
    if monitor.count is not None and monitor.type == "count" and monitor.count > len(monitor.of):
        detail = f"count {monitor.count} is above the {len(monitor.of)} monitors of {monitor_id}."
        yield Reason(f"{at}/count", "out_of_range", detail, monitor.count)
    for number, part in enumerate(monitor.of):
        if part in monitor.of[:number]:
            detail = f"Monitor {part} stands twice in {monitor_id}."
            yield Reason(f"{at}/of/{number}", "duplicate", detail, part)


def _regex(at: str, monitor: Monitor) -> Iterator[Reason]:
    """A pattern that could not be matched in bounded time, or not here."""
    pattern = monitor.expect.regex
    if pattern is None:
        return
    where = f"{at}/expect/regex"
    try:
        compiled(pattern)
    except NoPatterns as error:
        yield Reason(where, "unavailable", f"{error}.", pattern, "Or use expect.body.")
    except ValueError as error:
        yield Reason(
            where, "bad_form", f"This regular expression cannot be used: {error}.", pattern
        )


def _question(at: str, monitor: Monitor) -> Iterator[Reason]:
    """What a dns monitor asks, and what a script monitor runs."""
    expect = monitor.expect
    if monitor.query is not None:
        try:
            Question(monitor.query)
        except ValueError as error:
            yield Reason(f"{at}/query", "bad_form", f"{error}.", monitor.query)
        else:
            yield from _answer(at, monitor.query, expect.answer)
    if not is_rcode(expect.rcode):
        detail = f"There is no response code {expect.rcode}."
        yield Reason(f"{at}/expect/rcode", "not_a_choice", detail, expect.rcode)
    if monitor.argv and (not monitor.argv[0] or "/" in monitor.argv[0]):
        detail = "A script is named by its file in the setting scripts_dir, without a path."
        yield Reason(f"{at}/argv/0", "bad_form", detail, monitor.argv[0])


def _answer(at: str, query: str, answer: str | None) -> Iterator[Reason]:
    try:
        Question(query, answer)
    except ValueError as error:
        yield Reason(f"{at}/expect/answer", "bad_form", f"{error}.", answer)


def _depths(monitors: Mapping[str, Monitor]) -> Iterator[Reason]:
    """Monitors that judge by others that judge by others and so on."""
    level = {name for name, monitor in monitors.items() if monitor.of}
    for _ in range(DEPTH_MAX):
        level = {name for name in level if any(part in level for part in monitors[name].of)}
    for name in sorted(level):
        detail = f"Monitor {name} judges by others through more than {DEPTH_MAX} levels."
        yield Reason(f"{pointer('monitor', (name,))}/of", "too_many", detail)


def _circles(monitors: Mapping[str, Monitor]) -> Iterator[Reason]:
    """One reason for each reference that closes a circle; every monitor is entered once."""
    done: set[str] = set()
    for start in monitors:
        path: dict[str, Iterator[str]] = {}
        following: str | None = start
        while following is not None or path:
            if following is not None and following in path:
                names = list(path)
                yield _circle([*names[names.index(following) :], following])
            elif following is not None and following in monitors and following not in done:
                path[following] = iter(monitors[following].of)
            following = next(path[last := next(reversed(path))], None) if path else None
            if path and following is None:
                done.add(last)
                del path[last]


def _circle(circle: list[str]) -> Reason:
    detail = f"The monitors judge in a circle: {' → '.join(circle[:10])}."
    return Reason(f"{pointer('monitor', (circle[0],))}/of", "cycle", detail, circle[1])


def _defaults(kind: type[Monitor] | type[Expect]) -> Iterator[tuple[str, object]]:
    for name, field in kind.model_fields.items():
        yield name, field.default


def _article(kind: str) -> str:
    return f"an {kind}" if kind in ("https", "icmp", "all", "any") else f"a {kind}"
