"""Whom a question is steered by, and for how wide a prefix the answer holds."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from support.interpreter.geography import folded, length_beside_embedded, special_block_len
from support.interpreter.views import Cell, View


@dataclass(frozen=True)
class Question:
    """What is asked. Shape: ``subnet`` is a whole address and a source prefix length."""

    owner: str
    rtype: str
    resolver: str
    subnet: tuple[str, int] | None = None
    message_id: int = 0


@dataclass(frozen=True)
class Subject:
    """Whom a question is steered by."""

    version: int
    value: int
    cell: Cell
    scope: int
    by_ecs: bool


def subject_of(view: View, question: Question, *, ecs: bool) -> Subject:
    """FORMAT.md, "Subject"; ``ecs``: client subnets count, and this resolver's are trusted."""
    if not ecs or question.subnet is None or question.subnet[1] == 0:
        return _by_resolver(view, question.resolver, 0)
    text, source = question.subnet
    whole, version = int(ip_address(text)), ip_address(text).version
    if version == 4:
        cell = view.cell(4, whole)
        if cell.rule is not None:
            return _by_subnet(view, 4, whole, 0, 0)
        scope = max(view.scope(4, whole), special_block_len(4, whole))
        return _by_resolver(view, question.resolver, scope)
    upper = whole >> 64
    if view.cell(6, upper).rule is not None:
        return _by_subnet(view, 6, upper, 0, 0)
    scope = view.scope(6, upper)
    inner = folded(whole, source)
    if inner is not None:
        if view.cell(4, inner[0]).rule is not None:
            return _by_subnet(view, 4, inner[0], inner[1], scope)
        scope = max(scope, inner[1] + view.scope(4, inner[0]))
    scope = max(scope, special_block_len(6, whole) or length_beside_embedded(whole))
    return _by_resolver(view, question.resolver, scope)


def _by_subnet(view: View, version: int, value: int, offset: int, least: int) -> Subject:
    cell = view.cell(version, value)
    assert cell.rule is not None
    scope = max(view.scope(version, value), view.bits(cell.rule, version))
    return Subject(version, value, cell, max(offset + scope, least), True)


def _by_resolver(view: View, resolver: str, scope: int) -> Subject:
    whole, version = int(ip_address(resolver)), ip_address(resolver).version
    value = whole if version == 4 else whole >> 64
    cell = view.cell(version, value)
    inner = folded(whole, 128) if version == 6 and cell.rule is None else None
    if inner is not None:
        version, value = 4, inner[0]
        cell = view.cell(4, value)
    if cell.rule is None:
        cell = view.unknown
    return Subject(version, value, cell, scope, False)
