"""Makes one fault of the lab and prints what Deskside says about it: `python tests/netlab/try.py SCENARIO` (root).

Without a name, or with a part of one that fits several, it lists the scenarios.
"""

from __future__ import annotations

import os
import sys
import tempfile
import textwrap
from pathlib import Path

import variants  # noqa: F401 -- registers more scenarios
from guard import Guard
from lab import Lab
from scenarios import HEALTHY, SCENARIOS

FAULTS = {name: function for name, (function, _) in SCENARIOS.items()}
MARKS = {"failed": "x", "warning": "!", "skipped": "-", "unknown": "?", "ok": " "}


def say(text: str) -> None:
    """To whoever runs this script."""
    sys.stdout.write(text + "\n")


def chosen(wanted: str) -> list[str]:
    """The scenarios whose name is, or contains, what was typed."""
    names = [*HEALTHY, *FAULTS]
    return [wanted] if wanted in names else [name for name in names if wanted.lower() in name.lower()]


def show(report: dict) -> None:
    """The report for people: causes first, then every finding."""
    if not report["diagnosis"]:
        say("Nothing is wrong.")
    for one in report["diagnosis"]:
        subject = f" {one['subject']}" if one["subject"] else ""
        say(f"\n{one['cause']}{subject}  ({one['severity']}, {one['confidence']:.2f}, {one['tier']})")
        for text in (one["title"] + ".", one["explanation"], one["advice"]):
            say(textwrap.fill(text, 100, initial_indent="  ", subsequent_indent="  "))
        say(f"  seen in: {', '.join(one['evidence'])}")
        say(f"  explains: {', '.join(one['explains']) or 'nothing else'}")
    say(f"\nfindings ({report['duration_ms']} ms, {report['seconds']:.1f} s by the wall):")
    for one in report["findings"]:
        say(f"  {MARKS[one['status']]} {one['check']:24} {one['duration_ms']:6} ms  {one['summary']}")


def main() -> int:
    """Exit code 0 shown, 2 wrong usage or no root."""
    wanted = " ".join(sys.argv[1:])
    names = chosen(wanted)
    if not wanted or len(names) != 1:
        say("\n".join(sorted(names)) if names else f"No scenario is called {wanted!r}.")
        say("\nSay which one: python tests/netlab/try.py SCENARIO")
        return 2
    if os.geteuid() != 0:
        say("The lab makes network namespaces, which needs root: sudo python tests/netlab/try.py ...")
        return 2
    with tempfile.TemporaryDirectory(prefix="netlab", ignore_cleanup_errors=True) as place:
        lab = Lab(Path(place))
        guard = Guard(lab.ns("emp").rpartition("-")[0], Path(place))
        try:
            lab.build()
            (HEALTHY.get(names[0]) or FAULTS[names[0]])(lab)
            show(lab.check())
        finally:
            lab.close()
            guard.done()
    return 0


if __name__ == "__main__":
    sys.exit(main())
