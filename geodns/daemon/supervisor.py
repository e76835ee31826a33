"""The supervisor: owns the sockets, holds the sections, starts and restarts everything.

It is single-threaded and does nothing that can take long, so that a worker that dies is back
at once. It alone decides which generation is served (`manifest.next` becomes `manifest`).
"""

from __future__ import annotations

import base64
import logging
import os
import pickle
import selectors
import signal
import socket
import time
from collections.abc import Sequence
from functools import partial

from geodns.daemon.children import WORKER_RESTART_S, Child, Suspects, spawn
from geodns.daemon.generations import Fresh, Generations, close_all
from geodns.daemon.link import Message, line
from geodns.daemon.links import Hear, Links
from geodns.daemon.places import Places, is_whole, make_pages
from geodns.daemon.sections import manifest_descriptor
from geodns.daemon.workers import run_worker, surroundings
from geodns.engine.page import WorkerPage
from geodns.engine.sockets import Listener
from geodns.errors import GeodnsError, Unavailable
from geodns.settings import Settings
from geodns.snapshot.manifest import Manifest

STOP_S = 5.0
"""How long children may take to end before they are killed."""

WEDGED_S = 3.0
"""Who shows no heartbeat for so long is suspected. Source: three times health's, the slower."""

GRACE_S = 2.0
"""A suspect that shows none for so long more is replaced: had all of us been frozen together, as a
container or a machine that is paused, it shows one now. Source: twice health's."""

STARTING_S = 20.0
"""Within so long a new health process must show its first heartbeat. Source: measured, 1 s on
an idle machine."""

START_AGAIN_S = 1.0
"""Pause after the system has refused a new process. Source: no reference."""

TICK_S = 0.5

FOR_HEALTH, FROM_HEALTH = ("push", "ask", "beat"), ("journal", "told", "counted")
"""What control and health say to each other through the supervisor (`geodns.health.process`)."""

ENDINGS = (signal.SIGTERM, signal.SIGINT)
IDLE_SIGNALS = (signal.SIGUSR1, signal.SIGUSR2)
"""Mean nothing to us. Source: other DNS servers take them for requests; here they would end it."""

log = logging.getLogger("geodns.supervisor")


class Supervisor:
    """Runs until SIGTERM or SIGINT."""

    def __init__(
        self,
        settings: Settings,
        places: Places,
        listeners: list[list[Listener]],
        api_socket: socket.socket,
        lock: int,
    ) -> None:
        """Shape: ``listeners[e][w]`` are the sockets of worker w on endpoint e; ``lock`` is the
        descriptor that all children hold on to."""
        self._settings = settings
        self._places = places
        self._listeners = listeners
        self._api_socket = api_socket
        self._lock = lock
        self._selector = selectors.DefaultSelector()
        self._generations = Generations(places.data)
        self._around = surroundings(settings)
        self._links = Links(self._selector)
        self._health: Message = {"ready": False}
        self._heard_s = 0.0
        self._suspects = Suspects(WEDGED_S, GRACE_S)
        self._stopping = self._reloading = False
        self._serving = False
        self._lack = ""
        workers = [
            Child(f"worker-{number}", partial(self._start_worker, number), WORKER_RESTART_S)
            for number in range(settings.workers)
        ]
        self._workers = workers
        self._watcher = Child("health", self._start_health)
        self._children = [*workers, self._watcher, Child("control", self._start_control)]

    def run(self) -> int:
        """Serve; returns the exit status."""
        for number in ENDINGS:
            signal.signal(number, lambda *_: self._stop())
        for number in IDLE_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        if not os.isatty(0):  # there a hang-up is the end of a session, and of us
            signal.signal(signal.SIGHUP, lambda *_: self._reload())
        self._generations.load_last()
        for child in self._children:
            self._start(child)
        while not self._stopping:
            for key, _ in self._selector.select(self._pause_s()):
                key.data()
            self._tend()
        self._end()
        return 0

    def _stop(self) -> None:
        self._stopping = True

    def _reload(self) -> None:
        self._reloading = True

    # -- Generations

    def _publish(self, generation: int) -> Message:
        """Accept ``manifest.next`` or say why not; hand what is accepted to everyone."""
        try:
            manifest, fresh = self._generations.accept(generation)
        except (GeodnsError, OSError) as error:
            log.error("generation %d refused: %s", generation, error)
            return {"refused": generation, "reason": str(error)}
        self._distribute(manifest, fresh)
        return {"accepted": generation}

    def _distribute(self, manifest: Manifest, fresh: Fresh) -> None:
        descriptor = manifest_descriptor(manifest)
        for worker in self._workers:
            link = self._links.get(worker.name)
            if link is None:
                continue
            try:
                for digest, section in fresh:
                    socket.send_fds(link, [line({"section": digest})], [section])
                message = {"generation": manifest.generation}
                socket.send_fds(link, [line(message)], [descriptor])
            except OSError as error:  # it does not read: its successor starts with the new one
                log.error("%s takes no generation (%s): replaced", worker.name, error)
                worker.signal(signal.SIGKILL)
        close_all([*fresh, ("", descriptor)])
        self._links.tell("health", {"generation": manifest.generation})

    # -- Children

    def _start(self, child: Child) -> None:
        try:
            child.start()
        except OSError as error:  # too many processes or files: those that run go on
            child.due_s = time.monotonic() + START_AGAIN_S
            log.error("%s cannot be started: %s", child.name, error)
            return
        self._selector.register(child.pidfd, selectors.EVENT_READ, partial(self._ended, child))
        self._links.tell("control", {"children": self._processes()})

    def _processes(self) -> dict[str, dict[str, int]]:
        """All of this server, for its metrics."""
        children = {each.name: {"pid": each.pid, "starts": each.starts} for each in self._children}
        return {"supervisor": {"pid": os.getpid(), "starts": 1}, **children}

    def _ended(self, child: Child) -> None:
        self._selector.unregister(child.pidfd)
        self._links.forget(child.name)
        log.warning("%s", child.reap())
        if child.name == "health":
            self._set_health({"ready": False})
        if child.name == "control":
            self._serving = False
            self._links.tell("health", {"control": False})

    def _pause_s(self) -> float:
        waits = [child.due_s - time.monotonic() for child in self._children if not child.running]
        return max(0.0, min([TICK_S, *waits]))

    def _tend(self) -> None:
        """Restart what is due, replace what is wedged."""
        if not is_whole(self._places, self._settings):
            self._renew_memory()
        if self._reloading:
            self._reloading = False
            self._links.tell("control", {"reload": True})
        now_s = time.monotonic()
        for child in self._children:
            if not child.running and child.due_s <= now_s and not self._stopping:
                self._start(child)
        ages_s = {
            each: self._worker_age_s(number, each) for number, each in enumerate(self._workers)
        }
        for child, age_s in [*ages_s.items(), (self._watcher, now_s - self._heard_s)]:
            if child.running and self._suspects.to_replace(child.pid, age_s, now_s):
                log.error("%s shows no heartbeat for %.1f s: replaced", child.name, age_s)
                child.signal(signal.SIGKILL)

    def _renew_memory(self) -> None:
        """Somebody cleared or cut what is in the runtime directory (systemd's RemoveIPC clears it
        at a logout).

        Those who map what was there would go on alone, and no new worker could start.
        """
        try:
            make_pages(self._places, self._settings)
        except GeodnsError as error:
            if str(error) != self._lack:
                log.error("%s", error)
            self._lack = str(error)
            return
        self._lack = ""
        log.error("%s was cleared or damaged: made anew, all restarts", self._places.runtime)
        for child in self._children:
            child.signal(signal.SIGKILL)

    def _worker_age_s(self, number: int, worker: Child) -> float:
        if not worker.running:
            return 0.0
        try:
            page = WorkerPage(self._places.worker_page(number))
        except Unavailable:  # for want of descriptors: nothing can be said of the worker
            return 0.0
        return page.age_s() if page.pid == worker.pid else 0.0

    def _end(self) -> None:
        for child in reversed(self._children):
            child.signal(signal.SIGTERM)
        until_s = time.monotonic() + STOP_S
        for child in self._children:
            child.wait(until_s)

    def _start_worker(self, number: int) -> int:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(1.0)
        # Held back meanwhile: our handler would swallow in the child what is meant to end it.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
        try:
            pid = os.fork()
        except OSError:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
            raise
        if pid == 0:
            ours.close()
            self._links.leave()
            mine = [endpoint[number] for endpoint in self._listeners]
            held, manifest = self._generations.held, self._generations.current
            run_worker(number, mine, theirs, self._places, held, manifest, self._around)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
        theirs.close()
        self._links.add(f"worker-{number}", ours)
        return pid

    def _start_health(self) -> int:
        self._heard_s = time.monotonic() + STARTING_S - WEDGED_S
        scripts_dir = self._settings.scripts_dir
        pid = self._spawn(
            "health",
            [
                *("geodns.health.process", "--data-dir", str(self._places.data)),
                *("--runtime-dir", str(self._places.runtime)),
                *("--log-level", self._settings.log_level),
                *("--log-format", self._settings.log_format),
                *(("--scripts-dir", str(scripts_dir)) if scripts_dir else ()),
            ],
            self._hear_health,
        )
        self._links.tell("health", {"control": self._serving})
        return pid

    def _start_control(self) -> int:
        pid = self._spawn(
            "control",
            [
                *("geodns.daemon.control", "--api-fd", str(self._api_socket.fileno())),
                *("--log-format", self._settings.log_format),
            ],
            self._hear_control,
        )
        packed = base64.b64encode(pickle.dumps((self._settings, self._places))).decode()
        self._links.tell("control", {"start": packed})
        self._links.tell("control", {"health": self._health})
        return pid

    def _spawn(self, name: str, command: Sequence[str], hear: Hear) -> int:
        pid, link = spawn(command, (self._api_socket.fileno(), self._lock))
        self._links.add(name, link, hear)
        return pid

    # -- Links

    def _hear_control(self, message: Message) -> None:
        if isinstance(generation := message.get("publish"), int):
            self._links.tell("control", self._publish(generation))
        if message.get("serving") is True:
            self._serving = True
            self._links.tell("health", {"control": True})
        if asked := {key: message[key] for key in FOR_HEALTH if key in message}:
            self._links.tell("health", asked)

    def _hear_health(self, message: Message) -> None:
        self._heard_s = time.monotonic()
        if told := {key: message[key] for key in FROM_HEALTH if key in message}:
            self._links.tell("control", told)
            return
        ready = message.get("ready") is True or self._health["ready"]
        health = {"ready": ready, "generation": message.get("generation")}
        if health != self._health:
            self._set_health(health)

    def _set_health(self, health: Message) -> None:
        self._health = health
        self._links.tell("control", {"health": health})
