"""What an article may hold, and that everything else is refused with its line and reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.knowledge.validate import LARGEST_BYTES, validate

HEAD = """+++
id = "printer"
title = "Printing problems"
summary = "You cannot print."
words = ["can't print"]
causes = ["service.down"]
fixes = ["settings.printers"]
platforms = ["windows", "linux"]
audience = "everyone"
reviewed_on = 2026-01-31
language = "en"
+++
"""


def check(body: str = "Text.\n", head: str = HEAD, **more):
    return validate((head + body).encode("utf-8", "surrogatepass"), name="printer", **more)


def words(problems) -> str:
    return " | ".join(str(one) for one in problems)


def test_a_good_article_is_read_whole():
    article, problems = check("\n## What to do\n\n1. Look.\n", source="pack")
    assert problems == ()
    assert article.title == "Printing problems"
    assert article.body == "## What to do\n\n1. Look.\n"
    assert article.words == ("can't print",)
    assert article.causes == ("service.down",)
    assert article.fixes == ("settings.printers",)
    assert article.platforms == ("windows", "linux")
    assert article.reviewed_on == "2026-01-31"
    assert article.source == "pack"


def test_windows_line_ends_and_a_byte_order_mark_harm_nothing():
    article, problems = validate(b"\xef\xbb\xbf" + (HEAD + "Text.\n").replace("\n", "\r\n").encode(), name="printer")
    assert problems == ()
    assert article.body == "Text.\n"


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("+++\nid", "id", "first line"),
        ('language = "en"\n+++', 'language = "en"', "no closing"),
        ('title = "Printing problems"\n', "", "title"),
        ('title = "Printing problems"', 'title = "  \u202e"', "hidden"),
        ('title = "Printing problems"', 'title = "<b>x"', "HTML"),
        ('title = "Printing problems"', 'title = "a\\nb"', "one line"),
        ('title = "Printing problems"', "title = 7", "title"),
        ('id = "printer"', 'id = "other"', "called 'printer'"),
        ('id = "printer"', 'id = "../../etc/passwd"', "small letters"),
        ("reviewed_on = 2026-01-31", 'reviewed_on = "soon"', "reviewed_on"),
        ('causes = ["service.down"]', 'causes = ["service down"]', "causes"),
        ('platforms = ["windows", "linux"]', 'platforms = ["amiga"]', "amiga"),
        ('language = "en"', 'language = "English"', "language"),
        ('audience = "everyone"', 'command = "rm -rf /"', "command"),
        ("causes = [", "causes = [[", "TOML"),
    ],
)
def test_a_wrong_head_is_refused_with_its_reason(before, after, reason):
    assert before in HEAD
    article, problems = check(head=HEAD.replace(before, after))
    assert article is None
    assert reason in words(problems)


def test_all_problems_are_told_at_once():
    _, problems = check("<script>x</script>\n\n![x](https://x.example/y.png)\n\n[a](javascript:x)\n")
    assert [one.line for one in problems] == [13, 15, 17]
    assert str(problems[0]).startswith("printer.md, line 13: ")


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "text <a href='javascript:x'>x</a>",
        "`<b>` in code",
        "    <iframe>",
        "<!-- hidden -->",
        "<?php",
        "<https://example.com>",
        "![x](https://tracker.example/pixel.png)",
        "! [x](y.png)",
        "![x][ref]\n\n[ref]: https://x.example/y.png",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](  javascript:alert(1))",
        "[x](\njavascript:alert(1))",
        "[x](java\\script:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](javascript&colon;alert(1))",
        "[x](javascript&amp;colon;alert(1))",
        "[x](\x01javascript:alert(1))",
        "[x](file:///etc/passwd)",
        "[x](\\\\server\\share)",
        "[x](//server/share)",
        "[x](/etc/passwd)",
        "[x](../other.md)",
        "[x](data:text/html,x)",
        "[x](vbscript:x)",
        "[x](smb://server/x)",
        "[x](ms-settings:sound)",
        "[x][ref]\n\n[ref]: javascript:x",
        "[x][ref]\n\n[ref]:\n  javascript:x",
        "[x](<javascript:x>)",
        "[a[b]](javascript:x)",
        "zero\u200bwidth",
        "right \u202eto left",
        "null \x00",
        "bell \x07",
        "x" * 5000,
    ],
)
def test_hostile_bodies_are_refused(body):
    article, problems = check(body + "\n")
    assert article is None
    assert problems


@pytest.mark.parametrize(
    "body",
    [
        "[x](https://example.com/a?b=c#d)",
        "[x](mailto:help@example.com)",
        "[x](tel:+4912345)",
        "[x](article:no-sound)",
        "[x](#heading)",
        "1 < 2 and 3 > 2",
        "Type *smb://server/folder* and **Settings > Sound**.",
        "`a:b` and C:\\Users\\x",
        "A file: see the log. [Not a link] at all.",
        "日本語 \u2013 “quotes” … é",
    ],
)
def test_ordinary_text_is_taken(body):
    _, problems = check(body + "\n")
    assert problems == ()


def test_size_encoding_and_emptiness():
    assert "larger than 64 KB" in words(validate(b"x" * (LARGEST_BYTES + 1), name="printer")[1])
    assert "UTF-8" in words(validate(HEAD.encode() + b"\xff", name="printer")[1])
    assert "no text" in words(check("\n \n")[1])


def test_unknown_causes_and_fixes_are_named():
    _, problems = check(known_causes=frozenset({"dns.slow"}), known_fixes=frozenset({"settings.printers"}))
    assert words(problems) == "printer.md: There is no cause 'service.down'."


@given(st.binary(max_size=3000))
def test_no_bytes_can_break_it(data):
    article, problems = validate(data, name="printer")
    assert (article is None) == bool(problems)


@given(st.text(max_size=500))
def test_whatever_is_taken_holds_no_tag_and_no_foreign_link(body):
    article, problems = check(body)
    if article is not None:
        assert problems == ()
        assert "](javascript" not in article.body.lower()
        assert "<s" not in article.body.lower()
