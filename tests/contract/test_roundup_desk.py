"""Roundup's adapter against a real Roundup."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from client.desks import open_desk
from client.desks.base import Desk
from client.desks.texts import without_ref
from client.errors import DeskBroken, DeskRefused, OutcomeUnknown, SettingsFault, TooLarge
from client.model import Attachment
from tests.contract.desk_contract import FILES, Bench, DeskContract, Seen, payload
from tests.contract.lying_contract import LyingContract
from tests.servers.roundup import Roundup
from tests.servers.small_server import Asked, Reply, SmallServer

NETWORK = SimpleNamespace(proxy="none", no_proxy=(), ca_file="")
FIELDS = ("cause=cause", "device=device")


def opened(url: str, secret: str | None, *, fields: tuple[str, ...] = FIELDS) -> Desk:
    settings = SimpleNamespace(kind="roundup", url=url, fields=fields)
    return open_desk(settings, network=NETWORK, secret=secret, version="0.1.0")


@dataclass
class RoundupBench:
    server: Roundup
    refused_file: Attachment | None = None
    way: str = ""  # another address that leads to the host

    @cached_property
    def desk(self) -> Desk:
        return self.desk_with(self.server.secrets["robin"])

    @cached_property
    def colleague(self) -> Desk:
        return self.desk_with(self.server.secrets["kim"])

    def desk_with(self, secret: str | None) -> Desk:
        return opened(self.way + urlsplit(self.server.url).path if self.way else self.server.url, secret)

    def seen(self, ticket_id: str) -> Seen:
        issue = self.server.as_agent("GET", f"/issue/{ticket_id}")["attributes"]
        messages = [self._message(one["id"]) for one in issue["messages"]]
        files = [(self._name(one["id"]), self._content(one["id"])) for one in issue["files"]]
        assert sorted(one["id"] for one in issue["files"]) == sorted(
            file["id"] for one in messages for file in one["files"]
        )
        return Seen(
            subject=issue["title"],
            body=without_ref(messages[0]["content"]),
            files=tuple(files),
            fields={name: issue[name] for name in ("cause", "device") if issue[name]},
            texts="\n".join(one["content"] for one in messages[1:]),
        )

    def answer(self, ticket_id: str, text: str, *, public: bool) -> None:
        me = self.server.as_agent("GET", "/user/agent")["id"]
        message = {"content": text, "author": me, "internal": not public}
        made = self.server.as_agent("POST", "/msg", json=message)["id"]
        mark = self.server.as_agent("GET", f"/issue/{ticket_id}")["@etag"]
        change = {"@op": "add", "messages": [made]}
        self.server.as_agent("PATCH", f"/issue/{ticket_id}", json=change, headers={"If-Match": mark})

    def count(self, key: str) -> int:
        messages = self.server.as_agent("GET", "/msg", params={"messageid": key})["collection"]
        if not messages:
            return 0
        wanted = {"messages": ",".join(one["id"] for one in messages)}
        return len(self.server.as_agent("GET", "/issue", params=wanted)["collection"])

    def _message(self, number: str) -> dict:
        return self.server.as_agent("GET", f"/msg/{number}", params={"@verbose": "3"})["attributes"]

    def _name(self, number: str) -> str:
        return self.server.as_agent("GET", f"/file/{number}")["attributes"]["name"]

    def _content(self, number: str) -> bytes:
        return self.server.ask_as_agent("GET", f"/file{number}/content").content


class TestRoundupDesk(DeskContract):
    empty = b"\n"

    @pytest.fixture
    def bench(self, roundup: Roundup) -> Bench:
        return RoundupBench(roundup)

    def test_a_resolved_issue_is_not_open(self, bench: Bench, roundup: Roundup) -> None:
        made = self.create(bench, payload())
        mark = roundup.as_agent("GET", f"/issue/{made.id}")["@etag"]
        roundup.as_agent("PATCH", f"/issue/{made.id}", json={"status": "resolved"}, headers={"If-Match": mark})
        ticket = next(one for one in self.run(bench.desk.tickets()) if one.id == made.id)
        assert (ticket.status, ticket.is_open) == ("resolved", False)
        assert ticket.created_at is not None

    def test_a_property_that_is_not_there_is_named(self, roundup: Roundup) -> None:
        desk = opened(roundup.url, roundup.secrets["robin"], fields=("cause=reason",))
        with pytest.raises(DeskRefused, match="reason"):
            self.run(desk.create(payload()))
        self.run(desk.close())

    def test_words_without_an_issue_are_no_ticket(self, bench: Bench) -> None:
        sent = payload()
        desk = bench.desk
        self.run(desk._message(self.run(desk._me()), sent.body, [], sent.key))
        assert self.run(desk.find(sent.key)) is None

    def test_a_reply_survives_that_an_agent_writes_at_the_same_moment(self, bench: Bench) -> None:
        made = self.create(bench, payload())
        desk = bench.desk
        ask, answered = desk._line.ask, []

        async def ask_late(method: str, path: str, **how: object) -> object:
            if method == "PATCH" and not answered:
                answered.append(path)
                bench.answer(made.id, "Is the cable in?", public=True)
            return await ask(method, path, **how)

        desk._line.ask = ask_late
        self.run(desk.comment(made.id, payload(body="The cable is in")))
        assert answered
        assert sorted(bench.seen(made.id).texts.splitlines()) == ["Is the cable in?", "The cable is in"]

    def test_without_the_right_to_search_it_is_found_by_its_text(self, bench: Bench) -> None:
        sent = payload(FILES[1])
        made = self.create(bench, sent)
        self.create(bench, payload())
        desk = bench.desk
        me = self.run(desk._me())
        found = self.run(desk._look_for(sent.key, me))
        assert (found.id, found.attached) == (made.id, ("summary.txt",))
        assert self.run(desk._look_for(payload().key, me)) is None


class Doubled(SmallServer):
    """A Roundup as far as the moment when a one-use link is used: something on the way has used it before."""

    def __init__(self, link: str) -> None:
        super().__init__()
        self.link = link

    def answer(self, asked: Asked) -> Reply:
        match asked.method, asked.path.removeprefix("/rest/data"):
            case "GET", "/user":
                return Reply(200, {"data": {"collection": [{"id": "3", "username": "robin"}]}})
            case "POST", "/msg":
                return Reply(201, {"data": {"id": "7"}})
            case "POST", "/file":
                return Reply(413, {"error": {"status": 413, "msg": "Too large"}})
            case "POST", "/issue/@poe":
                return Reply(200, {"data": {"link": self.link}})
        return Reply(400, {"error": {"status": 400, "msg": "POE token 'abcdefgh' not valid."}})


async def test_a_link_that_was_used_before_means_that_it_may_be_there() -> None:
    with Doubled("https://elsewhere.example/rest/data/issue/@poe/abcdefgh") as server:
        desk = opened(server.url, "robin:password")
        with pytest.raises(OutcomeUnknown):
            await desk.create(payload())
        await desk.close()
    assert server.asked[-1].path == "/rest/data/issue/@poe/abcdefgh"


@pytest.mark.parametrize(
    "link", ["", "https://x.example/rest/data/user/1", "/issue/@poe/../../user", "/issue/@poe/a b"]
)
async def test_a_link_that_leads_elsewhere_is_not_used(link: str) -> None:
    with Doubled(link) as server:
        desk = opened(server.url, "robin:password")
        with pytest.raises(DeskBroken):
            await desk.create(payload())
        await desk.close()
    assert server.asked[-1].path == "/rest/data/issue/@poe"


async def test_a_file_that_is_too_large_is_named() -> None:
    with Doubled("") as server:
        desk = opened(server.url, "robin:password")
        with pytest.raises(TooLarge) as caught:
            await desk.create(payload(FILES[1]))
        await desk.close()
    assert caught.value.name == "summary.txt"


@pytest.mark.parametrize("field", ["cause=@op", "cause=title", "cause=a b"])
def test_a_property_that_cannot_be_one_is_a_mistake_in_the_settings(field: str) -> None:
    with pytest.raises(SettingsFault, match=r"desk\.fields"):
        opened("https://help.example.com", "robin:password", fields=(field,))


class TestRoundupDeskAmongLies(LyingContract):
    def desk_at(self, url: str, secret: str) -> Desk:
        return opened(url, f"robin:{secret}")
