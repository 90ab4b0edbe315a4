"""Moves aside what a program has stored and makes again by itself: an index, a cache that went bad, an arrangement of screens.

What may be moved is a table. Nothing is removed: it lies beside its place under another name until undo brings it back.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from client.errors import ActionFault
from client.fixes import aside
from client.fixes.machine import Machine
from client.fixes.plan import Action, Planned, Say, printable
from client.fixes.tree import Pinned, pinned
from client.model import Step

MOST: Final = 50


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a program makes again.

    Attributes:
        patterns: where it is, per platform, below the home, with forward slashes.
        programs: what must not be running, in small letters, as `Machine.programs` says it, and its name for people.
        words: what happens. `missing`: why there is nothing to do.
    """

    patterns: dict[str, tuple[str, ...]]
    programs: dict[str, str] = {}
    words: str
    details: tuple[str, ...] = ()
    missing: str
    done: str


THUNDERBIRD: Final = {"thunderbird": "Thunderbird", "thunderbird-bin": "Thunderbird"}
MAIL_INDEX: Final = "global-messages-db.sqlite"
TEAMS: Final = {
    "ms-teams": "Teams",
    "teams": "Teams",
    "msteams": "Teams",
    "microsoft teams": "Teams",
    "teams-for-linux": "Teams",
}
TABLE: Final = {
    "mail_index": _Kept(
        patterns={
            "linux": (
                f".thunderbird/*/{MAIL_INDEX}",
                f"snap/thunderbird/common/.thunderbird/*/{MAIL_INDEX}",
                f".var/app/org.mozilla.Thunderbird/.thunderbird/*/{MAIL_INDEX}",
            ),
            "darwin": (f"Library/Thunderbird/Profiles/*/{MAIL_INDEX}",),
            "win32": (f"AppData/Roaming/Thunderbird/Profiles/*/{MAIL_INDEX}",),
        },
        programs=THUNDERBIRD,
        words="Let Thunderbird build its search index of your mail anew.",
        details=(
            "No mail is touched. Searching finds less until the index is built, which can take an hour with much mail.",
        ),
        missing="There is no search index of Thunderbird here. Outlook and mail in the browser have none that you could reset.",
        done="Thunderbird builds its index anew when it is next opened.",
    ),
    "outlook_cache": _Kept(
        patterns={"win32": ("AppData/Local/Microsoft/Outlook/RoamCache",)},
        programs={"outlook": "Outlook", "olk": "Outlook"},
        words="Let Outlook build its stored views and suggestions anew.",
        details=("No mail is touched. Names that Outlook completes while you type are learned again.",),
        missing="There is nothing stored by Outlook here.",
        done="Outlook builds it anew when it is next opened.",
    ),
    "teams_cache": _Kept(
        patterns={
            "linux": (".config/teams-for-linux/Partitions/*/Cache", ".config/Microsoft/Microsoft Teams/Cache"),
            "darwin": (
                "Library/Containers/com.microsoft.teams2/Data/Library/Caches",
                "Library/Application Support/Microsoft/Teams/Cache",
            ),
            "win32": (
                "AppData/Local/Packages/MSTeams_8wekyb3d8bbwe/LocalCache/Microsoft/MSTeams",
                "AppData/Roaming/Microsoft/Teams/Cache",
            ),
        },
        programs=TEAMS,
        words="Let Teams fetch afresh what it has stored to be faster.",
        details=("Chats and files stay; they lie in your company's cloud. Teams may ask you to sign in again.",),
        missing="Teams has stored nothing here.",
        done="Teams fetches it afresh when it is next opened.",
    ),
    "default_apps": _Kept(
        patterns={"linux": (".config/mimeapps.list", ".local/share/applications/mimeapps.list")},
        words="Forget which program you have chosen for which kind of file.",
        details=("The system's own choices count until you choose again.",),
        missing="You have chosen no programs of your own for files.",
        done="The system's own choices count now.",
    ),
    "screen_layout": _Kept(
        patterns={"linux": (".config/monitors.xml",)},
        words="Forget how screens are arranged; the desktop arranges them anew.",
        details=("It takes effect when you next sign in, or when a screen is plugged in.",),
        missing="This desktop has stored no arrangement of screens.",
        done="The arrangement is forgotten. Sign out and in again, or plug the screen in again.",
    ),
}


class _Parameters(msgspec.Struct, frozen=True, kw_only=True):
    item: Pinned
    place: str


async def plan(option: str, machine: Machine) -> Planned:
    """One step for each that is there; refused while the program runs."""
    kept = TABLE[option]
    stamp = machine.now_ns() // 10**9
    steps = [
        _step(option, pinned(str(path), identity), str(aside.place_for(path, stamp)))
        for path in _found(kept, machine)
        if (identity := aside.identity(path, uid=machine.uid, inside=machine.home))
    ]
    if not steps:
        return Planned(refused=kept.missing)
    running = machine.programs()
    if keeper := next((name for program, name in kept.programs.items() if program in running), ""):
        return Planned(refused=f"{keeper} is running and would write over it. Quit {keeper}, then look here again.")
    return Planned(steps=tuple(steps[:MOST]), undo="What was moved aside is moved back to where it was.")


def accepts(step: Step, option: str, machine: Machine) -> str:
    """As `Action.accepts`: something of the option's own table, and a place right beside it."""
    try:
        values = _read(step)
    except (msgspec.ValidationError, KeyError, ValueError):
        return "This step cannot be read."
    path, place = Path(values.item.name), Path(values.place)
    if not _fits(TABLE[option], path, machine) or place.parent != path.parent:
        return "This step names something that does not belong to it."
    if not place.name.removeprefix(path.name + aside.MARK).isdecimal():
        return "This step moves something to a strange place."
    return "" if step == _step(option, values.item, values.place) else "This step does not do what it says."


async def execute(step: Step, machine: Machine, _say: Say) -> str:
    """Moves it aside, where it still is what it was and its program does not run."""
    values = _read(step)
    kept = TABLE[step.parameters["what"]]
    running = machine.programs()
    if keeper := next((name for program, name in kept.programs.items() if program in running), ""):
        raise ActionFault(f"{keeper} was opened in the meantime.", hint=f"Quit {keeper}, then try again.")
    aside.put_aside(values.item, Path(values.place), uid=machine.uid, inside=machine.home)
    return kept.done


def undo_of(step: Step) -> dict[str, str]:
    """Where it was, and where it lies."""
    return {name: step.parameters[name] for name in ("what", "path", "place")}


async def undo(state: dict[str, str], machine: Machine) -> str:
    """Moves it back, over what was made since then."""
    kept = TABLE.get(state.get("what", ""))
    path = Path(state.get("path", ""))
    if kept is None or not _fits(kept, path, machine):
        raise ActionFault("There is nothing to put back.")
    running = machine.programs()
    if keeper := next((name for program, name in kept.programs.items() if program in running), ""):
        raise ActionFault(f"{keeper} is running.", hint=f"Quit {keeper}, then undo it again.")
    there = aside.put_back(path, Path(state["place"]), uid=machine.uid, inside=machine.home)
    return f"“{path.name}” is back." if there else f"“{path.name}” was still in its place."


def _found(kept: _Kept, machine: Machine) -> list[Path]:
    found: set[Path] = set()
    for pattern in kept.patterns.get(machine.platform, ()):
        try:
            found.update(machine.home.glob(pattern))
        except OSError:
            continue
    return sorted(found)


def _fits(kept: _Kept, path: Path, machine: Machine) -> bool:
    if not path.is_absolute() or not path.is_relative_to(machine.home) or not str(path).isprintable():
        return False
    below = PurePosixPath(path.relative_to(machine.home).as_posix())
    return ".." not in below.parts and any(
        len(below.parts) == len(pattern.split("/")) and below.match(pattern)
        for pattern in kept.patterns.get(machine.platform, ())
    )


def _step(option: str, item: Pinned, place: str) -> Step:
    kept = TABLE[option]
    return Step(
        action="set_aside",
        parameters={"what": option, "path": item.name, "pin": item.pin, "place": place},
        words=kept.words,
        details=(*kept.details, f"Moves {printable(item.name)} aside; it is kept beside its place."),
    )


def _read(step: Step) -> _Parameters:
    if step.parameters.keys() != {"what", "path", "pin", "place"}:
        raise ValueError("parameters are missing or too many")
    item = msgspec.convert((step.parameters["path"], step.parameters["pin"]), Pinned)
    return _Parameters(item=item, place=step.parameters["place"])


ACTION: Final = Action(name="set_aside", plan=plan, accepts=accepts, execute=execute, undo_of=undo_of, undo=undo)
