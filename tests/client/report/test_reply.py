"""Replies pass the same gate: no secret in words or names, and an addition says what the ticket would have said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from client.model import Attachment
from client.receipt import hash_in
from client.report.compose import compose
from client.report.reply import AGAIN, addition, covered, reply

KEY = "6f1c2d3e-1111-4222-8333-abcdefabcdef"


def test_a_reply_loses_its_secrets_and_nothing_else():
    files = (Attachment(name="../log of password=hunter2.txt", media_type="text/plain", data=b"as it is"),)
    made = reply(KEY, "Anna (anna@example.com) says:\n  it is password: hunter2", files)
    assert made.body == "Anna (anna@example.com) says:\n  it is password: [removed]"
    assert [(one.name, one.data) for one in made.attachments] == [("log of password=[removed]", b"as it is")]
    assert (made.key, made.subject, made.fields) == (KEY, "", {})


@given(st.text(max_size=200))
def test_what_was_covered_once_is_not_covered_again(words):
    """The window shows what is left and then sends exactly that."""
    text, _ = covered(words)
    assert covered(text) == (text, 0)


def test_an_addition_says_what_the_ticket_would_have_said(draft, who):
    shown = compose(draft, who=who)
    made = addition(shown)
    assert made.payload.body.startswith(f"{AGAIN}\n\nCause: ")
    assert hash_in(made.payload.body) == ""
    assert shown.payload.body.startswith(made.payload.body.partition("\n\n")[2])
    assert (made.payload.key, made.payload.attachments) == (draft.id, shown.payload.attachments)
    assert (made.payload.subject, made.payload.body_html, made.payload.fields) == ("", "", {})
