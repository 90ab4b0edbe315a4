"""Sending: every fault ends in the right state with a true sentence, and no message is doubled or claimed sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from client.errors import (
    DeskBroken,
    DeskFault,
    DeskRefused,
    DeskUnreachable,
    NotFound,
    OutcomeUnknown,
    SecretsFault,
    SettingsFault,
    SignInNeeded,
    StorageFault,
    TooBusy,
    TooLarge,
)
from client.model import Attachment, OutboxEntry, Payload, SendState
from client.outbox.attempt import words_of
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


# --- the way when all is well


@pytest.mark.parametrize("attach", ["same_request", "upload_first", "after_creation"])
@pytest.mark.parametrize("dedupe", ["key", "search", "none"])
def test_a_ticket_arrives_whole(outbox, memory_desk, delivery_to, only, attach, dedupe):
    desk = memory_desk(attach=attach, dedupe=dedupe)
    outbox.add(payload("k-1", A, B))
    (changed,) = run(delivery_to(desk))
    assert changed == only()
    assert (changed.state, changed.attempts, changed.last_error) == (SendState.SENT, 1, "")
    assert changed.ticket.id == "1"
    assert changed.sent_at is not None
    assert desk.tickets["1"] == payload("k-1", A, B)
    if attach == "after_creation":
        assert desk.files["1"] == [A, B]
    assert run(delivery_to(desk)) == ()
    assert len(desk.tickets) == 1


def test_a_reply_arrives(outbox, memory_desk, delivery_to, only):
    desk = memory_desk()
    outbox.add(payload("r-1", B), reply_to="7")
    run(delivery_to(desk))
    assert desk.replies == [("7", payload("r-1", B))]
    assert only().state is SendState.SENT


def test_replies_to_one_ticket_keep_their_order_and_tickets_do_not_wait_for_them(
    outbox, memory_desk, delivery_to, clock
):
    desk = memory_desk()
    desk.before["comment"] = [DeskBroken("no")]
    for key in ("r-1", "r-2"):
        outbox.add(payload(key, body=key), reply_to="7")
    outbox.add(payload("k"))
    run(delivery_to(desk))
    assert desk.replies == []
    assert len(desk.tickets) == 1
    clock.now += 3600
    run(delivery_to(desk))
    assert [one.body for _, one in desk.replies] == ["r-1", "r-2"]


def test_a_desk_without_files_gets_the_ticket_and_the_entry_says_so(outbox, memory_desk, delivery_to, only):
    outbox.add(payload("k-1", A))
    run(delivery_to(memory_desk(attach="none")))
    assert only().state is SendState.SENT
    assert "takes no files" in only().last_error


# --- faults of the desk or of the way to it


def test_unreachable_waits_and_arrives_later(outbox, memory_desk, delivery_to, only, clock):
    desk = memory_desk()
    desk.before["create"] = [UNREACHABLE, UNREACHABLE]
    outbox.add(payload())
    run(delivery_to(desk))
    first = outbox.seconds_until_due()
    assert (only().state, only().attempts) == (SendState.WAITING, 1)
    assert only().last_error.startswith("The help desk does not answer. Your ticket is kept")
    assert run(delivery_to(desk)) == ()
    clock.now += first
    run(delivery_to(desk))
    assert outbox.seconds_until_due() > first
    clock.now += 60
    run(delivery_to(desk))
    assert only().state is SendState.SENT
    assert (len(desk.tickets), only().attempts) == (1, 3)


def test_one_message_finds_out_for_all_that_the_desk_is_away(outbox, memory_desk, delivery_to):
    desk = memory_desk()
    desk.before["create"] = [UNREACHABLE]
    for number in range(5):
        outbox.add(payload(f"k-{number}"))
    assert len(run(delivery_to(desk))) == 5
    assert desk.calls == ["create"]
    assert all("does not answer" in one.last_error for one in outbox.entries())
    assert [one.attempts for one in outbox.entries()] == [0, 0, 0, 0, 1]


def test_a_new_message_tries_its_luck_while_others_wait(outbox, memory_desk, delivery_to):
    desk = memory_desk()
    desk.before["create"] = [UNREACHABLE]
    outbox.add(payload("k-1"))
    run(delivery_to(desk))
    outbox.add(payload("k-2"))
    run(delivery_to(desk))
    assert {one.id: one.state for one in outbox.entries()} == {"k-1": SendState.WAITING, "k-2": SendState.SENT}


@pytest.mark.parametrize(("asked", "least"), [(600.0, 600), (0.0, 1), (None, 1)])
def test_a_busy_desk_is_given_the_time_it_asks_for(outbox, memory_desk, delivery_to, clock, asked, least):
    desk = memory_desk()
    desk.before["create"] = [TooBusy("The help desk is busy.", retry_after_s=asked)]
    outbox.add(payload("k-1"))
    run(delivery_to(desk))
    wait = outbox.seconds_until_due()
    assert wait >= least
    outbox.add(payload("k-2"))
    assert outbox.seconds_until_due() == pytest.approx(wait)
    assert outbox.entries()[0].last_error.startswith("The help desk is busy.")
    assert run(delivery_to(desk)) == ()
    clock.now += wait
    run(delivery_to(desk))
    assert [one.state for one in outbox.entries()] == [SendState.SENT, SendState.SENT]


def test_a_person_who_asks_again_is_not_held_up(outbox, memory_desk, delivery_to, only):
    desk = memory_desk()
    desk.before["create"] = [TooBusy("Busy.", retry_after_s=9999)]
    outbox.add(payload())
    run(delivery_to(desk))
    outbox.retry("k-1")
    assert outbox.seconds_until_due() == 0
    run(delivery_to(desk))
    assert only().state is SendState.SENT


def test_signing_in_is_asked_for_and_costs_no_attempt(outbox, memory_desk, delivery_to, only, clock):
    desk = memory_desk()
    desk.before["create"] = [SignInNeeded("The help desk does not know you any more.")]
    outbox.add(payload("k-1"))
    run(delivery_to(desk))
    assert (only().state, only().attempts) == (SendState.WAITING, 0)
    assert "Sign in again" in only().last_error
    clock.now += 1800
    assert run(delivery_to(desk)) == ()
    assert desk.calls == ["create"]
    outbox.resume()
    run(delivery_to(desk))
    assert only().state is SendState.SENT


def test_when_the_network_returns_nothing_waits_for_its_turn(outbox, memory_desk, delivery_to, only):
    desk = memory_desk()
    desk.before["create"] = [DeskUnreachable("No way.")] * 6
    outbox.add(payload("k-1"))
    for _ in range(6):
        run(delivery_to(desk))
        outbox.retry("k-1")
    outbox.ledger.later("k-1", "No way.", wait_s=600.0, unclear_since=None)
    assert run(delivery_to(desk)) == ()
    outbox.way_is_clear()
    run(delivery_to(desk))
    assert only().state is SendState.SENT


def test_the_network_does_not_lift_what_the_desk_has_asked_for(outbox, memory_desk, delivery_to, clock):
    desk = memory_desk()
    desk.before["create"] = [TooBusy("Busy.", retry_after_s=60)]
    outbox.add(payload("k-1"))
    run(delivery_to(desk))
    outbox.way_is_clear()
    assert outbox.seconds_until_due() >= 60
    assert run(delivery_to(desk)) == ()
    clock.now += 70
    run(delivery_to(desk))
    assert outbox.entries()[0].state is SendState.SENT


@pytest.mark.parametrize("fault", [SettingsFault("No help desk is set up."), SecretsFault("The keyring is locked.")])
def test_without_settings_or_secret_everything_waits_with_that_sentence(outbox, only, fault):
    async def open_desk():
        raise fault

    outbox.add(payload())
    run(Delivery(outbox, open_desk=open_desk))
    assert (only().state, only().attempts) == (SendState.WAITING, 0)
    assert only().last_error.startswith(fault.message)
    assert 0 < outbox.seconds_until_due() <= 450


def test_after_three_faults_of_its_own_the_desk_is_left_alone(outbox, memory_desk, delivery_to, clock):
    desk = memory_desk()
    desk.before["create"] = [BROKEN] * 4
    for number in range(5):
        outbox.add(payload(f"k-{number}"))
    run(delivery_to(desk))
    assert desk.calls == ["create"] * 3
    assert "Everything waits" in outbox.entries()[0].last_error
    clock.now += outbox.seconds_until_due()
    run(delivery_to(desk))
    assert desk.calls == ["create"] * 4
    for _ in range(10):
        clock.now += 3600
        run(delivery_to(desk))
    assert all(one.state is SendState.SENT for one in outbox.entries())
    assert len(desk.tickets) == 5


def test_a_message_that_always_breaks_the_desk_keeps_nobody_from_their_turn(outbox, memory_desk, clock):
    desk = memory_desk()
    real = desk.create

    async def create(payload: Payload):
        if payload.key == "poison":
            raise BROKEN
        return await real(payload)

    desk.create = create
    for key in ("poison", "k-1", "k-2"):
        outbox.add(payload(key))

    async def open_desk():
        return desk

    for _ in range(6):
        run(Delivery(outbox, open_desk=open_desk))
        clock.now += 3600
    states = {one.id: one.state for one in outbox.entries()}
    assert states == {"poison": SendState.WAITING, "k-1": SendState.SENT, "k-2": SendState.SENT}


# --- files after the ticket


def test_the_number_is_kept_at_once_and_files_go_on_where_they_stood(outbox, memory_desk, delivery_to, only, clock):
    desk = memory_desk(attach="after_creation", dedupe="none")
    desk.before["attach"] = [None, UNREACHABLE]
    outbox.add(payload("k-1", A, B))
    run(delivery_to(desk))
    assert (only().state, only().ticket.id) == (SendState.CREATED, "1")
    clock.now += 60
    run(delivery_to(desk))
    assert desk.files["1"] == [A, B]
    assert desk.calls == ["create", "attach", "attach", "attach"]
    assert only().state is SendState.SENT


@pytest.mark.parametrize("arrived", [True, False])
def test_a_file_of_unclear_outcome_is_looked_for_before_it_goes_again(
    outbox, memory_desk, delivery_to, only, clock, arrived
):
    desk = memory_desk(attach="after_creation", dedupe="search")
    (desk.after if arrived else desk.before)["attach"] = [UNKNOWN]
    outbox.add(payload("k-1", A, B))
    run(delivery_to(desk))
    assert only().state is SendState.CREATED
    clock.now += 60
    run(delivery_to(desk))
    assert desk.files["1"] == [A, B]
    assert only().state is SendState.SENT


def test_a_file_of_unclear_outcome_is_a_persons_decision_where_nobody_can_be_asked(
    outbox, memory_desk, delivery_to, only
):
    desk = memory_desk(attach="after_creation", dedupe="none")
    desk.after["attach"] = [UNKNOWN]
    outbox.add(payload("k-1", A, B))
    run(delivery_to(desk))
    assert (only().state, only().ticket.id) == (SendState.UNSURE, "1")
    outbox.retry("k-1")
    run(delivery_to(desk))
    assert (only().state, desk.calls.count("create")) == (SendState.SENT, 1)


def test_one_refused_file_keeps_no_other_back(outbox, memory_desk, delivery_to, only):
    desk = memory_desk(attach="after_creation")
    desk.before["attach"] = [DeskRefused("The help desk takes no such file.", words="extension .txt not allowed")]
    outbox.add(payload("k-1", A, B))
    run(delivery_to(desk))
    assert desk.files["1"] == [B]
    assert only().state is SendState.REFUSED
    assert only().ticket.id == "1"
    assert "The ticket has arrived, but" in only().last_error
    assert "a file.txt" in only().last_error
    assert "extension .txt not allowed" in only().last_error
    outbox.retry("k-1")
    run(delivery_to(desk))
    assert desk.files["1"] == [B, A]
    assert (only().state, desk.calls.count("create")) == (SendState.SENT, 1)


def test_a_desk_that_drops_a_file_silently_is_not_believed(outbox, memory_desk, delivery_to, only):
    desk = memory_desk()
    real = desk.create

    async def create(payload: Payload):
        created = await real(payload)
        return type(created)(id=created.id, ref=created.ref, attached=("a_file.txt",))

    desk.create = create
    outbox.add(payload("k-1", A, B))
    run(delivery_to(desk))
    assert only().state is SendState.REFUSED
    assert "b.png is missing" in only().last_error


# --- faults of this message


@pytest.mark.parametrize(
    "fault",
    [
        DeskRefused("A field is not valid.", words="queue: unknown", hint="Choose another queue."),
        TooLarge("photo.png is too large.", name="photo.png"),
        NotFound("There is no such queue."),
        DeskFault("This help desk cannot do that."),
    ],
)
def test_a_refused_message_is_kept_with_the_desks_words(outbox, memory_desk, delivery_to, only, clock, fault):
    desk = memory_desk()
    desk.before["create"] = [fault]
    outbox.add(payload("k-1", A))
    outbox.add(payload("k-2"))
    run(delivery_to(desk))
    refused = outbox.entries()[1]
    assert refused.state is SendState.REFUSED
    assert refused.last_error == words_of(fault)
    assert outbox.entries()[0].state is SendState.SENT
    clock.now += 1e6
    assert run(delivery_to(desk)) == ()
    assert outbox.payload("k-1") == payload("k-1", A)
    outbox.retry("k-1")
    run(delivery_to(desk))
    assert outbox.entries()[1].state is SendState.SENT


def test_words_of_a_fault_are_what_happened_what_they_said_and_what_to_do():
    fault = DeskRefused("A field is not valid", words="queue: unknown", hint="Choose another queue.")
    assert words_of(fault) == "A field is not valid. It said: \u201cqueue: unknown\u201d Choose another queue."


def test_too_large_is_said_before_anything_goes_out(outbox, memory_desk, delivery_to, only):
    desk = memory_desk(max_file_bytes=999)
    outbox.add(payload("k-1", B, A))
    run(delivery_to(desk))
    assert only().state is SendState.REFUSED
    assert "a file.txt has 0.0 MB" in only().last_error
    assert desk.calls == []


@pytest.mark.parametrize("dedupe", ["key", "search"])
@pytest.mark.parametrize("refusal", [NotFound("Not found."), DeskRefused("A field is not valid.")])
def test_a_ticket_refused_although_it_was_saved_is_believed_to_be_there(
    outbox, memory_desk, delivery_to, only, dedupe, refusal
):
    desk = memory_desk(dedupe=dedupe)
    desk.after["create"] = [refusal]
    outbox.add(payload("k-1", A))
    run(delivery_to(desk))
    assert (only().state, only().ticket.id, len(desk.tickets)) == (SendState.SENT, "1", 1)


def test_a_refused_ticket_that_cannot_be_looked_for_is_looked_for_before_it_goes_again(
    outbox, memory_desk, delivery_to, only
):
    desk = memory_desk(dedupe="search")
    desk.after["create"] = [NotFound("Not found.")]
    desk.before["find"] = [UNREACHABLE]
    outbox.add(payload())
    run(delivery_to(desk))
    assert only().state is SendState.REFUSED
    outbox.retry("k-1")
    run(delivery_to(desk))
    assert (only().state, len(desk.tickets)) == (SendState.SENT, 1)


def test_a_damaged_message_is_refused_and_the_others_go(outbox, memory_desk, delivery_to):
    outbox.add(payload("k-1", A))
    outbox.add(payload("k-2"))
    outbox._database.write(lambda connection: connection.execute("UPDATE blob SET data = x'00'"))
    run(delivery_to(memory_desk()))
    assert {one.id: one.state for one in outbox.entries()} == {"k-1": SendState.REFUSED, "k-2": SendState.SENT}


# --- the disk under the sender


def test_a_full_disk_after_the_ticket_was_made_loses_nothing(outbox, memory_desk, delivery_to, only, monkeypatch):
    desk = memory_desk()
    outbox.add(payload())

    def full(*_: object, **__: object) -> None:
        raise StorageFault("The disk is full, so this could not be saved.")

    with monkeypatch.context() as patch:
        patch.setattr(outbox.ledger, "created", full)
        with pytest.raises(StorageFault, match="disk is full"):
            run(delivery_to(desk))
    assert len(desk.tickets) == 1
    assert only().state is not SendState.SENT
    assert outbox.seconds_until_due() > 0
    run(delivery_to(desk))
    assert (only().state, len(desk.tickets)) == (SendState.SENT, 1)
