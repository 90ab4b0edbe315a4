"""Print jobs and the default printer, on a real CUPS; on other systems as plans."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.errors import ActionFault
from client.fixes.actions import default_printer, print_jobs
from client.fixes.machine import Completed, Local
from tests.servers.cups import Cups


@pytest.fixture(scope="module")
def cups() -> Iterator[Cups]:
    folder = Path(tempfile.mkdtemp(prefix="dc-"))  # pytest's folders are too long for a socket
    folder.chmod(0o755)
    try:
        with Cups(folder) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def here(cups: Cups, tmp_path: Path) -> Local:
    """The real machine, with this CUPS and a home of its own."""
    machine = Local(state=tmp_path / "state")
    machine.environment = {**cups.environment, "HOME": str(tmp_path)}
    machine.home = tmp_path
    return machine


def plan(action, machine):
    return asyncio.run(action.plan("", machine))


def execute(action, machine, step):
    assert action.accepts(step, "", machine) == ""
    return asyncio.run(action.execute(step, machine, lambda _: None))


def test_stuck_jobs_of_a_paused_printer_are_removed_and_it_prints_again(cups: Cups, here: Local) -> None:
    cups.do("cupsdisable", "-r", "out of paper", "Office")
    cups.do("lp", "-d", "Office", given="one")
    cups.do("lp", "-d", "Office", given="two")
    planned = plan(print_jobs, here)
    assert [step.words for step in planned.steps] == [
        "Remove what you have sent to Office and what is not printed yet: 2 jobs.",
        "Let Office print again.",
    ]
    assert planned.steps[1].details == ("It is paused: out of paper",)
    assert execute(print_jobs, here, planned.steps[0]) == "2 print jobs removed from Office."
    assert cups.do("lpstat", "-W", "not-completed", "-o") == ""
    assert execute(print_jobs, here, planned.steps[1]) == "Office prints again."
    assert "printer Office is idle" in cups.do("lpstat", "-p", "Office")
    assert execute(print_jobs, here, planned.steps[0]) == "Your jobs have ended by themselves."
    assert plan(print_jobs, here).refused == print_jobs.NO_JOBS


def test_another_default_printer_and_back(cups: Cups, here: Local) -> None:
    before = "Dest Hall media=a4\nDefault Hall sides=two-sided\n"
    file = here.home / ".cups" / "lpoptions"
    file.parent.mkdir()
    file.write_text(before)
    planned = plan(default_printer, here)
    step = next(one for one in planned.steps if one.parameters["printer"] == "Office")
    assert execute(default_printer, here, step) == "Office is your default printer now."
    assert cups_default(cups, here) == "Office"
    assert "sides=two-sided" in file.read_text()
    asyncio.run(default_printer.undo(default_printer.undo_of(step), here))
    assert file.read_text() == before


def test_without_a_file_undo_takes_the_file_away_again(cups: Cups, here: Local) -> None:
    step = plan(default_printer, here).steps[0]
    execute(default_printer, here, step)
    file = here.home / ".cups" / "lpoptions"
    assert file.exists()
    asyncio.run(default_printer.undo(default_printer.undo_of(step), here))
    assert not file.exists()


def test_a_default_that_changed_meanwhile_is_left_alone(cups: Cups, here: Local) -> None:
    step = plan(default_printer, here).steps[0]
    file = here.home / ".cups" / "lpoptions"
    file.parent.mkdir()
    file.write_text("Default Elsewhere\n")
    with pytest.raises(ActionFault, match="has changed"):
        execute(default_printer, here, step)
    assert file.read_text() == "Default Elsewhere\n"


def cups_default(cups: Cups, here: Local) -> str:
    done = asyncio.run(here.run((here.which("lpstat") or "", "-d"), deadline_s=10))
    return default_printer.default_of(done.out)


# --- elsewhere, and what is not accepted


def test_jobs_of_others_are_in_no_plan(machine) -> None:
    machine.installed = {"lpstat", "cancel", "id"}
    machine.answers["id", "-un"] = "robin\n"
    machine.answers["lpstat", "-W", "not-completed", "-o"] = (
        "Office-1 robin 1024 Mon\nOffice-2 kim 2048 Mon\nA-B-3 robin 5 x\nbroken\n"
    )
    steps = plan(print_jobs, machine).steps
    assert [step.parameters["jobs"] for step in steps] == ["A-B-3", "Office-1"]


@pytest.mark.parametrize(
    "change",
    [
        {"queue": "Office; rm"},
        {"jobs": "Hall-1"},
        {"jobs": "Office-1 --all"},
        {"jobs": ""},
        {"queue": "../x", "jobs": "../x-1"},
        {"more": "x"},
    ],
)
def test_a_step_that_was_changed_is_not_accepted(machine, change) -> None:
    machine.installed = {"lpstat", "cancel", "id"}
    machine.answers["id", "-un"] = "robin\n"
    machine.answers["lpstat", "-W", "not-completed", "-o"] = "Office-1 robin 1024 Mon\n"
    (step,) = plan(print_jobs, machine).steps
    assert print_jobs.accepts(step, "", machine) == ""
    import msgspec

    assert print_jobs.accepts(msgspec.structs.replace(step, parameters={**step.parameters, **change}), "", machine)


def test_on_windows_the_way_is_said(tmp_path, pretended) -> None:
    assert "printer settings" in plan(print_jobs, pretended(tmp_path / "home", "win32")).refused


def test_windows_default_printer_is_set_and_put_back(tmp_path, pretended) -> None:
    machine = pretended(tmp_path / "home", "win32")
    machine.installed = {"reg"}
    devices = f"{default_printer.DEVICES}\r\n"
    machine.answers["reg", "query", default_printer.DEVICES] = (
        f"HKEY_CURRENT_USER\\x {devices}    Hall    REG_SZ    winspool,Ne00:\r\n    Office 2    REG_SZ    winspool,Ne01:\r\n"
    )
    now = "HKEY_CURRENT_USER\\y\r\n    Device    REG_SZ    Hall,winspool,Ne00:\r\n"
    machine.answers["reg", "query", default_printer.WINDOWS] = now
    (step,) = plan(default_printer, machine).steps
    assert step.words == "Make Office 2 your default printer."
    assert "Office 2 is your default" in execute(default_printer, machine, step)
    written = [words for words in machine.ran if words[1] == "add"]
    assert written[-1][-2:] == ("Office 2,winspool,Ne01:", "/f")
    machine.answers["reg", "query", default_printer.WINDOWS] = now.replace("Hall,winspool,Ne00:", "Office 2,x") + (
        "    LegacyDefaultPrinterMode    REG_DWORD    0x1\r\n"
    )
    machine.ran.clear()
    asyncio.run(default_printer.undo(default_printer.undo_of(step), machine))
    assert (
        "reg",
        "add",
        default_printer.WINDOWS,
        "/v",
        "Device",
        "/t",
        "REG_SZ",
        "/d",
        "Hall,winspool,Ne00:",
        "/f",
    ) in machine.ran
    assert ("reg", "delete", default_printer.WINDOWS, "/v", "LegacyDefaultPrinterMode", "/f") in machine.ran


def test_a_printer_that_may_not_be_resumed_is_said(machine) -> None:
    machine.installed = {"cupsenable"}
    machine.answers["cupsenable",] = Completed(code=1, err="Forbidden")
    step = print_jobs._resume("Office", "")
    with pytest.raises(ActionFault, match="only an administrator"):
        execute(print_jobs, machine, step)
