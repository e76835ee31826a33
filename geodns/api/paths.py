"""One way to write a path, so that a proxy in front and the routes here read the same."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from geodns.api.problems import HttpError


class Paths:
    """A layer that refuses encoded slashes: RFC 3986 §2.2 has them as no separators, the routes
    would take them for some."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if b"%2f" in scope.get("raw_path", b"").lower():
            raise HttpError(
                404,
                "not_found",
                "Not found",
                "A path with an encoded slash leads nowhere.",
                hint=r"Within a name a slash is \047.",
            )
        await self._app(scope, receive, send)
