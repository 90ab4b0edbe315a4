"""Removes this user's own print jobs that hang, and lets their queue print again where this user may (CUPS: Linux and macOS).

Windows keeps the jobs of everybody in one service; there the privileged helper restarts it.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from client.fixes.command import ask, must
from client.fixes.machine import Machine
from client.fixes.plan import Action, Planned, Say, counted, printable
from client.model import Step

QUEUE: Final = re.compile(
    r"[A-Za-z0-9_][^\s/#'\"?\\\x00-\x1f\x7f]{0,126}"
)  # lpadmin(8) allows no blanks, slashes, quotes, "#"
JOB: Final = re.compile(r"(?P<queue>.+)-(?P<number>[0-9]{1,9})")
NO_CUPS: Final = "Deskside cannot see the print jobs of this computer (there is no CUPS)."
ON_WINDOWS: Final = (
    "On Windows open the printer settings, choose the printer and its queue, and cancel your documents there. Where they do not"
    " go away, your IT department restarts the print service."
)
NO_JOBS: Final = "Nothing of yours waits to be printed."
PAUSED: Final = "It is paused: "
PATIENCE_S: Final = 15.0


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job that is not printed yet: "Office-12" is the twelfth of the queue "Office"."""

    id: str
    owner: str
    bytes: int
    since: str

    @property
    def queue(self) -> str:
        """The queue that it waits in."""
        return self.id.rpartition("-")[0]


async def plan(_option: str, machine: Machine) -> Planned:
    """One step for each queue with jobs of this user, and one for each such queue that is paused; each can be left out."""
    if machine.platform == "win32":
        return Planned(refused=ON_WINDOWS)
    if machine.which("lpstat") is None or machine.which("cancel") is None:
        return Planned(refused=NO_CUPS)
    me = await _user(machine)
    mine = [job for job in jobs(await ask(machine, "lpstat", "-W", "not-completed", "-o")) if job.owner == me]
    if not mine:
        return Planned(refused=NO_JOBS)
    paused = paused_queues(await ask(machine, "lpstat", "-p"))
    steps = []
    for queue in sorted({job.queue for job in mine}):
        here = tuple(job for job in mine if job.queue == queue)
        steps.append(_cancel(queue, tuple(job.id for job in here), tuple(_told(job) for job in here)))
        if queue in paused:
            steps.append(_resume(queue, paused[queue]))
    return Planned(steps=tuple(steps), choice="some")


def accepts(step: Step, _option: str, _machine: Machine) -> str:
    """As `Action.accepts`: jobs of one queue, named as CUPS names them."""
    values = step.parameters
    queue = values.get("queue", "")
    if not QUEUE.fullmatch(queue):
        return "This step names no printer."
    if values.keys() == {"queue"}:
        why = step.details[0].removeprefix(PAUSED) if step.details else ""
        return "" if step == _resume(queue, why) else "This step does not do what it says."
    ids = tuple(values.get("jobs", "").split(" "))
    matches = [JOB.fullmatch(id) for id in ids]
    if values.keys() != {"queue", "jobs"} or not all(match and match["queue"] == queue for match in matches):
        return "This step names something that is no print job."
    return "" if step == _cancel(queue, ids, step.details) else "This step does not do what it says."


async def execute(step: Step, machine: Machine, _say: Say) -> str:
    """Cancels the jobs that are still this user's and not printed yet, or lets the queue go on."""
    queue = step.parameters["queue"]
    if "jobs" not in step.parameters:
        await must(
            machine,
            "cupsenable",
            queue,
            failed=f"The printer {queue} is paused, and only an administrator may let it go on.",
            hint="Ask your IT department.",
            deadline_s=PATIENCE_S,
        )
        return f"{queue} prints again."
    me = await _user(machine)
    waiting = jobs(await ask(machine, "lpstat", "-W", "not-completed", "-o"))
    still = {job.id for job in waiting if job.owner == me}
    asked = step.parameters["jobs"].split(" ")
    mine = [id for id in asked if id in still]
    if not mine:
        return "Your jobs have ended by themselves."
    await must(
        machine, "cancel", *mine, failed=f"The printer {queue} did not let go of your jobs.", deadline_s=PATIENCE_S
    )
    return f"{counted(len(mine), 'print job')} removed from {queue}."


def jobs(output: str) -> tuple[Job, ...]:
    """The jobs in the output of `lpstat -o`: id, owner, bytes, and the date in the language of the service."""
    found = []
    for line in output.splitlines():
        fields = line.split(maxsplit=3)
        if len(fields) >= 3 and fields[2].isdecimal() and JOB.fullmatch(fields[0]):  # noqa: PLR2004 -- three that count
            found.append(
                Job(id=fields[0], owner=fields[1], bytes=int(fields[2]), since=fields[3] if fields[3:] else "")
            )
    return tuple(found)


def paused_queues(output: str) -> dict[str, str]:
    """The queues that print nothing, with their reason, in the output of `lpstat -p` (its words are asked for in English)."""
    found = {}
    lines = output.splitlines()
    for number, line in enumerate(lines):
        match = re.match(r"printer (\S+) disabled since ", line)
        if match:
            reason = (
                lines[number + 1].strip() if lines[number + 1 : number + 2] and lines[number + 1][:1].isspace() else ""
            )
            found[match[1]] = printable(reason)[:120]
    return found


async def _user(machine: Machine) -> str:
    return (await ask(machine, "id", "-un")).strip()


def _told(job: Job) -> str:
    return printable(f"{job.id}  {job.since}")


def _cancel(queue: str, ids: tuple[str, ...], details: tuple[str, ...]) -> Step:
    return Step(
        action="print_jobs",
        parameters={"queue": queue, "jobs": " ".join(ids)},
        words=f"Remove what you have sent to {queue} and what is not printed yet: {counted(len(ids), 'job')}.",
        details=details,
    )


def _resume(queue: str, why: str) -> Step:
    return Step(
        action="print_jobs",
        parameters={"queue": queue},
        words=f"Let {queue} print again.",
        details=(f"{PAUSED}{why}",) if why else (),
    )


ACTION: Final = Action(name="print_jobs", plan=plan, accepts=accepts, execute=execute)
