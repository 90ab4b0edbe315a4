"""A receipt against what is kept here and what the help desk shows: same, different, or not to be told."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from client.model import Attachment, Comment, Conversation, Payload, Receipt, Ticket
from client.outbox.packing import pack
from client.outbox.proof import with_desk, with_payload
from client.receipt import receipt_of, sealed

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY = "6f1c2d3e-1111-4222-8333-abcdefabcdef"
FILES = (
    Attachment(name="report.json", media_type="application/json", data=b"{}"),
    Attachment(name="screen shot.png", media_type="image/png", data=b"PNG"),
)
SENT = sealed(
    Payload(
        key=KEY,
        subject="It does not print",
        body=f"Cause: printing.queue_stopped\n\n* one\n* two\n\nDeskside ref: {KEY}",
        fields={"cause": "printing.queue_stopped"},
        attachments=FILES,
    )
)
REPLY = Payload(key=KEY, subject="", body="It prints again.", attachments=())


def receipt(payload: Payload = SENT, *, reply_to: str | None = None) -> Receipt:
    return receipt_of(payload, reply_to=reply_to, whole=pack(payload, reply_to=reply_to).sha256, at=NOW)


def shown(text: str = SENT.body, *, subject: str = SENT.subject, files: tuple[str, ...] | None = None) -> Conversation:
    names = tuple(one.name for one in FILES) if files is None else files
    said = (
        Comment(id="1", author="Robin", from_agent=False, text=text, attachments=names),
        Comment(id="2", author="Alex", from_agent=True, text="It prints again.", attachments=("their.pdf",)),
    )
    return Conversation(ticket=Ticket(id="7", ref="IT-7", subject=subject, status="open", is_open=True), comments=said)


def verdicts(found) -> list[bool | None]:
    return [one.same for one in found]


def kept(payload: Payload, of: Receipt | None = None):
    return with_payload(of or receipt(), payload, whole=pack(payload, reply_to=None).sha256)


# --- what is kept here


def test_what_is_kept_is_what_was_shown() -> None:
    assert verdicts(kept(SENT)) == [True]
    assert "the text, the fields and 2 files" in kept(SENT)[0].words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"subject": "It prints"}, "The subject differs"),
        ({"body": SENT.body.replace("one", "won")}, "The text differs"),
        ({"attachments": FILES[:1]}, "screen shot.png is missing"),
        (
            {"attachments": (FILES[0], msgspec.structs.replace(FILES[1], data=b"other"))},
            "screen shot.png differs from what the preview showed",
        ),
        ({"fields": {"cause": "disk.full"}}, "fields differ"),
    ],
)
def test_whatever_was_changed_on_this_computer_is_named(change: dict, words: str) -> None:
    found = kept(msgspec.structs.replace(SENT, **change))
    assert False in verdicts(found)
    assert any(words in one.words for one in found if one.same is False)


def test_a_file_that_was_left_out_later_is_said_and_is_no_difference() -> None:
    without = msgspec.structs.replace(SENT, attachments=FILES[:1])
    of = msgspec.structs.replace(
        receipt(), left_out=("screen shot.png",), whole_sha256=pack(without, reply_to=None).sha256
    )
    found = kept(without, of)
    assert verdicts(found) == [True, None]
    assert "screen shot.png was in the preview and was not sent" in found[1].words


# --- what the desk shows


def test_the_desk_shows_what_the_preview_showed() -> None:
    found = with_desk(receipt(), shown())
    assert verdicts(found) == [True, True, True, True]
    assert "letter for letter" in found[1].words
    assert "carries the hash of this receipt" in found[2].words
    assert "their bytes were not fetched" in found[3].words


def test_a_desk_may_lay_the_text_out_in_its_own_way() -> None:
    other = SENT.body.replace("\n", "\r\n").replace("* ", "- ").replace("\n\n", "\n \n\n")
    found = with_desk(receipt(), shown(other))
    assert set(verdicts(found)) == {True}
    assert "laid out in the desk's own way" in found[1].words


@pytest.mark.parametrize(
    ("conversation", "words"),
    [
        (shown(SENT.body.replace("one", "won")), "The help desk's text differs"),
        (shown(subject="Other"), "The help desk's subject differs"),
        (shown(files=("report.json",)), "screen shot.png is missing at the help desk"),
        (shown(SENT.body.replace(" sha256 ", " sha256 " + "0" * 64)[:-64]), "another hash"),
    ],
)
def test_what_differs_at_the_desk_is_named(conversation: Conversation, words: str) -> None:
    found = with_desk(receipt(), conversation)
    assert any(words in one.words for one in found if one.same is False)


def test_an_agents_file_of_the_same_name_proves_nothing() -> None:
    conversation = shown(files=("report.json",))
    agent = msgspec.structs.replace(conversation.comments[1], attachments=("screen shot.png",))
    found = with_desk(receipt(), msgspec.structs.replace(conversation, comments=(conversation.comments[0], agent)))
    assert any("screen shot.png is missing" in one.words for one in found)


def test_what_a_desk_does_not_show_cannot_be_told() -> None:
    empty = msgspec.structs.replace(shown(), comments=())
    assert verdicts(with_desk(receipt(), empty)) == [True, None]
    assert None in verdicts(with_desk(receipt(), shown(files=())))


def test_a_reply_is_found_by_its_words_and_never_in_an_agents_mouth() -> None:
    of = receipt(REPLY, reply_to="7")
    assert verdicts(with_desk(of, shown())) == [False]
    mine = shown("It prints\nagain.", files=())
    assert verdicts(with_desk(of, mine)) == [True]
