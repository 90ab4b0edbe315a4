"""Texts on their way to and from a help desk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.desks.base import Act
from client.desks.texts import field_rules, html_of, own_fields, text_of, web_link, with_ref, without_ref
from client.desks.translate import no_answer, retry_after_s
from client.errors import DeskRefused, SettingsFault
from client.model import Payload

KEY = "0b8a2c1e-6c1d-4b7e-9f59-52c1d2a4e7aa"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<div>One</div><div>Two</div>", "One\nTwo"),
        ("One<br>Two<br/><br />Three", "One\nTwo\n\nThree"),
        ("One<br>\nTwo", "One\nTwo"),
        ("<ul><li>a</li><li>b</li></ul>c", "a\nb\nc"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("<script>alert(1)</script>seen<style>p{}</style>", "seen"),
        ("<p>left <b>bold</b> and\n  wrapped</p>", "left bold and wrapped"),
    ],
)
def test_html_as_a_person_reads_it(markup: str, text: str) -> None:
    assert text_of(markup) == text


LINES = st.lists(st.text(st.characters(blacklist_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), max_size=20), max_size=5)


@given(LINES)
def test_plain_text_comes_back_from_html_as_it_was(lines: list[str]) -> None:
    import re

    text = "\n".join(lines)
    assert text_of(html_of(text)) == re.sub(r"\n{3,}", "\n\n", text).strip()


@given(st.text(max_size=300))
def test_any_markup_gives_text(markup: str) -> None:
    assert "<script" not in text_of(f"<script>{markup}</script>x")


@given(st.text(max_size=80))
def test_the_key_goes_in_and_out(body: str) -> None:
    body = body.strip()
    sent = with_ref(Payload(key=KEY, subject="s", body=body))
    assert KEY in sent
    assert without_ref(sent).strip() == body.replace("\r", "\r").strip()
    assert with_ref(Payload(key=KEY, subject="s", body=sent)) == sent


@pytest.mark.parametrize("rule", ["", "cause", "cause=", "=x", "colour=x"])
def test_a_rule_for_fields_that_means_nothing_is_a_mistake_in_the_settings(rule: str) -> None:
    with pytest.raises(SettingsFault):
        field_rules((rule,))


def test_only_fields_with_a_value_are_sent() -> None:
    payload = Payload(key=KEY, subject="s", body="b", fields={"cause": "dns.unreachable", "device": " "})
    assert own_fields(("cause = 42", "device=43", "tier=44"), payload) == {"42": "dns.unreachable"}


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "https://u:p@x.example", "//x", "http://[", ""]
)
def test_only_links_for_a_browser_are_links(url: str) -> None:
    assert web_link(url) == ""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": "x", "error_human": "No group"}', "No group"),
        (
            (
                b'{"error":"RecordInvalid","description":"Record validation errors",'
                b'"details":{"base":[{"description":"Subject: is too long"}]}}'
            ),
            "Record validation errors: base: Subject: is too long",
        ),
        (b'{"error": {"title": "Forbidden", "message": "You may not"}}', "You may not"),
        (
            b'{"errorMessage": "Not a type of this desk", "i18nErrorMessage": {"i18nKey": "k"}}',
            "Not a type of this desk",
        ),
        (b'{"errorMessages": [], "errors": {"summary": "is needed"}}', "summary: is needed"),
        (
            b'{"description":"Validation failed","errors":[{"field":"email","message":"It should be one","code":"invalid"}]}',
            "Validation failed: email: It should be one",
        ),
        (b'{"code":"invalid_credentials","message":"You have to be logged in."}', "You have to be logged in."),
    ],
)
def test_the_words_of_each_desk_are_found(body: bytes, words: str) -> None:
    fault = no_answer(422, {"content-type": "application/json"}, body, host="h.example", act=Act.WRITE)
    assert isinstance(fault, DeskRefused)
    assert fault.words == words


def test_the_password_of_a_user_is_taken_out_of_what_the_desk_says() -> None:
    body = b'{"message": "pa55word of robin is wrong"}'
    fault = no_answer(400, {}, body, host="h.example", act=Act.READ, secret="robin@example.com:pa55word")
    assert isinstance(fault, DeskRefused)
    assert fault.words == "… of robin is wrong"


def test_a_reset_in_seconds_is_a_time_to_wait_where_there_is_no_other() -> None:
    assert retry_after_s({"ratelimit-reset": "41"}) == 41
    assert retry_after_s({"ratelimit-reset": "41", "retry-after": "7"}) == 7
    assert retry_after_s({"ratelimit-reset": "1769850000"}) is None
