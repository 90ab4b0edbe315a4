"""Commands as actions use them: one that answers a question, and one that must work."""

from __future__ import annotations

from typing import Final

from client.errors import ActionFault
from client.fixes.machine import Completed, Machine

ASK_S: Final = 5.0
DO_S: Final = 30.0


async def ask(machine: Machine, program: str, *words: str, deadline_s: float = ASK_S) -> str:
    """What a program answers; empty where it is missing or says that it cannot.

    Raises:
        OSError, TimeoutError: as `Machine.run`.
    """
    path = machine.which(program)
    if path is None:
        return ""
    done = await machine.run((path, *words), deadline_s=deadline_s)
    return "" if done.code else done.out


async def must(
    machine: Machine, program: str, *words: str, failed: str, hint: str = "", deadline_s: float = DO_S
) -> Completed:
    """Runs a program that has to work.

    Args:
        failed: what to say where it does not, in a sentence.

    Raises:
        ActionFault: it is missing, or ended with a fault.
        OSError, TimeoutError: as `Machine.run`.
    """
    path = machine.which(program)
    if path is None:
        raise ActionFault(f"The program {program} is not there any more.")
    done = await machine.run((path, *words), deadline_s=deadline_s)
    if done.code:
        raise ActionFault(failed, hint=hint)
    return done
