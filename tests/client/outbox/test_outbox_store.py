"""Drafts and messages survive; the file is private; each promise of the store in a sentence."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from client.errors import NewerData, StorageFault, UsageError
from client.model import Attachment, Created, Draft, Payload, SendState, Ticket
from client.outbox.database import APPLICATION_ID, VERSION
from client.outbox.packing import pack
from client.outbox.store import DAY_S, Outbox
from diagnostics.model import Diagnosis, Report, Severity

PHOTO = Attachment(name="photo.png", media_type="image/png", data=bytes(range(256)) * 9)
REPORT = Report(
    tool="deskside 0.1.0",
    started_at="2026-01-31T09:00:00Z",
    duration_ms=1,
    platform="linux",
    diagnosis=(
        Diagnosis(
            cause="dns.unreachable", severity=Severity.HIGH, confidence=0.9, title="t", explanation="e", advice="a"
        ),
    ),
    facts={"os.name": "Debian", "memory": {"total_bytes": 3}},
)


def draft(id: str = "11111111-2222-4333-8444-555555555555", **more: object) -> Draft:
    more = {
        "words": "Grüße, it does not print \u2603",
        "report": REPORT,
        "left_out": frozenset({"logs", "facts"}),
        **more,
    }
    return Draft(id=id, created_at=datetime(2026, 1, 31, 9, tzinfo=UTC), subject="s", attachments=(PHOTO,), **more)


def payload(key: str = "k-1", **more: object) -> Payload:
    more = {"body": "line\nDeskside ref: k-1", "fields": {"b": "2", "a": "1"}, "attachments": (PHOTO,), **more}
    return Payload(key=key, subject="It does not print", **more)


def path_of(outbox: Outbox) -> Path:
    return outbox._database.path


def again(outbox: Outbox) -> Outbox:
    outbox.close()
    return Outbox(path_of(outbox), clock=outbox._clock)


# --- drafts


def test_a_draft_comes_back_as_it_was_after_a_restart(outbox):
    outbox.save_draft(draft())
    assert again(outbox).drafts() == (draft(),)


def test_saving_again_replaces_the_draft_and_forgets_the_bytes_it_no_longer_has(outbox):
    outbox.save_draft(draft())
    outbox.save_draft(msgspec.structs.replace(draft(), words="other", attachments=()))
    assert [one.words for one in outbox.drafts()] == ["other"]
    assert sqlite3.connect(path_of(outbox)).execute("SELECT count(*) FROM blob").fetchone() == (0,)


def test_drafts_are_newest_first(outbox):
    for day in (1, 3, 2):
        outbox.save_draft(msgspec.structs.replace(draft(f"d{day}"), created_at=datetime(2026, 1, day, tzinfo=UTC)))
    assert [one.id for one in outbox.drafts()] == ["d3", "d2", "d1"]


def test_discarding_takes_the_words_out_of_every_file(outbox):
    outbox.save_draft(draft(words="my very private sentence"))
    outbox.discard_draft(draft().id)
    assert outbox.drafts() == ()
    for part in path_of(outbox).parent.iterdir():
        assert b"private sentence" not in part.read_bytes()


def test_a_draft_of_another_version_stays_where_it_is(outbox):
    outbox.save_draft(draft("good"))
    outbox.save_draft(draft("strange"))
    with sqlite3.connect(path_of(outbox)) as connection:
        connection.execute("UPDATE draft SET body = ? WHERE id = 'strange'", (b'{"id": 5}',))
    assert [one.id for one in outbox.drafts()] == ["good"]
    assert sqlite3.connect(path_of(outbox)).execute("SELECT count(*) FROM draft").fetchone() == (2,)


# --- adding


def test_adding_forgets_the_draft_and_its_secrets_with_the_same_commit(outbox):
    outbox.save_draft(draft(words="the password is hunter2"))
    entry = outbox.add(payload(draft().id))
    assert (entry.state, entry.kind, entry.attempts, entry.ticket) == (SendState.WAITING, "ticket", 0, None)
    assert outbox.drafts() == ()
    for part in path_of(outbox).parent.iterdir():
        assert b"hunter2" not in part.read_bytes()


def test_a_draft_saved_late_does_not_come_back_to_life(outbox):
    outbox.add(payload(draft().id))
    outbox.save_draft(draft())
    assert outbox.drafts() == ()


def test_the_payload_comes_back_byte_for_byte(outbox):
    outbox.add(payload())
    assert again(outbox).payload("k-1") == payload()


def test_the_receipt_is_the_hash_of_the_canonical_form(outbox):
    outbox.add(payload())
    packed = pack(payload(fields={"a": "1", "b": "2"}), reply_to=None)
    assert outbox.receipts.of("k-1").whole_sha256 == packed.sha256
    assert json.loads(packed.body)["fields"] == {"a": "1", "b": "2"}


def test_a_double_click_makes_one_entry(outbox):
    assert outbox.add(payload()).id == outbox.add(payload()).id
    assert len(outbox.entries()) == 1


def test_a_key_cannot_be_used_for_other_words(outbox):
    outbox.add(payload())
    with pytest.raises(UsageError, match="already in the outbox"):
        outbox.add(payload(attachments=()))
    assert outbox.payload("k-1") == payload()


def test_a_reply_is_listed_by_its_first_line(outbox):
    entry = outbox.add(Payload(key="r", subject="", body="\n  Still broken.\nSecond line"), reply_to="7")
    assert (entry.kind, entry.subject) == ("reply", "Still broken.")


def test_what_was_sent_is_shown_for_two_weeks_and_kept_for_ninety_days(outbox, clock):
    outbox.add(payload())
    outbox.ledger.sent("k-1")
    clock.now += 13 * DAY_S
    assert [one.state for one in outbox.entries()] == [SendState.SENT]
    clock.now += 2 * DAY_S
    assert outbox.entries() == ()
    assert outbox.payload("k-1") == payload()
    clock.now += 90 * DAY_S
    outbox.add(payload("k-2"))
    with pytest.raises(UsageError):
        outbox.payload("k-1")


def test_unknown_ids_are_said_in_a_sentence(outbox):
    for call in (outbox.payload, outbox.retry, outbox.drop, outbox.receipts.of, outbox.mailbox.kept_conversation):
        with pytest.raises(UsageError, match="There is no"):
            call("nothing")


def test_a_payload_that_the_disk_has_changed_is_not_given_out(outbox):
    outbox.add(payload())
    with sqlite3.connect(path_of(outbox)) as connection:
        connection.execute("UPDATE blob SET data = x'00'")
    with pytest.raises(StorageFault, match="damaged"):
        outbox.payload("k-1")


def test_dropping_takes_the_bytes_too(outbox):
    outbox.add(payload(body="my very private sentence"))
    outbox.drop("k-1")
    assert outbox.entries() == ()
    for part in path_of(outbox).parent.iterdir():
        assert b"private sentence" not in part.read_bytes()


def test_what_is_being_sent_cannot_be_dropped_but_what_a_dead_sender_held_can(outbox):
    outbox.add(payload())
    with outbox.turn() as mine:
        assert mine
        outbox.ledger.take()
        with pytest.raises(UsageError, match="being sent right now"):
            outbox.drop("k-1")
        assert outbox.entries()[0].state is SendState.SENDING
    outbox.drop("k-1")
    assert outbox.entries() == ()


def test_only_what_was_not_sent_can_be_retried(outbox):
    outbox.add(payload())
    outbox.ledger.sent("k-1")
    with pytest.raises(UsageError, match="sent already"):
        outbox.retry("k-1")


# --- when something is due


def test_nothing_waits_in_an_empty_outbox(outbox):
    assert outbox.seconds_until_due() is None


def test_a_new_message_is_due_at_once_and_a_delayed_one_later(outbox, clock):
    outbox.add(payload())
    assert outbox.seconds_until_due() == 0
    outbox.ledger.later("k-1", "words", wait_s=90, unclear_since=None)
    assert outbox.seconds_until_due() == 90
    clock.now += 60
    assert outbox.seconds_until_due() == 30


def test_a_clock_that_is_put_back_makes_nothing_wait_for_years(outbox, clock):
    outbox.add(payload())
    outbox.ledger.later("k-1", "words", wait_s=90, unclear_since=None)
    outbox.ledger.pause("words", wait_s=90)
    clock.now -= 5 * 365 * DAY_S
    assert outbox.seconds_until_due() == 0
    assert outbox.ledger.take().id == "k-1"


def test_a_reply_knows_its_ticket_after_a_restart(outbox):
    outbox.add(payload("k-1"), reply_to="7")
    assert outbox.entries()[0].ticket == Created(id="7", ref="")
    outbox.mailbox.keep_tickets((Ticket(id="7", ref="IT-7", subject="s", status="open", is_open=True),))
    outbox.close()
    assert outbox.entries()[0].ticket == Created(id="7", ref="IT-7")
    assert outbox.ledger.take().ticket is None


def test_while_somebody_sends_nobody_asks_in_a_loop(outbox):
    outbox.add(payload())
    with outbox.turn():
        assert outbox.seconds_until_due() == 5
    assert outbox.seconds_until_due() == 0


def test_a_disk_in_trouble_is_left_alone_for_a_minute(outbox):
    outbox.add(payload())
    outbox.trouble()
    assert 55 < outbox.seconds_until_due() <= 60


def test_resuming_where_there_is_no_outbox_makes_none(outbox):
    outbox.resume()
    assert not path_of(outbox).exists()


# --- the file


def test_folder_and_files_are_private(outbox):
    path_of(outbox).parent.mkdir(mode=0o755, parents=True)
    outbox.add(payload())
    with outbox.turn():
        assert stat.S_IMODE(path_of(outbox).parent.stat().st_mode) == 0o700
        names = {part.name for part in path_of(outbox).parent.iterdir()}
        assert {"outbox.sqlite3", "outbox.sqlite3-wal", "outbox.sqlite3-shm", "outbox.sqlite3-sending"} <= names
        for part in path_of(outbox).parent.iterdir():
            assert stat.S_IMODE(part.stat().st_mode) == 0o600, part.name


def test_a_file_that_others_may_read_is_closed_to_them(outbox):
    outbox.add(payload())
    outbox.close()
    path_of(outbox).chmod(0o644)
    assert len(outbox.entries()) == 1
    assert stat.S_IMODE(path_of(outbox).stat().st_mode) == 0o600


def test_commits_are_synced(outbox):
    outbox.add(payload())
    connection = outbox._database._writer
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    assert connection.execute("PRAGMA user_version").fetchone()[0] == VERSION


def test_data_of_a_newer_version_is_left_alone(outbox):
    outbox.add(payload())
    outbox.close()
    with sqlite3.connect(path_of(outbox)) as connection:
        connection.execute(f"PRAGMA user_version={VERSION + 1}")
    connection.close()
    before = path_of(outbox).read_bytes()
    for call in (outbox.entries, outbox.drafts, lambda: outbox.add(payload("k-2"))):
        with pytest.raises(NewerData):
            call()
    assert path_of(outbox).read_bytes() == before
    assert not list(path_of(outbox).parent.glob("*damaged*"))


def test_a_link_in_place_of_the_file_is_not_followed(outbox, tmp_path):
    target = tmp_path / "elsewhere"
    target.write_bytes(b"")
    path_of(outbox).parent.mkdir(parents=True)
    path_of(outbox).symlink_to(target)
    with pytest.raises(StorageFault, match="link to another place"):
        outbox.add(payload())
    assert target.read_bytes() == b""


def test_a_deleted_file_is_made_again_and_a_replaced_one_is_said(outbox, tmp_path):
    outbox.add(payload())
    for part in list(path_of(outbox).parent.glob("outbox.sqlite3*")):
        part.unlink()
    outbox.add(payload("k-2"))
    assert [one.id for one in again(outbox).entries()] == ["k-2"]
    outbox.add(payload("k-3"))
    other = tmp_path / "other.sqlite3"
    other.write_bytes(path_of(outbox).read_bytes())
    other.replace(path_of(outbox))
    with pytest.raises(StorageFault, match="replaced while Deskside was running"):
        outbox.add(payload("k-4"))


def test_many_threads_share_one_outbox(outbox):
    faults: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for round in range(5):
                outbox.save_draft(draft(f"d{number}"))
                outbox.add(payload(f"k{number}-{round}"))
                outbox.entries()
                outbox.seconds_until_due()
        except BaseException as error:  # noqa: BLE001 -- shown below
            faults.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(outbox.entries()) == 30
    assert len(outbox.drafts()) == 6


def test_two_processes_share_one_outbox(outbox):
    program = (
        "import sys; from pathlib import Path; from client.model import Payload; from client.outbox.store import Outbox\n"
        "box = Outbox(Path(sys.argv[1]))\n"
        "for n in range(15): box.add(Payload(key=f'{sys.argv[2]}-{n}', subject='s', body='b'))\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", program, str(path_of(outbox)), name]) for name in "abc"]
    assert [child.wait(60) for child in children] == [0, 0, 0]
    assert len(outbox.entries()) == 45


def test_the_turn_ends_with_its_process(outbox):
    outbox.add(payload())
    program = (
        "import sys, time; from pathlib import Path; from client.outbox.store import Outbox\n"
        "box = Outbox(Path(sys.argv[1])); turn = box.turn(); assert turn.take(); box.ledger.take()\n"
        "print('mine', flush=True); time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(path_of(outbox))], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"mine\n"
    with outbox.turn() as mine:
        assert not mine
    assert outbox.entries()[0].state is SendState.SENDING
    child.kill()
    child.communicate()
    assert outbox.seconds_until_due() == 0
    with outbox.turn() as mine:
        assert mine
        assert outbox.ledger.recover() == ("k-1",)
    assert outbox.entries()[0].state is SendState.WAITING
