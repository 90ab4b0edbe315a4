"""`python -m diagnostics`: the checks without the client. stdout carries only JSON, everything else goes to stderr."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import msgspec

from diagnostics.engine import (
    FAILED,
    NOTHING_WRONG,
    SOMETHING_WRONG,
    USAGE,
    UsageFault,
    as_targets,
    leave,
    read_targets,
    run_events,
    run_report,
)
from diagnostics.model import Event, Progress
from diagnostics.targets import Targets


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m diagnostics", description="Checks this computer and names what is wrong."
    )
    how = made.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="print the whole report as one JSON object")
    how.add_argument("--events", action="store_true", help="print one JSON object a line as things are found out")
    made.add_argument(
        "--settings", type=Path, metavar="FILE", help="a TOML file with [network], [[services]], [thresholds], [desk]"
    )
    made.add_argument("--targets", metavar="-", help="read the same as one JSON object from standard input")
    made.add_argument(
        "--only", default="", metavar="AREA,..", help="only these areas or checks, and what they wait for"
    )
    made.add_argument("--verbose", action="store_true", help="log to stderr")
    return made


def chosen_targets(arguments: argparse.Namespace) -> Targets:
    """The targets that the command line names.

    Raises:
        UsageFault: they cannot be read.
    """
    if arguments.targets not in {None, "-"}:
        raise UsageFault("--targets takes only -, standard input.", hint="Use --settings FILE for a file.")
    if arguments.targets and arguments.settings:
        raise UsageFault("--targets and --settings exclude each other.", hint="Leave one of them out.")
    if arguments.settings:
        return read_targets(arguments.settings)
    if arguments.targets:
        try:
            raw = msgspec.json.decode(sys.stdin.buffer.read())
        except msgspec.DecodeError as error:
            raise UsageFault(f"Standard input is not JSON: {error}.", hint="It must be one object.") from error
        if not isinstance(raw, dict):
            raise UsageFault("Standard input is not a JSON object.", hint="It must be one object.")
        return as_targets(raw)
    return Targets()


def tell(event: Event) -> None:
    """Progress for a person, on stderr."""
    if isinstance(event, Progress):
        sys.stderr.write(f"{event.words} ...\n")


def main(words: list[str] | None = None) -> int:
    """Runs what the words say; gives the exit code: 0 nothing wrong, 1 a cause found, 2 wrong usage, 3 the run itself failed."""
    arguments = parser().parse_args(words)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO if arguments.verbose else logging.CRITICAL)
    only = frozenset(one.strip() for one in arguments.only.split(",") if one.strip())
    try:
        targets = chosen_targets(arguments)
        if arguments.events:
            return run_events(targets, only)
        report = run_report(targets, only, tell if sys.stderr.isatty() else lambda _: None)
    except UsageFault as fault:
        sys.stderr.write(f"{fault}\n{fault.hint}\n")
        return USAGE
    except Exception:
        logging.getLogger(__name__).exception("the run failed")
        sys.stderr.write("The check itself failed.\nRun it with --verbose to see why.\n")
        return FAILED
    if arguments.json:
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    else:
        for one in report.diagnosis:
            sys.stdout.write(f"{one.title}\n  {one.explanation}\n  {one.advice}\n")
        if not report.diagnosis:
            sys.stdout.write("Nothing is wrong.\n")
    return SOMETHING_WRONG if report.diagnosis else NOTHING_WRONG


if __name__ == "__main__":
    leave(main())
