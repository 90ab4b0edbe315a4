"""No display is a sentence and not an abort; links and files are opened, and nothing is run."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from client.errors import DisplayFault, UsageError
from client.platform.display import need_display
from client.platform.opener import open_path, open_url


def test_without_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QT_QPA_PLATFORM")
    with pytest.raises(DisplayFault, match="could not find a screen"):
        need_display()
    monkeypatch.setenv("DISPLAY", ":987")
    with pytest.raises(DisplayFault, match=r"\(:987\) does not answer"):
        need_display()


@pytest.mark.parametrize(
    ("name", "value"),
    [("WAYLAND_DISPLAY", "wayland-0"), ("QT_QPA_PLATFORM", "offscreen"), ("DISPLAY", "far.example.com:10.0")],
)
def test_with_something_to_show_on(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.delenv("QT_QPA_PLATFORM")
    monkeypatch.setenv(name, value)
    need_display()


def test_an_abstract_socket_is_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QT_QPA_PLATFORM")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0/tmp/.X11-unix/X54321")
        server.listen()
        monkeypatch.setenv("DISPLAY", ":54321.0")
        need_display()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A stand-in for xdg-open that writes down what it is given."""
    said = tmp_path / "said"
    tools = tmp_path / "bin"
    tools.mkdir()
    opener = tools / "xdg-open"
    opener.write_text(f"#!{sys.executable}\nimport sys, os\nopen({str(said)!r} + '.new', 'w').write(sys.argv[1])\n")
    with opener.open("a") as file:
        file.write(f"os.rename({str(said)!r} + '.new', {str(said)!r})\n")
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    return said


def said(file: Path) -> str:
    import time

    ends = time.monotonic() + 20
    while not file.exists():
        assert time.monotonic() < ends
        time.sleep(0.01)
    return file.read_text()


@pytest.mark.parametrize(
    "url", ["https://help.example.com/tickets/7?a=b#c", "mailto:it@example.com", "tel:+441632960961"]
)
def test_pages_mails_and_calls_are_opened(opened: Path, url: str) -> None:
    open_url(url)
    assert said(opened) == url


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "smb://host/share",
        "--help",
        "",
        "https://a b",
        "https://a\nb",
        "ms-msdt:/id",
    ],
)
def test_anything_else_is_not(opened: Path, url: str) -> None:
    with pytest.raises(UsageError):
        open_url(url)
    assert not opened.exists()


def test_programs_are_shown_and_never_started(opened: Path, tmp_path: Path) -> None:
    script = tmp_path / "run.sh"
    script.write_text("#!/bin/sh")
    script.chmod(0o755)
    open_path(script)
    assert said(opened) == str(tmp_path)


def test_a_file_is_opened(opened: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_text("x")
    open_path(report)
    assert said(opened) == str(report)


def test_a_missing_file_and_a_missing_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not there"):
        open_path(tmp_path / "gone")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DisplayFault, match="no program to show"):
        open_url("https://help.example.com")
