"""Processes are killed: what goes on, what comes back, and how soon."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
from pathlib import Path

from support.patience import Stopwatch, within
from support.server import Server, command_of, free_port, parent_of, running_server, until

from geodns.daemon.supervisor import GRACE_S, WEDGED_S

from .conftest import ADDRESSES, SITES, Fleet, answers, document

NAME = "www.example.test"


def test_a_wedged_worker_is_replaced(server: Server) -> None:
    pid = server.worker()
    os.kill(pid, signal.SIGSTOP)
    until(lambda: server.worker() != pid, "the wedged worker stays")
    assert server.ask(NAME).answer
    assert server.logged("shows no heartbeat")


def test_a_server_that_was_frozen_as_a_whole_goes_on_as_it_was(server: Server) -> None:
    assert server.process is not None
    children = [server.worker(), server.pid_of("health"), server.pid_of("control")]
    family = [server.process.pid, *children]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(WEDGED_S + GRACE_S)
    for pid in family:  # the supervisor is the first to look around
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.1)
    time.sleep(GRACE_S + 1)
    assert [server.worker(), server.pid_of("health"), server.pid_of("control")] == children
    assert server.ask(NAME).answer


def test_the_start_is_logged_with_addresses_and_token_file(server: Server) -> None:
    assert server.logged(f"serves DNS on 127.0.0.1:{server.dns_port} ")
    assert server.logged(f"API is on 127.0.0.1:{server.api_port}, its token in {server.data}")
    assert not server.logged("not on this machine yet")


def test_an_api_address_that_is_not_here_yet_is_logged(tmp_path: Path) -> None:
    with running_server(tmp_path, start=False, api="192.0.2.1:8053") as server:
        server.start(ready=False)
        until(lambda: server.logged("192.0.2.1 is not on this machine yet"), "no warning")


def test_sigterm_ends_everything_and_frees_the_ports(server: Server) -> None:
    watch = Stopwatch()
    assert server.stop() == 0
    assert watch.fair_s < 3
    for port in (server.dns_port, server.api_port):
        with socket.socket() as tcp:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tcp.bind(("127.0.0.1", port))
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", server.dns_port))


def test_signals_that_mean_nothing_end_nothing(server: Server) -> None:
    assert server.process is not None
    family = [
        server.process.pid,
        server.worker(),
        server.pid_of("health"),
        server.pid_of("control"),
    ]
    for pid in family:
        os.kill(pid, signal.SIGUSR1)
        os.kill(pid, signal.SIGUSR2)
    time.sleep(0.2)
    found = [server.worker(), server.pid_of("health"), server.pid_of("control")]
    assert [server.process.pid, *found] == family
    assert server.process.poll() is None
    assert server.ask(NAME).answer


def test_sigterm_right_after_the_start_ends_everything(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        server.stop()
        for pause_s in (0.05, 0.2, 0.4):
            server.start(ready=False)
            time.sleep(pause_s)
            watch = Stopwatch()
            assert server.stop() in (0, -signal.SIGTERM)
            assert watch.fair_s < 3, f"{pause_s} s after its start"


def test_children_end_by_themselves_when_the_supervisor_is_killed(server: Server) -> None:
    assert server.process is not None
    assert len(server.descendants()) >= 3
    server.process.kill()
    server.process.wait()
    within(2, lambda: not server.left(), lambda: f"still there: {server.left()}")


def test_a_killed_supervisor_can_be_followed_at_once(server: Server) -> None:
    assert server.process is not None
    server.descendants()
    server.process.kill()
    server.process.wait()
    server.start(ready=False)  # no pause: what a service manager does
    until(lambda: server.process_of_lock() == server.process.pid, "it never took over")  # type: ignore[union-attr]
    within(3, lambda: answers(server), "no answer")
    server.await_ready()


def test_the_first_answer_after_a_start_comes_from_disk_before_the_api(server: Server) -> None:
    server.kill()
    server.start(ready=False)
    watch = Stopwatch()
    until(lambda: answers(server), "no answer")
    taken_s = watch.fair_s
    assert server.faults(timeout_s=0.01), "the API was up first"
    assert taken_s < 1.0
    server.await_ready()


def test_zones_nodes_and_verdicts_survive_a_restart(fleet: Fleet) -> None:
    server = fleet.server
    fleet.nodes["lon"].stop()
    until(lambda: fleet.serving() == "fra")
    until(lambda: down_on_disk(server) == [ADDRESSES["lon"]], "the verdict is not saved")
    before = server.api("GET", "document")
    generation = server.api("GET", "status")["generation"]
    server.kill()
    (server.runtime / "status").unlink()  # as after a boot: memory is gone, the disk is not
    server.start(ready=False)
    until(lambda: answers(server), "no answer")
    until(lambda: server.faults() == [] or fleet.serving() == "fra")
    server.await_ready()
    assert fleet.serving() == "fra"
    assert server.api("GET", "document") == before
    assert server.api("GET", "status")["generation"] >= generation
    assert server.api("GET", "nodes/lon")["status"]["state"] == "down"


def test_words_survive_a_restart_but_not_the_end_of_their_data(tmp_path: Path) -> None:
    closed_port = free_port("127.0.1.1")
    with running_server(tmp_path) as server:
        server.apply(document(closed_port))
        until(lambda: len(down_since(server)) == len(SITES), "the nodes are not down")
        first = down_since(server)

        server.stop()
        server.start()
        assert down_since(server) == first

        server.stop()
        shutil.rmtree(server.data)
        server.start()
        server.apply(document(closed_port))
        until(lambda: len(down_since(server)) == len(SITES), "the nodes are not down")
        assert min(down_since(server)) > max(first)


def test_a_dead_control_leaves_no_process_behind(server: Server) -> None:
    control = server.pid_of("control")
    compiler = [pid for pid in server.descendants() if is_child_of(pid, control)]
    assert compiler, "the compile process is expected under control"
    os.kill(control, signal.SIGKILL)
    within(3, lambda: not set(compiler) & set(server.left()), "its compile process lives on")


def test_whoever_is_killed_leaves_no_semaphore_behind(server: Server) -> None:
    """A named one outlives those who use it; only its name's owner could take it away."""
    for pid in server.descendants():
        assert "/dev/shm/sem." not in Path(f"/proc/{pid}/maps").read_text(), command_of(pid)


def test_wait_true_means_that_every_worker_answers_anew(fleet: Fleet) -> None:
    server = fleet.server
    for number in range(50):
        text = f"v{number}"
        path = "zones/example.test/rrsets/change/TXT?wait=true"
        server.api("PUT", path, {"values": [text]})
        # A new source port each time: the kernel spreads them over both workers.
        seen = {server.text("change.example.test", tcp=False) for _ in range(6)}
        assert seen == {text}


def test_status_shows_the_generation_that_health_watches(fleet: Fleet) -> None:
    server = fleet.server
    server.api("PUT", "zones/example.test/rrsets/watched/TXT?wait=true", {"values": ["anew"]})
    served = server.api("GET", "status")["generation"]
    within(
        3,
        lambda: server.api("GET", "status")["health"] == {"ready": True, "generation": served},
        "health watches another one",
    )


def down_on_disk(server: Server) -> list[str]:
    """The addresses whose fall would survive the end of everything."""
    kept = json.loads((server.data / "verdicts").read_text())["verdicts"]
    return [item["address"] for item in kept if item["verdict"] == "down"]


def down_since(server: Server) -> list[str]:
    targets = server.api("GET", "status")["targets"]
    return [target["since"] for target in targets if target["state"] == "down"]


def is_child_of(pid: int, parent: int) -> bool:
    return parent_of(pid) == parent
