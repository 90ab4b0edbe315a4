"""What helped: kept for the employee, told as numbers, never in words, and never a reason to stop."""

from __future__ import annotations

import json
import stat
import threading
import time
from pathlib import Path

import pytest

from client.knowledge import learning as module
from client.knowledge.learning import DAY_S, Learning, shape


@pytest.fixture
def learning(tmp_path: Path) -> Learning:
    return Learning(tmp_path / "data" / "learning.sqlite3")


def fill(learning: Learning) -> None:
    learning.article("printer", helped=True)
    learning.article("printer", helped=False)
    learning.fix("disk.free_space", "helped")
    learning.found_nothing("my   secret project Falcon prints blank")
    learning.ticket("dns.unreachable")
    learning.ticket("")


def test_the_employee_sees_everything_newest_first(learning: Learning) -> None:
    assert learning.events() == ()
    fill(learning)
    assert [(one.kind, one.about, one.outcome) for one in learning.events()] == [
        ("ticket", "", "written"),
        ("ticket", "dns.unreachable", "written"),
        ("search", "my secret project Falcon prints blank", "nothing_fits"),
        ("fix", "disk.free_space", "helped"),
        ("article", "printer", "no"),
        ("article", "printer", "yes"),
    ]


def test_it_gets_numbers_of_whole_days_and_no_words(learning: Learning) -> None:
    fill(learning)
    assert learning.counts() == ({}, learning.counts()[1]), "today is not over"
    counts, until = learning.counts(now=time.time() + DAY_S)
    assert counts == {
        "schema": 1,
        "from": None,
        "until": counts["until"],
        "articles": {"printer": {"yes": 1, "no": 1}},
        "fixes": {"disk.free_space": {"helped": 1}},
        "searches": {"nothing_fits": 1},
        "tickets": {"": 1, "dns.unreachable": 1},
    }
    assert "Falcon" not in json.dumps(counts)
    learning.told(until)
    assert learning.counts(now=time.time() + DAY_S)[0] == {}
    learning.article("pdf", helped=True)
    later = learning.counts(now=time.time() + 2 * DAY_S)[0]
    assert set(later.get("articles", {})) <= {"pdf", "printer"}


def test_the_same_search_within_an_hour_is_one(learning: Learning) -> None:
    for _ in range(3):
        learning.found_nothing("blank pages")
    learning.found_nothing("  ")
    assert len(learning.events()) == 1
    learning.found_nothing("broken \udcff byte")
    assert learning.events()[0].about == "broken ? byte"


def test_it_is_bounded_in_number_and_in_time(learning: Learning, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 5)
    for number in range(9):
        learning.article(f"a{number}", helped=True)
    assert [one.about for one in learning.events()] == ["a8", "a7", "a6", "a5", "a4"]
    now = time.time()
    monkeypatch.setattr(module.time, "time", lambda: now + 91 * DAY_S)
    learning.article("new", helped=True)
    assert [one.about for one in learning.events()] == ["new"]
    learning.found_nothing("x" * 1000)
    assert len(learning.events()[0].about) == module.LONGEST


def test_forgetting_leaves_nothing(learning: Learning, tmp_path: Path) -> None:
    fill(learning)
    learning.forget()
    assert list((tmp_path / "data").iterdir()) == []
    assert learning.events() == ()


def test_it_is_this_users_alone(learning: Learning, tmp_path: Path) -> None:
    fill(learning)
    assert stat.S_IMODE((tmp_path / "data" / "learning.sqlite3").stat().st_mode) == 0o600


def test_a_broken_file_is_begun_anew(learning: Learning, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "learning.sqlite3").write_bytes(b"no database " * 100)
    assert learning.events() == ()
    learning.article("printer", helped=True)
    assert len(learning.events()) == 1


def test_a_disk_that_takes_nothing_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    learning = Learning(tmp_path / "file" / "learning.sqlite3")
    fill(learning)
    assert learning.events() == ()
    assert learning.counts()[0] == {}


def test_several_at_once_lose_nothing(learning: Learning) -> None:
    threads = [threading.Thread(target=learning.article, args=(f"a{n}",), kwargs={"helped": True}) for n in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(learning.events()) == 12


def test_what_nobody_knows_is_in_no_count() -> None:
    assert shape([("colour", "red", "x")], since=0, until=DAY_S)["articles"] == {}
