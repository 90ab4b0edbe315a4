"""Secrets planted wherever they could be: in no byte that leaves, not in the log, not in the database, not in a crash report.

The whole program around it is real: the report's gate, the outbox, the delivery, two adapters over HTTP, the log. What listens
keeps every byte that it is sent.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import html
import json
import logging
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import msgspec
import pytest

from client.app import App
from client.model import Attachment, FixOutcome, FixResult, SendState
from client.platform.logfile import LogFile
from client.platform.paths import Paths
from client.settings.layers import Loaded
from client.settings.schema import Desk, Settings
from diagnostics.model import Diagnosis, Finding, Report, Severity, Status, Tier
from tests.planted import CORPUS, CREDENTIALS

# Texts that are long enough to be recognised wherever they turn up; "4711" is in every other hash.
WITNESSES = [(text, secret) for text, secret in CORPUS if len(secret) >= 7 and secret != "hunter2"]
WITNESSES += [("password=" + f"hunter2-{number:03}-x", f"hunter2-{number:03}-x") for number in range(3)]
OPENERS = [one for one in WITNESSES if one in CREDENTIALS or "hunter2" in one[1]]
KEY = "anna:Kx9-the-key-of-anna-0123456789"
TOKEN = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")


class Ear:
    """Keeps every byte that it is sent, and answers what a faulty help desk would."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                ear.heard.append(f"{self.requestline}\n{self.headers}".encode())
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                ear.heard.append(body)
                said = b'{"detail": "Internal error, token=s3cr3t-of-the-desk"}'
                self.send_response(500)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST  # noqa: N815 -- as above

            def log_message(self, *_: object) -> None:
                """It is quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def text(self) -> str:
        """Everything, also as it was before it was packed."""
        raw = b"\n".join(self.heard).decode("utf-8", errors="replace")
        inner = []
        for packed in TOKEN.findall(raw):
            try:
                inner.append(base64.b64decode(packed + "=" * (-len(packed) % 4)).decode("utf-8", errors="replace"))
            except (ValueError, binascii.Error):
                continue
        return unpacked("\n".join([raw, *inner]))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def unpacked(text: str) -> str:
    """The text with what JSON, HTML and addresses would have made of a secret undone."""
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    return "\n".join([text, plain, plain.replace('\\"', '"').replace("\\\\", "\\"), html.unescape(text), unquote(text)])


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """The real log, at its most talkative, for everything that is said meanwhile."""
    root, file = logging.getLogger(), tmp_path / "deskside.log"
    handler, level = LogFile(file), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield file
    root.removeHandler(handler)
    root.setLevel(level)


def make_app(folder: Path, kind: str, url: str) -> App:
    names = ("config", "data", "state", "cache", "log", "policy")
    paths = Paths(**{name: folder / name for name in names}, resources=Path(__file__).parents[2] / "resources")
    paths.ensure()
    return App(paths=paths, settings=Loaded(values=Settings(desk=Desk(kind=kind, url=url))), secret=KEY)


def planted_report() -> Report:
    """A run whose every text holds planted secrets."""
    texts = [text for text, _ in WITNESSES]
    everything = " | ".join(text.replace("\n", " ") for text in texts)
    checks = [
        Finding(
            check=f"service.number_{number}",
            area="service",
            status=Status.FAILED,
            summary=f"It answers: {text}",
            measures={"said": text, "rows": [{"server": text, "state": text}]},
        )
        for number, text in enumerate(texts)
    ]
    first = Diagnosis(
        cause="service.down",
        subject=texts[0],
        severity=Severity.HIGH,
        confidence=0.9,
        title="A service is down",
        explanation=f"Said: {everything}",
        advice=everything,
        evidence=tuple(one.check for one in checks[:3]),
        tier=Tier.L2,
    )
    facts = {
        "logs.errors": texts,
        "os.environment": {
            "HTTPS_PROXY": "https://anna:hunter2-000-x@proxy.example:3128",
            "API_TOKEN": "hunter2-001-x",
        },
        "software.list": {"tool": everything},
        "processes.command_lines": [f"tool --password hunter2-002-x {text}" for text in texts],
    }
    return Report(
        tool="deskside 0.1.0",
        started_at="2026-01-31T09:00:00Z",
        duration_ms=5,
        platform="linux",
        diagnosis=(first,),
        findings=tuple(checks),
        facts=facts,
    )


def tried(text: str) -> FixOutcome:
    return FixOutcome(
        id="t", fix="disk.free_space", title="Tried", result=FixResult.FAILED, words=text, started_at=datetime.now(UTC)
    )


def leaks(where: str, witnesses: list[tuple[str, str]]) -> list[str]:
    return [secret for _, secret in witnesses if secret in where]


def database(app: App) -> str:
    """Every byte of the outbox's files."""
    files = sorted(app.paths.data.glob("outbox.sqlite3*"))
    assert files
    return unpacked("\n".join(file.read_bytes().decode("utf-8", errors="replace") for file in files))


@pytest.mark.parametrize("kind", ["webhook", "employee"])
def test_no_planted_secret_leaves_or_stays(kind: str, ear: Ear, log: Path, tmp_path: Path) -> None:
    app = make_app(tmp_path / "home", kind, ear.url)
    words = "\n".join(text for text, _ in OPENERS)

    async def run() -> None:
        draft = app.new_draft(words=words, report=planted_report(), tried=tuple(tried(text) for text, _ in WITNESSES))
        named = Attachment(name="log password=hunter2-000-x .txt", media_type="text/plain", data=b"fine")
        draft = msgspec.structs.replace(draft, subject=OPENERS[0][0], attachments=(named,))
        await app.save_draft(draft)
        assert leaks(database(app), OPENERS)  # a draft is the employee's own; else this test proves nothing
        await app.send(await app.preview(draft))
        await app.reply("7", words, (named,))
        entries = await app.deliver()
        assert {one.state for one in entries} <= {SendState.WAITING, SendState.UNSURE, SendState.REFUSED}
        logging.getLogger("deskside").critical("ended by a fault", exc_info=RuntimeError(words))
        await app.write_report(planted_report(), tmp_path / "report.zip")
        await app.close()

    asyncio.run(run())
    with zipfile.ZipFile(tmp_path / "report.zip") as report:
        parts = "\n".join(report.read(name).decode() for name in report.namelist())
    assert leaks(unpacked(parts), WITNESSES) == []
    heard = ear.text()
    assert "service.down" in heard, "nothing was sent at all"
    assert leaks(heard, WITNESSES) == []
    assert leaks(database(app), WITNESSES) == []
    written = unpacked(log.read_text())
    assert "ended by a fault" in written
    assert leaks(written, OPENERS) == []
    assert KEY.partition(":")[2] not in written + database(app)
    assert "s3cr3t-of-the-desk" not in written + database(app)


CRASH = """
import json, sys
from pathlib import Path
from client.platform.logfile import start_logging
start_logging(Path(sys.argv[1]))
secrets = json.load(sys.stdin)
def fall(words):
    raise RuntimeError("it said: " + words)
try:
    fall(secrets[0])
except RuntimeError as error:
    raise ValueError("\\n".join(secrets)) from error
"""


def test_no_planted_secret_is_in_a_crash_report(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    said = json.dumps([text for text, _ in OPENERS])
    command = [sys.executable, "-c", CRASH, str(folder)]
    done = subprocess.run(
        command, input=said, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == 1
    written = unpacked((folder / "deskside.log").read_text())
    assert "ended by ValueError" in written
    assert leaks(written + done.stdout + done.stderr, OPENERS) == []
