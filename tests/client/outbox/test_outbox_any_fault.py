"""Whatever goes wrong, in whatever order: a message is at the desk once, and "sent" is said only when all of it is there."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client.errors import (
    DeskBroken,
    DeskFault,
    DeskRefused,
    DeskUnreachable,
    NotFound,
    OutcomeUnknown,
    SecretsFault,
    SignInNeeded,
    TooBusy,
    TooLarge,
)
from client.model import Attachment, Payload, SendState
from client.outbox.delivery import Delivery
from client.outbox.store import Outbox

# What can happen before the desk has done anything, and what after it has done everything.
BEFORE = (
    None,
    DeskUnreachable("no way"),
    TooBusy("busy", retry_after_s=30.0),
    SignInNeeded("who?"),
    OutcomeUnknown("broke"),
    DeskBroken("500"),
    DeskRefused("no"),
    TooLarge("large"),
    NotFound("gone"),
    DeskFault("cannot"),
    KeyError("a bug"),
)
AFTER = (
    None,
    OutcomeUnknown("broke"),
    DeskBroken("500"),
    NotFound("404 although saved"),
    DeskRefused("400 although saved"),
)
STEPS = ("create", "attach", "comment", "find", "conversation")
faults = st.fixed_dictionaries({step: st.lists(st.sampled_from(BEFORE), max_size=4) for step in STEPS})
late_faults = st.fixed_dictionaries(
    {step: st.lists(st.sampled_from(AFTER), max_size=4) for step in ("create", "attach", "comment")}
)
opened = st.lists(st.sampled_from([None, SecretsFault("locked"), DeskUnreachable("no way")]), max_size=3)
FILES = (
    Attachment(name="a b.txt", media_type="text/plain", data=b"a"),
    Attachment(name="c.png", media_type="image/png", data=b"c"),
)


@pytest.mark.parametrize("dedupe", ["key", "search", "none"])
@pytest.mark.parametrize("attach", ["same_request", "after_creation"])
@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(before=faults, after=late_faults, opening=opened, retries=st.sets(st.integers(0, 7), max_size=3))
def test_nothing_is_doubled_lost_or_claimed(
    memory_desk, clock, caplog, dedupe, attach, before, after, opening, retries
):
    desk = memory_desk(dedupe=dedupe, attach=attach)
    desk.before = {step: list(planned) for step, planned in before.items()}
    desk.after = {step: list(planned) for step, planned in after.items()}
    planned_opening = list(opening)
    ticket = Payload(key="k-1", subject="s", body="b", attachments=FILES)
    reply = Payload(key="r-1", subject="", body="thanks")

    async def open_desk():
        fault = planned_opening.pop(0) if planned_opening else None
        if fault is not None:
            raise fault
        return desk

    with tempfile.TemporaryDirectory() as folder:
        outbox = Outbox(Path(folder) / "data" / "outbox.sqlite3", clock=clock)
        outbox.add(ticket)
        outbox.add(reply, reply_to="7")
        delivery = Delivery(outbox, open_desk=open_desk, roll=lambda: 0.5, settle_s=0.0, clock=clock)
        by_a_person = live(outbox, delivery, desk, clock, retries)
        counts = Counter(one.key for one in desk.tickets.values()) + Counter(one.key for _, one in desk.replies)
        # A desk without keys that says no although it has saved cannot be seen through; `after` plays that on purpose.
        lied = dedupe == "none" and any(
            type(one) in {NotFound, DeskRefused} for planned in after.values() for one in planned
        )
        for key, count in counts.items():
            assert count == 1 or key in by_a_person or lied
        for entry in outbox.entries():
            if entry.state is SendState.WAITING:
                raise AssertionError(f"still waiting after a week without faults: {entry}")
        outbox.close()


def live(outbox, delivery, desk, clock, retries) -> set[str]:
    """Sends, with a person who retries at some turns; gives the ids of unsure ones that were sent again by their decision."""
    decided: set[str] = set()
    for turn in range(24):
        asyncio.run(delivery.run_due())
        for entry in outbox.entries():
            assert entry.state is not SendState.SENDING
            truth(desk, entry)
            if entry.state in {SendState.UNSURE, SendState.REFUSED}:
                assert entry.last_error
                if turn in retries:
                    decided |= {entry.id} if entry.state is SendState.UNSURE else set()
                    outbox.retry(entry.id)
        if outbox.seconds_until_due() is None and turn > max(retries, default=0):
            break
        clock.now += 20_000
    return decided


def truth(desk, entry) -> None:
    """What an entry says of itself is so at the desk."""
    if entry.kind == "reply":
        if entry.state is SendState.SENT:
            assert any(one.key == entry.id for _, one in desk.replies)
        return
    if entry.ticket is not None:
        assert desk.tickets[entry.ticket.id].key == entry.id
    if entry.state is SendState.SENT:
        there = Counter(one.name for one in desk.files[entry.ticket.id])
        assert set(there) == {one.name for one in FILES}
