"""Makes another printer this user's own default.

CUPS: the line `Default NAME` of the user's `.cups/lpoptions` (lpoptions(1)), written whole. Windows: the user's own value in the
registry, which also switches off that Windows changes it by itself.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from client.errors import ActionFault
from client.fixes import aside, registry
from client.fixes.actions.print_jobs import NO_CUPS, QUEUE
from client.fixes.command import ask, must
from client.fixes.machine import Machine
from client.fixes.plan import Action, Planned, Say, printable
from client.fixes.registry import Value
from client.model import Step

DEVICES: Final = r"HKCU\Software\Microsoft\Windows NT\CurrentVersion\Devices"
WINDOWS: Final = r"HKCU\Software\Microsoft\Windows NT\CurrentVersion\Windows"
NAMES: Final = ("Device", "LegacyDefaultPrinterMode")
LARGEST: Final = 64 * 1024
FAILED: Final = "This computer did not let us change your default printer."
MISSING: Final = "-"  # how the undo state writes that there was no file


async def plan(_option: str, machine: Machine) -> Planned:
    """One step for each printer that is not the default; the employee chooses one."""
    if machine.platform == "win32":
        ports = registry.parsed(await ask(machine, "reg", "query", DEVICES))
        now = (
            registry.parsed(await ask(machine, "reg", "query", WINDOWS)).get("Device", Value("", "")).data.split(",")[0]
        )
        before = "\n".join(_windows_state(registry.parsed(await ask(machine, "reg", "query", WINDOWS))))
        steps = [
            _step(name, now, before, value.data)
            for name, value in sorted(ports.items())
            if name != now and _shown(name)
        ]
    else:
        if machine.which("lpstat") is None:
            return Planned(refused=NO_CUPS)
        queues = queues_of(await ask(machine, "lpstat", "-e"))
        now = default_of(await ask(machine, "lpstat", "-d"))
        before = _content(machine)
        steps = [_step(name, now, before, "") for name in queues if name != now]
    if not steps:
        return Planned(refused="There is no other printer on this computer that could be your default.")
    only = len(steps) == 1
    return Planned(
        steps=tuple(replace(step, picked=only) for step in steps),
        undo="The default printer is the one of before.",
        choice="one",
    )


def accepts(step: Step, _option: str, machine: Machine) -> str:
    """As `Action.accepts`: a printer's name, and the state that undo needs."""
    values = step.parameters
    if values.keys() != {"printer", "now", "before", "port"}:
        return "This step cannot be read."
    name = values["printer"]
    if not (_shown(name) if machine.platform == "win32" else QUEUE.fullmatch(name)):
        return "This step names no printer."
    made = _step(name, values["now"], values["before"], values["port"])
    return "" if step == replace(made, picked=step.picked) else "This step does not do what it says."


async def execute(step: Step, machine: Machine, _say: Say) -> str:
    """Sets it, if what was set before still is."""
    name, before = step.parameters["printer"], step.parameters["before"]
    if machine.platform == "win32":
        now = registry.parsed(await ask(machine, "reg", "query", WINDOWS))
        if "\n".join(_windows_state(now)) != before:
            raise ActionFault("Your default printer has changed since you looked.", hint="Look at the plan again.")
        device = f"{name},{step.parameters['port']}"
        await must(
            machine,
            "reg",
            *registry.setting(WINDOWS, "LegacyDefaultPrinterMode", Value("REG_DWORD", "0x1")),
            failed=FAILED,
        )
        await must(machine, "reg", *registry.setting(WINDOWS, "Device", Value("REG_SZ", device)), failed=FAILED)
    else:
        if _content(machine) != before:
            raise ActionFault("Your default printer has changed since you looked.", hint="Look at the plan again.")
        old = b"" if before == MISSING else base64.b64decode(before)
        aside.write_whole(_file(machine), with_default(old.decode("utf-8", "surrogateescape"), name), mode=0o644)
    return f"{name} is your default printer now."


def undo_of(step: Step) -> dict[str, str]:
    """What was set before."""
    return {"before": step.parameters["before"]}


async def undo(state: dict[str, str], machine: Machine) -> str:
    """Puts the file or the values back as they were."""
    before = state.get("before", "")
    if machine.platform == "win32":
        lines = (line.split("\t") for line in before.split("\n") if line)
        values = {name: Value(kind, data) for name, kind, data in lines if name in NAMES}
        now = registry.parsed(await ask(machine, "reg", "query", WINDOWS))
        for words in registry.restoring(WINDOWS, NAMES, values, now):
            await must(machine, "reg", *words, failed="Your default printer could not be put back.")
    elif before == MISSING:
        _file(machine).unlink(missing_ok=True)
    else:
        aside.write_whole(_file(machine), base64.b64decode(before, validate=True), mode=0o644)
    return "Your default printer is the one of before."


def queues_of(output: str) -> tuple[str, ...]:
    """The printers in the output of `lpstat -e`, one a line."""
    return tuple(dict.fromkeys(line.strip() for line in output.splitlines() if QUEUE.fullmatch(line.strip())))


def default_of(output: str) -> str:
    """The printer in the output of `lpstat -d`, empty where there is none."""
    head, _, name = output.partition(":")
    return name.strip() if head.strip() == "system default destination" else ""


def with_default(content: str, name: str) -> bytes:
    """The content of an lpoptions file with another default: its options stay, the old default is a printer like others."""
    lines = []
    mine = f"Default {name}"
    for line in content.splitlines():
        word, _, rest = line.partition(" ")
        printer, _, options = rest.partition(" ")
        if word.lower() not in {"default", "dest"}:
            lines.append(line)
        elif printer == name:
            mine = f"Default {rest}"
        elif word.lower() == "default":
            lines += [f"Dest {rest}"] if options else []
        else:
            lines.append(line)
    return "".join(f"{line}\n" for line in [*lines, mine]).encode("utf-8", "surrogateescape")


def _file(machine: Machine) -> Path:
    return machine.home / ".cups" / "lpoptions"


def _content(machine: Machine) -> str:
    """The file as the undo state writes it."""
    try:
        if os.path.islink(_file(machine)):  # noqa: PTH114 -- a link may lead to somebody else's file
            raise OSError("the file of your printers is a link")
        data = _file(machine).read_bytes()
    except FileNotFoundError:
        return MISSING
    if len(data) > LARGEST:
        raise OSError("the file of your printers is too large")
    return base64.b64encode(data).decode()


def _windows_state(found: dict[str, Value]) -> list[str]:
    return [f"{name}\t{found[name].type}\t{found[name].data}" for name in NAMES if name in found]


def _shown(name: str) -> bool:
    return 0 < len(name) <= 220 and name.isprintable() and "," not in name  # noqa: PLR2004 -- the longest that Windows allows


def _step(name: str, now: str, before: str, port: str) -> Step:
    return Step(
        action="default_printer",
        parameters={"printer": name, "now": now, "before": before, "port": port},
        words=f"Make {printable(name)} your default printer.",
        details=(f"Now it is {printable(now)}.",) if now else ("Now there is none.",),
    )


ACTION: Final = Action(name="default_printer", plan=plan, accepts=accepts, execute=execute, undo_of=undo_of, undo=undo)
