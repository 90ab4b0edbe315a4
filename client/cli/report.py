"""`deskside report`: what was found, as one file for IT, and what changed between two of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from client.app import App
from client.cli.session import Session
from client.cli.show import put, put_json, say
from client.report.build import read
from client.report.diff import diff, told
from diagnostics.model import Report


@click.group("report", invoke_without_command=True)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The file to write; by default one with the date, here."
)
@click.option("--last", is_flag=True, help="Write the last check instead of checking again.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(context: click.Context, *, output: Path | None, last: bool, as_json: bool) -> int:
    """Check this computer and write what was found into a file (zip) that you can give to IT.

    Private details are covered in it, as in a ticket. Nothing is sent.
    """
    if context.invoked_subcommand is not None:
        return 0
    session: Session = context.obj
    target = output or Path(f"deskside-report-{datetime.now(UTC).astimezone():%Y-%m-%d-%H%M}.zip")

    async def work(app: App) -> tuple[Report, Path]:
        report = app.last_report() if last else None
        if report is None:
            say("Looking at this computer ...")
            report = await app.check()
        return report, await app.write_report(report, target)

    report, written = session.run(work)
    if as_json:
        put_json({"file": str(written), "causes": [one.cause for one in report.diagnosis]})
    else:
        put(f"Written: {written}", "good")
    return 0


@command.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(old: Path, new: Path, *, as_json: bool) -> int:
    """Say what changed from the report OLD to the report NEW. Exit code 1 when something did."""
    before, after = read(old), read(new)
    changes = diff(before, after)
    if as_json:
        put_json({"changes": [msgspec.structs.asdict(one) for one in changes]})
    else:
        put(told(before, after).rstrip("\n"))
    return 1 if changes else 0
