"""Disks that are full, read-only or damaged: one true sentence, nothing half-written, nothing deleted."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from client.errors import StorageFault
from client.model import Attachment, Draft, Payload, SendState
from client.outbox import database
from client.outbox.store import Outbox

ROOT = os.geteuid() == 0 if hasattr(os, "geteuid") else False
LARGE = Attachment(name="large.bin", media_type="application/octet-stream", data=random.Random(1).randbytes(2_000_000))  # noqa: S311 -- ballast


def payload(key: str, *files: Attachment) -> Payload:
    return Payload(key=key, subject="s", body=f"body of {key}", attachments=files)


def draft(key: str, outbox: Outbox, *files: Attachment) -> Draft:
    from datetime import UTC, datetime

    return Draft(id=key, created_at=datetime(2026, 1, 31, tzinfo=UTC), words=f"draft {key}", attachments=files)


def path_of(outbox: Outbox) -> Path:
    return outbox._database.path


# --- full


def test_a_full_disk_keeps_the_draft_and_what_was_saved(outbox):
    outbox.add(payload("k-1"))
    outbox.save_draft(draft("k-2", outbox))
    pages = outbox._database._writer.execute("PRAGMA page_count").fetchone()[0]
    outbox._database._writer.execute(f"PRAGMA max_page_count={pages + 5}")
    for call in (lambda: outbox.add(payload("k-2", LARGE)), lambda: outbox.save_draft(draft("k-2", outbox, LARGE))):
        with pytest.raises(StorageFault, match="The disk is full, so this could not be saved"):
            call()
    assert [one.id for one in outbox.entries()] == ["k-1"]
    assert [(one.id, one.attachments) for one in outbox.drafts()] == [("k-2", ())]
    outbox.close()
    assert outbox.add(payload("k-2", LARGE)).state is SendState.WAITING
    assert outbox.payload("k-2").attachments == (LARGE,)


CHILD = """
import sys
from pathlib import Path
from client.errors import StorageFault
from client.model import Attachment, Payload
from client.outbox.store import Outbox
box = Outbox(Path(sys.argv[1]) / "data" / "outbox.sqlite3")
kept = []
LIMIT
try:
    for number in range(400):
        file = Attachment(name="a", media_type="b", data=bytes([number % 256]) * 9000)
        box.add(Payload(key=f"k-{number}", subject="s", body="b", attachments=(file,)))
        kept.append(f"k-{number}")
    print("never full")
except StorageFault as fault:
    print(fault.message)
box.close()
RELAX
print(len(kept), sorted(kept) == sorted(one.id for one in box.entries()), all(box.payload(id) for id in kept))
"""


def run_child(folder: Path, *, limit: str = "", relax: str = "", before: tuple[str, ...] = ()) -> list[str]:
    program = CHILD.replace("LIMIT", limit).replace("RELAX", relax)
    done = subprocess.run(
        [*before, sys.executable, "-c", program, str(folder)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_file_that_may_not_grow_is_said_and_nothing_is_half_written(tmp_path):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, resource.RLIM_INFINITY))"
    relax = "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))"
    said, kept = run_child(tmp_path, limit=limit, relax=relax)
    assert said.endswith("so this could not be saved.")
    number, complete, readable = kept.split()
    assert int(number) > 3
    assert (complete, readable) == ("True", "True")


@pytest.mark.netlab
def test_a_truly_full_disk_is_said_and_nothing_is_half_written(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f'mount -t tmpfs -o size=1500k tmpfs {disk} && exec "$@"'
    said, kept = run_child(disk, before=("unshare", "-m", "sh", "-c", mount, "sh"))
    assert said == "The disk is full, so this could not be saved."
    number, complete, readable = kept.split()
    assert int(number) > 3
    assert (complete, readable) == ("True", "True")


# --- read-only


@pytest.mark.netlab
def test_a_read_only_disk_is_said(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f'mount -t tmpfs tmpfs {disk} && mkdir -m 700 {disk}/data && mount -o remount,ro {disk} && exec "$@"'
    program = CHILD.replace("LIMIT", "").replace("RELAX", "sys.exit()")
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", mount, "sh", sys.executable, "-c", program, str(disk)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "Deskside may not write into its own folder, so this could not be saved.\n", done.stderr


def as_nobody(work: Callable[[], str]) -> str:
    """What an ordinary user hears: in a child of this process, because that user may not even start our Python."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if ROOT:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.write(write, work().encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    with os.fdopen(read) as file:
        return file.read()


@pytest.mark.skipif(sys.platform == "win32", reason="rights are kept otherwise there")
def test_a_folder_that_may_not_be_written_is_said(tmp_path):
    import tempfile

    # Outside of pytest's own folders, which nobody else may enter.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "data"
        data.mkdir()
        if ROOT:
            os.chown(folder, 65534, 65534)
            os.chown(data, 65534, 65534)
        data.chmod(0o500)

        def work() -> str:
            try:
                return f"it was kept: {Outbox(data / 'outbox.sqlite3').add(payload('k-1'))}"
            except StorageFault as fault:
                return fault.message

        assert as_nobody(work) == "Deskside may not write into its own folder, so this could not be saved."
        data.chmod(0o700)


@pytest.mark.skipif(not ROOT, reason="only root can make a folder of somebody else's")
def test_somebody_elses_folder_is_not_used(outbox):
    path_of(outbox).parent.mkdir(parents=True)
    os.chown(path_of(outbox).parent, 65534, 65534)
    with pytest.raises(StorageFault, match="belongs to somebody else"):
        outbox.add(payload("k-1"))
    assert list(path_of(outbox).parent.iterdir()) == []


# --- damaged


def fill(outbox: Outbox) -> None:
    for number in range(6):
        outbox.add(payload(f"k-{number}", Attachment(name="a.bin", media_type="x/y", data=bytes([number]) * 5000)))
    outbox.save_draft(draft("d-1", outbox))
    outbox.close()


def header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"This is no database at all, sorry")


def truncated(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def schema_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 900)


def somebody_elses(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE other (a)")
    connection.close()


@pytest.mark.parametrize("damage", [header, truncated, schema_page, somebody_elses])
def test_a_damaged_file_is_set_aside_told_once_and_replaced(outbox, damage, caplog):
    fill(outbox)
    damage(path_of(outbox))
    before = path_of(outbox).read_bytes()
    assert outbox.add(payload("new")).state is SendState.WAITING
    assert "new" in {one.id for one in outbox.entries()}
    aside = [one for one in path_of(outbox).parent.iterdir() if "damaged" in one.name and one.suffix == ".sqlite3"]
    assert [one.read_bytes() for one in aside] == [before]
    notice = outbox.take_notice()
    assert notice.startswith("The file with your tickets was damaged.")
    assert aside[0].name in notice
    assert outbox.take_notice() == ""
    outbox.close()
    assert Outbox(path_of(outbox)).take_notice() == ""


def test_threads_that_see_the_damage_at_once_replace_the_file_once(outbox, caplog):
    fill(outbox)
    schema_page(path_of(outbox))
    faults: list[BaseException] = []

    def work(number: int) -> None:
        try:
            outbox.add(payload(f"new-{number}"))
            outbox.entries()
        except BaseException as error:  # noqa: BLE001 -- shown below
            faults.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert {f"new-{number}" for number in range(8)} <= {one.id for one in outbox.entries()}
    assert len([one for one in path_of(outbox).parent.glob("*damaged*") if one.suffix == ".sqlite3"]) == 1


def test_what_can_still_be_read_comes_along_and_is_asked_for_before_it_is_sent(outbox, caplog):
    fill(outbox)
    path = path_of(outbox)
    data = bytearray(path.read_bytes())
    at = data.index(bytes([3]) * 400)  # a page in the middle of one file's bytes
    data[at : at + 300] = b"\x99" * 300
    # and the free list's head, which is what makes SQLite see it
    data[32:40] = b"\xff" * 8
    path.write_bytes(data)
    outbox.add(payload("new"))
    ids = {one.id for one in outbox.entries()}
    assert {"k-0", "k-1", "k-2", "k-4", "k-5", "new"} <= ids
    assert "k-3" not in ids
    assert [one.words for one in outbox.drafts()] == ["draft d-1"]
    assert "5 messages, 1 draft" in outbox.take_notice()
    with outbox.turn():
        tasks = {}
        while task := outbox.ledger.take(without=frozenset(tasks)):
            tasks[task.id] = task
    assert all(one.unclear_since is not None for id, one in tasks.items() if id != "new")
    assert tasks["new"].unclear_since is None


@pytest.mark.parametrize("seed", range(60))
def test_any_damage_ends_in_a_sound_outbox_or_a_sentence(tmp_path, seed, caplog):
    dice = random.Random(seed)  # noqa: S311 -- dice
    outbox = Outbox(tmp_path / "data" / "outbox.sqlite3")
    fill(outbox)
    path = path_of(outbox)
    data = bytearray(path.read_bytes())
    for _ in range(dice.choice([1, 3, 30])):
        at, length = dice.randrange(len(data)), dice.choice([1, 16, 600])
        data[at : at + length] = dice.randbytes(len(data[at : at + length]))
    path.write_bytes(data)
    calls: list[Callable[[], object]] = [
        outbox.entries,
        outbox.drafts,
        outbox.seconds_until_due,
        outbox.mailbox.kept_tickets,
        lambda: outbox.add(payload("new")),
        lambda: [outbox.payload(one.id) for one in outbox.entries()],
        lambda: outbox.drop("new"),
        outbox.take_notice,
    ]
    for call in calls:
        with contextlib.suppress(StorageFault):
            call()
    outbox.close()


def test_a_damaged_log_loses_no_commit_before_it(outbox):
    fill(outbox)
    outbox.add(payload("late"))
    path, copy = path_of(outbox), path_of(outbox).parent.parent / "copy"
    shutil.copytree(path.parent, copy)  # as after a power cut: the log is still there
    outbox.close()
    log = copy / "outbox.sqlite3-wal"
    log.write_bytes(log.read_bytes() + b"\x77" * 4096)
    again = Outbox(copy / "outbox.sqlite3")
    assert {one.id for one in again.entries()} == {*(f"k-{number}" for number in range(6)), "late"}
    again.close()


def test_a_damaged_file_that_another_process_has_open_stays_where_it_is(outbox):
    fill(outbox)
    program = (
        "import sys; from pathlib import Path; from client.outbox.store import Outbox\n"
        "box = Outbox(Path(sys.argv[1])); box.entries(); print('open', flush=True); sys.stdin.read()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(path_of(outbox))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout.readline() == b"open\n"
    header(path_of(outbox))
    with pytest.raises(StorageFault, match="is damaged, and another Deskside has it open"):
        outbox.add(payload("new"))
    assert not list(path_of(outbox).parent.glob("*damaged*"))
    child.communicate()
    assert outbox.add(payload("new")).id == "new"
    assert list(path_of(outbox).parent.glob("*damaged*"))


# --- in use


def test_a_file_that_somebody_holds_is_said(outbox, monkeypatch):
    monkeypatch.setattr(database, "BUSY_S", 0.05)
    outbox.add(payload("k-1"))
    other = sqlite3.connect(path_of(outbox), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageFault, match="did not let go of it"):
        outbox.add(payload("k-2"))
    assert [one.id for one in outbox.entries()] == ["k-1"]
    assert outbox.seconds_until_due() == 0
    other.execute("ROLLBACK")
    other.close()
    outbox.add(payload("k-2"))
