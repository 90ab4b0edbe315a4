"""The words `deskside`: help, mistakes, exit codes, interruptions, and a home that cannot be written."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

import client.__main__ as boundary
from client.cli import root
from client.errors import (
    DesksideBug,
    DesksideError,
    DeskUnreachable,
    DisplayFault,
    NotFound,
    SecretsFault,
    SettingsFault,
    StorageFault,
    UsageError,
)

Run = Callable[..., Any]  # what the fixtures of conftest.py give
PROGRAM = (sys.executable, "-P", "-m", "client")


@pytest.mark.parametrize("name", [*root.COMMANDS, *root.HIDDEN])
def test_every_command_of_the_table_exists_and_says_what_it_does(name: str) -> None:
    command = importlib.import_module(f"client.cli.{name}").command
    assert command.name == name
    assert command.help
    every = [command, *command.commands.values()] if isinstance(command, click.Group) else [command]
    for one in every:
        assert one.help.split("\n")[0].endswith(".")
        assert all(getattr(option, "help", "") or isinstance(option, click.Argument) for option in one.params)


def test_the_contract_of_the_command_line_is_kept() -> None:
    contract = "check search fix ticket outbox report login logout config demo"
    assert set(contract.split()) <= root.COMMANDS.keys()
    groups = {
        "fix": "list plan run",
        "ticket": "create list show reply",
        "outbox": "list retry drop",
        "config": "show validate schema",
    }
    for name, words in groups.items():
        assert set(words.split()) <= importlib.import_module(f"client.cli.{name}").command.commands.keys()


def test_help_and_version(deskside: Run) -> None:
    from client import __version__

    assert deskside("--version") == (0, f"deskside {__version__}\n", "")
    said = deskside("--help")
    assert said.code == 0
    assert all(name in said.out for name in root.COMMANDS)
    assert "errand" not in said.out
    assert deskside("ticket", "create", "--help").code == 0


# wrong words -> what is said about them
MISTAKES = [
    (("chek",), "There is no command 'chek'. Did you mean check?"),
    (("xyzzy",), "There is no command 'xyzzy'."),
    (("--jsn",), "No such option"),
    (("check", "--jsn"), "No such option"),
    (("check", "extra"), "unexpected extra argument"),
    (("check", "--json", "--events"), "exclude each other"),
    (("check", "--only", ","), "names nothing"),
    (("check", "--only", "dsn"), "There is no area or check 'dsn'. Did you mean dns?"),
    (("search",), "Missing argument"),
    (("search", " "), "no words to search for"),
    (("search", "x", "--limit", "0"), "not in the range"),
    (("fix", "plan", "disk.free"), "There is no repair 'disk.free' on this computer. Did you mean disk.free_space?"),
    (("fix", "run", "disk.free_space"), "Nobody is here to agree"),
    (("fix", "undo", "nothing"), ""),
    (("ticket", "create", "--words", "x"), "Nobody is here to agree"),
    (("ticket", "create", "--yes"), "There are no words."),
    (("ticket", "create", "--yes", "--words", " "), "a ticket needs a sentence"),
    (("ticket", "create", "--yes", "--words", "x" * 100_001), "too long for a ticket"),
    (("ticket", "create", "--yes", "--words", "x", "--attach", "/nowhere"), "/nowhere cannot be read"),
    (("ticket", "create", "--yes", "--words", "x", "--attach", "/dev/zero"), "is not a file that can be sent"),
    (("ticket", "create", "--yes", "--words", "x", "--attach", "/"), "cannot be read"),
    (("outbox", "retry", "nothing"), "There is no entry whose id starts with 'nothing'."),
    (("outbox", "drop", "nothing"), "Nobody is here to agree"),
    (("outbox", "show", ""), "no entry"),
    (("report", "diff", "/nowhere", "/nowhere"), "no file /nowhere"),
    (("login",), "Nobody is here to type the token."),
    (("config", "shw"), "No such command"),
    (("config", "show", "desk.ulr"), "Did you mean desk.url?"),
    (("--settings", "/nowhere", "config", "show"), "/nowhere is not there"),
    (("--settings", "/nowhere"), "/nowhere is not there"),
    (("--settings=/nowhere",), "/nowhere is not there"),
    (("articles", "show", "printr"), "There is no article 'printr'. Did you mean printer?"),
    (("articles", "check", "/nowhere"), "/nowhere is not there"),
    (("whoami",), "No help desk is set."),
    (("--demo-folder", "/nowhere", "ticket", "list"), "There is no demonstration"),
]


@pytest.mark.parametrize(("words", "sentence"), MISTAKES, ids=[" ".join(words)[:40] for words, _ in MISTAKES])
def test_wrong_use_is_one_sentence_a_hint_and_exit_code_2(deskside: Run, words: tuple[str, ...], sentence: str) -> None:
    said = deskside(*words)
    assert said.code == 2
    assert said.out == ""
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert 2 <= len(said.err.strip().splitlines()) <= 3


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("It was used wrongly."), 2),
        (SettingsFault("They are wrong.", problems=("a.toml: one", "a.toml: two")), 2),
        (StorageFault("The disk is full."), 3),
        (SecretsFault("It is locked."), 3),
        (DisplayFault("There is none."), 3),
        (DeskUnreachable("It is silent."), 3),
        (NotFound("It is gone."), 3),
        (DesksideBug("A mistake."), 3),
        (DesksideError("Something."), 3),
        (RuntimeError("s3cret inner words"), 3),
        (RecursionError(), 3),
        (MemoryError(), 3),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_has_its_exit_code_and_no_traceback(
    deskside: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: BaseException, code: int
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise error

    monkeypatch.setattr(root, "run", fail)
    monkeypatch.setattr(boundary, "_forget_output", lambda: None)
    said = deskside("check")
    assert (said.code, said.out) == (code, "")
    assert "Traceback" not in said.err
    assert "s3cret" not in said.err
    if isinstance(error, DesksideError):
        lines = said.err.splitlines()
        assert lines[0] == f"{error.title}: {error.message}"
        assert lines[-1] == error.hint
        assert lines[1:-1] == [f"  {problem}" for problem in getattr(error, "problems", ())]
    log = tmp_path / "state" / "deskside" / "log" / "deskside.log"
    if code == 3:
        assert type(error).__name__ in log.read_text()  # that is where the traceback is
    else:
        assert not log.exists()


def test_without_a_display_the_tray_says_so(process: Run) -> None:
    said = process(QT_QPA_PLATFORM="")
    assert said.code == 3
    assert said.err.startswith("There is no display: ")
    assert "deskside check" in said.err
    assert process("open", QT_QPA_PLATFORM="").code == 3
    assert process("demo", QT_QPA_PLATFORM="").code == 3


def test_a_second_tray_opens_the_first_ones_window(process: Run, tmp_path: Path) -> None:
    from client.platform.single_instance import SingleInstance

    with SingleInstance(tmp_path / "state" / "deskside") as first:
        assert first.claim()
        done = subprocess.Popen([*PROGRAM, "open", "tickets"], stderr=subprocess.PIPE)
        ends = time.monotonic() + 60
        wish = None
        while wish is None and time.monotonic() < ends:
            wish = first.receive()
            time.sleep(0.02)
        _, err = done.communicate(timeout=60)
    assert wish == "open tickets"
    assert (done.returncode, err) == (0, b"Deskside is running already; its window is open now.\n")


def test_a_first_that_does_not_answer_is_said(process: Run, tmp_path: Path) -> None:
    from client.platform.single_instance import SingleInstance

    with SingleInstance(tmp_path / "state" / "deskside") as first:
        assert first.claim()
        said = process()
    assert said.code == 3
    assert "does not answer" in said.err


def test_whoever_has_read_enough_may_hang_up() -> None:
    with subprocess.Popen([*PROGRAM, "config", "show"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
        assert command.stdout is not None
        command.stdout.close()
        assert command.stderr is not None
        err = command.stderr.read()
    assert (command.returncode, err) == (0, b"")


@pytest.mark.parametrize("words", ["config show", "config show --json", "articles list", "--help"])
def test_a_full_disk_behind_the_output_is_a_sentence(words: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*PROGRAM, *words.split()], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.startswith("This computer could not save it: The output could not be written: no space left")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_may_be_closed(closed: str) -> None:
    for words, code in (("config show", 0), ("config validate --json", 0), ("search printer --json", 0), ("chek", 2)):
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {closed}', "sh", *PROGRAM, *words.split()], capture_output=True, check=False
        )
        assert done.returncode == code
        assert b"Traceback" not in done.stderr


def test_a_folder_of_our_name_where_one_stands_is_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("client", "diagnostics"):
        (tmp_path / "evil" / name).mkdir(parents=True)
        (tmp_path / "evil" / name / "__init__.py").write_text("raise SystemExit('evil')")
    monkeypatch.chdir(tmp_path / "evil")
    from client.app import PROGRAM as CHILD

    done = subprocess.run([*CHILD, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_ends_a_waiting_command_at_once_and_quietly() -> None:
    with subprocess.Popen(
        [*PROGRAM, "search", "-", "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as command:
        assert command.stdin is not None
        assert command.stdout is not None
        command.stdin.write(b"printer\n")
        command.stdin.flush()
        assert b"results" in command.stdout.readline()  # it is up, and waits for the next question
        command.send_signal(signal.SIGINT)
        out, err = command.communicate(timeout=60)
    assert (command.returncode, out, err) == (130, b"", b"")


# Without this capability the permissions of files count for root, too.
AS_ANYBODY = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search") if os.getuid() == 0 else ()


def as_anybody(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*AS_ANYBODY, *PROGRAM, *words], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


@pytest.mark.netlab  # the check looks at the network: in one of its own
def test_an_ended_check_takes_its_child_with_it() -> None:
    script = 'ip link set lo up && exec "$@"'
    command = ["unshare", "--net", "sh", "-c", script, "sh", *PROGRAM, "check", "--events"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as check:
        assert check.stdout is not None
        assert b"started" in check.stdout.readline()
        children = Path(f"/proc/{check.pid}/task/{check.pid}/children").read_text().split()
        assert children
        check.send_signal(signal.SIGTERM)
        _, err = check.communicate(timeout=60)
    assert check.returncode == 128 + signal.SIGTERM
    assert err == b""
    assert not any(Path(f"/proc/{child}/exe").exists() for child in children)


NOTES = ("No repair was tried on this computer yet.", "Articles are searched by ")  # no faults, only what is so


@pytest.fixture
def read_only_home(tmp_path: Path) -> Path:
    for name in ("config", "data", "state", "cache"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o555)
    return tmp_path


def test_with_a_read_only_home_what_only_reads_works(read_only_home: Path) -> None:
    for words in (
        ("config", "show"),
        ("search", "printer", "--json"),
        ("fix", "list"),
        ("fix", "history"),
        ("articles", "list"),
    ):
        done = as_anybody(*words)
        said = [line for line in done.stderr.splitlines() if not line.startswith(NOTES)]
        assert (done.returncode, said) == (0, []), words
        assert done.stdout or words[-1] == "history"


def test_with_a_read_only_home_a_ticket_is_not_claimed_to_be_kept(read_only_home: Path) -> None:
    words = ("ticket", "create", "--words", "x", "--no-check", "--yes")
    done = as_anybody(*words)
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith("This computer could not save it: ")
    assert "Traceback" not in done.stderr


def test_json_stays_utf_8_and_words_arrive_on_any_terminal(process: Run) -> None:
    for locale in ("C", "C.UTF-8"):
        said = process("search", "Größe 日本語", "--json", LC_ALL=locale, PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
        assert said.code == 0
        assert said.json["results"] is not None
    assert process("articles", "list", LC_ALL="C", PYTHONIOENCODING="ascii:strict").code == 0


def test_commands_do_not_pay_for_what_they_do_not_use() -> None:
    code = "import sys; from client.__main__ import main; main(['config', 'validate']); print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {
        "PySide6",
        "httpx",
        "keyring",
        "rich",
        "jinja2",
        "psutil",
        "django",
        "client.cli.check",
        "client.desks.http",
    }
