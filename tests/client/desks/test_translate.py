"""Foreign errors become ours: rules that hold for every status, header and body."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.desks.base import Act
from client.desks.translate import MAX_WORDS, TAG, broken_line, no_answer, not_the_desk, plain, retry_after_s
from client.errors import DeskBroken, DeskFault, DeskRefused, DeskUnreachable, OutcomeUnknown

SECRET = "s3cr3t-token"
texts = st.text(max_size=400) | st.text(st.sampled_from("<>&;lt/ b#x0"), max_size=200)


@given(text=texts, secret=st.just("") | st.just(SECRET), around=texts)
def test_somebody_elses_text_is_always_safe_to_show(text: str, secret: str, around: str) -> None:
    shown = plain(around + secret + text, secret=secret)
    assert len(shown) <= MAX_WORDS
    assert shown.isprintable()
    assert shown == shown.strip()
    assert not TAG.search(shown)
    assert not secret or secret not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>One</p>\n<p>Two</p>", "One Two"),
        ("a &lt;b&gt; c &amp; d", "a c & d"),
        ("2 < 3 and 5 > 4", "2 < 3 and 5 > 4"),
        ("<<b>b>bold", "< b>bold"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("tab\tand\r\nline", "tab and line"),
        ("right\u202eto left", "right to left"),
        ("nul\x00", "nul"),
        ("x" * 301, "x" * 299 + "…"),
        (f"token {SECRET} is wrong", "token … is wrong"),
        (f"<b>{SECRET[:4]}</b>", SECRET[:4]),
    ],
)
def test_examples_of_somebody_elses_text(text: str, shown: str) -> None:
    assert plain(text, secret=SECRET) == shown


@given(
    status=st.integers(100, 999),
    headers=st.dictionaries(st.sampled_from(["retry-after", "location", "content-type", "date"]), texts),
    body=st.binary(max_size=300) | texts.map(str.encode) | st.just(b'{"detail": 5, "title": [], "hint": null}'),
    act=st.sampled_from(Act),
)
def test_every_answer_has_a_meaning_and_none_claims_too_much(
    status: int, headers: dict[str, str], body: bytes, act: Act
) -> None:
    fault = no_answer(status, headers, body + SECRET.encode(), host="help.example.com", act=act, secret=SECRET)
    assert isinstance(fault, DeskFault)
    assert fault.message
    assert fault.hint
    assert SECRET not in f"{fault!r} {fault.hint} {getattr(fault, 'words', '')}"
    if act is Act.READ:
        assert not isinstance(fault, OutcomeUnknown), "asking changes nothing"
    if act is Act.WRITE and status >= 500 and not (status == 503 and retry_after_s(headers) is not None):
        assert isinstance(fault, OutcomeUnknown), "a desk that does not know our key may have kept it"


@given(st.text(max_size=60) | st.integers().map(str) | st.floats().map(str))
def test_any_retry_after_is_a_time_or_nothing(value: str) -> None:
    seconds = retry_after_s({"retry-after": value})
    assert seconds is None or 0 <= seconds <= 86_400


REQUEST = httpx.Request("POST", "https://help.example.com", headers={"Authorization": f"Bearer {SECRET}"})
NOT_SENT = [
    httpx.ConnectError("x"),
    httpx.ConnectTimeout("x"),
    httpx.PoolTimeout("x"),
    httpx.ProxyError("x"),
    httpx.UnsupportedProtocol("x"),
    httpx.LocalProtocolError("x"),
]
PERHAPS_SENT = [
    httpx.ReadTimeout("x"),
    httpx.WriteTimeout("x"),
    httpx.ReadError("x"),
    httpx.WriteError("x"),
    httpx.CloseError("x"),
    httpx.RemoteProtocolError("x"),
    httpx.DecodingError("x"),
    TimeoutError(),
    OSError(),
]


@pytest.mark.parametrize("error", NOT_SENT, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("act", Act)
def test_what_was_certainly_not_received_may_be_sent_again(error: Exception, act: Act) -> None:
    assert type(broken_line(error, host="help.example.com", act=act)) is DeskUnreachable


@pytest.mark.parametrize("error", PERHAPS_SENT, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("act", Act)
def test_what_may_have_been_received_is_unclear(error: Exception, act: Act) -> None:
    expected = DeskUnreachable if act is Act.READ else OutcomeUnknown
    assert type(broken_line(error, host="help.example.com", act=act)) is expected


@pytest.mark.parametrize(
    ("act", "yes", "kind"),
    [
        (Act.READ, False, DeskBroken),
        (Act.READ, True, DeskBroken),
        (Act.KEYED, False, DeskBroken),
        (Act.KEYED, True, OutcomeUnknown),
        (Act.WRITE, False, OutcomeUnknown),
        (Act.WRITE, True, OutcomeUnknown),
    ],
)
def test_an_answer_that_is_not_the_desks(act: Act, yes: bool, kind: type) -> None:  # noqa: FBT001
    assert type(not_the_desk("A page.", act=act, yes=yes)) is kind


def test_a_refusal_repeats_the_desks_words() -> None:
    body = b'{"title": "No", "detail": "The field Queue is missing.", "hint": "Choose one."}'
    fault = no_answer(422, {}, body, host="help.example.com", act=Act.KEYED)
    assert isinstance(fault, DeskRefused)
    assert fault.message == "The help desk did not accept it: The field Queue is missing."
    assert (fault.words, fault.hint) == ("The field Queue is missing.", "Choose one.")


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><p>No</p>", b"  <HTML><body>No"])
def test_a_web_page_is_not_squeezed_into_a_sentence(body: bytes) -> None:
    fault = no_answer(400, {}, body, host="help.example.com", act=Act.KEYED)
    assert isinstance(fault, DeskRefused)
    assert fault.words == ""
