"""What each role may do, by method and path alone."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from geodns.api.problems import HttpError
from geodns.api.scope import READING, Scope
from geodns.store.base import Token

OWN_PREFIX = "node:"
"""Ids of the tokens that nodes have of their own; no token made by hand can be called so."""

_NODE = re.compile(r"/api/v1/nodes/([a-z0-9-]+)(/heartbeat)?")
_VERDICT = re.compile(r"/api/v1/monitors/[a-z0-9-]+/verdicts/([a-z0-9-]+)")


def permit(token: Token, method: str, path: str) -> None:
    """Errors: HttpError 403 if the token's role does not allow it; Forbidden if its zones and
    nodes do not."""
    Scope.of(token).require_path(method, path)
    match token.role:
        case "admin":
            return
        case "operator" if not path.startswith("/api/v1/tokens"):
            return
        case "reader" if method in READING and not path.startswith("/api/v1/tokens"):
            return
        case "agent" if method != "DELETE" and _is_own(token, path):
            return
    raise _forbidden(token)


def own_id(node_id: str) -> str:
    """The id of the token that a node has of its own."""
    return OWN_PREFIX + node_id


def _is_own(token: Token, path: str) -> bool:
    found = _NODE.fullmatch(path) or _VERDICT.fullmatch(path)
    return found is not None and any(fnmatchcase(found[1], each) for each in token.nodes)


def _forbidden(token: Token) -> HttpError:
    whose = f" of nodes {', '.join(token.nodes)}" if token.nodes else ""
    detail = f"A token with role {token.role}{whose} may not do this."
    return HttpError(403, "forbidden", "Forbidden", detail)
