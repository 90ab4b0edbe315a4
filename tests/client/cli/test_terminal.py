"""The same commands with a person at a terminal: questions, Ctrl+C, hidden input, colours."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

WORDS = "The printer prints blank pages."


def take_terminal() -> None:
    """Makes the terminal the one that the process is controlled from, so that Ctrl+C arrives."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *words: str, **environment: str) -> None:
        self.ours, theirs = pty.openpty()
        self.seen = ""
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "client", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "80"} | environment,
            start_new_session=True,
            preexec_fn=take_terminal,  # noqa: PLW1509 -- no thread of the test holds a lock it could miss
        )
        os.close(theirs)

    def expect(self, words: str) -> None:
        ends = time.monotonic() + 60
        while words not in self.seen:
            assert time.monotonic() < ends, self.seen
            if select.select([self.ours], [], [], 0.5)[0]:
                self.seen += self.read()
            elif self.process.poll() is not None:
                raise AssertionError(self.seen)

    def read(self) -> str:
        try:
            return os.read(self.ours, 65536).decode(errors="replace")
        except OSError:  # the other end is closed
            return ""

    def type(self, text: str) -> None:
        os.write(self.ours, text.encode())

    def end(self, *, again: str = "") -> int:
        """Waits for the end. `again` is pressed once more each second, as people do.

        Python's line editor may lose a Ctrl+C that comes between showing the question and waiting for its answer.
        """
        ends, next_press = time.monotonic() + 60, time.monotonic() + 1
        while True:
            if select.select([self.ours], [], [], 0.2)[0]:
                if not (more := self.read()):
                    return self.process.wait(60)
                self.seen += more
            assert time.monotonic() < ends, self.seen
            if again and time.monotonic() > next_press and self.process.poll() is None:
                next_press += 1
                self.type(again)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(*words: str, **environment: str) -> Terminal:
        started.append(Terminal(*words, **environment))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        os.close(one.ours)


Start = Callable[..., Terminal]


def drafts() -> list[Any]:
    import asyncio

    from client.app import build

    app = build()

    async def work() -> list[Any]:
        try:
            return [*await app.drafts(), *await app.outbox()]
        finally:
            await app.close()

    return asyncio.run(work())


def test_a_ticket_is_asked_for_shown_and_kept(terminal: Start) -> None:
    at = terminal("ticket", "create", "--no-check")
    at.expect("What is wrong: ")
    at.type(f"{WORDS}\n")
    at.expect("Send exactly this? [y/N]: ")
    assert at.seen.count(WORDS) >= 2  # typed, and in the preview
    at.type("y\n")
    assert at.end() == 4
    assert "is kept on this computer" in at.seen
    assert [one.subject for one in drafts()] == [WORDS]


ANSWERS = {"no": ("n\n", 0), "Enter": ("\n", 0), "Ctrl+C": ("\x03", 130), "Ctrl+D": ("\x04", 130)}


@pytest.mark.parametrize(("answer", "code"), ANSWERS.values(), ids=ANSWERS)
def test_without_a_yes_nothing_is_sent_and_the_draft_is_kept(terminal: Start, answer: str, code: int) -> None:
    at = terminal("ticket", "create", "--no-check", "--words", WORDS)
    at.expect("Send exactly this? [y/N]: ")
    at.type(answer)
    assert at.end(again=answer if answer == "\x03" else "") == code
    assert "Traceback" not in at.seen
    (draft,) = drafts()
    assert draft.words == WORDS


def test_no_words_are_no_ticket(terminal: Start) -> None:
    at = terminal("ticket", "create", "--no-check")
    at.expect("What is wrong: ")
    at.type("\n")
    assert at.end() == 2
    assert drafts() == []


def test_a_token_is_not_shown_while_it_is_typed(terminal: Start) -> None:
    at = terminal("login")
    at.expect("Token: ")
    at.type("s3cret-token-1\n")
    assert at.end() == 2  # there is no help desk to sign in to
    assert "s3cret" not in at.seen


def test_ctrl_c_at_the_token_is_quiet(terminal: Start) -> None:
    at = terminal("login")
    at.expect("Token: ")
    at.type("\x03")
    assert at.end(again="\x03") == 130
    assert "Traceback" not in at.seen


def test_colours_are_for_terminals_whose_owner_wants_them(terminal: Start) -> None:
    at = terminal("config", "validate")
    assert at.end() == 0
    assert "\x1b[32m" in at.seen
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        at = terminal("config", "validate", **environment)
        assert at.end() == 0
        assert "\x1b[" not in at.seen


def test_a_table_wraps_to_the_terminal(terminal: Start) -> None:
    at = terminal("fix", "list")
    assert at.end() == 0
    lines = at.seen.replace("\r", "").splitlines()
    assert [word for word in lines[0].replace("\x1b[2m", "").replace("\x1b[0m", "").split() if word] == [
        "id",
        "what",
        "how",
    ]
    assert any("disk.free_space" in line for line in lines)
    assert "\t" not in at.seen
