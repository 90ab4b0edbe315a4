"""A corpus of planted secrets, each as it is met in the wild, and of ordinary texts that must stay as they are."""

from __future__ import annotations

import json

import pytest

from client.report.redact import Redactor
from tests.planted import CORPUS


@pytest.mark.parametrize(("text", "secret"), CORPUS, ids=[text[:40] for text, _ in CORPUS])
def test_the_corpus_does_not_leave(text, secret):
    assert secret in text
    gate = Redactor()
    for where in (
        text,
        f"Jan 31 08:59:10 host app[1]: {text}",
        f"{text}\nnext line",
        f"x{text}" if text[0].isupper() else text,
    ):
        assert secret not in gate.text(where)
    assert gate.count >= 3
    assert secret not in json.dumps(gate.value({"deep": [{"text": text}], text: 1}), ensure_ascii=False)


KEPT = [
    "The name server 10.0.0.53 did not answer within 1.5 seconds.",
    "Basic information about bearer authentication",
    "password_expires_days: 12",
    "token_count=3",
    "Your password is wrong or expired.",
    "my password is not accepted",
    "Deskside ref: 6f1c2d3e-1111-4222-8333-abcdefabcdef",
    "2026-01-31T09:00:00Z",
    "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "https://example.com/a/b?x=1#y",
    "http://localhost:8080/health",
    "Key: Enter",
    "session: 3 of 5",
    "tokens: 5",
    "Your password expired yesterday",
    "The token expired.",
    "serial port COM3",
    "pass the salt",
    "Access key lost",
    "C:\\Users\\Public\\Desktop",
    "/home",
    "2001:db8::53",
    "6.1.0-28-amd64",
    "disk.space: 97 % used",
    "user@host",
    "a@b",
]


@pytest.mark.parametrize("text", KEPT)
def test_ordinary_text_stays_as_it_is(text):
    gate = Redactor()
    assert gate.text(text) == text
    assert gate.count == 0
