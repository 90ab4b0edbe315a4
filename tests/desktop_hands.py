"""Eyes and hands for a private desktop: widgets by their accessible names, mouse, keyboard, tray icon, notifications.

Everything is done from outside the program under test: by its accessibility tree, as a screen reader sees it, and by real
pointer and key events of the X server.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from desktop import Desktop, DesktopFault, wait_until

SYSTEM_PYTHON: Final = "/usr/bin/python3"
TYPING_MS: Final = "4"
REMAP_MS: Final = (
    "120"  # for what no key holds, xdotool changes the keyboard's map, and programs need time to hear of it
)


@dataclass(frozen=True)
class Widget:
    """One widget as a screen reader sees it; `box` is (x, y, width, height) on the screen."""

    id: int
    role: str
    name: str
    description: str
    box: tuple[int, int, int, int]
    states: frozenset[str]
    text: str

    @property
    def middle(self) -> tuple[int, int]:
        """Where a hand would press it."""
        x, y, width, height = self.box
        return x + width // 2, y + height // 2


@dataclass(frozen=True)
class Shown:
    """One notification that dunst has shown."""

    id: str
    app: str
    summary: str
    body: str


CLICKS = 3
CLICK_SHOWS_S = 8.0  # far more than a window takes, on a busy machine too


class Hands:
    """Looks at one program on one desktop and works it.

    Args:
        desktop: the desktop, started with its accessibility bus.
        app: a word of the program's name as the accessibility bus knows it.
    """

    def __init__(self, desktop: Desktop, *, app: str = "deskside") -> None:
        self.desktop = desktop
        self.app = app
        with (desktop.folder / "accessibility.log").open("wb") as log:
            self._agent = subprocess.Popen(
                [SYSTEM_PYTHON, "-W", "ignore", Path(__file__).with_name("accessibility_agent.py")],
                env=desktop.env | {"PYTHONPATH": "", "VIRTUAL_ENV": ""},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def __enter__(self) -> Self:
        if self._agent.stdout is None or self._agent.stdout.readline().strip() != "ready":
            raise DesktopFault(f"the accessibility agent did not start: {self.desktop.log('accessibility')}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._agent.stdin is not None and self._agent.stdout is not None:
            self._agent.stdin.close()  # which ends it
            self._agent.stdout.close()
        try:
            self._agent.wait(5)
        except subprocess.TimeoutExpired:
            self._agent.kill()
            self._agent.wait(5)

    # --- looking

    def all(self, name: str = "", *, role: str = "", exact: bool = False, showing: bool = True) -> tuple[Widget, ...]:
        """Every widget whose accessible name holds `name` (is it, when `exact`), in the order of the tree."""
        request = {"do": "find", "app": self.app, "name": name, "role": role, "exact": exact, "showing": showing}
        return tuple(
            Widget(
                id=one["id"],
                role=one["role"],
                name=one["name"],
                description=one["description"],
                box=tuple(one["box"] or (0, 0, 0, 0)),
                states=frozenset(one["states"]),
                text=one["text"],
            )
            for one in self._ask(request)
        )

    def see(self, name: str, *, role: str = "", exact: bool = False, deadline_s: float = 30) -> Widget:
        """The first such widget, as soon as it shows.

        Raises:
            DesktopFault: it did not appear; lists what is there instead.
        """
        try:
            return wait_until(
                f"{role or 'a widget'} named {name!r}",
                lambda: self.all(name, role=role, exact=exact),
                deadline_s=deadline_s,
            )[0]
        except DesktopFault as fault:
            fault.add_note(f"on the screen:\n{self.described()}")
            raise

    def gone(self, name: str, *, role: str = "", deadline_s: float = 30) -> None:
        """Waits until no such widget shows any more."""
        wait_until(f"{name!r} to go", lambda: not self.all(name, role=role), deadline_s=deadline_s)

    def text(self, words: str, *, deadline_s: float = 30) -> Widget:
        """The first widget that shows the words, in its name or its text."""
        try:
            return wait_until(
                f"the words {words!r}",
                lambda: [one for one in self.all() if words in one.name or words in one.text],
                deadline_s=deadline_s,
            )[0]
        except DesktopFault as fault:
            fault.add_note(f"on the screen:\n{self.described()}")
            raise

    def described(self) -> str:
        """Every showing widget, a line each: role, name, states."""
        return "\n".join(
            f"{one.role:16} {one.name!r} {one.text[:60]!r} {' '.join(sorted(one.states))}" for one in self.all()
        )

    # --- touching

    def press(self, name: str, *, role: str = "button", exact: bool = False, deadline_s: float = 30) -> Widget:
        """Presses a widget that shows and is enabled, with the mouse where it can be seen, else by its accessible action."""

        def ready() -> list[Widget]:
            found = self.all(name, exact=exact)
            return [one for one in found if role in {"", one.role, ROLES.get(one.role)} and "enabled" in one.states]

        try:
            widget = wait_until(f"{role} {name!r} enabled", ready, deadline_s=deadline_s)[0]
        except DesktopFault as fault:
            fault.add_note(f"on the screen:\n{self.described()}")
            raise
        self._ask({"do": "press", "id": widget.id})
        return widget

    def click(self, widget: Widget) -> None:
        """A real click of the left button in the middle of a widget."""
        self.click_at(*widget.middle)

    def click_at(self, x: int, y: int, *, button: int = 1) -> None:
        """A real click at a place of the screen."""
        self._xdotool("mousemove", str(x), str(y), "click", str(button))

    def focus(self, widget: Widget) -> None:
        """Gives a widget the keyboard, by its accessible action, and waits until it has it."""
        self._ask({"do": "focus", "id": widget.id})

    def type(self, words: str) -> None:
        """Types on the keyboard, wherever the focus is."""
        for plain, special in re.findall(r"([ -~\n]+)|([^ -~\n]+)", words):
            self._xdotool("type", "--delay", TYPING_MS if plain else REMAP_MS, "--", plain or special)

    def keys(self, *names: str) -> None:
        """Presses keys by their X names, such as "Tab" or "ctrl+Return"."""
        self._xdotool("key", "--delay", TYPING_MS, "--", *names)

    def write(self, field: str, words: str) -> None:
        """Puts the cursor into the text field of that name, wherever it is scrolled, empties it, types, and waits for the words."""
        widget = wait_until(f"the field {field!r}", lambda: [one for one in self.all(field) if one.role in FIELDS])[0]
        self.focus(widget)
        wait_until(f"{field!r} to have the keyboard", lambda: any("focused" in one.states for one in self.all(field)))
        self.keys("ctrl+a", "Delete")
        self.type(words)
        secret = widget.role == "password text"  # which shows as many dots as there are characters
        wait_until(
            f"{field!r} to hold the words",
            lambda: any(len(one.text) == len(words) if secret else words in one.text for one in self.all(field)),
        )

    # --- the tray

    def tray_icon(self, *, deadline_s: float = 30) -> tuple[int, int]:
        """Where the middle of the program's tray icon is on the screen."""
        look = self._xembed_icon if self.desktop.tray == "xembed" else self._panel_icon

        def settled() -> tuple[int, int] | None:
            """A panel moves its icons while it takes one in: the place counts when it is found there twice."""
            place = look()
            return place if place is not None and place == look() else None

        return wait_until(f"the icon in the tray ({self.desktop.tray})", settled, deadline_s=deadline_s)

    def open_by_icon(self, name: str) -> Widget:
        """Clicks the tray icon and gives the widget that then shows. Clicks again, as a person would, when nothing comes of it.

        A click that meets an icon before its program listens to it is lost; what must never happen is that none of three works.
        """
        for _ in range(CLICKS - 1):
            self.click_at(*self.tray_icon())
            with contextlib.suppress(DesktopFault):
                return self.see(name, deadline_s=CLICK_SHOWS_S)
        self.click_at(*self.tray_icon())
        return self.see(name)

    def _xembed_icon(self) -> tuple[int, int] | None:
        # the tray's own windows hold nothing; each icon is a window of its program below the one named "panel"
        tree = self.desktop.run("xwininfo", "-root", "-tree").stdout.splitlines()
        for line in tree:
            if f'"{self.app}"' in line.lower() and "x" in (words := line.split())[-2] and words[-1].startswith("+"):
                width, height = (int(part) for part in words[-2].split("+")[0].split("x"))
                x, y = (int(part) for part in words[-1].lstrip("+").split("+"))
                if width >= 16 and height >= 16 and y < 40:
                    return x + width // 2, y + height // 2
        return None

    def _panel_icon(self) -> tuple[int, int] | None:
        request = {"do": "find", "app": "lxqt-panel", "name": "", "role": "", "exact": False, "showing": True}
        for one in self._ask(request):
            x, y, width, height = one["box"] or (0, 0, 0, 0)
            if one["role"] in {"push button", "button", "check box", "toggle button"} and width >= 16 and y < 40:
                return x + width // 2, y + height // 2
        return None

    # --- notifications

    def notifications(self) -> tuple[Shown, ...]:
        """Everything dunst has shown so far, oldest first."""
        file = self.desktop.folder / "notifications"
        parts = file.read_bytes().decode().split("\0")[:-1] if file.exists() else []
        return tuple(Shown(*parts[at : at + 4]) for at in range(0, len(parts) - 3, 4))

    def notification_window(self) -> str:
        """The X window of dunst, once it is on the screen."""
        return wait_until("a notification on the screen", lambda: self._windows("--class", "Dunst"))[0]

    def click_notification(self) -> None:
        """A real click on the newest notification on the screen, which does what a click on it does."""
        window = self.notification_window()
        place = dict(
            line.split("=")
            for line in self.desktop.run("xdotool", "getwindowgeometry", "--shell", window).stdout.splitlines()
        )
        self.click_at(int(place["X"]) + int(place["WIDTH"]) // 2, int(place["Y"]) + 12)

    # --- windows

    def window(self, title: str, *, deadline_s: float = 30) -> str:
        """The X window of that title once it is mapped."""
        return wait_until(
            f"the window {title!r}",
            lambda: self._windows("--name", title),
            deadline_s=deadline_s,
        )[0]

    def _windows(self, *words: str) -> list[str]:
        return self.desktop.run("xdotool", "search", "--onlyvisible", *words).stdout.split()

    def _xdotool(self, *words: str) -> None:
        done = self.desktop.run("xdotool", *words)
        if done.returncode != 0:
            raise DesktopFault(f"xdotool {' '.join(words)}: {done.stderr.strip()}")

    def _ask(self, request: dict[str, Any]) -> Any:
        if self._agent.stdin is None or self._agent.stdout is None:
            raise DesktopFault("the accessibility agent has no pipes")
        self._agent.stdin.write(json.dumps(request) + "\n")
        self._agent.stdin.flush()
        line = self._agent.stdout.readline()
        if not line:
            raise DesktopFault(f"the accessibility agent ended: {self.desktop.log('accessibility')}")
        answer = json.loads(line)
        if "error" in answer:
            raise DesktopFault(f"{request}: {answer['error']}")
        return answer["ok"]


FIELDS: Final = frozenset({"text", "entry", "password text"})
ROLES: Final = {"push button": "button", "toggle button": "button", "button menu": "button"}
