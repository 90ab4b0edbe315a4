"""The embedded help desk as a process: it keeps what it was given, ends with its parent, and says plainly why it does not start."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from client.demo import launch
from client.demo.launch import DemoDesk
from client.errors import EnvironmentFault, NotFound, UsageError

NEW = json.dumps({"subject": "No network", "body": "Nothing works"}).encode()


def send(desk: DemoDesk, key: str, data: bytes = b"x") -> httpx.Response:
    return httpx.post(
        f"{desk.api}/tickets",
        headers={"Authorization": f"Bearer {desk.token}", "Idempotency-Key": key},
        files=[("ticket", (None, NEW, "application/json")), ("files", ("a.zip", data, "application/zip"))],
        timeout=30,
        trust_env=False,
    )


def until(done: Callable[[], bool], wait_s: float = 10) -> None:
    end = time.monotonic() + wait_s
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits to be collected does not."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A desk's folder that has been started once, so that a start takes half a second."""
    folder = tmp_path_factory.mktemp("kept")
    launch.start(folder).stop()
    return folder


def test_a_second_start_finds_everything_again(folder: Path) -> None:
    key = str(uuid.uuid4())
    with launch.start(folder) as first:
        made = send(first, key).json()
        first.agent_reply(made["ticket"]["id"], "Hello")
    assert not first.running
    with launch.start(folder) as second:
        assert (second.url, second.token, second.agent_password) == (first.url, first.token, first.agent_password)
        again = send(second, key)
        assert (again.status_code, again.json()["attachments"]) == (200, made["attachments"])
        assert "Hello" in second.agent_ticket(made["ticket"]["id"]).text


def test_its_secrets_are_for_its_owner_only(folder: Path) -> None:
    with launch.start(folder) as desk:
        send(desk, str(uuid.uuid4()))
        for path in (folder, *folder.rglob("*")):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        shown = repr(desk) + Path(f"/proc/{desk.pid}/cmdline").read_text()
        assert desk.token not in shown
        assert desk.agent_password not in shown


def test_it_ends_when_its_parent_is_killed(folder: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from client.demo import launch\n"
        f"desk = launch.start(Path({str(folder)!r})); print(desk.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    until(lambda: not alive(pid))


def test_it_ends_on_a_polite_signal(folder: Path) -> None:
    desk = launch.start(folder)
    os.kill(desk.pid, signal.SIGTERM)
    until(lambda: not desk.running)
    assert desk._process.returncode == 0
    desk.stop()


@pytest.mark.slow
def test_killed_at_any_moment_it_has_the_ticket_once_or_not_at_all(folder: Path) -> None:
    port = 0
    for attempt in range(6):
        key, answers = str(uuid.uuid4()), []

        def post(desk: DemoDesk, key: str = key, answers: list[int] = answers) -> None:
            try:
                answers.append(send(desk, key, bytes(8_000_000)).status_code)
            except httpx.TransportError:
                answers.append(0)

        desk = launch.start(folder, port=port)
        port = desk.port
        sending = threading.Thread(target=post, args=(desk,))
        sending.start()
        time.sleep(0.02 * attempt)  # from "not begun" to "done": each time is right, all outcomes are
        desk.kill()
        sending.join()
        with launch.start(folder, port=port) as again:
            found = httpx.get(
                f"{again.api}/tickets", params={"key": key}, headers={"Authorization": f"Bearer {again.token}"}
            ).json()["tickets"]
            if answers == [201]:
                assert len(found) == 1, "what was confirmed is kept"
            assert send(again, key, bytes(8_000_000)).status_code == (200 if found else 201)
            with again.agent() as seat:
                (ticket_id,) = seat.tickets(key=key)
                assert [one.data for one in seat.ticket(ticket_id).attachments] == [bytes(8_000_000)]


def test_two_desks_do_not_share_a_folder(folder: Path) -> None:
    with launch.start(folder), pytest.raises(EnvironmentFault) as caught:
        launch.start(folder)
    assert "could not start" in caught.value.message
    assert "Another help desk is running" in caught.value.hint


def test_a_port_that_is_taken_is_said_plainly(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(EnvironmentFault) as caught:
        launch.start(folder, port=taken.getsockname()[1])
    assert "in use" in caught.value.hint
    assert "Traceback" not in caught.value.hint


def test_another_port_is_taken_where_the_last_one_is_not_free(folder: Path) -> None:
    with launch.start(folder) as desk:
        port = desk.port
    with socket.create_server(("127.0.0.1", port)), launch.start(folder) as desk:
        assert desk.port != port


def test_one_that_takes_too_long_is_given_up(folder: Path) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        launch.start(folder, wait_s=0.05)
    assert "did not start within" in caught.value.message


def test_without_the_optional_part_it_says_how_to_get_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "helpdesk" else find(name, *rest)
    )
    with pytest.raises(UsageError) as caught:
        launch.start(folder)
    assert "deskside[demo]" in caught.value.hint


def test_a_folder_that_cannot_be_made_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault) as caught:
        launch.start(tmp_path / "file" / "desk")
    assert "cannot keep its files" in caught.value.message


def test_damaged_secrets_are_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "desk.json").write_text("{")
    with pytest.raises(EnvironmentFault) as caught:
        launch.start(tmp_path)
    assert "damaged" in caught.value.hint
    assert "Traceback" not in caught.value.hint


def test_a_damaged_database_is_said_plainly_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "desk.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(EnvironmentFault) as caught:
        launch.start(tmp_path)
    assert "database" in caught.value.hint
    assert "Traceback" not in caught.value.hint
    assert (tmp_path / "desk.sqlite3").read_bytes() == b"no database" * 1000


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_that_is_none_is_wrong_usage(folder: Path, port: int) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        launch.start(folder, port=port)
    assert "invalid port" in caught.value.hint


def test_the_launcher_needs_neither_django_nor_httpx() -> None:
    script = "import sys, client.demo.launch; print([name for name in ('django', 'helpdesk', 'httpx') if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


def test_the_agents_side_says_what_is_missing(demo_desk: DemoDesk) -> None:
    with pytest.raises(NotFound):
        demo_desk.agent_ticket("999999")
    with pytest.raises(NotFound):
        demo_desk.agent_reply("999999", "Hello")
    password, demo_desk.agent_password = demo_desk.agent_password, "wrong"
    try:
        with pytest.raises(EnvironmentFault, match="did not let the agent in"):
            demo_desk.agent()
    finally:
        demo_desk.agent_password = password
