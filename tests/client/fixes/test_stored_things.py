"""What browsers, desktops and programs have stored: on real files of a home made up for the test, on each system's own places."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from client.errors import ActionFault
from client.fixes.actions import browser_cache, large_files, set_aside, small_caches
from client.fixes.machine import Completed
from client.model import Step

MB = 1_000_000
PROFILES = {
    "linux": ("google-chrome", ".cache/google-chrome/Default/Cache", ".config/google-chrome/Default"),
    "darwin": (
        "google chrome",
        "Library/Caches/Google/Chrome/Default/Cache",
        "Library/Application Support/Google/Chrome/Default",
    ),
    "win32": (
        "chrome",
        "AppData/Local/Google/Chrome/User Data/Default/Cache",
        "AppData/Local/Google/Chrome/User Data/Default",
    ),
}


def write(path: Path, count: int = 2 * MB) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * count)
    return path


def plan(action, machine, option=""):
    return asyncio.run(action.plan(option, machine))


def execute(action, machine, step, option=""):
    assert action.accepts(step, option, machine) == ""
    return asyncio.run(action.execute(step, machine, lambda _: None))


def undo(action, machine, step):
    return asyncio.run(action.undo(action.undo_of(step), machine))


def changed(step: Step, **more: str) -> Step:
    return msgspec.structs.replace(step, parameters={**step.parameters, **more})


# --- browsers


@pytest.mark.parametrize("platform", PROFILES)
def test_a_browsers_pages_go_and_what_is_the_persons_stays(tmp_path, pretended, platform) -> None:
    machine = pretended(tmp_path / "home", platform)
    _, cache, profile = PROFILES[platform]
    write(machine.home / cache / "data_0")
    kept = [write(machine.home / profile / name, 10) for name in ("Cookies", "Login Data", "Bookmarks", "History")]
    kept.append(write(machine.home / profile / "Service Worker/CacheStorage/work", 10))
    (step,) = plan(browser_cache, machine).steps
    assert 2 * MB <= step.gain_bytes < 3 * MB
    assert "Google Chrome: 2.0 MB freed (1 file)." in execute(browser_cache, machine, step)
    assert not (machine.home / cache / "data_0").exists()
    assert all(one.exists() for one in kept)


def test_a_running_browser_is_left_alone(tmp_path, pretended) -> None:
    machine = pretended(tmp_path / "home")
    write(machine.home / ".cache/google-chrome/Default/Cache/data_0")
    machine.running = {"chrome"}
    assert plan(browser_cache, machine).refused == "Google Chrome is running. Quit first, then look here again."
    machine.running = set()
    (step,) = plan(browser_cache, machine).steps
    machine.running = {"chrome"}
    with pytest.raises(ActionFault, match="was opened in the meantime"):
        execute(browser_cache, machine, step)
    assert (machine.home / ".cache/google-chrome/Default/Cache/data_0").exists()


def test_each_profile_is_a_step_of_its_own(tmp_path, pretended) -> None:
    machine = pretended(tmp_path / "home")
    for profile in ("Default", "Profile 1", "NotAProfile"):
        write(machine.home / f".cache/chromium/{profile}/Cache/data_0")
    write(machine.home / ".cache/mozilla/firefox/ab12.default/cache2/entries/A")
    planned = plan(browser_cache, machine)
    assert planned.choice == "some"
    assert [step.parameters["browser"] for step in planned.steps] == [
        "chromium-linux",
        "chromium-linux",
        "firefox-linux",
    ]
    execute(browser_cache, machine, planned.steps[1])
    assert (machine.home / ".cache/chromium/Default/Cache/data_0").exists()
    assert not (machine.home / ".cache/chromium/Profile 1/Cache/data_0").exists()


def test_a_link_in_the_place_of_a_cache_leads_nowhere(tmp_path, pretended) -> None:
    machine = pretended(tmp_path / "home")
    precious = write(machine.home / "Documents/thesis.txt")
    place = machine.home / ".cache/google-chrome/Default/Cache"
    place.parent.mkdir(parents=True)
    place.symlink_to(precious.parent)
    assert plan(browser_cache, machine).refused == browser_cache.NOTHING
    place.unlink()
    write(place / "data_0")
    (step,) = plan(browser_cache, machine).steps
    (place / "data_0").unlink()
    place.rmdir()
    place.symlink_to(precious.parent)
    execute(browser_cache, machine, step)
    assert precious.exists()


@pytest.mark.parametrize(
    "folder", ["Documents", ".cache/google-chrome/Default", ".cache/google-chrome/../../Documents/Cache", "/etc/Cache"]
)
def test_a_step_that_names_something_else_is_not_accepted(tmp_path, pretended, folder) -> None:
    machine = pretended(tmp_path / "home")
    write(machine.home / ".cache/google-chrome/Default/Cache/data_0")
    (step,) = plan(browser_cache, machine).steps
    folders = step.parameters["folders"].replace(".cache/google-chrome/Default/Cache", folder)
    assert browser_cache.accepts(changed(step, folders=folders), "", machine)


# --- large files


def test_a_large_file_goes_into_the_trash_and_comes_back(tmp_path, pretended, monkeypatch) -> None:
    monkeypatch.setattr(large_files, "LARGE_BYTES", MB)
    machine = pretended(tmp_path / "home")
    film = write(machine.home / "Videos/holiday in Größe.mp4")
    small = write(machine.home / "Videos/small.mp4", 10)
    write(machine.home / ".local/share/programs.bin")
    write(machine.home / "project/node_modules/x.bin")
    planned = plan(large_files, machine)
    (step,) = planned.steps
    assert (planned.choice, step.picked, step.gain_bytes) == ("some", False, 2 * MB)
    assert "is in the trash (2.0 MB)" in execute(large_files, machine, step)
    trash = machine.home / ".local/share/Trash"
    (note,) = (trash / "info").iterdir()
    assert note.read_text().splitlines()[1] == f"Path={machine.home}/Videos/holiday%20in%20Gr%C3%B6%C3%9Fe.mp4"
    assert not film.exists()
    assert small.exists()
    assert undo(large_files, machine, step).endswith("is back where it was.")
    assert film.read_bytes() == b"x" * 2 * MB
    assert not list((trash / "info").iterdir())


def test_undo_never_writes_over_another_file_and_says_when_the_trash_was_emptied(
    tmp_path, pretended, monkeypatch
) -> None:
    monkeypatch.setattr(large_files, "LARGE_BYTES", MB)
    machine = pretended(tmp_path / "home")
    film = write(machine.home / "film.mp4")
    (step,) = plan(large_files, machine).steps
    execute(large_files, machine, step)
    film.write_text("another one")
    with pytest.raises(ActionFault, match="another"):
        undo(large_files, machine, step)
    film.unlink()
    for one in (machine.home / ".local/share/Trash/files").iterdir():
        one.unlink()
    with pytest.raises(ActionFault, match="no longer in the trash"):
        undo(large_files, machine, step)


def test_a_file_that_was_exchanged_since_is_left_alone(tmp_path, pretended, monkeypatch) -> None:
    monkeypatch.setattr(large_files, "LARGE_BYTES", MB)
    machine = pretended(tmp_path / "home")
    film = write(machine.home / "film.mp4")
    (step,) = plan(large_files, machine).steps
    write(machine.home / "new", 5).replace(film)
    with pytest.raises(ActionFault, match="has changed since"):
        execute(large_files, machine, step)
    assert film.exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "{home}/.ssh/id_rsa", "{home}/../x", "{home}"])
def test_only_files_of_the_persons_own_are_accepted(tmp_path, pretended, monkeypatch, path) -> None:
    monkeypatch.setattr(large_files, "LARGE_BYTES", MB)
    machine = pretended(tmp_path / "home")
    write(machine.home / "film.mp4")
    (step,) = plan(large_files, machine).steps
    assert large_files.accepts(changed(step, path=path.format(home=machine.home)), "", machine)


def test_on_windows_the_recycle_bin_takes_it(tmp_path, pretended, monkeypatch) -> None:
    monkeypatch.setattr(large_files, "LARGE_BYTES", MB)
    machine = pretended(tmp_path / "home", "win32")
    film = write(machine.home / "film.mp4")
    planned = plan(large_files, machine)
    assert "Restore" in planned.undo
    execute(large_files, machine, planned.steps[0])
    assert machine.thrown == [str(film)]


# --- moved aside


ASIDE = {
    "mail_index": {
        "linux": ".thunderbird/ab.default/global-messages-db.sqlite",
        "darwin": "Library/Thunderbird/Profiles/ab.default/global-messages-db.sqlite",
        "win32": "AppData/Roaming/Thunderbird/Profiles/ab.default/global-messages-db.sqlite",
    },
    "outlook_cache": {"win32": "AppData/Local/Microsoft/Outlook/RoamCache/x.dat"},
    "teams_cache": {
        "linux": ".config/teams-for-linux/Partitions/p/Cache/x",
        "darwin": "Library/Application Support/Microsoft/Teams/Cache/x",
        "win32": "AppData/Roaming/Microsoft/Teams/Cache/x",
    },
    "screen_layout": {"linux": ".config/monitors.xml"},
    "default_apps": {"linux": ".config/mimeapps.list"},
}


@pytest.mark.parametrize(("option", "platform"), [(o, p) for o, places in ASIDE.items() for p in places])
def test_what_is_made_again_is_moved_aside_and_comes_back(tmp_path, pretended, option, platform) -> None:
    machine = pretended(tmp_path / "home", platform)
    file = write(machine.home / ASIDE[option][platform], 20)
    (step,) = plan(set_aside, machine, option).steps
    execute(set_aside, machine, step, option)
    assert not file.exists()
    write(file, 3)  # the program has made it anew
    assert "is back" in undo(set_aside, machine, step)
    assert file.read_bytes() == b"x" * 20
    assert "still in its place" in undo(set_aside, machine, step)


def test_nothing_is_moved_while_its_program_runs(tmp_path, pretended) -> None:
    machine = pretended(tmp_path / "home")
    write(machine.home / ASIDE["mail_index"]["linux"], 20)
    (step,) = plan(set_aside, machine, "mail_index").steps
    machine.running = {"thunderbird"}
    assert "Thunderbird is running" in plan(set_aside, machine, "mail_index").refused
    with pytest.raises(ActionFault, match="was opened in the meantime"):
        execute(set_aside, machine, step, "mail_index")


def test_where_nothing_is_stored_it_is_said(machine) -> None:
    for option in ASIDE:
        assert plan(set_aside, machine, option).refused == set_aside.TABLE[option].missing


@pytest.mark.parametrize("path", ["{home}/.ssh/id_rsa", "/etc/passwd", "{home}/.config/../.ssh/monitors.xml"])
def test_nothing_else_can_be_moved_aside(tmp_path, pretended, path) -> None:
    machine = pretended(tmp_path / "home")
    write(machine.home / ".config/monitors.xml", 5)
    (step,) = plan(set_aside, machine, "screen_layout").steps
    evil = path.format(home=machine.home)
    assert set_aside.accepts(changed(step, path=evil, place=f"{evil}.deskside-1"), "screen_layout", machine)
    assert set_aside.accepts(changed(step, place=str(machine.home / "elsewhere")), "screen_layout", machine)
    with pytest.raises(ActionFault):
        asyncio.run(
            set_aside.undo(
                {"path": evil, "place": f"{evil}.deskside-1", "pin": "1:1", "what": "screen_layout"}, machine
            )
        )


# --- previews, icons, fonts


@pytest.mark.parametrize(
    ("option", "platform", "file", "installed"),
    [
        ("thumbnails", "linux", ".cache/thumbnails/large/ab.png", set()),
        ("thumbnails", "win32", "AppData/Local/Microsoft/Windows/Explorer/thumbcache_256.db", set()),
        ("icons", "win32", "AppData/Local/Microsoft/Windows/Explorer/iconcache_48.db", {"ie4uinit"}),
        ("fonts", "linux", ".cache/fontconfig/ab.cache-8", {"fc-cache"}),
    ],
)
def test_what_a_desktop_has_stored_is_cleared_and_made_anew(
    tmp_path, pretended, option, platform, file, installed
) -> None:
    machine = pretended(tmp_path / "home", platform)
    machine.installed = installed
    stored = write(machine.home / file, 500)
    other = write(machine.home / "Documents/other.png", 5)
    (step,) = plan(small_caches, machine, option).steps
    assert "cleared (1 file)." in execute(small_caches, machine, step, option)
    assert not stored.exists()
    assert other.exists()
    assert {words[0] for words in machine.ran} == installed


def test_previews_of_a_mac_are_reset_by_its_own_program(tmp_path, pretended) -> None:
    machine = pretended(tmp_path / "home", "darwin")
    assert "qlmanage" in plan(small_caches, machine, "thumbnails").refused
    machine.installed = {"qlmanage"}
    (step,) = plan(small_caches, machine, "thumbnails").steps
    execute(small_caches, machine, step, "thumbnails")
    assert machine.ran == [("qlmanage", "-r", "cache")]
    machine.answers["qlmanage",] = Completed(code=1)
    with pytest.raises(ActionFault, match="did not make them anew"):
        execute(small_caches, machine, step, "thumbnails")


def test_what_belongs_to_the_system_is_refused_with_the_way(tmp_path, pretended) -> None:
    assert "safe mode" in plan(small_caches, pretended(tmp_path / "home", "darwin"), "icons").refused
    assert "only an administrator" in plan(small_caches, pretended(tmp_path / "home", "win32"), "fonts").refused


@pytest.mark.parametrize("name", [".ssh", ".cache/thumbnails/../../.ssh", "Documents"])
def test_nothing_else_is_cleared(tmp_path, pretended, name) -> None:
    machine = pretended(tmp_path / "home")
    write(machine.home / ".cache/thumbnails/x.png", 500)
    (step,) = plan(small_caches, machine, "thumbnails").steps
    items = step.parameters["items"].replace(".cache/thumbnails", name)
    assert small_caches.accepts(changed(step, items=items), "thumbnails", machine)
