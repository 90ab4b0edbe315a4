"""`deskside announcements`: what IT tells everybody, and what makes a feed of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from client.cli.check import print_report
from client.model import Announcement
from client.platform.paths import find_paths
from diagnostics.model import Diagnosis, Report, Severity
from tests.servers.static_https import StaticServer

Run = Callable[..., Any]
TOLD = [
    {"id": "1", "title": "The VPN is down", "kind": "outage", "causes": ["vpn.*"], "text": "Back at noon."},
    {"id": "2", "title": "New printers", "begins_at": "2026-01-01T00:00:00Z"},
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StaticServer]:
    (tmp_path / "server").mkdir()
    with StaticServer(tmp_path / "server") as made:
        yield made


@pytest.fixture
def feed(deskside: Run, server: StaticServer, tmp_path: Path) -> Path:
    """A signed feed on the server, which the settings name."""
    public = deskside("articles", "keygen", tmp_path / "key").out.strip()
    (tmp_path / "told.json").write_text(json.dumps(TOLD))
    target = tmp_path / "it.feed"
    said = deskside("announcements", "sign", tmp_path / "told.json", "-o", target, "--key", tmp_path / "key")
    assert said.code == 0, said.err
    server.files["/it.feed"] = target.read_bytes()
    settings = find_paths().settings_file
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(
        f'[announcements]\nfeed = "{server.url}/it.feed {public}"\n[network]\nca_file = "{server.ca_file}"\n'
    )
    return target


def test_without_a_source_it_says_so(deskside: Run) -> None:
    said = deskside("announcements")
    assert said.code == 2
    assert "Nobody announces anything here" in said.err


def test_a_signed_feed_is_shown_and_can_be_waited_for(deskside: Run, feed: Path) -> None:
    said = deskside("announcements")
    assert said.code == 0, said.err
    assert said.out.splitlines()[0] == "Outage: The VPN is down"
    assert "  Back at noon." in said.out
    assert "Notice: New printers" in said.out
    assert deskside("announcements", "watch", "feed-1").code == 0
    shown = deskside("announcements", "--kept", "--json").json
    assert [(one["id"], one["watched"]) for one in shown["announcements"]] == [("feed-1", True), ("feed-2", False)]
    assert shown["troubles"] == []
    assert deskside("announcements", "verify", feed).code == 0, "the keys of the settings count"
    assert deskside("announcements", "watch", "feed-9").code == 2


def test_the_errand_tells_what_is_over(deskside: Run, feed: Path, server: StaticServer, monkeypatch) -> None:
    monkeypatch.setattr("client.bulletin.FRESH", timedelta())
    assert deskside("errand", "announcements").json == {"ended": []}
    deskside("announcements", "watch", "feed-1")
    (feed.parent / "told.json").write_text(json.dumps(TOLD[1:]))
    deskside("announcements", "sign", feed.parent / "told.json", "-o", feed, "--key", feed.parent / "key")
    server.files["/it.feed"] = feed.read_bytes()
    assert [one["title"] for one in deskside("errand", "announcements").json["ended"]] == ["The VPN is down"]


def test_a_feed_out_of_reach_is_said_beside_what_was_known(deskside: Run, feed: Path, server: StaticServer) -> None:
    deskside("announcements")
    server.files.clear()
    said = deskside("announcements")
    assert said.code == 1
    assert "Outage: The VPN is down" in said.out
    assert "The server answered 404" in said.err


@pytest.mark.parametrize("content", ["{", "[1]", '[{"id": "1", "title": ""}]'])
def test_what_is_no_list_of_announcements_is_not_signed(deskside: Run, tmp_path: Path, content: str) -> None:
    deskside("articles", "keygen", tmp_path / "key")
    (tmp_path / "told.json").write_text(content)
    target = tmp_path / "it.feed"
    said = deskside("announcements", "sign", tmp_path / "told.json", "-o", target, "--key", tmp_path / "key")
    assert said.code == 2
    assert "It is no list of announcements" in said.err
    assert not target.exists()


def test_a_changed_feed_is_not_well(deskside: Run, feed: Path) -> None:
    feed.write_bytes(feed.read_bytes().replace(b"VPN", b"web"))
    said = deskside("announcements", "verify", feed)
    assert (said.code, "Nobody who is trusted here" in said.out) == (1, True)


def test_a_check_says_beside_a_cause_that_it_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    cause = Diagnosis(
        cause="vpn.down", severity=Severity.HIGH, confidence=0.9, title="The VPN is off", explanation="e", advice="a"
    )
    report = Report(tool="t", started_at="2026-03-02T09:00:00Z", duration_ms=1, platform="linux", diagnosis=(cause,))
    print_report(report, known=lambda one: Announcement(id="1", title=f"Known: {one.cause}"))
    assert "IT knows about this: Known: vpn.down. You need not report it." in capsys.readouterr().out
    print_report(report)
    assert "IT knows" not in capsys.readouterr().out
