"""Caches and trash: what is offered, that exactly this goes, and nothing that was tampered with."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import msgspec
import pytest

from client.errors import ActionFault
from client.fixes import cache_places
from client.fixes.actions import clear_caches, empty_trash
from client.fixes.cache_places import PLACES

MB = 1_000_000


def write(path: Path, count: int = 2 * MB) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * count)
    return path


def plan(action, machine):
    return asyncio.run(action.plan("", machine))


def execute(action, machine, planned):
    said = []
    words = [asyncio.run(action.execute(step, machine, said.append)) for step in planned.steps]
    return " ".join(words)


def accepted(action, machine, planned):
    return [action.accepts(step, "", machine) for step in planned.steps]


# --- caches


def test_the_plan_names_each_cache_with_its_size_and_changes_nothing(machine):
    write(machine.home / ".cache/pip/http/a", 5 * MB)
    write(machine.home / ".cache/mozilla/firefox/p/cache2/x", 3 * MB)
    write(machine.home / ".cache/someapp/data", 4 * MB)
    write(machine.home / ".cache/tiny/data", 1000)
    planned = plan(clear_caches, machine)
    lines = [line for step in planned.steps for line in step.details]
    assert any(line.endswith("/.cache/pip  5.0 MB") for line in lines)
    assert any("mozilla  3.0 MB" in line for line in lines)
    assert any("someapp  4.0 MB" in line for line in lines)
    assert not any("tiny" in line for line in lines)
    assert planned.gain_bytes == pytest.approx(12 * MB, rel=0.01)
    assert accepted(clear_caches, machine, planned) == ["", "", ""]
    assert (machine.home / ".cache/pip/http/a").exists()


def test_exactly_what_was_listed_goes(machine):
    write(machine.home / ".cache/someapp/data", 4 * MB)
    document = write(machine.home / "Documents/thesis")
    planned = plan(clear_caches, machine)
    write(machine.home / ".cache/otherapp/data")
    assert "4.0 MB freed (1 file)" in execute(clear_caches, machine, planned)
    assert list((machine.home / ".cache/someapp").iterdir()) == []
    assert (machine.home / ".cache/otherapp/data").exists()
    assert document.exists()


def test_what_was_written_in_the_last_hour_stays(machine):
    machine.ahead_ns = 0
    write(machine.home / ".cache/someapp/data", 4 * MB)
    assert "nothing worth clearing" in plan(clear_caches, machine).refused


def test_a_running_browser_is_left_out_and_said(machine):
    write(machine.home / ".cache/mozilla/firefox/x")
    write(machine.home / ".cache/chromium/Default/x")
    machine.running = {"firefox"}
    (step,) = plan(clear_caches, machine).steps
    assert any("chromium  2.0 MB" in line for line in step.details)
    assert any("left out, because firefox is running" in line for line in step.details)


def test_a_browser_started_since_the_plan_is_left_alone(machine):
    cached = write(machine.home / ".cache/mozilla/firefox/x")
    planned = plan(clear_caches, machine)
    machine.running = {"firefox"}
    assert "1 folder left alone" in execute(clear_caches, machine, planned)
    assert cached.exists()


def test_keys_mail_sessions_and_our_own_index_are_never_offered(machine):
    for name in ("keyring-AB12", "evolution", "dconf", "ibus", "gvfsd", "deskside", "thumbnails-not", "gnupg"):
        write(machine.home / ".cache" / name / "file")
    (step,) = plan(clear_caches, machine).steps
    assert [line.rsplit("/", 1)[1] for line in step.details] == ["thumbnails-not  2.0 MB"]


def test_flatpak_and_snap_keep_their_data_and_lose_their_caches(machine):
    write(machine.home / ".var/app/org.gimp.GIMP/cache/x")
    write(machine.home / ".var/app/org.gimp.GIMP/data/picture")
    write(machine.home / "snap/firefox/common/.cache/x")
    write(machine.home / "snap/firefox/common/.mozilla/profile")
    planned = plan(clear_caches, machine)
    execute(clear_caches, machine, planned)
    assert (machine.home / ".var/app/org.gimp.GIMP/data/picture").exists()
    assert (machine.home / "snap/firefox/common/.mozilla/profile").exists()
    assert not (machine.home / ".var/app/org.gimp.GIMP/cache/x").exists()
    assert not (machine.home / "snap/firefox/common/.cache/x").exists()


@pytest.mark.parametrize("where", [".cache", ".cache/someapp", ".var/app/x", ".var"])
def test_a_link_in_place_of_a_cache_is_not_followed(machine, tmp_path, where):
    thesis = write(tmp_path / "documents/thesis")
    write(tmp_path / "documents/cache/thesis")
    write(tmp_path / "documents/app/y/cache/thesis")
    link = machine.home / where
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(thesis.parent)
    assert plan(clear_caches, machine).refused
    assert thesis.exists()


def test_a_cache_exchanged_between_plan_and_consent_is_left_alone(machine, tmp_path):
    write(machine.home / ".cache/someapp/data")
    planned = plan(clear_caches, machine)
    (machine.home / ".cache/someapp").rename(machine.home / "aside")
    thesis = write(tmp_path / "documents/thesis")
    (machine.home / ".cache/someapp").symlink_to(thesis.parent)
    assert "1 folder left alone" in execute(clear_caches, machine, planned)
    assert thesis.exists()
    (machine.home / ".cache/someapp").unlink()
    precious = write(machine.home / ".cache/someapp/precious")
    execute(clear_caches, machine, planned)
    assert precious.exists()


def test_names_that_cannot_be_shown_are_left_out(machine):
    write(machine.home / ".cache" / "evil\nname" / "x")
    (machine.home / ".cache" / os.fsdecode(b"bad\xff")).mkdir()
    write(machine.home / ".cache" / os.fsdecode(b"bad\xff") / "x")
    assert plan(clear_caches, machine).refused


def tampered(machine, **changed):
    write(machine.home / ".cache/someapp/data")
    (step,) = plan(clear_caches, machine).steps
    return msgspec.structs.replace(step, parameters={**step.parameters, **changed})


@pytest.mark.parametrize(
    "changed",
    [
        {"place": "documents"},
        {"place": "win-tools"},
        {"items": "[]"},
        {"items": "{}"},
        {"items": '[["../../Documents","1:2"]]'},
        {"items": '[["/etc","1:2"]]'},
        {"items": '[["someapp/../../Documents","1:2"]]'},
        {"items": '[["..","1:2"]]'},
        {"items": '[[".","1:2"]]'},
        {"items": '[["","1:2"]]'},
        {"items": '[["someapp/","1:2"]]'},
        {"items": '[["keyring-1","1:2"]]'},
        {"items": '[["someapp",1,2]]'},
        {"items": '[["someapp","1"]]'},
        {"items": '[["someapp","1:-2"]]'},
        {"items": '[["some\\u0000app","1:2"]]'},
        {"planned_ns": "99999999999999999999"},
        {"planned_ns": "-1"},
        {"planned_ns": "soon"},
        {"also": "x"},
    ],
)
def test_tampered_parameters_are_not_accepted(machine, changed):
    assert clear_caches.accepts(tampered(machine, **changed), "", machine)


def test_the_tampered_steps_are_refused_for_what_is_tampered(machine):
    """The same step with a pin of nothing is of the right form: what is refused above is refused for its content."""
    assert clear_caches.accepts(tampered(machine, items='[["someapp","1:2"]]'), "", machine) == ""
    huge = tampered(machine, items=json.dumps([["someapp", f"{2**64}:{2**128 - 1}"]]))
    assert clear_caches.accepts(huge, "", machine) == ""


def test_another_folders_number_does_not_open_it(machine):
    """The name of a cache with the identity of the documents: accepted by its form, and left alone by what it is."""
    thesis = write(machine.home / "Documents/thesis")
    status = thesis.parent.stat()
    step = tampered(machine, items=json.dumps([["someapp", f"{status.st_dev}:{status.st_ino}"]]))
    words = asyncio.run(clear_caches.execute(step, machine, lambda _: None))
    assert "1 folder left alone" in words
    assert thesis.exists()
    assert (machine.home / ".cache/someapp/data").exists()


def old(path: Path, days: float, machine) -> Path:
    """A file as if nothing had used it for so long. Its inode's own time cannot be set: the machine's clock runs ahead instead."""
    when = time.time_ns() + machine.ahead_ns - int(days * 24 * 3600 * 10**9)
    os.utime(path, ns=(when, when))
    return path


@pytest.fixture
def temporary(machine):
    """The /tmp of the pretended computer."""
    folder = machine.root / "tmp"
    folder.mkdir(parents=True)
    machine.ahead_ns = 20 * 24 * 3600 * 10**9  # the inodes of what a test writes are twenty days old
    return folder


def test_old_temporary_files_go_and_used_ones_stay_whole(machine, temporary):
    old(write(temporary / "old-build/a"), 15, machine)
    old(write(temporary / "old-build/b"), 15, machine)
    old(write(temporary / "used/a"), 15, machine)
    old(write(temporary / "used/b"), 1, machine)
    old(write(temporary / "single"), 30, machine)
    old(write(temporary / "ssh-XXXX/file"), 30, machine)
    (step,) = plan(clear_caches, machine).steps
    assert sorted(line.split("/")[-1] for line in step.details) == ["old-build  4.0 MB", "single  2.0 MB"]
    words = asyncio.run(clear_caches.execute(step, machine, lambda _: None))
    assert "6.0 MB freed (3 files)" in words
    assert sorted(path.name for path in temporary.iterdir()) == ["ssh-XXXX", "used"]
    assert (temporary / "used/a").exists()


def test_a_temporary_entry_used_since_the_plan_stays(machine, temporary):
    old(write(temporary / "old-build/a"), 15, machine)
    planned = plan(clear_caches, machine)
    old(write(temporary / "old-build/b"), 0, machine)
    execute(clear_caches, machine, planned)
    assert (temporary / "old-build/a").exists()


def test_temporary_files_in_memory_are_not_offered_for_they_free_no_disk(machine):
    for name in ("tmp", "var/tmp"):
        (machine.root / name).mkdir(parents=True)
    machine.files["/proc/self/mountinfo"] = (
        f"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:5 / {machine.root}/tmp rw - tmpfs tmpfs rw\n"  # noqa: S108 -- a line of mountinfo
    )
    assert clear_caches._base("tmp", machine) is None
    assert clear_caches._base("var-tmp", machine) == machine.root / "var/tmp"


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_the_other_systems_places_are_planned_from_their_own_folders(tmp_path, pretended, platform):
    machine = pretended(tmp_path / "home", platform, LOCALAPPDATA=str(tmp_path / "home/AppData/Local"))
    write(machine.home / "Library/Caches/Google/Chrome/x")
    write(machine.home / "Library/Caches/com.apple.Safari/x")
    write(machine.home / "AppData/Local/Google/Chrome/User Data/Default/Cache/x")
    write(machine.home / "AppData/Local/Google/Chrome/User Data/Default/History")
    write(machine.home / "AppData/Local/Mozilla/Firefox/Profiles/abc.default/cache2/x")
    planned = plan(clear_caches, machine)
    lines = [line for step in planned.steps for line in step.details]
    assert len(lines) == (1 if platform == "darwin" else 2)
    execute(clear_caches, machine, planned)
    assert (machine.home / "Library/Caches/com.apple.Safari/x").exists()
    assert (machine.home / "AppData/Local/Google/Chrome/User Data/Default/History").exists()


def test_every_place_is_well_formed():
    for id, place in PLACES.items():
        assert place.id == id
        assert place.platform in {"linux", "darwin", "win32"}
        assert all(not pattern.startswith(("/", "..")) for pattern in place.patterns)
    assert cache_places.OLD_DAYS > 1


# --- trash


def throw_away(trash: Path, name: str, count: int = 2 * MB) -> Path:
    info = trash / "info" / f"{name}.trashinfo"
    info.parent.mkdir(parents=True, exist_ok=True)
    info.write_text(f"[Trash Info]\nPath=/home/a/{name}\nDeletionDate=2026-01-01T00:00:00\n")
    return write(trash / "files" / name, count)


@pytest.fixture
def trash(machine) -> Path:
    return machine.home / ".local/share/Trash"


def test_the_trash_is_listed_and_emptied_of_what_was_listed(machine, trash):
    throw_away(trash, "letter")
    write(trash / "files/folder/deeper/file")
    planned = plan(empty_trash, machine)
    assert planned.undo == ""
    assert planned.gain_bytes == pytest.approx(4 * MB, rel=0.01)
    assert planned.steps[0].details == ("folder", "letter")
    assert accepted(empty_trash, machine, planned) == [""]
    since = throw_away(trash, "thrown away since")
    assert "4.0 MB freed (2 files)" in execute(empty_trash, machine, planned)
    assert [path.name for path in (trash / "files").iterdir()] == [since.name]
    assert [path.name for path in (trash / "info").iterdir()] == [f"{since.name}.trashinfo"]


def test_an_empty_or_missing_trash_is_refused(machine, trash):
    assert plan(empty_trash, machine).refused == "The trash is empty."
    (trash / "files").mkdir(parents=True)
    assert plan(empty_trash, machine).refused == "The trash is empty."


@pytest.mark.parametrize("part", ["Trash", "Trash/files", "Trash/info"])
def test_a_linked_trash_is_not_followed(machine, trash, tmp_path, part):
    thesis = write(tmp_path / "documents/files/thesis.trashinfo")
    link = trash.parent / part
    if part == "Trash/info":
        write(trash / "files/thesis")
        link.symlink_to(thesis.parent)
        execute(empty_trash, machine, plan(empty_trash, machine))
    else:
        link.parent.mkdir(parents=True)
        link.symlink_to(thesis.parents[1] if part == "Trash" else thesis.parent)
        assert plan(empty_trash, machine).refused
    assert thesis.exists()


def test_other_volumes_are_emptied_as_the_specification_says(machine, tmp_path):
    uid = machine.uid
    sticky, plain, linked = (tmp_path / name for name in ("sticky", "plain", "linked"))
    throw_away(sticky / ".Trash" / str(uid), "in sticky")
    (sticky / ".Trash").chmod(0o1777)
    throw_away(sticky / f".Trash-{uid}", "beside sticky")
    throw_away(plain / ".Trash" / str(uid), "not sticky: not valid")
    linked.mkdir()
    (linked / ".Trash").symlink_to(sticky / ".Trash")
    network = throw_away(tmp_path / "network" / f".Trash-{uid}", "on a share")
    machine.files["/proc/self/mountinfo"] = "".join(
        f"{number} 1 8:{number} / {tmp_path / name} rw shared:1 - {kind} /dev/x rw\n"
        for number, (name, kind) in enumerate(
            [("sticky", "ext4"), ("plain", "vfat"), ("linked", "xfs"), ("network", "nfs4")], 2
        )
    )
    planned = plan(empty_trash, machine)
    assert sorted(line for step in planned.steps for line in step.details) == ["beside sticky", "in sticky"]
    execute(empty_trash, machine, planned)
    assert network.exists()
    assert plan(empty_trash, machine).refused


@pytest.mark.parametrize(
    "changed",
    [
        {"trash": "/etc"},
        {"trash": "~/Documents"},
        {"items": '[["../../Documents","1:2"]]'},
        {"items": '[["a/b","1:2"]]'},
        {"items": '[["..","1:2"]]'},
        {"items": "[]"},
        {"folder": "x"},
        {"more": "x"},
    ],
)
def test_a_tampered_trash_is_not_accepted(machine, trash, changed):
    throw_away(trash, "letter")
    (step,) = plan(empty_trash, machine).steps
    assert empty_trash.accepts(msgspec.structs.replace(step, parameters={**step.parameters, **changed}), "", machine)


def test_a_trash_exchanged_since_is_left_alone(machine, trash):
    throw_away(trash, "letter")
    planned = plan(empty_trash, machine)
    (trash / "files").rename(trash / "before")
    precious = throw_away(trash, "letter")
    with pytest.raises(ActionFault, match="has changed"):
        execute(empty_trash, machine, planned)
    assert precious.exists()


def test_a_long_trash_shows_its_first_names_and_how_many_more(machine, trash):
    for number in range(45):
        throw_away(trash, f"file {number:02}", 10)
    (step,) = plan(empty_trash, machine).steps
    assert len(step.details) == 41
    assert step.details[-1] == "and 5 more things"


def test_windows_asks_the_shell(tmp_path, pretended):
    machine = pretended(tmp_path / "home", "win32")
    assert plan(empty_trash, machine).refused == "The recycle bin is empty."
    machine.bin = (3, 5 * MB)
    planned = plan(empty_trash, machine)
    assert planned.gain_bytes == 5 * MB
    assert accepted(empty_trash, machine, planned) == [""]
    assert "5.0 MB freed" in execute(empty_trash, machine, planned)
    assert machine.bin == (0, 0)
