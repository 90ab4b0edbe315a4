"""`deskside fix` with a stand-in for the machine: consent, exit codes, and what is shown before and after."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
import pytest

from client.cli import fix
from client.cli.root import run
from client.errors import UsageError
from client.model import FixOutcome, FixPlan, FixResult, Step
from client.settings.layers import Loaded
from diagnostics.model import Finding, Status

PLAN = FixPlan(
    fix="disk.free_space",
    title="Free up disk space",
    summary="Removes copies.",
    steps=(Step(action="remove", words="Empties a cache.", details=("/home/a/.cache/x  1.2 GB\x1b[31m",)),),
    checks=("disk.space",),
    gain_bytes=1_234_000_000,
)


def finding(status: Status) -> Finding:
    return Finding(check="disk.space", area="disk", status=status, summary="")


def outcome(result: FixResult, *, can_undo: bool = False) -> FixOutcome:
    return FixOutcome(
        id="o1",
        fix=PLAN.fix,
        title=PLAN.title,
        result=result,
        words="This is how it went.",
        started_at=datetime(2026, 1, 31, 9, tzinfo=UTC),
        before=(finding(Status.FAILED),),
        after=(finding(Status.OK),),
        can_undo=can_undo,
    )


class StandIn:
    """The part of the app that `deskside fix` uses."""

    def __init__(self, *, result: FixResult = FixResult.HELPED, plan: FixPlan = PLAN) -> None:
        self.done: list[str] = []
        self.result, self.made = result, plan
        self.settings = Loaded()
        self.paths = type("Paths", (), {"log": None})()

    def fixes(self) -> tuple[tuple[str, str, str], ...]:
        return ((PLAN.fix, PLAN.title, PLAN.summary),)

    def script_problems(self) -> tuple[str, ...]:
        return ("IT's script x is not used: it is a link.",)

    def journal(self) -> tuple[FixOutcome, ...]:
        return (outcome(FixResult.HELPED, can_undo=True),)

    async def plan(self, _: str) -> FixPlan:
        return self.made

    async def fix(self, plan: FixPlan, *, progress: Callable[[str], None]) -> FixOutcome:
        progress(plan.steps[0].words)
        self.done.append(plan.fix)
        return outcome(self.result)

    async def undo(self, id: str) -> FixOutcome:
        self.done.append(f"undo {id}")
        return outcome(FixResult.UNDONE)

    async def close(self) -> None:
        pass


@pytest.fixture
def fixes(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.setattr("client.cli.session.start_logging", lambda *_, **__: None)

    def call(app: StandIn, *words: str) -> tuple[int, str, str]:
        made: Any = app
        code = run(["fix", *words], show_tray=lambda *_, **__: 0, make_app=lambda _: made)
        return (code, *capfd.readouterr())

    return call


CODES = {
    FixResult.HELPED: 0,
    FixResult.DONE: 0,
    FixResult.NO_CHANGE: 1,
    FixResult.FAILED: 3,
    FixResult.CANCELLED: 1,
    FixResult.INTERRUPTED: 3,
    FixResult.UNDONE: 0,
}


@pytest.mark.parametrize("result", FixResult)
def test_the_exit_code_follows_the_proof(fixes: Any, result: FixResult) -> None:
    app = StandIn(result=result)
    code, out, err = fixes(app, "run", PLAN.fix, "--yes")
    assert code == CODES[result]
    assert app.done == [PLAN.fix]
    assert "This is how it went." in out
    assert "disk.space: failed, now ok" in out
    assert err == "Empties a cache.\n"


def test_a_plan_shows_what_is_touched_and_whether_it_can_be_undone(fixes: Any) -> None:
    app = StandIn()
    code, out, _ = fixes(app, "plan", PLAN.fix)
    assert code == 0
    assert app.done == []
    assert out.splitlines() == [
        "Free up disk space",
        "Removes copies.",
        "1. Empties a cache.",
        "     /home/a/.cache/x  1.2 GB�[31m",
        "Frees 1.2 GB.",
        "Afterwards 1 check will show whether it helped.",
        "This cannot be undone.",
    ]


CHOICE = msgspec.structs.replace(
    PLAN,
    steps=tuple(
        Step(action="remove", words=f"Move {name}.", picked=False, gain_bytes=count)
        for name, count in (("a", 1), ("b", 2))
    ),
    choice="some",
)


@pytest.mark.parametrize(
    ("steps", "done"), [(("--step", "2"), ["Move b."]), (("--step", "1", "--step", "2"), ["Move a.", "Move b."])]
)
def test_only_the_steps_that_were_chosen_are_done(fixes: Any, steps: tuple[str, ...], done: list[str]) -> None:
    app = StandIn(plan=CHOICE)
    code, out, _ = fixes(app, "run", PLAN.fix, "--yes", "--json", *steps)
    assert code == 0
    assert [one["words"] for one in msgspec.json.decode(out)["plan"]["steps"]] == done


@pytest.mark.parametrize("steps", [(), ("--step", "3"), ("--step", "0")])
def test_without_a_proper_choice_nothing_is_done(fixes: Any, steps: tuple[str, ...]) -> None:
    app = StandIn(plan=CHOICE)
    with pytest.raises((UsageError, click.UsageError)):
        fixes(app, "run", PLAN.fix, "--yes", *steps)
    assert app.done == []


def test_a_plan_with_a_choice_shows_what_is_suggested(fixes: Any) -> None:
    _, out, _ = fixes(StandIn(plan=CHOICE), "plan", PLAN.fix)
    assert "1. [ ] Move a." in out
    assert "Choose what shall be done: --step N." in out


def test_a_plan_that_is_refused_is_not_run(fixes: Any) -> None:
    app = StandIn(plan=msgspec.structs.replace(PLAN, refused="There is nothing to clear."))
    for words in (("plan", PLAN.fix), ("run", PLAN.fix, "--yes"), ("run", PLAN.fix, "--yes", "--json")):
        code, out, _ = fixes(app, *words)
        assert code == 1
        assert "There is nothing to clear." in out
    assert app.done == []


@pytest.mark.parametrize(("answer", "code", "done"), [(True, 0, [PLAN.fix]), (False, 1, [])])
def test_a_person_is_shown_the_plan_and_asked(
    fixes: Any,
    monkeypatch: pytest.MonkeyPatch,
    answer: bool,  # noqa: FBT001 -- a table's column
    code: int,
    done: list[str],
) -> None:
    monkeypatch.setattr(fix, "on_terminal", lambda: True)
    monkeypatch.setattr(fix.click, "confirm", lambda *_, **__: answer)
    app = StandIn()
    got, out, _ = fixes(app, "run", PLAN.fix)
    assert (got, app.done) == (code, done)
    assert out.startswith("Free up disk space\n")


def test_history_and_undo(fixes: Any) -> None:
    app = StandIn()
    code, out, _ = fixes(app, "history")
    assert code == 0
    assert out.split("\t")[0] == "o1"
    assert fixes(app, "undo", "o1")[0] == 0
    assert app.done == ["undo o1"]


def test_json_everywhere(fixes: Any) -> None:
    app = StandIn()
    for words, key in (
        (("list",), "fixes"),
        (("plan", PLAN.fix), "plan"),
        (("run", PLAN.fix, "--yes"), "outcome"),
        (("history",), "history"),
        (("undo", "o1"), "outcome"),
    ):
        code, out, _ = fixes(app, *words, "--json")
        assert code == 0
        assert key in msgspec.json.decode(out)
