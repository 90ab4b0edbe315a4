"""`deskside fix`: what a repair would do, doing it, and taking it back."""

from __future__ import annotations

import click

from client.cli.root import nearest
from client.cli.session import Session
from client.cli.show import Look, clean, count, on_terminal, put, put_json, put_paragraph, put_table, say, size, when
from client.errors import UsageError
from client.fixes.plan import at_first, narrowed
from client.model import FixOutcome, FixPlan, FixResult

_CODES = {FixResult.NO_CHANGE: 1, FixResult.FAILED: 3, FixResult.CANCELLED: 1, FixResult.INTERRUPTED: 3}
_LOOKS: dict[FixResult, Look] = {FixResult.HELPED: "good", FixResult.FAILED: "bad", FixResult.NO_CHANGE: "warn"}
_NAMES = {
    FixResult.HELPED: "It helped",
    FixResult.NO_CHANGE: "No change",
    FixResult.DONE: "Done",
    FixResult.FAILED: "It did not work",
    FixResult.CANCELLED: "Not done",
    FixResult.INTERRUPTED: "Broken off: Deskside was ended while it ran",
    FixResult.UNDONE: "Undone",
}


@click.group("fix")
def command() -> None:
    """List, preview, run and undo repairs."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_fixes(session: Session, *, as_json: bool) -> int:
    """List the repairs that exist for this computer."""
    fixes = session.app.fixes()
    if as_json:
        put_json({"fixes": [{"id": id, "title": title, "summary": summary} for id, title, summary in fixes]})
        return 0
    if not fixes:
        say("Your IT department allows no repairs on this computer, or there are none for it.")
    put_table([(id, title, summary) for id, title, summary in fixes], heads=("id", "what", "how"))
    for problem in session.app.script_problems():
        say(problem, "warn")
    return 0


@command.command("plan")
@click.argument("fix_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def plan_fix(session: Session, fix_id: str, *, as_json: bool) -> int:
    """Show what the repair ID would do here and now. Changes nothing."""
    plan = _plan(session, fix_id)
    if as_json:
        put_json({"plan": plan})
    else:
        print_plan(plan)
    return 1 if plan.refused else 0


@command.command("run")
@click.argument("fix_id", metavar="ID")
@click.option(
    "--step",
    "steps",
    multiple=True,
    type=click.IntRange(min=1),
    metavar="N",
    help="Do this step; may be repeated.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def run_fix(session: Session, fix_id: str, steps: tuple[int, ...], *, yes: bool, as_json: bool) -> int:
    """Carry out the repair ID after showing what it does, and check whether it helped. Without --step, what the plan suggests."""
    plan = _plan(session, fix_id)
    if not plan.refused:
        plan = _chosen(plan, steps)
    if not yes and not on_terminal():
        raise UsageError(
            "Nobody is here to agree to the repair.",
            hint=f"See what it does with `deskside fix plan {fix_id}`, then add --yes.",
        )
    outcome: FixOutcome | None = None
    if not plan.refused:
        if not yes:
            print_plan(plan)
        if yes or agreed("Do this now?"):
            outcome = session.run(lambda app: app.fix(plan, progress=say))
    if as_json:
        put_json({"plan": plan, "outcome": outcome})
    elif outcome is not None:
        print_outcome(outcome)
    elif plan.refused:
        print_plan(plan)
    else:
        say("Nothing was changed.")
    return 1 if outcome is None else _CODES.get(outcome.result, 0)


@command.command("history")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def history(session: Session, *, as_json: bool) -> int:
    """List the repairs that were tried, newest first."""
    journal = session.app.journal()
    if as_json:
        put_json({"history": journal})
        return 0
    if not journal:
        say("No repair was tried on this computer yet.")
    rows = [
        (one.id, when(one.started_at), one.title, _NAMES[one.result], "yes" if one.can_undo else "") for one in journal
    ]
    put_table(rows, heads=("id", "when", "what", "result", "can be undone"))
    return 0


@command.command("undo")
@click.argument("outcome_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def undo(session: Session, outcome_id: str, *, as_json: bool) -> int:
    """Take back a repair; ID is from `deskside fix history`."""
    outcome = session.run(lambda app: app.undo(outcome_id))
    if as_json:
        put_json({"outcome": outcome})
    else:
        print_outcome(outcome)
    return _CODES.get(outcome.result, 0)


def print_plan(plan: FixPlan) -> None:
    """For people: every step, what it touches, and whether it can be undone."""
    put(plan.title, "title")
    put_paragraph(plan.summary)
    if plan.refused:
        put(f"Not possible here: {plan.refused}", "warn")
        return
    chosen = at_first(plan)
    for number, step in enumerate(plan.steps, 1):
        mark = "" if plan.choice == "all" else "[x] " if number - 1 in chosen else "[ ] "
        put(f"{number}. {mark}{step.words}")
        for line in step.details:
            put(f"     {line}", "dim")
    if plan.choice != "all":
        put("Choose what shall be done: --step N." if plan.choice == "some" else "Choose one: --step N.", "dim")
    if plan.gain_bytes is not None:
        put(f"Frees {size(plan.gain_bytes)}.")
    if plan.checks:
        put(f"Afterwards {count(len(plan.checks), 'check')} will show whether it helped.", "dim")
    put(f"To undo it: {plan.undo}" if plan.undo else "This cannot be undone.", "dim" if plan.undo else "warn")


def print_outcome(outcome: FixOutcome) -> None:
    """For people: the result, and before and after of each check."""
    put(f"{_NAMES[outcome.result]}: {outcome.title}", _LOOKS.get(outcome.result, "title"))
    put_paragraph(outcome.words)
    after = {one.check: one for one in outcome.after}
    for before in outcome.before:
        now = after.get(before.check)
        put(f"  {before.check}: {before.status.value}, now {now.status.value if now else 'not looked at'}", "dim")
    if outcome.can_undo:
        put(f"To undo it: deskside fix undo {outcome.id}", "dim")


def agreed(question: str) -> bool:
    """Asks a person on the terminal; no is the answer to a bare Enter."""
    return click.confirm(clean(question), default=False, err=True)


def _chosen(plan: FixPlan, steps: tuple[int, ...]) -> FixPlan:
    """The plan with the steps that were asked for; with those that it suggests where none were."""
    wanted = frozenset(number - 1 for number in steps) if steps else at_first(plan)
    if not wanted:
        print_plan(plan)
        raise UsageError(
            "This repair leaves the choice to you.", hint="Add --step N, with the number of what shall be done."
        )
    return narrowed(plan, wanted)


def _plan(session: Session, fix_id: str) -> FixPlan:
    """The plan. A repair that exists and cannot be done here says why in it."""
    try:
        return session.run(lambda app: app.plan(fix_id))
    except UsageError as error:
        ids = [id for id, _, _ in session.app.fixes()]
        raise UsageError(
            f"There is no repair {clean(fix_id)!r} on this computer.{nearest(fix_id, ids)}",
            hint="See: deskside fix list",
        ) from error
