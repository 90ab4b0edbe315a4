"""An attempt whose outcome nobody knows: nothing is doubled, nothing is lost, nothing is claimed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from client.errors import (
    DeskBroken,
    DeskUnreachable,
    NotFound,
    OutcomeUnknown,
    SignInNeeded,
    TooBusy,
)
from client.model import Attachment, OutboxEntry, Payload, SendState
from client.outbox.attempt import KEY_TRUSTED_S
from client.outbox.delivery import Delivery

A = Attachment(name="a file.txt", media_type="text/plain", data=b"a" * 1000)
B = Attachment(name="b.png", media_type="image/png", data=bytes(range(256)))
UNREACHABLE = DeskUnreachable("The help desk does not answer.")
UNKNOWN = OutcomeUnknown("The line broke.")
BROKEN = DeskBroken("The help desk has a fault.")


def payload(key: str = "k-1", *files: Attachment, body: str = "words") -> Payload:
    return Payload(key=key, subject="s", body=body, attachments=files)


def run(delivery: Delivery) -> tuple[OutboxEntry, ...]:
    return asyncio.run(delivery.run_due())


@pytest.fixture
def only(outbox) -> Callable[[], OutboxEntry]:
    def get() -> OutboxEntry:
        (entry,) = outbox.entries()
        return entry

    return get


# --- unclear outcomes


@pytest.mark.parametrize("fault", [UNKNOWN, BROKEN, RuntimeError("a bug of the adapter"), KeyError("id")])
@pytest.mark.parametrize("dedupe", ["key", "search"])
def test_arrived_without_an_answer_makes_one_ticket(
    outbox, memory_desk, delivery_to, only, clock, dedupe, fault, caplog
):
    desk = memory_desk(dedupe=dedupe)
    desk.after["create"] = [fault]
    outbox.add(payload("k-1", A))
    run(delivery_to(desk))
    assert only().state is SendState.WAITING
    clock.now += 60
    run(delivery_to(desk))
    assert only().state is SendState.SENT
    assert len(desk.tickets) == 1
    assert desk.calls == (["create", "create"] if dedupe == "key" else ["create", "find"])


def test_not_arrived_without_an_answer_is_sent_again(outbox, memory_desk, delivery_to, only, clock):
    desk = memory_desk(dedupe="search")
    desk.before["create"] = [UNKNOWN]
    outbox.add(payload())
    run(delivery_to(desk))
    clock.now += 60
    run(delivery_to(desk))
    assert desk.calls == ["create", "find", "create"]
    assert (only().state, len(desk.tickets)) == (SendState.SENT, 1)


def test_a_desk_that_cannot_be_searched_right_now_gets_nothing_again(outbox, memory_desk, delivery_to, only, clock):
    desk = memory_desk(dedupe="search")
    desk.after["create"] = [UNKNOWN]
    desk.before["find"] = [BROKEN, UNREACHABLE, TooBusy("Busy."), NotFound("No such ticket.")]
    outbox.add(payload())
    for _ in range(4):
        run(delivery_to(desk))
        clock.now += 3600
    assert desk.calls == ["create", "find", "find", "find"]
    assert only().state is SendState.WAITING


def test_the_search_is_given_time_to_know_a_new_ticket(outbox, memory_desk, clock, only):
    desk = memory_desk(dedupe="search")
    desk.after["create"] = [UNKNOWN]
    outbox.add(payload())

    async def open_desk():
        return desk

    delivery = Delivery(outbox, open_desk=open_desk, roll=lambda: 0.1, settle_s=60, clock=clock)
    run(delivery)
    outbox.retry("k-1")
    run(delivery)
    assert desk.calls == ["create"]
    assert 59 <= outbox.seconds_until_due() <= 62
    clock.now += 62
    run(delivery)
    assert (desk.calls, only().state) == (["create", "find"], SendState.SENT)


def test_an_old_key_is_asked_for_before_it_is_used_again(outbox, memory_desk, clock, only):
    desk = memory_desk()
    desk.after["create"] = [UNKNOWN]
    outbox.add(payload())

    async def open_desk():
        return desk

    delivery = Delivery(outbox, open_desk=open_desk, clock=clock)
    run(delivery)
    clock.now += KEY_TRUSTED_S + 1
    run(delivery)
    assert (desk.calls, only().state) == (["create", "find"], SendState.SENT)


@pytest.mark.parametrize("fault", [UNKNOWN, BROKEN, RuntimeError("a bug of the adapter")])
def test_where_nobody_can_be_asked_a_person_decides(outbox, memory_desk, delivery_to, only, clock, fault, caplog):
    desk = memory_desk(dedupe="none")
    desk.after["create"] = [fault]
    outbox.add(payload())
    run(delivery_to(desk))
    assert only().state is SendState.UNSURE
    assert only().last_error.startswith("It may have arrived")
    assert outbox.seconds_until_due() is None
    clock.now += 1e6
    assert run(delivery_to(desk)) == ()
    outbox.retry("k-1")
    run(delivery_to(desk))
    assert only().state is SendState.SENT
    assert desk.calls == ["create", "create"]


@pytest.mark.parametrize("fault", [UNREACHABLE, TooBusy("Busy."), SignInNeeded("Who?")])
def test_what_certainly_did_not_arrive_is_never_unsure(outbox, memory_desk, delivery_to, only, clock, fault):
    desk = memory_desk(dedupe="none")
    desk.before["create"] = [fault]
    outbox.add(payload())
    run(delivery_to(desk))
    assert only().state is SendState.WAITING
    clock.now += 1e5
    run(delivery_to(desk))
    assert (only().state, len(desk.tickets)) == (SendState.SENT, 1)


@pytest.mark.parametrize(
    ("dedupe", "state"), [("key", SendState.WAITING), ("search", SendState.WAITING), ("none", SendState.UNSURE)]
)
def test_a_sender_that_died_in_the_middle_is_an_unclear_outcome(outbox, memory_desk, delivery_to, only, dedupe, state):
    outbox.add(payload())
    with outbox.turn():
        outbox.ledger.take()
        outbox.ledger.begin("k-1")
    desk = memory_desk(dedupe=dedupe)
    desk.tickets["9"], desk.files["9"] = payload(), []
    run(delivery_to(desk))
    assert only().state is (SendState.SENT if state is SendState.WAITING else state)
    assert list(desk.tickets) == ["9"]


def test_a_sender_that_died_before_it_began_leaves_nothing_unclear(outbox, memory_desk, delivery_to, only):
    outbox.add(payload())
    with outbox.turn():
        outbox.ledger.take()
    run(delivery_to(memory_desk(dedupe="none")))
    assert only().state is SendState.SENT


def test_ending_the_program_in_the_middle_lets_go_at_once(outbox, memory_desk, delivery_to, only):
    desk = memory_desk()
    real = desk.create

    async def main() -> None:
        started = asyncio.Event()

        async def hang(payload: Payload):
            await real(payload)
            started.set()
            await asyncio.Event().wait()

        desk.create = hang
        task = asyncio.create_task(delivery_to(desk).run_due())
        async with asyncio.timeout(10):
            await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    outbox.add(payload())
    asyncio.run(main())
    assert only().state is SendState.WAITING
    assert outbox.seconds_until_due() == 0
    desk.create = real
    run(delivery_to(desk))
    assert (only().state, len(desk.tickets)) == (SendState.SENT, 1)


def test_two_deliveries_at_once_send_once(outbox, memory_desk, delivery_to):
    desk = memory_desk(dedupe="none")
    outbox.add(payload())

    async def main() -> list[tuple[OutboxEntry, ...]]:
        return await asyncio.gather(*(delivery_to(desk).run_due() for _ in range(4)))

    results = asyncio.run(main())
    assert sorted(len(one) for one in results) == [0, 0, 0, 1]
    assert desk.calls == ["create"]


# --- replies


@pytest.mark.parametrize("arrived", [True, False])
@pytest.mark.parametrize("dedupe", ["key", "search"])
def test_a_reply_of_unclear_outcome_is_not_doubled(outbox, memory_desk, delivery_to, only, clock, dedupe, arrived):
    desk = memory_desk(dedupe=dedupe)
    desk.replies.append(("7", payload("earlier", body="Thanks!")))
    (desk.after if arrived else desk.before)["comment"] = [UNKNOWN]
    outbox.add(payload("r-1", body="thanks"), reply_to="7")
    run(delivery_to(desk))
    assert only().state is SendState.WAITING
    clock.now += 60
    run(delivery_to(desk))
    assert only().state is SendState.SENT
    assert len(desk.replies) == 2


def test_a_reply_refused_although_it_was_saved_is_believed_to_be_there(outbox, memory_desk, delivery_to, only):
    desk = memory_desk(dedupe="search")
    desk.after["comment"] = [NotFound("Not found.")]
    outbox.add(payload("r-1"), reply_to="7")
    run(delivery_to(desk))
    assert (only().state, len(desk.replies)) == (SendState.SENT, 1)


def test_a_reply_of_unclear_outcome_is_a_persons_decision_where_nobody_can_be_asked(
    outbox, memory_desk, delivery_to, only
):
    desk = memory_desk(dedupe="none")
    desk.after["comment"] = [UNKNOWN]
    outbox.add(payload("r-1"), reply_to="7")
    run(delivery_to(desk))
    assert only().state is SendState.UNSURE
    assert len(desk.replies) == 1
