"""Writes docs/fixes.md from the catalogue: python tests/client/fixes/page.py. A test holds the page to it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

from client.fixes.actions import ACTIONS, ask_helper  # noqa: E402 -- after the path is set
from client.fixes.catalogue import FIXES, Fix  # noqa: E402 -- after the path is set

PAGE = ROOT / "docs" / "fixes.md"
SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}
ABOUT = """\
# Fixes

What Deskside can do to a computer is a closed list: articles, packs and causes can name a fix, and nothing can add one. Each
shows first what it would do on this computer (`deskside fix plan ID`), asks, does it, and runs exactly the checks again that
failed before; those say whether it helped. What was done is in the journal (`deskside fix history`) and goes with a ticket.

`[fixes] allowed` says which may be offered. What needs an administrator's rights is done by the
[privileged helper](privileged-helper.md), where IT has installed it; without it such a fix says so.

Where the plan leaves a choice, the employee ticks what shall be done: `deskside fix run ID --step N`.

| id | what it does | systems | rights | checked by | undo |
|---|---|---|---|---|---|
"""
ALWAYS = "Not needed:"


def page() -> str:
    """The whole page."""
    return ABOUT + "".join(_row(fix) for fix in FIXES)


def _row(fix: Fix) -> str:
    systems = ", ".join(SYSTEMS[one] for one in fix.platforms)
    rights = "the employee's own" if fix.actions else "the helper"
    if fix.actions and fix.privileged:
        rights += ", or the helper"
    checks = ", ".join(f"`{one}`" for one in fix.checks) or "nothing"
    return f"| `{fix.id}` | {fix.title}. {fix.summary} | {systems} | {rights} | {checks} | {_undo(fix)} |\n"


def _undo(fix: Fix) -> str:
    actions = [ACTIONS[name] for name, _ in fix.actions]
    if any(action.undo is not None for action in actions):
        return "yes"
    deed = ask_helper.DEEDS.get(fix.privileged)
    if deed is not None and deed.back:
        return "yes"
    needed = not any(action.name in NEEDS_NONE for action in actions) and not (deed and deed.undo.startswith(ALWAYS))
    return "no" if needed else "not needed"


# What these change comes back by itself.
NEEDS_NONE = frozenset(
    {"flush_dns", "open_settings", "browser_cache", "small_caches", "restart_audio", "reconnect_network"}
)

if __name__ == "__main__":
    PAGE.write_text(page())
