"""The log: bounded, private, without secrets, and never in the way."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from client.platform.logfile import LIMIT_BYTES, LogFile, mask


@pytest.fixture
def log(tmp_path: Path) -> logging.Logger:
    logger = logging.Logger("test")  # noqa: LOG001 -- a logger of its own, so that the others keep theirs
    logger.addHandler(LogFile(tmp_path / "deskside.log"))
    return logger


def text(tmp_path: Path) -> str:
    return (tmp_path / "deskside.log").read_text()


def test_a_record_is_one_line_that_only_its_user_reads(log: logging.Logger, tmp_path: Path) -> None:
    log.info("sent %s", "ticket 7")
    assert text(tmp_path).endswith(f"{os.getpid()} INFO test: sent ticket 7\n")
    assert stat.S_IMODE((tmp_path / "deskside.log").stat().st_mode) == 0o600


def test_the_size_is_bounded(log: logging.Logger, tmp_path: Path) -> None:
    for _ in range(200):
        log.info("%s", "x" * 10_000)
    names = sorted(path.name for path in tmp_path.iterdir() if path.is_file())
    assert names == ["deskside.log", "deskside.log.1"]
    assert sum((tmp_path / name).stat().st_size for name in names) <= 2 * (LIMIT_BYTES + 20_000)


def test_a_giant_record_is_cut(log: logging.Logger, tmp_path: Path) -> None:
    log.info("%s", "x" * 10_000_000)
    assert (tmp_path / "deskside.log").stat().st_size < 20_000


SECRETS = [
    "Authorization: Token abcdef0123456789",
    "headers={'authorization': 'Bearer s3cr3t.s3cr3t', 'x': 1}",
    "Bearer s3cr3t-s3cr3t-s3cr3t",
    "token=s3cr3t&x=1",
    '{"token": "s3cr3t"}',
    "password: s3cr3t",
    "https://anna:s3cr3t@help.example.com/x",
    "Cookie: session=s3cr3t; a=b",
    "api_key=s3cr3t",
]


@pytest.mark.parametrize("line", SECRETS)
def test_what_looks_like_a_secret_is_not_written(log: logging.Logger, tmp_path: Path, line: str) -> None:
    log.error("failed with %s", line, exc_info=ValueError(line))
    assert "s3cr3t" not in text(tmp_path)
    assert "abcdef0123456789" not in text(tmp_path)
    assert "failed with" in text(tmp_path)


@pytest.mark.parametrize(
    "line", ["the token was refused", "basic network check", "https://help.example.com/a@b", "ticket 12"]
)
def test_ordinary_words_stay(line: str) -> None:
    assert mask(line) == line


def test_a_link_in_place_of_the_log_is_not_followed(log: logging.Logger, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("")
    (tmp_path / "deskside.log").symlink_to(target)
    log.info("x")
    assert target.read_text() == ""


def test_a_folder_that_went_away_loses_the_record_only(tmp_path: Path) -> None:
    logger = logging.Logger("test")  # noqa: LOG001 -- as above
    logger.addHandler(LogFile(tmp_path / "gone" / "deskside.log"))
    logger.info("x")


START = """
import logging, sys
from pathlib import Path
from client.platform.logfile import start_logging
start_logging(Path(sys.argv[1]), level="debug")
start_logging(Path(sys.argv[1]), level="warning")
logging.getLogger("x").info("hidden")
logging.getLogger("x").warning("written %d", "wrong argument")
logging.getLogger("x").warning("written")
logging.getLogger("httpx").info("hidden")
raise RuntimeError("the end")
"""


def test_a_process_logs_to_the_file_and_nothing_to_the_screen(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", START, tmp_path / "log"], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("", "")
    written = (tmp_path / "log" / "deskside.log").read_text()
    assert written.count("WARNING x: written\n") == 1
    assert "hidden" not in written
    assert "RuntimeError: the end" in written
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o700


def test_without_a_place_for_the_log_the_program_runs(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("")
    code = "import logging, sys; from pathlib import Path; from client.platform.logfile import start_logging;"
    code += "start_logging(Path(sys.argv[1])); logging.warning('x'); print('runs')"
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "log"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "runs\n", "")
