"""The signed feed: nothing in it is believed that a trusted key has not signed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from client.knowledge.feed import LARGEST_FEED, BadFeed, draft, read, signed
from client.knowledge.signing import make_signer

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
IT, STRANGER = make_signer()[0], make_signer()[0]
TOLD = json.dumps([{"id": "1", "title": "The VPN is down", "kind": "outage", "causes": ["vpn.*"]}]).encode()


def test_what_was_signed_is_read() -> None:
    feed = read(signed(draft(TOLD, now=NOW), IT), trusted=[IT.public])
    assert feed.issued_at == NOW
    assert [(one.id, one.title, one.causes) for one in feed.announcements] == [("1", "The VPN is down", ("vpn.*",))]


def test_one_trusted_key_of_two_is_enough() -> None:
    assert read(signed(draft(TOLD, now=NOW), STRANGER, IT), trusted=[IT.public]).announcements


def test_a_feed_may_be_written_as_an_object_or_a_list() -> None:
    assert draft(b'{"announcements": ' + TOLD + b"}", now=NOW) == draft(TOLD, now=NOW)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.replace(b"VPN", b"web"),
        lambda content: content + b"\n",
        lambda content: content.replace(b"\n\n", b"\n\n\n", 1),
        lambda content: content.partition(b"\n\n")[2],
        lambda content: content.partition(b"\n\n")[0],
        lambda content: content[:0],
        lambda content: b"\n\n" + content.partition(b"\n\n")[2],
        lambda content: b"\xff" + content,
        lambda content: content.replace(IT.public.encode(), STRANGER.public.encode()),
        lambda content: content + b" " * LARGEST_FEED,
    ],
)
def test_whatever_was_changed_is_refused(damage) -> None:
    content = damage(signed(draft(TOLD, now=NOW), IT))
    with pytest.raises(BadFeed):
        read(content, trusted=[IT.public])


def test_a_strangers_feed_is_refused() -> None:
    with pytest.raises(BadFeed, match="Nobody who is trusted here"):
        read(signed(draft(TOLD, now=NOW), STRANGER), trusted=[IT.public])


def test_what_a_trusted_key_signed_must_be_a_feed() -> None:
    with pytest.raises(BadFeed, match="not of a kind"):
        read(signed(b'{"schema": 2}', IT), trusted=[IT.public])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not JSON", "no list of announcements"),
        (b'[{"id": "1"}]', "no list of announcements"),
        (b'[{"id": "1", "title": "x", "kind": "disaster"}]', "no list of announcements"),
        (b'[{"id": "1", "title": "x", "begins_at": "2026-03-02T09:00:00"}]', "no list of announcements"),
        (b'[{"id": "1", "title": "x"}, {"id": "1", "title": "y"}]', "the same id"),
        (json.dumps([{"id": str(number), "title": "x"} for number in range(201)]).encode(), "more than 200"),
    ],
)
def test_mistakes_are_named_before_anything_is_signed(content: bytes, words: str) -> None:
    with pytest.raises(BadFeed, match=words):
        draft(content, now=NOW)
