"""Sentences about entries and tickets: each says what is true, and nothing more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from client.model import Created, OutboxEntry, SendState, Ticket
from client.ui.ticket_words import standing, subject_of, ticket_line, until

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)


def entry(state, **more):
    return OutboxEntry(
        id="e", kind=more.pop("kind", "ticket"), state=state, subject="No network", created_at=NOW, **more
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-60, "in a moment"),
        (5, "in a moment"),
        (40, "in less than a minute"),
        (61, "in about 1 min"),
        (60 * 29, "in about 29 min"),
        (3600 * 2, "in about 2 h"),
        (86400 * 3, "in about 3 d"),
    ],
)
def test_when_it_is_tried_next(qapp, seconds, words):
    assert until(NOW + timedelta(seconds=seconds), NOW) == words


@pytest.mark.parametrize("state", list(SendState))
def test_every_state_has_words(qapp, state):
    now = standing(entry(state), NOW)
    assert all((now.title, now.words, now.pill, now.icon, now.tone))


@pytest.mark.parametrize("state", [state for state in SendState if state is not SendState.SENT])
def test_nothing_is_called_sent_that_is_not(qapp, state):
    now = standing(entry(state, last_error="The line is dead."), NOW)
    assert now.title != "Sent"
    assert now.pill != "Sent"
    assert now.tone != "fine"


def test_sent_names_the_number(qapp):
    now = standing(entry(SendState.SENT, ticket=Created(id="9", ref="IT-9")), NOW)
    assert (now.title, now.tone) == ("Sent", "fine")
    assert "IT-9" in now.words


def test_waiting_says_why_and_when(qapp):
    now = standing(
        entry(SendState.WAITING, last_error="The desk is busy.", next_attempt_at=NOW + timedelta(minutes=5)), NOW
    )
    assert now.words == "The desk is busy. The next attempt is in about 5 min."


def test_new_entry_promises_only_what_is_true(qapp):
    now = standing(entry(SendState.WAITING, next_attempt_at=NOW), NOW)
    assert now.title == "Saved, will be sent"


def test_unsure_leaves_the_decision(qapp):
    now = standing(entry(SendState.UNSURE, last_error="The line broke."), NOW)
    assert now.title == "It may have arrived"
    assert "You decide" in now.words


def test_refused_repeats_the_desk(qapp):
    now = standing(entry(SendState.REFUSED, last_error="The desk takes no files of this kind."), NOW)
    assert now.words.startswith("The desk takes no files of this kind.")
    assert "Nothing is lost" in now.words


def test_reply_has_a_name(qapp):
    assert (
        subject_of(OutboxEntry(id="e", kind="reply", state=SendState.WAITING, subject="", created_at=NOW))
        == "Your reply"
    )
    assert subject_of(entry(SendState.WAITING)) == "No network"


def test_line_of_a_ticket(qapp):
    ticket = Ticket(id="1", ref="IT-1", subject="x", status="Open", is_open=True, updated_at=NOW - timedelta(hours=2))
    assert ticket_line(ticket, NOW).startswith("IT-1 · changed ")
    assert ticket_line(Ticket(id="1", ref="", subject="x", status="", is_open=True), NOW) == ""
