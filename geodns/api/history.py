"""The routes of what was: revisions, their restoring, and the audit."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from geodns.api import openapi
from geodns.api.preconditions import not_found
from geodns.api.requests import TERMS, number, read_query, read_terms
from geodns.api.resources import PAGE_DEFAULT, PAGE_MAX
from geodns.api.routes import applied
from geodns.api.service import Service
from geodns.document.resources import shown
from geodns.errors import ConfigError, Conflict, Reason, Unavailable
from geodns.store.base import Body, Changed, Entry, Store, Verified

NUMBER_MAX_DIGITS = 15
"""Source: no reference; more revisions than a server writes in its life."""


HASH = re.compile(r"[0-9a-fA-F]{64}")

_HASH = {"type": "string", "pattern": f"^{HASH.pattern}$"}
_NUMBER = {"type": "integer", "minimum": 0}


def history_routes(service: Service, store: Store) -> APIRouter:
    """Who changed what, when and why, and the way back."""
    router = APIRouter(tags=["history"])
    paged = openapi.described(query=openapi.NUMBERED)
    one = openapi.described(path=("number",))

    async def page(request: Request, revisions: bool) -> Response:
        query = read_query(request, ("limit", "cursor"))
        limit = number(query, "limit", PAGE_DEFAULT, 1, PAGE_MAX)
        before = _number("cursor", query["cursor"]) if "cursor" in query else None
        found = await run_in_threadpool(
            lambda: store.audit(before=before, limit=limit, revisions=revisions)
        )
        following = str(found[-1].number) if len(found) == limit else None
        items = [summary(entry) if revisions else view(entry) for entry in found]
        return JSONResponse({"items": items, "next": following})

    @router.get("/revisions", summary="List revisions, newest first", openapi_extra=paged)
    async def revisions(request: Request) -> Response:
        return await page(request, revisions=True)

    @router.get("/revisions/{number}", summary="Read a revision's changes", openapi_extra=one)
    async def revision(request: Request) -> Response:
        read_query(request, ())
        wanted = _number("number", request.path_params["number"])
        found = await run_in_threadpool(store.revision, wanted)
        if found is None:
            raise not_found(f"revision {wanted}, or it is older than history goes back")
        return JSONResponse(view(found))

    @router.post(
        "/revisions/{number}/restore",
        summary="Make everything what it was after a revision",
        openapi_extra=openapi.described(
            path=("number",), query=openapi.TERMS, header=("If-Match",)
        ),
    )
    async def restore(request: Request) -> Response:
        terms = read_terms(request, read_query(request, TERMS))
        wanted = _number("number", request.path_params["number"])
        return applied(await service.restore(wanted, terms))

    @router.get("/audit", summary="List the audit, newest first", openapi_extra=paged)
    async def audit(request: Request) -> Response:
        return await page(request, revisions=False)

    @router.get(
        "/audit/verify",
        summary="Verify the audit",
        openapi_extra=openapi.described(
            query={
                "head": (_HASH, "The hash of an entry that was kept elsewhere: is it there still?"),
                "number": (_NUMBER, "That entry's number."),
            }
        ),
    )
    async def verify(request: Request) -> Response:
        query = read_query(request, ("head", "number"))
        head = _hash(query["head"]) if "head" in query else None
        wanted = _number("number", query["number"]) if "number" in query else None
        found = await run_in_threadpool(_verified, store, head, wanted)
        if found is None:
            return JSONResponse({"first": None, "last": None, "head": None})
        ends = {"first": found.first, "last": found.last, "head": found.head.hex()}
        return JSONResponse(ends)

    return router


def _verified(store: Store, head: bytes | None, number: int | None) -> Verified | None:
    """Errors: Unavailable if the audit is not whole, Conflict if it is, but another one."""
    try:
        return store.verify(head, number)
    except Unavailable:
        if head is None:
            raise
        store.verify()
        which = "entry" if number is None else f"entry {number}"
        detail = f"The audit is whole, but its {which} does not have this hash."
        hint = "It was replaced, cut off, or is older than history goes back."
        raise Conflict([Reason("", "not_the_same", detail, head.hex(), hint)]) from None


def view(entry: Entry) -> dict[str, Any]:
    """An entry with every change."""
    return {**summary(entry), "changes": [_changed(change) for change in entry.changes]}


def summary(entry: Entry) -> dict[str, Any]:
    """An entry with only the number of its changes."""
    return {
        "number": entry.number,
        "revision": entry.revision,
        "at": entry.at.isoformat().replace("+00:00", "Z"),
        "actor": entry.actor,
        "reason": entry.reason,
        "request_id": entry.request_id,
        "document": entry.document,
        "hash": entry.hash.hex(),
        "changed": len(entry.changes),
    }


def _changed(change: Changed) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "id": "/".join(change.key),
        "before": _shown(change.kind, change.before),
        "after": _shown(change.kind, change.after),
    }


def _shown(kind: str, stored: Body | None) -> Body | None:
    return None if stored is None else shown(kind, stored)


def _hash(text: str) -> bytes:
    """A hash of the audit. Errors: ConfigError."""
    if HASH.fullmatch(text):
        return bytes.fromhex(text)
    raise ConfigError([Reason("", "bad_parameter", "head is 64 hex digits.", text[:200])])


def _number(name: str, text: str) -> int:
    """A number of a revision or entry. Errors: ConfigError."""
    if text.isascii() and text.isdecimal() and len(text) <= NUMBER_MAX_DIGITS:
        return int(text)
    raise ConfigError([Reason("", "bad_parameter", f"{name} is a number.", text[:200])])
