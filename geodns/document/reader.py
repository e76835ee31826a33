"""YAML text → plain data, by the core schema of YAML 1.2: what JSON can say, and no more.

PyYAML's C parser gives events; the data is built from them here, so that nothing is recursive,
keys are always text (``no:`` is Norway, ``010:`` an owner in a reverse zone) and what would
surprise (tags, merge keys, dates, duplicate keys) is refused by line and column. An alias stands
for the very data of its anchor, and what aliases would come to, written out, is bounded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, NamedTuple, NoReturn

import yaml

from geodns.dns.names import excerpt
from geodns.document.collector import making_many
from geodns.errors import ConfigError, Reason

SIZE_MAX_CHARACTERS = 64 * 2**20
"""Source: no reference; 10,000 nodes and 100,000 RRsets make some 15 MB."""

DEPTH_MAX = 64
"""Source: no reference; a document has eight levels, and Python's own limit is far above."""

ALIASED_MAX_CHARACTERS = 4 * 2**20
"""What all aliases may come to, written out. Source: no reference; a monitor of 400 characters for
each of 10,000 pools, and a "billion laughs" ends here."""

_FAULTS_MAX = 100  # Source: no reference; more faults of form than this are one misunderstanding.

_NULL = re.compile(r"(null|Null|NULL|~)?")
_BOOLEAN = re.compile(r"(true|True|TRUE)|(false|False|FALSE)")
_INTEGER = re.compile(r"[-+]?[0-9]{1,30}|0o[0-7]{1,30}|0x[0-9a-fA-F]{1,30}")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)


@making_many
def read_yaml(text: str) -> object:
    """The data that YAML text describes; JSON is YAML too.

    Errors: ConfigError "bad_yaml" with line and column, counted from 1; "too_large", "too_deep",
            "duplicate".
    Source: YAML 1.2.2, section 10.3 (core schema).
    """
    if len(text) > SIZE_MAX_CHARACTERS:
        detail = f"The text has {len(text)} characters; at most {SIZE_MAX_CHARACTERS}."
        raise ConfigError([Reason("", "too_large", detail)])
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        what = " ".join(filter(None, (error.context, error.problem)))
        raise ConfigError([*builder.faults, _fault(error.problem_mark, f"{what}.")]) from None
    except (yaml.YAMLError, UnicodeError) as error:
        what = " ".join(str(error).split())
        raise ConfigError([Reason("", "bad_yaml", f"Not text in YAML: {what}.")]) from None
    if builder.faults:
        raise ConfigError(builder.faults)
    return builder.root


class _Open(NamedTuple):
    """A list or mapping whose end has not come yet."""

    content: dict[str, Any] | list[Any]
    keys: list[str]  # The key that waits for its value, if any.


class _Builder:
    """Takes events one by one. Faults are gathered; what is beyond a bound ends it at once."""

    def __init__(self) -> None:
        self.root: object = None
        self.faults: list[Reason] = []
        self._open: list[_Open] = []
        self._documents = 0
        self._anchors: dict[str, Any] = {}
        self._aliased_characters = 0

    def take(self, event: yaml.Event) -> None:
        # The commonest first: a large document has a million events.
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
        elif isinstance(event, yaml.CollectionStartEvent):
            self._start(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._refuse(event, "a second document begins; there can be only one.")
        elif isinstance(event, yaml.AliasEvent):
            self._add(event, self._anchored(event))

    def _start(self, event: yaml.CollectionStartEvent) -> None:
        if len(self._open) >= DEPTH_MAX:
            self._end(event, f"more than {DEPTH_MAX} levels.", "too_deep")
        self._plainly(event)
        content: dict[str, Any] | list[Any]
        content = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._add(event, content)
        self._open.append(_Open(content, []))
        if event.anchor is not None:
            self._anchors[event.anchor] = content

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._plainly(event)
        value: object = event.value
        # The first of ``implicit`` says whether the text stood there without quotes.
        if event.implicit[0] and not self._wants_key():
            try:
                value = _plain(event.value)
            except ValueError as error:
                self._refuse(event, f"{error}.")
                value = None
        self._add(event, value)
        if event.anchor is not None:
            self._anchors[event.anchor] = value

    def _anchored(self, event: yaml.AliasEvent) -> object:
        """What an alias stands for."""
        if event.anchor not in self._anchors:
            self._refuse(event, f"*{event.anchor} has no anchor before it.")
            return None
        value = self._anchors[event.anchor]
        if any(value is each.content for each in self._open):
            self._refuse(event, f"*{event.anchor} stands within what it is to stand for.")
            return None
        self._measure(event, value)
        return value

    def _measure(self, event: yaml.AliasEvent, value: object) -> None:
        """Count what an alias comes to. It takes no longer than the bound allows."""
        waiting = [(value, len(self._open))]
        while waiting:
            part, level = waiting.pop()
            if level > DEPTH_MAX:
                self._end(event, f"more than {DEPTH_MAX} levels.", "too_deep")
            waiting += ((child, level + 1) for child in _children(part))
            self._aliased_characters += 8 + (len(part) if isinstance(part, str) else 0)
            if isinstance(part, dict):
                self._aliased_characters += sum(map(len, part))
            if self._aliased_characters + len(waiting) > ALIASED_MAX_CHARACTERS:
                what = f"written out, aliases come to more than {ALIASED_MAX_CHARACTERS} characters"
                self._end(event, f"{what}.", "too_large")

    def _end(self, event: yaml.Event, what: str, code: str) -> NoReturn:
        raise ConfigError([*self.faults, _fault(event.start_mark, what, code)])

    def _wants_key(self) -> bool:
        return (
            bool(self._open)
            and isinstance(self._open[-1].content, dict)
            and not (self._open[-1].keys)
        )

    def _add(self, event: yaml.Event, value: Any) -> None:
        """Put a value where it belongs: as root, item, key, or value of the waiting key."""
        if not self._open:
            if self._documents == 1:
                self.root = value
            return
        content, keys = self._open[-1]
        if isinstance(content, list):
            content.append(value)
        elif keys:
            content[keys.pop()] = value
        else:
            keys.append(self._key(event, value, content))

    def _key(self, event: yaml.Event, key: object, content: dict[str, Any]) -> str:
        if not isinstance(key, str):
            self._refuse(event, "a key must be text.")
            return ""
        if key == "<<":
            self._refuse(event, "merge keys are no part of YAML 1.2; write the fields out.")
        if key in content:
            self._refuse(event, f'"{excerpt(key)}" is here twice in one mapping.', "duplicate")
        return key

    def _plainly(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.tag is not None:
            self._refuse(event, f"{excerpt(event.tag)} is a tag; plain data has none.")

    def _refuse(self, event: yaml.Event, what: str, code: str = "bad_yaml") -> None:
        self.faults.append(_fault(event.start_mark, what, code))
        if len(self.faults) >= _FAULTS_MAX:
            raise ConfigError(self.faults)


def _children(part: object) -> Iterable[object]:
    if isinstance(part, dict):
        return part.values()
    return part if isinstance(part, list) else ()


def _plain(text: str) -> object:
    """What a scalar without quotes means.

    Errors: ValueError for a number that plain data cannot hold.
    """
    if _NULL.fullmatch(text):
        return None
    if match := _BOOLEAN.fullmatch(text):
        return bool(match[1])
    if _INTEGER.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text[2:] if base != 10 else text, base)
    if _FLOAT.fullmatch(text):
        number = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        if not math.isfinite(number):
            raise ValueError(f"{excerpt(text)} is no finite number")
        return number
    return text


def _fault(mark: Any, what: str, code: str = "bad_yaml") -> Reason:
    return Reason("", code, f"Line {mark.line + 1}, column {mark.column + 1}: {what}")
