"""The window on a real desktop: opened by the icon, every page by its names, and what happens where there is no tray host."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from desktop import Desktop, wait_until
from desktop_hands import Hands

pytestmark = pytest.mark.desktop

PROGRAM = (sys.executable, "-m", "client")
ROLES = {"push button", "button", "check box", "toggle button", "text", "entry", "radio button"}


@pytest.fixture
def start(
    make_desktop: Callable[..., Desktop],
) -> Iterator[Callable[..., tuple[Desktop, Hands, subprocess.Popen[bytes]]]]:
    """Starts the program on a desktop of its own."""
    with ExitStack() as stack:

        def begin(
            *words: str, env: dict[str, str] | None = None, **options: object
        ) -> tuple[Desktop, Hands, subprocess.Popen[bytes]]:
            one = make_desktop(**options)
            child = one.spawn("deskside", [*PROGRAM, *words], env={"DESKSIDE_TRACE_START": "1", **(env or {})})
            wait_until("the program to be ready", lambda: "tray ready" in one.log("deskside"))
            return one, stack.enter_context(Hands(one)), child

        yield begin


def painted(one: Desktop) -> int:
    return one.log("deskside").count("window painted")


@pytest.mark.parametrize("tray", ["xembed", "sni"])
def test_a_click_on_the_icon_opens_the_window_each_time(start, tray) -> None:
    one, hands, _ = start(tray=tray)
    for number in (1, 2):
        hands.open_by_icon("Check now")
        wait_until("the window to be painted", lambda number=number: painted(one) >= number)
        hands.keys("ctrl+w")
        hands.gone("Check now", role="push button")


def test_every_page_can_be_used_by_its_names(start) -> None:
    _, hands, _ = start("open")
    for place, landmark in (
        ("Help", "All articles"),
        ("My tickets", "My tickets"),
        ("This computer", "Nothing is known about this computer yet"),
        ("Settings", "On this computer"),
        ("Report a problem", "Subject"),
        ("Home", "Check now"),
    ):
        hands.press(place, exact=True)
        hands.see(landmark)
        nameless = [one for one in hands.all() if one.role in ROLES and not one.name.strip() and one.box[2] > 0]
        assert nameless == [], place


def test_without_a_tray_host_the_window_opens_and_closing_it_ends_the_program(start) -> None:
    _, hands, child = start(tray="none")
    hands.see("Check now", role="push button")
    hands.keys("ctrl+w")
    assert child.wait(20) == 0


def test_a_second_start_opens_the_window_of_the_first(start) -> None:
    one, hands, child = start()
    assert painted(one) == 0
    done = one.run(*PROGRAM, "open", "device")
    assert done.returncode == 0
    hands.see("Nothing is known about this computer yet")
    assert child.poll() is None


def test_at_sign_in_nothing_pops_up_and_a_panel_that_comes_later_gets_the_icon(start) -> None:
    one, hands, child = start(tray="none", env={"DESKSIDE_AT_SIGN_IN": "1"})
    panel = one.folder / "config" / "lxqt" / "panel.conf"
    panel.parent.mkdir(parents=True)
    panel.write_text(
        "[General]\npanels=panel1\n[panel1]\nplugins=statusnotifier\nposition=Top\nwidth=100\nwidth-percent=true\n"
        "panelSize=32\niconSize=22\n[statusnotifier]\ntype=statusnotifier\nalignment=Right\n"
    )
    one.spawn("panel", ["lxqt-panel"])
    wait_until("the panel", lambda: one.has_owner("org.kde.StatusNotifierWatcher"))
    items = (
        "gdbus",
        "call",
        "--session",
        "--dest",
        "org.kde.StatusNotifierWatcher",
        "--object-path",
        "/StatusNotifierWatcher",
    )
    read = (
        "--method",
        "org.freedesktop.DBus.Properties.Get",
        "org.kde.StatusNotifierWatcher",
        "RegisteredStatusNotifierItems",
    )
    wait_until("the icon in the late panel", lambda: "StatusNotifierItem" in one.run(*items, *read).stdout)
    assert painted(one) == 0
    assert child.poll() is None
    assert hands.all("Check now") == ()


def test_a_sigterm_ends_it_in_good_order(start) -> None:
    _, _, child = start()
    child.terminate()
    assert child.wait(20) == 0
