"""The journal survives a kill, a torn line and a full disk, and says what happened."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from client.errors import StorageFault
from client.fixes import execute as execute_module
from client.fixes.journal import FILE, Begun, Ended, Journal, Stepped
from client.model import FixOutcome, FixResult

# --- the journal


def outcome(id, *, at=0):
    when = datetime(2026, 1, 31, 9, tzinfo=UTC) + timedelta(seconds=at)
    return FixOutcome(id=id, fix="dns.flush_cache", title="t", result=FixResult.DONE, words="w", started_at=when)


def test_a_torn_line_costs_only_itself(tmp_path):
    journal = Journal(tmp_path)
    journal.write(Ended(outcome=outcome("one")))
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"event":"ended","outcome":{"id":"torn"')
    journal.write(Ended(outcome=outcome("two", at=1)))
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'\n\xff\xfe{]\n[]\n{"event":"of a newer version"}\n')
    assert [one.outcome.id for one in journal.records()] == ["two", "one"]


def test_cut_anywhere_the_journal_can_be_read_and_goes_on(tmp_path):
    journal = Journal(tmp_path)
    for number in range(3):
        journal.write(Ended(outcome=outcome(f"o{number}", at=number)))
    data = (tmp_path / FILE).read_bytes()
    for end in range(len(data) + 1):
        (tmp_path / FILE).write_bytes(data[:end])
        Journal(tmp_path).write(Ended(outcome=outcome("next", at=9)))
        ids = [one.outcome.id for one in Journal(tmp_path).records()]
        assert ids[0] == "next"
        assert ids[1:] == [f"o{number}" for number in reversed(range(len(ids) - 1))]


def test_a_process_that_is_gone_leaves_a_fix_without_end_and_that_is_told(tmp_path):
    journal = Journal(tmp_path)
    line = Begun(
        id="x",
        fix="disk.free_space",
        title="t",
        started_at=datetime.now(UTC),
        steps=("One.", "Two."),
        process=2**22 - 1,
        process_started=1.0,
    )
    journal.write(line, Stepped(id="x", action="clear_caches", words="One.", undo={"k": "v"}))
    (record,) = journal.records()
    assert record.outcome.result is FixResult.INTERRUPTED
    assert "It was at: One." in record.outcome.words
    assert record.outcome.can_undo


def test_a_fix_of_a_process_that_still_runs_is_not_told_as_failed(tmp_path):
    import psutil

    me = psutil.Process()
    line = Begun(
        id="x",
        fix="f",
        title="t",
        started_at=datetime.now(UTC),
        steps=(),
        process=me.pid,
        process_started=me.create_time(),
    )
    Journal(tmp_path).write(line)
    assert Journal(tmp_path).records() == ()


def test_a_long_journal_is_shortened_and_keeps_the_newest(tmp_path, monkeypatch):
    monkeypatch.setattr("client.fixes.journal.LARGEST", 20_000)
    monkeypatch.setattr("client.fixes.journal.KEPT", 10)
    journal = Journal(tmp_path)
    for number in range(200):
        journal.write(Ended(outcome=outcome(f"o{number}", at=number)))
    assert (tmp_path / FILE).stat().st_size < 25_000
    ids = [one.outcome.id for one in journal.records()]
    assert ids[:10] == [f"o{number}" for number in range(199, 189, -1)]
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == [FILE]


def test_a_journal_nobody_may_write_stops_a_fix_that_needs_it_and_no_fix_of_a_full_disk(desk):
    desk.folder.write_text("a file where the folder should be")
    plan = desk.plan()
    with pytest.raises(StorageFault, match="did nothing"):
        desk.run(plan)
    assert desk.machine.ran == []
    cache = desk.machine.home / ".cache/someapp"
    cache.mkdir(parents=True)
    (cache / "data").write_bytes(b"x" * 2_000_000)
    outcome = desk.run(desk.plan("disk.free_space"))
    assert not (cache / "data").exists()
    assert desk.fixes.journal()[0].id == outcome.id  # kept in memory until the disk takes it
    desk.folder.unlink()
    desk.run(desk.plan())
    assert len(desk.make().journal()) == 2


def test_the_journal_is_private(desk):
    desk.run(desk.plan())
    assert (desk.folder / FILE).stat().st_mode & 0o777 == 0o600


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from client.fixes.execute import Fixes
from client.fixes.machine import Local
from diagnostics.model import Report

machine = Local()
machine.home, machine.environment, machine.root = Path(sys.argv[1]), {}, Path(sys.argv[1])
machine.programs = lambda: frozenset()
real = machine.now_ns
machine.now_ns = lambda: real() + 2 * 3600 * 10**9

async def check(ids):
    return Report(tool="t", started_at="2026-01-31T09:00:00Z", duration_ms=1, platform="linux")

async def main():
    fixes = Fixes(folder=Path(sys.argv[2]), allowed=("*",), check=check, last_report=lambda: None, machine=machine)
    plan = await fixes.plan("disk.free_space")
    assert not plan.refused, plan.refused
    steps = iter(range(9))
    def progress(words):
        if words.startswith("Clearing") and next(steps) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
    await fixes.run(plan, progress=progress)

asyncio.run(main())
"""


def test_killed_in_the_middle_the_journal_says_where_it_was(tmp_path):
    home = tmp_path / "home"
    for name in ("aaa", "bbb", "pip"):
        (home / ".cache" / name).mkdir(parents=True)
        (home / ".cache" / name / "data").write_bytes(b"x" * 2_000_000)
    root = Path(execute_module.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(home), str(tmp_path / "state")],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )
    assert done.returncode == -9, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "state" / FILE).read_bytes().split(b"\n") if line]
    assert [line["event"] for line in lines] == ["begun", "step"]
    (record,) = Journal(tmp_path / "state").records()
    assert record.outcome.result is FixResult.INTERRUPTED
    assert "was ended before it was finished. It was at: Remove what programs have stored" in record.outcome.words
    assert sum((home / ".cache" / name / "data").exists() for name in ("aaa", "bbb", "pip")) == 2
