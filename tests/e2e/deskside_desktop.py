"""Deskside on a private desktop: its settings, its start, and the steps of an employee, each done from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from desktop import Desktop, wait_until
from desktop_hands import Hands

from client.demo.launch import DemoDesk

PROGRAM: Final = (sys.executable, "-m", "client")


class Employee:
    """Somebody at a desktop with Deskside and, perhaps, a help desk.

    Args:
        one: the desktop.
        desk: the help desk that the settings name; None: none is set up.
    """

    def __init__(self, one: Desktop, *, desk: DemoDesk | None = None) -> None:
        self.desktop = one
        self.hands = Hands(one)
        lines = ["[schedule]", "news_every_min = 1"]
        if desk is not None:
            lines += ["[desk]", 'kind = "demo"', f'url = "{desk.url}"']
        file = one.folder / "config" / "deskside" / "settings.toml"
        file.parent.mkdir()
        file.write_text("\n".join(lines) + "\n")

    def start(self, *words: str, name: str = "deskside", env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Starts the program with its tray, and waits until the icon is there."""
        child = self.desktop.spawn(
            name, [*PROGRAM, *words], env={"DESKSIDE_TRACE_START": "1", "PYTHONFAULTHANDLER": "1", **(env or {})}
        )
        wait_until(
            "Deskside to be ready", lambda: self.desktop.log(name).count("tray ready") or child.poll() is not None
        )
        return child

    def command(self, *words: str) -> Any:
        """Runs a command of Deskside and gives its JSON."""
        done = self.desktop.run(*PROGRAM, *words, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def trash(self, name: str, data: bytes) -> Path:
        """Throws a file away, as a file manager does."""
        folder = self.desktop.folder / "data" / "Trash"
        for part in ("files", "info"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "info" / f"{name}.trashinfo").write_text(
            f"[Trash Info]\nPath={self.desktop.home}/{name}\nDeletionDate=2026-01-01T00:00:00\n"
        )
        (folder / "files" / name).write_bytes(data)
        return folder / "files" / name

    # --- what an employee does

    def open_from_tray(self) -> None:
        """Clicks the icon in the panel."""
        self.hands.open_by_icon("Report a problem")

    def check(self) -> None:
        """Presses the button and waits for the result."""
        self.hands.click(self.hands.see("Check now", role="push button"))
        self.hands.text("Checked just now", deadline_s=60)

    def read_article(self, words: str, title: str) -> None:
        """Searches, and opens the article of that title."""
        self.hands.write("Search help", words)
        self.hands.press(title)
        self.hands.see("Article", exact=True)

    def go_to_form(self) -> None:
        """Opens the form of a new ticket."""
        self.hands.keys("ctrl+n")
        self.hands.see("Look at it and send")

    def sign_in(self, token: str) -> None:
        """Pastes the token into the panel that asks for it."""
        self.hands.write("Access token", token)
        self.hands.keys("Return")
        self.hands.gone("Access token")
