"""The rules for webhooks: where they may lead, and that nothing hidden is taken for a value."""

from __future__ import annotations

from collections.abc import Iterator

from geodns.document.resources import pointer
from geodns.errors import Reason
from geodns.model.config import Config
from geodns.model.reach import forbidden, literal

WEBHOOKS_MAX = 100
"""Source: no reference; each may hold a thousand notices, of some 500 octets, and a connection."""


def webhook_faults(config: Config) -> Iterator[Reason]:
    """Webhooks that lead where nobody may connect to, or are not whole."""
    if len(config.webhooks) > WEBHOOKS_MAX:
        detail = f"There are more than {WEBHOOKS_MAX} webhooks."
        yield Reason("/webhooks", "too_many", detail, len(config.webhooks))
    for webhook_id, webhook in config.webhooks.items():
        at = pointer("webhook", (webhook_id,))
        address = literal(webhook.host)
        why = forbidden(address) if address is not None else None
        if why is not None:
            detail = f"Webhook {webhook_id} would connect to what must not be: {why}."
            yield Reason(f"{at}/url", "forbidden_address", detail, webhook.host)
        for field in webhook.hidden:
            detail = f"The {field} of webhook {webhook_id} is hidden, and none is known to keep."
            yield Reason(f"{at}/{field}", "hidden", detail, hint="Write it out, or leave it away.")
