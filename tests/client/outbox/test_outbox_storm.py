"""Ten thousand clients whose help desk comes back are no storm; and the model that says so waits as the real outbox does."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from client.errors import DeskBroken, DeskFault, DeskUnreachable, TooBusy
from client.model import Payload, SendState
from client.outbox.delivery import Delivery
from client.outbox.store import Outbox
from tests import storm, storm_pages

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def made() -> dict[str, storm.Course]:
    return storm.storms()


def test_with_jitter_the_desk_is_hardly_asked_more_than_it_serves(made: dict[str, storm.Course]) -> None:
    calm, rough = made["jitter"].figures(), made["no_jitter"].figures()
    assert calm.peak_per_s <= 1.5 * storm.PER_S
    assert calm.peak_per_s * 10 <= rough.peak_per_s
    assert calm.requests_per_ticket <= 1.1
    assert rough.requests_per_ticket >= 5
    assert made["broken"].figures().peak_per_s <= 1.5 * storm.PER_S


def test_every_ticket_arrives_and_soon(made: dict[str, storm.Course]) -> None:
    assert {one.figures().delivered for one in made.values()} == {storm.CLIENTS}
    assert made["jitter"].figures().all_min <= 31
    assert made["broken"].figures().all_min <= 31
    assert made["wake"].figures().all_min <= 31


def test_a_desk_that_is_too_slow_is_not_asked_in_vain_for_long(made: dict[str, storm.Course]) -> None:
    slow = made["slow"].figures()
    quickest_min = storm.CLIENTS / 5 / 60
    assert slow.all_min <= 1.5 * quickest_min
    assert slow.requests_per_ticket <= 3
    assert slow.peak_per_s <= 50


def test_the_page_and_the_picture_say_what_was_computed(made: dict[str, storm.Course]) -> None:
    assert (DOCS / "storm.md").read_text(encoding="utf-8") == storm_pages.page(made), "run `make storm`"
    assert (DOCS / "storm.svg").read_text(encoding="utf-8") == storm_pages.picture(made), "run `make storm`"


AWAY, BUSY, ASKED, FAILED = (
    DeskUnreachable("away"),
    TooBusy("busy"),
    TooBusy("busy", retry_after_s=30.0),
    DeskBroken("failed"),
)


@pytest.mark.parametrize(
    "faults",
    [
        [AWAY] * 12,
        [FAILED] * 12,
        [AWAY, AWAY, ASKED, ASKED, BUSY, ASKED],
        [FAILED, ASKED, FAILED, AWAY, FAILED, FAILED, ASKED, FAILED],
    ],
    ids=["away", "failed", "away, then busy", "everything"],
)
def test_the_model_waits_as_the_real_outbox_does(tmp_path: Path, memory_desk, clock, faults: list[DeskFault]) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite3", clock=clock)
    dice, model_dice, model = random.Random(3), random.Random(3), storm.Client()  # noqa: S311 -- dice
    desk = memory_desk()
    desk.before["create"] = list(faults)

    async def opened() -> object:
        return desk

    async def deliver() -> None:
        await Delivery(outbox, open_desk=opened, roll=dice.random, clock=clock).run_due()

    outbox.add(Payload(key="0b8a2c1e-6c1d-4b7e-9f59-52c1d2a4e7aa", subject="s", body="b"))
    for fault in faults:
        asyncio.run(deliver())
        match fault:
            case TooBusy():
                expected = model.busy(fault.retry_after_s, model_dice.random)
            case DeskBroken():
                expected = model.broken(model_dice.random)
            case _:
                expected = model.unreachable(model_dice.random)
        assert outbox.seconds_until_due() == pytest.approx(expected, abs=0.001)
        clock.now += expected
    outbox.resume()
    assert outbox.seconds_until_due() == model.woken()
    asyncio.run(deliver())
    assert outbox.entries()[0].state is SendState.SENT
    outbox.close()
