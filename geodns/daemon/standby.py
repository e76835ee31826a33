"""While the control process cannot begin, its API says why, and it tries again."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import TypeVar

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from geodns.api.envelope import new_request_id, strict_headers
from geodns.api.problems import problem_response
from geodns.daemon.front import Front
from geodns.errors import GeodnsError

AGAIN_S = 1.0
"""Pause between attempts. Source: the supervisor's, with what goes on crashing."""

Made = TypeVar("Made")

log = logging.getLogger("geodns.control")


class Excuse:
    """Answers every request by what is in the way."""

    def __init__(self, error: GeodnsError) -> None:
        self.error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whoever asks: what tokens there are is not known."""
        request_id = new_request_id()
        response: Response = problem_response(self.error, request_id)
        if scope["path"] == "/livez":
            response = JSONResponse({"status": "live"})
        response.headers.update(dict(strict_headers(request_id, secure=scope["scheme"] == "https")))
        response.headers["Retry-After"] = str(round(AGAIN_S))
        await response(scope, receive, send)


async def until_made(make: Callable[[], Made], front: Callable[[Excuse], Front]) -> Made:
    """What ``make`` makes, as soon as it can; until then ``front`` serves the reason.

    Errors: SystemExit when the supervisor is gone.
    """
    supervisor = os.getppid()
    excuse: Excuse | None = None
    serving: asyncio.Task[None] | None = None
    try:
        while os.getppid() == supervisor:
            try:
                return make()
            except GeodnsError as error:
                if excuse is None:
                    excuse = Excuse(error)
                    serving = asyncio.create_task(front(excuse).serve())
                    log.error("%s", error)
                elif str(error) != str(excuse.error):
                    log.error("%s", error)
                excuse.error = error
            await asyncio.sleep(AGAIN_S)
        raise SystemExit(0)
    finally:
        if serving is not None:
            serving.cancel()
            await asyncio.wait([serving])
