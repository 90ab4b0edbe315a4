"""Announcements from the real embedded help desk and from a real HTTPS server, as this computer hears them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from client.bulletin import Bulletin
from client.demo import launch
from client.desks import open_desk
from client.errors import DeskUnreachable
from client.knowledge.feed import draft, signed
from client.knowledge.signing import make_signer
from client.settings.layers import Loaded
from client.settings.schema import Announcements, Settings
from diagnostics.model import Diagnosis, Severity
from diagnostics.targets import Network
from tests.servers.static_https import StaticServer

NOW = datetime.now(UTC)
MINUTE = timedelta(minutes=1)
IT, STRANGER = make_signer()[0], make_signer()[0]
VPN = Diagnosis(cause="vpn.down", severity=Severity.HIGH, confidence=0.9, title="t", explanation="e", advice="a")
PATH = "/it.feed"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StaticServer]:
    with StaticServer(tmp_path_factory.mktemp("server")) as made:
        yield made


class Computer:
    """One computer; `later` moves its clock."""

    def __init__(self, folder: Path, *, desk: Any = None, feed: str = "", ca_file: str = "") -> None:
        self.later = timedelta()
        self.asked = 0

        async def ask(work: Any) -> Any:
            self.asked += 1
            if isinstance(desk, Exception):
                raise desk
            return await work(desk)

        values = Settings(announcements=Announcements(feed=feed), network=Network(ca_file=ca_file))
        self.bulletin = Bulletin(
            paths=SimpleNamespace(state=folder),
            settings=Loaded(values=values),
            can_ask=lambda: desk is not None,
            ask=ask,
            now=lambda: datetime.now(UTC) + self.later,
        )

    def refresh(self, **more: Any) -> Any:
        return asyncio.run(self.bulletin.refresh(**more))


@pytest.fixture
def publish(server: StaticServer) -> Any:
    server.files.clear()
    server.answers.clear()
    server.asked.clear()

    def publish(*titles: str, now: datetime = NOW, signer: Any = IT) -> None:
        told = [{"id": title, "title": title, "kind": "outage", "causes": ["vpn.*"]} for title in titles]
        server.files[PATH] = signed(draft(json.dumps(told).encode(), now=now), signer)

    return publish


@pytest.fixture
def computer(server: StaticServer, tmp_path: Path) -> Computer:
    return Computer(tmp_path, feed=f"{server.url}{PATH} {IT.public}", ca_file=str(server.ca_file))


def test_an_outage_on_the_desk_is_known_here_until_it_is_over(tmp_path: Path) -> None:
    with launch.start(tmp_path / "desk", rate=0) as server, server.agent() as seat:
        desk_settings = SimpleNamespace(kind="employee", url=server.url)
        network = SimpleNamespace(proxy="system", no_proxy=(), ca_file="")

        class Fresh:  # a connection belongs to the loop that made it
            async def announcements(self) -> Any:
                desk = open_desk(desk_settings, network=network, secret=server.token, version="1")
                try:
                    return await desk.announcements()
                finally:
                    await desk.close()

        here = Computer(tmp_path / "state", desk=Fresh())
        assert here.refresh() == ((), ())
        assert here.bulletin.current() == ()
        seat.announce("The VPN is down", causes="vpn.*\n", text="Since nine.")
        seat.announce("New coffee machine", kind="notice")
        assert here.refresh() == ((), ())
        assert [(one.title, one.text) for one in here.bulletin.current()] == [
            ("The VPN is down", "Since nine."),
            ("New coffee machine", ""),
        ]
        found = here.bulletin.known(VPN)
        assert found is not None
        asyncio.run(here.bulletin.watch(found.id))
        seat.end_announcements()
        assert [one.title for one in here.refresh().ended] == ["The VPN is down"]
        assert here.bulletin.current() == ()
        assert here.bulletin.known(VPN) is None


def test_a_feed_is_fetched_once_and_kept(publish: Any, computer: Computer, server: StaticServer) -> None:
    publish("The VPN is down")
    assert computer.refresh() == ((), ())
    assert computer.bulletin.known(VPN).title == "The VPN is down"
    computer.later = MINUTE
    computer.refresh(always=False)
    assert len(server.asked) == 1
    computer.later = 3 * MINUTE
    computer.refresh(always=False)
    assert len(server.asked) == 2
    assert server.asked[1][1]["if-none-match"]
    computer.later = timedelta(hours=24)
    assert computer.bulletin.current()  # the second look has confirmed it


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda publish, _: publish("The web is down", signer=STRANGER), "Nobody who is trusted"),
        (lambda publish, _: publish("The web is down", now=NOW - MINUTE), "older announcements"),
        (lambda _, server: server.files.clear(), "answered 404"),
        (lambda _, server: server.files.update({PATH: b"<html>Sign in</html>"}), "not signed as announcements are"),
        (lambda _, server: server.answers.update({PATH: lambda one: one.hang_up()}), ""),
    ],
)
def test_what_is_wrong_with_a_feed_is_said_and_the_last_good_one_counts(
    publish: Any, computer: Computer, server: StaticServer, wrong: Any, words: str
) -> None:
    publish("The VPN is down")
    computer.refresh()
    wrong(publish, server)
    asked = computer.refresh()
    assert words in asked.troubles[0]
    assert [one.title for one in computer.bulletin.current()] == ["The VPN is down"]


def test_a_desk_out_of_reach_does_not_hide_the_feed(publish: Any, server: StaticServer, tmp_path: Path) -> None:
    publish("The VPN is down")
    fault = DeskUnreachable("The help desk cannot be reached.")
    here = Computer(tmp_path, desk=fault, feed=f"{server.url}{PATH} {IT.public}", ca_file=str(server.ca_file))
    assert here.refresh().troubles == ("The help desk cannot be reached.",)
    assert [one.title for one in here.bulletin.current()] == ["The VPN is down"]


def test_a_source_that_the_settings_do_not_name_any_more_is_forgotten(
    publish: Any, computer: Computer, tmp_path: Path
) -> None:
    publish("The VPN is down")
    computer.refresh()
    other = Computer(tmp_path)
    assert other.bulletin.current() == ()
    assert other.refresh() == ((), ())
    assert computer.bulletin.current() == ()


def test_titles_are_one_line_without_controls(publish: Any, computer: Computer) -> None:
    publish("The\u202eVPN\nis down")
    computer.refresh()
    assert computer.bulletin.current()[0].title == "The VPN is down"
