"""A fix that is stopped, runs too long, or is taken back."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from client.errors import ActionFault, DesksideError, UsageError
from client.fixes import execute as execute_module
from client.fixes.actions import ACTIONS
from client.fixes.machine import Completed
from client.model import FixResult, Step

# --- stopping


class Slow:
    """Makes the command wait until the test lets it go on, and says when it has begun."""

    def __init__(self, machine) -> None:
        self.begun = asyncio.Event()
        self.ended = False
        real = machine.run

        async def run(argv, *, deadline_s):
            self.begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.ended = True
            return await real(argv, deadline_s=deadline_s)

        machine.run = run


def test_a_cancelled_fix_is_in_the_journal_as_such(desk):
    async def stop():
        slow = Slow(desk.machine)
        task = asyncio.ensure_future(desk.fixes.run(await desk.fixes.plan("dns.flush_cache")))
        await slow.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return slow

    assert asyncio.run(stop()).ended
    (outcome,) = desk.fixes.journal()
    assert outcome.result is FixResult.CANCELLED
    assert "You stopped it" in outcome.words


def test_a_fix_that_takes_too_long_is_stopped(desk, monkeypatch):
    fix = msgspec.structs.replace(execute_module.BY_ID["dns.flush_cache"], deadline_s=0.05)
    monkeypatch.setitem(execute_module.BY_ID, "dns.flush_cache", fix)
    desk.after = desk.before

    async def run():
        slow = Slow(desk.machine)
        return slow, await desk.fixes.run(await desk.fixes.plan("dns.flush_cache"))

    slow, outcome = asyncio.run(run())
    assert slow.ended
    assert outcome.result is FixResult.FAILED
    assert "took too long" in outcome.words


def test_cancelling_stops_the_removal_of_files(desk):
    """The thread that removes is asked to stop and waited for: nothing goes after the fix has ended."""
    cache = desk.machine.home / ".cache/someapp"
    cache.mkdir(parents=True)
    for number in range(3000):
        (cache / f"f{number}").write_bytes(b"x" * 1000)

    def count():
        return sum(1 for _ in cache.iterdir())

    async def stop():
        plan = await desk.fixes.plan("disk.free_space")
        task = asyncio.ensure_future(desk.fixes.run(plan))
        while count() > 2900:  # noqa: ASYNC110 -- the disk sends no event
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return count()

    left = asyncio.run(stop())
    assert 0 < left == count()


# --- undo


def test_what_was_changed_is_put_back_once(desk):
    desk.turn_wifi_off()
    outcome = desk.run(desk.plan("network.reconnect"))
    assert outcome.can_undo
    assert desk.fixes.journal()[0].can_undo
    undone = asyncio.run(desk.make().undo(outcome.id))  # a later process can, too
    assert undone.result is FixResult.UNDONE
    assert desk.machine.ran[-1] == ("nmcli", "radio", "wifi", "off")
    results = [(one.result, one.can_undo) for one in desk.fixes.journal()]
    assert results == [(FixResult.UNDONE, False), (outcome.result, False)]
    with pytest.raises(ActionFault, match="cannot be undone"):
        asyncio.run(desk.fixes.undo(outcome.id))


def test_what_cannot_be_undone_says_so(desk):
    outcome = desk.run(desk.plan())
    assert not outcome.can_undo
    with pytest.raises(ActionFault, match="cannot be undone"):
        asyncio.run(desk.fixes.undo(outcome.id))
    with pytest.raises(UsageError):
        asyncio.run(desk.fixes.undo("nonsense"))


def test_an_undo_that_fails_can_be_tried_again(desk):
    desk.turn_wifi_off()
    outcome = desk.run(desk.plan("network.reconnect"))
    desk.machine.answers["nmcli", "radio"] = Completed(code=1)
    with pytest.raises(DesksideError):
        asyncio.run(desk.fixes.undo(outcome.id))
    del desk.machine.answers["nmcli", "radio"]
    assert asyncio.run(desk.fixes.undo(outcome.id)).result is FixResult.UNDONE


def test_every_action_that_keeps_an_undo_state_can_use_it():
    for action in ACTIONS.values():
        if action.undo is None:
            assert action.undo_of(Step(action=action.name, parameters={"how": "wifi_on"}, words="x")) == {}
