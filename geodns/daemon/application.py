"""The API put together for a control process. Loads the web framework."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from fastapi import FastAPI

from geodns.api.agents import Registration
from geodns.api.app import create_app
from geodns.api.service import Service
from geodns.daemon.controller import Controller
from geodns.daemon.places import ADMIN_TOKEN, REPLIES
from geodns.daemon.poster import Poster
from geodns.daemon.reaper import Reaper
from geodns.daemon.webhooks import Webhooks
from geodns.errors import GeodnsError
from geodns.health.probes.local import ApiPorts, Local
from geodns.store.keyring import Keyring
from geodns.store.replies import Replies
from geodns.store.tokens import ensure_admin_token

log = logging.getLogger("geodns.control")


def make_application(control: Controller) -> FastAPI:
    """The admin API over this process's store, publisher, geo database and observer."""
    store = control.store
    ensure_admin_token(store, control.data_dir / ADMIN_TOKEN, datetime.now(UTC))

    control.keyring = Keyring(store)
    service = Service(store, control, control.geo)
    control.stored = lambda: (service.config, service.revision)
    observer = control.observer
    registration = Registration(service, store)
    control.reaper = Reaper(registration)
    control.webhooks = observer.webhooks = Webhooks(
        control.desk.happenings,
        lambda: service.config,
        control.bookmark(),
        Poster(Local(own_ports=ApiPorts(control.data_dir))),
    )
    parts = (service, observer, control.desk, control.geo, registration, store)
    pace = control.settings.api_requests_per_s
    replies = Replies(control.data_dir / REPLIES)
    owner = control.keyring.owner
    return create_app(*parts, owner, observer.engine, pace, replies, observer.meter)


async def publish_at_start(control: Controller) -> None:
    """Publish what the store holds: a crash may have come between commit and publishing."""
    assert control.stored is not None  # `make_application` comes before
    config, revision = control.stored()
    try:
        # A store that was never written to may be one that was lost: it empties nothing.
        await control.publish(config, forced="start" if revision else None)
    except GeodnsError as error:
        log.error("what is stored cannot be published: %s", error)
