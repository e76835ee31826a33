"""One attempt to tell a webhook: looked up once, connected to that very address."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from geodns.errors import Unavailable
from geodns.health.probes.local import Local, Refused
from geodns.model.webhook import Webhook

TIMEOUT_S = 10.0
"""From the look-up to the head of the reply. Source: Standard Webhooks gives 15 to 30 s; who has
only to queue a notice needs less."""


class Poster:
    """Posts; ``local`` says whom nobody may connect to."""

    def __init__(self, local: Local, timeout_s: float = TIMEOUT_S) -> None:
        self._local = local
        self._timeout_s = timeout_s

    async def __call__(self, webhook: Webhook, octets: bytes, headers: Mapping[str, str]) -> str:
        """Why the attempt failed, without the URL's path; empty if it was taken."""
        from geodns.net import post

        try:
            async with asyncio.timeout(self._timeout_s):
                address = await self._local.admitted(webhook.host, webhook.port)
                status = await post(webhook.url, address, octets, headers)
        except TimeoutError:
            return f"{webhook.host} did not answer within {self._timeout_s:g} s"
        except Refused as error:
            return str(error).replace("not probed", f"{webhook.host} is not connected to")
        except OSError as error:
            return f"{webhook.host} cannot be looked up: {error.strerror or error}"
        except Unavailable as error:
            return f"{webhook.host}: {error}"
        # RFC 9110 section 15.3; a redirect is not followed, for it may lead anywhere.
        return "" if 200 <= status < 300 else f"{webhook.host} answered {status}"
