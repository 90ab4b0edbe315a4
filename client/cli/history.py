"""`deskside history`: what earlier checks on this computer found."""

from __future__ import annotations

from itertools import groupby

import click

from client.cli.session import Session
from client.cli.show import put, put_json, put_table, say, when
from client.errors import UsageError
from client.watch.history import Point, Run

MOST_ROWS = 40  # more than fits a screen helps nobody; --json has them all


@click.command("history")
@click.option("--days", type=click.FloatRange(0, 90), default=90, show_default=True, help="How far to look back.")
@click.option("--number", "name", metavar="NAME", help="Show one number over time; --numbers lists the names.")
@click.option("--numbers", is_flag=True, help="List the numbers that are kept.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(session: Session, *, days: float, name: str | None, numbers: bool, as_json: bool) -> int:
    """Show what earlier checks found, newest first. It never leaves this computer unless you send it."""
    history = session.app.history
    if numbers:
        names = history.names()
        put_json({"numbers": names}) if as_json else put("\n".join(names))
    elif name is not None:
        points = history.series(name, days=days)
        if not points and name not in history.names():
            raise UsageError(f"No number {name!r} is kept.", hint="The names: deskside history --numbers")
        put_json({"number": name, "points": points}) if as_json else _print_points(points)
    else:
        runs = history.runs(days=days)
        put_json({"runs": runs}) if as_json else _print_runs(runs)
    return 0


def _print_points(points: tuple[Point, ...]) -> None:
    put_table([(when(one.at), f"{one.value:g}") for one in points[-MOST_ROWS:]], heads=("checked", "value"))


def _print_runs(runs: tuple[Run, ...]) -> None:
    """Checks in a row that found the same are one line."""
    if not runs:
        say("No check has been kept yet. Run: deskside check")
        return
    rows = []
    for causes, group in groupby(runs, key=lambda run: run.causes):
        same = list(group)
        until = "" if len(same) == 1 else when(same[0].at)
        rows.append((when(same[-1].at), until, str(len(same)), ", ".join(causes) or "nothing wrong"))
    put_table(rows[:MOST_ROWS], heads=("from", "until", "checks", "found"))
