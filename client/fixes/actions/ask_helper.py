"""Asks the privileged helper for what only an administrator may do, where IT has installed it; never a way around it.

The helper knows ids, judges for itself, and takes no words, paths or commands from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from client.errors import ActionFault
from client.fixes.machine import Machine, Privileged
from client.fixes.plan import Action, Planned, Say
from client.model import Step

NAME: Final = "ask_helper"
NOT_HERE: Final = (
    "Only an administrator may do this on this computer, and your IT department's helper for such things is not installed or does"
    " not offer it. Ask your IT department."
)
BACK_S: Final = 60.0


class _Deed(msgspec.Struct, frozen=True, kw_only=True):
    """What the helper does under an id: in words, what it costs, whether it can be taken back, and how long it may take.

    `parameters` are those that it is asked with; `back` is the helper's id that takes it back, where there is one.
    """

    words: str
    details: tuple[str, ...] = ()
    undo: str = ""
    deadline_s: float = 60.0
    parameters: dict[str, str] = {}
    back: str = ""


DEEDS: Final = {
    "dns.flush": _Deed(
        words="Forget the names of sites and servers that this computer has looked up, for all its users.",
        undo="Not needed: names are looked up again by themselves.",
    ),
    "network.restart": _Deed(
        words="Restart the network service.",
        details=("You are offline for some seconds; calls and downloads break off.",),
        undo="Not needed: the same networks are joined again.",
        deadline_s=90.0,
    ),
    "printing.restart": _Deed(
        words="Restart the print service.",
        details=("What waits to be printed stays; what is being printed right now may be printed again.",),
        undo="Not needed: your printers and their settings stay as they are.",
    ),
    "printing.clear": _Deed(
        words="Remove everything that waits to be printed, and restart the print service.",
        details=("It goes for everybody on this computer. Print again afterwards what you still need.",),
    ),
    "audio.restart": _Deed(
        words="Restart the sound service.",
        details=("Sound stops for some seconds, also in calls.",),
        undo="Not needed: your sound settings stay as they are.",
    ),
    "clock.sync": _Deed(
        words="Set the clock by the time server of this computer.",
        undo="Not needed: the clock is only set right.",
    ),
    "shares.remount": _Deed(
        words="Connect the network folders of this computer again.",
        undo="Not needed: the same folders are connected.",
        deadline_s=150.0,
    ),
    "updates.install": _Deed(
        words="Install the updates that wait.",
        details=("This can take half an hour and more. Keep the computer switched on and plugged in.",),
        deadline_s=7300.0,
    ),
    "restart.plan": _Deed(
        words="Restart this computer in 15 minutes.",
        details=("Everybody who works on it is told. Save your work before.",),
        undo="The restart is called off, as long as it has not begun.",
        parameters={"minutes": "15"},
        back="restart.cancel",
    ),
    "repair.system": _Deed(
        words="Let the system look for damaged files of its own, and repair them.",
        details=("This can take half an hour. You can go on working.",),
        deadline_s=5500.0,
    ),
    "repair.image": _Deed(
        words="Repair the store that Windows repairs its files from.",
        details=("This can take half an hour. You can go on working.",),
        deadline_s=5500.0,
    ),
}


async def plan(option: str, machine: Machine) -> Planned:
    """One step, or a refusal where the helper is missing."""
    return offer(option, machine.helper.offers() if machine.helper else frozenset(), ())


def offer(id: str, offers: frozenset[str], refused: Sequence[Planned]) -> Planned:
    """What the helper would do in place of actions that are refused; where it cannot, their own words.

    Args:
        id: the helper's id.
        offers: what the helper of this computer does.
        refused: the plans that were refused without it.
    """
    if id not in offers:
        return next((one for one in refused if one.refused), Planned(refused=NOT_HERE))
    return Planned(steps=(_step(id),), undo=DEEDS[id].undo)


def accepts(step: Step, option: str, machine: Machine) -> str:
    """As `Action.accepts`: exactly the fix's own id, and only what this helper offers."""
    if option not in DEEDS or step != _step(option):
        return "This step asks for something else than this fix does."
    return "" if machine.helper and option in machine.helper.offers() else NOT_HERE


async def execute(step: Step, machine: Machine, say: Say) -> str:
    """Has it done, and waits."""
    if machine.helper is None:
        raise ActionFault(NOT_HERE)
    id = step.parameters["id"]
    deed = DEEDS[id]
    say("Waiting until the system has done it. It may ask you for a password first.")
    return await _call(machine.helper, id, deed.parameters, deadline_s=deed.deadline_s)


def undo_of(step: Step) -> dict[str, str]:
    """What takes the step back, where something does."""
    deed = DEEDS.get(step.parameters["id"])
    return {"id": deed.back} if deed is not None and deed.back else {}


async def undo(state: dict[str, str], machine: Machine) -> str:
    """Takes it back, by the helper too."""
    known = {deed.back for deed in DEEDS.values() if deed.back}
    if machine.helper is None or state.get("id") not in known:
        raise ActionFault(NOT_HERE)
    return await _call(machine.helper, state["id"], {}, deadline_s=BACK_S)


async def _call(helper: Privileged, id: str, parameters: dict[str, str], *, deadline_s: float) -> str:
    try:
        return await helper.call(id, parameters, deadline_s=deadline_s)
    except TimeoutError:
        raise
    except OSError as error:
        raise ActionFault(
            "Deskside's helper for such things did not answer, so it is not known whether it was done.",
            hint="Check whether the problem is still there, and ask your IT department if it is.",
        ) from error


def _step(id: str) -> Step:
    deed = DEEDS[id]
    return Step(
        action=NAME,
        parameters={"id": id, **deed.parameters},
        words=deed.words,
        details=(*deed.details, "Deskside's helper does it with an administrator's rights, and writes it down."),
    )


ACTION: Final = Action(name=NAME, plan=plan, accepts=accepts, execute=execute, undo_of=undo_of, undo=undo)
