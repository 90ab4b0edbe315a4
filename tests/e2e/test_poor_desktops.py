"""Desktops on which something is missing or breaks: one clear sentence each, a way that still works, and nothing lost."""

from __future__ import annotations

import os
import sys

import pytest
from deskside_desktop import PROGRAM
from desktop import wait_until

from client.demo.launch import start

pytestmark = [pytest.mark.desktop]

FAILED = 3
WORDS = "My screen went black twice"
QUESTION = "What were you doing, and what happened?"


def one_sentence(done):
    """What an employee is told: a title, what happened, a hint, and never the program's inside."""
    lines = done.stderr.strip().splitlines()
    assert 1 <= len(lines) <= 2, done.stderr
    assert "Traceback" not in done.stderr
    assert lines[-1].endswith((".", "`"))
    return done.stderr


def test_no_display(make_desktop):
    one = make_desktop(tray="none", notifications=False, keyring=False, a11y=False)
    done = one.run(*PROGRAM, env={"DISPLAY": "", "WAYLAND_DISPLAY": ""})
    assert done.returncode == FAILED
    assert one_sentence(done).startswith("There is no display: ")
    assert "deskside check" in done.stderr


def test_a_display_that_is_not_there(make_desktop):
    one = make_desktop(tray="none", notifications=False, keyring=False, a11y=False)
    done = one.run(*PROGRAM, env={"DISPLAY": ":9999"})
    assert done.returncode == FAILED
    assert one_sentence(done).startswith("There is no display: ")


def test_no_tray_host_opens_the_window(make_employee):
    employee = make_employee(tray="none", keyring=False)
    child = employee.start()
    employee.hands.see("Check now", role="push button")
    employee.hands.keys("ctrl+w")
    wait_until("it to end with its window, because nobody could find it again", lambda: child.poll() is not None)
    assert child.returncode == 0


def test_no_session_bus(make_desktop):
    one = make_desktop(tray="xembed", bus=False)
    one.spawn("deskside", PROGRAM, env={"DESKSIDE_TRACE_START": "1"})
    wait_until("the icon", lambda: "tray ready" in one.log("deskside"))
    done = one.run(*PROGRAM, "open", "compose")  # the way in that needs neither the tray nor a bus
    assert done.returncode == 0, done.stderr
    wait_until("the window", lambda: one.run("xdotool", "search", "--onlyvisible", "--name", "^Deskside$").stdout)
    assert "Traceback" not in one.log("deskside")


@pytest.mark.parametrize("bus", [True, False])
def test_no_keyring_is_said_and_nothing_is_kept_elsewhere(make_desktop, tmp_path, bus):
    one = make_desktop(tray="none", notifications=False, keyring=False, a11y=False, bus=bus)
    with start(tmp_path / "desk") as desk:
        file = one.folder / "config" / "deskside" / "settings.toml"
        file.parent.mkdir()
        file.write_text(f'[desk]\nkind = "demo"\nurl = "{desk.url}"\n')
        child = one.spawn("login", [*PROGRAM, "login", "--token-stdin"], stdin=desk.token.encode())
        assert child.wait(30) == FAILED
        assert "The password store is not available" in one.log("login")
        assert "Traceback" not in one.log("login")
        kept = [path for path in one.folder.rglob("*") if path.is_file() and desk.token.encode() in path.read_bytes()]
        assert kept == []


def test_no_keyring_in_the_window_keeps_the_ticket(make_employee, tmp_path):
    with start(tmp_path / "desk") as desk:
        employee = make_employee(desk=desk, tray="none", keyring=False)
        employee.start()
        hands = employee.hands
        hands.see("Check now", role="push button")
        employee.go_to_form()
        hands.write(QUESTION, WORDS)
        hands.press("Look at it and send")
        hands.press("Send the ticket")
        hands.text("no password store that Deskside could use", deadline_s=40)
        (entry,) = employee.command("outbox", "list")["outbox"]
        assert entry["state"] == "waiting"


def test_a_second_start_opens_the_window_of_the_first(make_employee):
    employee = make_employee(keyring=False)
    first = employee.start()
    assert employee.hands.all("Check now") == ()
    second = employee.desktop.run(*PROGRAM)
    assert second.returncode == 0
    assert second.stderr == "Deskside is running already; its window is open now.\n"
    employee.hands.see("Check now", role="push button")
    assert first.poll() is None


def test_what_was_being_written_survives_a_kill(make_employee):
    employee = make_employee(tray="none", keyring=False)
    first = employee.start()
    hands = employee.hands
    hands.see("Check now", role="push button")
    employee.go_to_form()
    hands.write(QUESTION, WORDS)
    hands.text("Saved on this computer. Nothing has been sent yet.")
    first.kill()
    first.wait(10)
    employee.start(name="again")
    hands.see("Check now", role="push button")
    employee.go_to_form()
    hands.press("Go on with your unfinished ticket")
    wait_until("the words", lambda: any(WORDS in one.text for one in hands.all(QUESTION)))


def test_a_home_that_cannot_be_written_to(make_employee):
    employee = make_employee(tray="none", keyring=False)
    folders = [employee.desktop.folder / name for name in ("home", "config", "data", "cache", "state")]
    command = [*PROGRAM]
    if os.geteuid() == 0:  # permissions do not hold root back; a mount that only this program sees does
        script = (
            'for one in "$@"; do mount --bind "$one" "$one" && mount -o remount,bind,ro "$one" || exit 77; done; exec '
            + " ".join(command)
        )
        command = ["unshare", "--mount", "sh", "-c", script, "sh", *map(str, folders)]
    else:
        for folder in folders:
            folder.chmod(0o500)
    try:
        child = employee.desktop.spawn("deskside", command, env={"DESKSIDE_TRACE_START": "1"})
        hands = employee.hands
        hands.see("Check now", role="push button")
        employee.go_to_form()
        hands.write(QUESTION, WORDS)
        hands.text("Not saved: what you write is only on the screen.")
        hands.press("Look at it and send")
        hands.press("Send the ticket")
        hands.text("This computer could not save it")
        hands.press("Go back and change")
        wait_until("the words, which are only here", lambda: any(WORDS in one.text for one in hands.all(QUESTION)))
        assert child.poll() is None
        assert "Traceback" not in employee.desktop.log("deskside")
    finally:
        for folder in folders:
            folder.chmod(0o700)


def test_a_broken_settings_file_is_said_all_at_once(make_desktop):
    one = make_desktop(tray="none", notifications=False, keyring=False, a11y=False)
    file = one.folder / "settings.toml"
    file.write_text('[desk]\nkindd = "demo"\nurl = 7\n')
    done = one.run(sys.executable, "-m", "client", "--settings", file, "config", "validate")
    assert done.returncode == 2
    said = done.stdout + done.stderr
    assert "kindd" in said
    assert "desk.url" in said
    assert "Traceback" not in said
