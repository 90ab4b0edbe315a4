"""IT's scripts: run as the employee, taken back, and never from a place that somebody else could write to."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from client.errors import ActionFault, UsageError
from client.fixes import it_scripts
from client.fixes.actions import run_script
from client.fixes.execute import Fixes
from client.fixes.it_scripts import load
from client.fixes.machine import Completed, Local, Policy
from client.model import FixResult

MANIFEST = """
title = "Connect the team's drives"
summary = "Helps when the drives are missing."
words = "Connects the drives of your team again."
run = "drives.sh"
undo = "drives-undo.sh"
checks = ["service"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the administrator, who is whoever runs the tests."""
    monkeypatch.setattr(it_scripts, "OWNER", os.getuid())
    folder = tmp_path / "etc" / "scripts"
    folder.mkdir(parents=True)
    put(folder / "drives.toml", MANIFEST)
    put(
        folder / "drives.sh",
        'echo first\necho "Connected as $USER." > "$HOME/drives"\necho "The drives are connected."\n',
    )
    put(folder / "drives-undo.sh", 'rm "$HOME/drives"\n')
    return folder


def put(path: Path, text: str, mode: int = 0o644) -> None:
    path.write_text(text)
    path.chmod(mode)


@pytest.fixture
def here(folder: Path, tmp_path: Path) -> Local:
    machine = Local(state=tmp_path / "state", policy=Policy(scripts=str(folder)))
    machine.root, machine.home = tmp_path, tmp_path
    machine.environment = {"HOME": str(tmp_path), "USER": "robin", "DESKSIDE_TOKEN": "geheim", "LD_PRELOAD": "/evil.so"}
    return machine


def fixes(machine, tmp_path: Path, report) -> Fixes:
    async def check(ids):
        del ids
        return report(("service.company", "ok"))

    return Fixes(
        folder=tmp_path / "data", allowed=("*",), check=check,
        last_report=lambda: report(("service.company", "failed")), machine=machine,
    )  # fmt: skip


def problems(folder: Path, root: Path) -> str:
    found, said = load(str(folder), platform="linux", root=root)
    assert found == {}
    return " ".join(said)


def test_a_script_is_a_fix_with_its_proof_and_its_undo(here: Local, tmp_path: Path, report) -> None:
    desk = fixes(here, tmp_path, report)
    assert ("it.drives", "Connect the team's drives", "Helps when the drives are missing.") in desk.list()

    async def whole():
        plan = await desk.plan("it.drives")
        assert plan.steps[0].words == "Connects the drives of your team again."
        assert plan.undo == "IT's script takes it back."
        return await desk.run(plan)

    outcome = asyncio.run(whole())
    assert outcome.result is FixResult.HELPED
    assert "The drives are connected." in outcome.words
    assert (tmp_path / "drives").read_text() == "Connected as robin.\n"
    asyncio.run(desk.undo(outcome.id))
    assert not (tmp_path / "drives").exists()


def test_it_knows_nothing_of_deskside_and_nothing_that_was_slipped_in(
    folder: Path, here: Local, tmp_path: Path
) -> None:
    put(folder / "drives.sh", 'env > "$HOME/seen"\n')
    step = asyncio.run(run_script.plan("drives", here)).steps[0]
    asyncio.run(run_script.execute(step, here, lambda _: None))
    seen = (tmp_path / "seen").read_text()
    assert "geheim" not in seen
    assert "evil" not in seen
    assert f"HOME={tmp_path}" in seen


def test_a_script_that_fails_says_its_last_line(folder: Path, here: Local) -> None:
    put(folder / "drives.sh", "echo 'The server \x1b[31mdoes not answer.'\nexit 3\n")
    step = asyncio.run(run_script.plan("drives", here)).steps[0]
    with pytest.raises(ActionFault, match="does not answer") as error:
        asyncio.run(run_script.execute(step, here, lambda _: None))
    assert "\x1b" not in error.value.message
    put(folder / "drives.sh", "exit 3\n")
    step = asyncio.run(run_script.plan("drives", here)).steps[0]
    with pytest.raises(ActionFault, match=r"did not work \(3\)"):
        asyncio.run(run_script.execute(step, here, lambda _: None))


def test_a_script_that_hangs_is_ended(folder: Path, here: Local) -> None:
    put(folder / "drives.toml", MANIFEST + "deadline_s = 0.3\n")
    put(folder / "drives.sh", "sleep 60\n")
    step = asyncio.run(run_script.plan("drives", here)).steps[0]
    with pytest.raises(TimeoutError):
        asyncio.run(run_script.execute(step, here, lambda _: None))


def test_a_script_that_changed_since_the_plan_is_not_run(folder: Path, here: Local, tmp_path: Path) -> None:
    step = asyncio.run(run_script.plan("drives", here)).steps[0]
    put(folder / "drives.sh", 'touch "$HOME/evil"\n')
    assert run_script.accepts(step, "drives", here) == run_script.GONE
    with pytest.raises(ActionFault, match="has changed"):
        asyncio.run(run_script.execute(step, here, lambda _: None))
    assert not (tmp_path / "evil").exists()


# --- whom it is trusted from


@pytest.mark.parametrize("name", ["drives.sh", "drives.toml", "."])
@pytest.mark.parametrize("mode", [0o664, 0o646, 0o777])
def test_what_others_can_write_to_is_not_used(folder: Path, tmp_path: Path, name: str, mode: int) -> None:
    (folder / name).chmod(mode | (0o111 if name == "." else 0))
    assert "can be written by others" in problems(folder, tmp_path)


def test_a_folder_above_that_others_can_write_to_is_as_bad(folder: Path, tmp_path: Path) -> None:
    folder.parent.chmod(0o777)
    assert "can be written by others" in problems(folder, tmp_path)


def test_what_belongs_to_somebody_else_is_not_used(folder: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(it_scripts, "OWNER", os.getuid() + 1)
    assert "can be written by others" in problems(folder, tmp_path)


@pytest.mark.parametrize("name", ["drives.sh", "drives.toml"])
def test_a_link_is_not_followed(folder: Path, tmp_path: Path, name: str) -> None:
    real = tmp_path / "elsewhere"
    (folder / name).rename(real)
    (folder / name).symlink_to(real)
    assert "is a link" in problems(folder, tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (MANIFEST.replace('"drives.sh"', '"../../bin/evil.sh"'), "must name a .sh file beside it"),
        (MANIFEST.replace('"drives.sh"', '"/bin/sh"'), "must name a .sh file beside it"),
        (MANIFEST.replace('"drives.sh"', '"drives.py"'), "must name a .sh file beside it"),
        (MANIFEST.replace('"drives.sh"', '"missing.sh"'), "no such file"),
        (MANIFEST.replace("title", "titel"), "unknown field"),
        (MANIFEST + "deadline_s = 1e9\n", "Expected"),
        (MANIFEST + 'details = ["a\\nb"]\n', "Expected"),
        ("title = ", "Invalid"),
        ("", "missing required field"),
    ],
)
def test_a_wrong_manifest_is_named_and_stops_no_other(folder: Path, tmp_path: Path, text: str, words: str) -> None:
    put(folder / "other.toml", MANIFEST)
    put(folder / "drives.toml", text)
    found, said = load(str(folder), platform="linux", root=tmp_path)
    assert list(found) == ["other"]
    assert len(said) == 1
    assert words.lower() in said[0].lower()


def test_a_name_that_could_be_something_else_is_not_used(folder: Path, tmp_path: Path) -> None:
    (folder / "drives.toml").rename(folder / "Drives x.toml")
    assert "small letters" in problems(folder, tmp_path)


@pytest.mark.parametrize("folder", ["relative/path", "/etc/../tmp", "/nonexistent/scripts"])
def test_a_folder_that_is_none_is_said_once(tmp_path: Path, folder: str) -> None:
    assert "are not used" in problems(Path(folder), Path("/"))


def test_without_a_folder_there_is_nothing(tmp_path: Path) -> None:
    assert load("", platform="linux", root=tmp_path) == ({}, ())


def test_scripts_for_other_systems_are_passed_over(folder: Path, tmp_path: Path) -> None:
    put(folder / "drives.toml", MANIFEST + 'platforms = ["windows"]\n')
    put(folder / "win.toml", MANIFEST.replace("drives.sh", "drives.ps1").replace("drives-undo.sh", "x.ps1"))
    assert load(str(folder), platform="linux", root=tmp_path) == ({}, ())


def test_on_windows_a_folder_that_the_employee_can_write_to_is_not_used(folder: Path, tmp_path: Path) -> None:
    found, said = load(str(folder), platform="win32", root=tmp_path)
    assert found == {}
    assert "can be written by you" in said[0]
    assert not list(folder.glob(".deskside-*"))


def test_on_windows_powershell_runs_it(folder: Path, tmp_path: Path, pretended, monkeypatch) -> None:
    monkeypatch.setattr(it_scripts, "_may_write", lambda _: False)
    put(folder / "drives.toml", MANIFEST.replace(".sh", ".ps1"))
    put(folder / "drives.ps1", "")
    put(folder / "drives-undo.ps1", "")
    machine = pretended(tmp_path / "home", "win32", SYSTEMROOT=r"C:\Windows")
    machine.root, machine.policy = tmp_path, Policy(scripts=str(folder))
    machine.answers[()] = Completed(code=0, out="Connected.\r\n")
    step = asyncio.run(run_script.plan("drives", machine)).steps[0]
    assert asyncio.run(run_script.execute(step, machine, lambda _: None)) == "Connected."
    assert machine.ran[0][1:4] == ("-NoProfile", "-NonInteractive", "-ExecutionPolicy")


def test_a_forged_step_is_not_accepted(here: Local, tmp_path: Path, report) -> None:
    desk = fixes(here, tmp_path, report)

    async def forged():
        plan = await desk.plan("it.drives")
        step = msgspec.structs.replace(plan.steps[0], parameters={**plan.steps[0].parameters, "script": "other"})
        await desk.run(msgspec.structs.replace(plan, steps=(step,)))

    with pytest.raises(ActionFault):
        asyncio.run(forged())
    with pytest.raises(UsageError, match="no fix"):
        asyncio.run(desk.plan("it.nothing"))
