"""Numbers for IT over a real server, and the help desk's own articles beside ours."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from client import guidance as module
from client.errors import DeskUnreachable
from client.guidance import Guidance
from client.knowledge.learning import DAY_S
from client.model import Article
from client.settings.layers import Loaded
from client.settings.schema import Knowledge, Settings
from diagnostics.targets import Network
from tests.servers.static_https import StaticServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StaticServer]:
    with StaticServer(tmp_path_factory.mktemp("server")) as made:
        yield made


def made(
    folder: Path, *, desk: Any = None, can_search: Any = lambda: True, ca_file: str = "", **knowledge: Any
) -> Guidance:
    async def open_desk() -> Any:
        if isinstance(desk, Exception):
            raise desk
        return desk

    values = Settings(knowledge=Knowledge(**knowledge), network=Network(ca_file=ca_file))
    paths = SimpleNamespace(data=folder, state=folder, cache=folder / "cache", resources=folder)
    return Guidance(
        paths=paths, settings=Loaded(values=values), program=(), by_child=False, desk=open_desk, can_search=can_search
    )


# --- numbers


@pytest.fixture
def sharing(server: StaticServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Guidance:
    server.posted.clear()
    server.post_status = 200
    guidance = made(tmp_path, ca_file=str(server.ca_file), share_counts=True, counts_url=f"{server.url}/counts")
    guidance.learning.article("printer", helped=True)
    guidance.learning.found_nothing("my secret words")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + DAY_S)
    return guidance


def test_numbers_go_once_and_hold_no_words(sharing: Guidance, server: StaticServer) -> None:
    assert asyncio.run(sharing.share())
    assert asyncio.run(sharing.share())
    ((body, headers),) = server.posted
    told = json.loads(body)
    assert told["articles"] == {"printer": {"yes": 1}}
    assert told["searches"] == {"nothing_fits": 1}
    assert set(told) == {"schema", "from", "until", "articles", "fixes", "searches", "tickets", "version", "platform"}
    assert b"secret" not in body
    assert len(headers["idempotency-key"]) == 32


@pytest.mark.parametrize("status", [302, 403, 500])
def test_numbers_that_were_not_taken_go_again_under_the_same_key(
    sharing: Guidance, server: StaticServer, status: int
) -> None:
    server.post_status = status
    assert not asyncio.run(sharing.share())
    server.post_status = 204
    assert asyncio.run(sharing.share())
    first, second = server.posted
    assert first[0] == second[0]
    assert first[1]["idempotency-key"] == second[1]["idempotency-key"]


def test_without_ITs_wish_nothing_is_shared(server: StaticServer, tmp_path: Path) -> None:  # noqa: N802 -- IT
    server.posted.clear()
    quiet = made(tmp_path, ca_file=str(server.ca_file), counts_url=f"{server.url}/counts")
    quiet.learning.article("printer", helped=True)
    asyncio.run(quiet.look_after())
    assert not quiet.shares_counts
    assert server.posted == []


# --- the help desk's articles

FOUND = tuple(
    Article(id=f"desk-{n}", title=f"Title {n}", summary="s", body="b", source="help.example.com") for n in range(8)
)


class Desk:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.waits_s = 0.0

    async def articles(self, words: str) -> tuple[Article, ...]:
        self.asked.append(words)
        await asyncio.sleep(self.waits_s)
        return FOUND


def test_the_desks_articles_are_found_bounded_and_kept(tmp_path: Path) -> None:
    desk = Desk()
    guidance = made(tmp_path, desk=desk)
    found = asyncio.run(guidance.of_desk("  order a screen "))
    assert [one.id for one in found] == [f"desk-{n}" for n in range(5)]
    assert desk.asked == ["order a screen"]
    offline = made(tmp_path, desk=DeskUnreachable("x"))
    assert offline.kept("desk-3") == FOUND[3]
    assert offline.kept("desk-7") is None
    assert asyncio.run(offline.of_desk("order")) == ()


def test_secrets_are_not_searched_for(tmp_path: Path) -> None:
    desk = Desk()
    asyncio.run(made(tmp_path, desk=desk).of_desk("vpn fails with password=hunter2 since today"))
    assert "hunter2" not in desk.asked[0]


def test_a_slow_desk_keeps_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DESK_S", 0.05)
    desk = Desk()
    desk.waits_s = 30.0
    assert asyncio.run(made(tmp_path, desk=desk).of_desk("order a screen")) == ()


@pytest.mark.parametrize("more", [{"search_desk": False}, {"can_search": lambda: False}])
def test_where_it_is_not_wished_for_or_not_possible_nothing_is_asked(tmp_path: Path, more: Any) -> None:
    desk = Desk()
    assert asyncio.run(made(tmp_path, desk=desk, **more).of_desk("order a screen")) == ()
    assert desk.asked == []


def test_a_broken_file_of_kept_articles_is_as_none(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "desk-articles.json").write_bytes(b"\xff{")
    guidance = made(tmp_path, desk=Desk())
    assert guidance.kept("desk-1") is None
    asyncio.run(guidance.of_desk("order a screen"))
    assert guidance.kept("desk-1") == FOUND[1]
