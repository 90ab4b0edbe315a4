"""What an action is, and how the plans of actions become the one plan that is shown. Planning changes nothing.

An action is a module of `client.fixes.actions` that offers one `Action`. Its parameters are few, typed by the action's own
`accepts`, and never a command or a free path: what cannot be said in a plan cannot be done by one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection
from typing import Final, Literal, TypeVar

import msgspec

from client.errors import UsageError
from client.fixes.machine import Machine
from client.model import FixPlan, Step

T = TypeVar("T")
Say = Callable[[str], None]
STOP_PATIENCE_S: Final = 5.0  # a walk asks at every entry whether to stop; one entry takes microseconds


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What an action would do here. All but `steps` as in `FixPlan`; `undo` also says where none is needed."""

    steps: tuple[Step, ...] = ()
    refused: str = ""
    undo: str = ""
    gain_bytes: int | None = None
    choice: Literal["all", "some", "one"] = "all"


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be done to a computer.

    Attributes:
        name: what plans call it.
        plan: (option, machine) -> what it would do; changes nothing. Raises `OSError` or `TimeoutError` when it cannot look.
        accepts: (step, option, machine) -> why this step is not one that `plan` makes for that option, empty when it is. Pure
            enough to run right before the step does.
        execute: (step, machine, say) -> what was done, in a sentence. `say` takes a sentence on the way. Raises `ActionFault`,
            `OSError`, `TimeoutError`.
        undo_of: step -> the state that `undo` needs, empty where there is nothing to undo; known before the step is done, so
            that it survives a crash in the middle.
        undo: (state, machine) -> what was put back, in a sentence.
    """

    name: str
    plan: Callable[[str, Machine], Awaitable[Planned]]
    accepts: Callable[[Step, str, Machine], str]
    execute: Callable[[Step, Machine, Say], Awaitable[str]]
    undo_of: Callable[[Step], dict[str, str]] = lambda _: {}
    undo: Callable[[dict[str, str], Machine], Awaitable[str]] | None = None


def narrowed(plan: FixPlan, chosen: Collection[int]) -> FixPlan:
    """The plan with the chosen steps alone, in its own order.

    Args:
        chosen: which of `plan.steps`, counted from 0.

    Raises:
        UsageError: nothing, too much or something else was chosen; or this plan leaves no choice.
    """
    if any(not 0 <= one < len(plan.steps) for one in chosen):
        raise UsageError(f"This plan has {counted(len(plan.steps), 'step')}.", hint="Choose among those.")
    steps = tuple(step for number, step in enumerate(plan.steps) if number in chosen)
    if plan.choice == "all" and steps != plan.steps:
        raise UsageError("The steps of this fix belong together.", hint="Do all of them, or none.")
    if not steps:
        raise UsageError("Nothing is chosen.", hint="Choose what shall be done.")
    if plan.choice == "one" and len(steps) > 1:
        raise UsageError("Only one of these can be done at a time.", hint="Choose one.")
    gains = [step.gain_bytes for step in steps if step.gain_bytes is not None]
    return msgspec.structs.replace(plan, steps=steps, gain_bytes=sum(gains) if gains else plan.gain_bytes)


def at_first(plan: FixPlan) -> frozenset[int]:
    """Which steps are chosen before the employee has chosen anything: all where there is no choice."""
    return frozenset(number for number, step in enumerate(plan.steps) if step.picked or plan.choice == "all")


def size(count: int) -> str:
    """Bytes as people read them: "1.2 GB". Decimal units, as file managers show them."""
    if count < 1000:  # noqa: PLR2004 -- below it there is no unit to choose
        return f"{count} bytes"
    value = float(count)
    for unit in ("KB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.5 or unit == "TB":  # noqa: PLR2004 -- what would be rounded to 1000 takes the next unit
            break
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"  # noqa: PLR2004 -- two digits are enough


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 file", "3 files"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def printable(name: str) -> str:
    """A file name that can be shown: on one line, without control characters or broken bytes."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)


async def stoppable(work: Callable[[Callable[[], bool]], T]) -> T:
    """Runs blocking work in a thread; when we are cancelled, the work is asked to stop and waited for.

    Args:
        work: takes a function that says whether to stop.
    """
    stop = threading.Event()
    running = asyncio.ensure_future(asyncio.to_thread(work, stop.is_set))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([running], timeout=STOP_PATIENCE_S)
        raise
