"""The rules of docs/architecture.md: who may import what, how long a file may be, where Qt lives, what the project may say."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("client", "diagnostics")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LONGEST = 450
MIDDLE = ("settings", "desks", "outbox", "knowledge", "fixes", "report", "signin", "watch", "platform")
BASE = {
    "client",
    "client.model",
    "client.errors",
    "client.receipt",
    "client.routing",
    "client.confidential",
    "diagnostics",
}

# Which modules of the project a room may import, itself aside. A name allows what lies below it; "client" is only its __init__.
ALLOWED = {
    "diagnostics": {"diagnostics"},
    "client.model": BASE,
    "client.receipt": BASE,
    "client.routing": set(),
    "client.confidential": set(),
    "client.errors": set(),
    "client.runtime": set(),
    **{f"client.{name}": BASE for name in MIDDLE},
    "client.demo": {*BASE, "client.demo"},
    "client.helper": set(),  # test_helper_alone.py says more
    "client.proving": {*BASE, "client.correspondence", *(f"client.{name}" for name in MIDDLE)},  # as the next
    "client.bulletin": {*BASE, *(f"client.{name}" for name in MIDDLE)},  # a part of the composition root
    "client.guidance": {*BASE, *(f"client.{name}" for name in MIDDLE)},  # a part of the composition root
    "client.account_parts": {*BASE, *(f"client.{name}" for name in MIDDLE)},  # as above
    "client.accounts": {*BASE, "client.account_parts", *(f"client.{name}" for name in MIDDLE)},  # as above
    "client.correspondence": {*BASE, "client.accounts", *(f"client.{name}" for name in MIDDLE)},  # as above
    "client.writing": {*BASE, *(f"client.{name}" for name in MIDDLE)},  # as above
    "client.app": {
        *BASE,
        "client.runtime",
        "client.accounts",
        "client.writing",
        "client.correspondence",
        "client.bulletin",
        "client.guidance",
        "client.proving",
        *(f"client.{name}" for name in MIDDLE),
    },
    "client.doctor": {*BASE, "client.app", *(f"client.{name}" for name in MIDDLE)},
    "client.cli": {
        *BASE,
        "client.runtime",
        "client.app",
        "client.doctor",
        "client.demo.launch",
        *(f"client.{name}" for name in MIDDLE),
    },
    "client.ui": {*BASE, "client.runtime", "client.app", *(f"client.{name}" for name in MIDDLE)},
    "client.__main__": {
        *BASE,
        "client.runtime",
        "client.app",
        "client.cli",
        "client.ui",
        "client.settings",
        "client.platform",
    },
}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str | None:
    """The longest key of ALLOWED that the module lies in; None for the bare package."""
    found = [room for room in ALLOWED if module == room or module.startswith(f"{room}.")]
    return max(found, key=len, default=None)


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Every module that the file names in an import, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield node.lineno, "relative import"
            else:
                base = node.module or ""
                below = [f"{base}.{alias.name}" for alias in node.names]
                exists = [name for name in below if (ROOT / name.replace(".", "/")).with_suffix(".py").exists()]
                yield from ((node.lineno, name) for name in exists or [base])


def may_import(room: str, target: str) -> bool:
    if target == room or target.startswith(f"{room}."):
        return True
    return any(target == one or (one != "client" and target.startswith(f"{one}.")) for one in ALLOWED[room])


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_point_one_way(path: Path) -> None:
    module = module_name(path)
    room = room_of(module)
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {target}"
        for line, target in imports_of(path)
        if target == "relative import"
        or (target.split(".")[0] in PACKAGES and room is not None and not may_import(room, target))
        or (target.split(".")[0] in PACKAGES and room is None and not may_import("diagnostics", target))
    ]
    assert not wrong


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_qt_lives_in_the_window_only(path: Path) -> None:
    uses_qt = any(target.split(".")[0].startswith(("PySide", "shiboken", "PyQt")) for _, target in imports_of(path))
    assert not uses_qt or module_name(path).startswith("client.ui")


def test_every_package_of_the_client_has_a_rule() -> None:
    rooms = {module_name(path) for path in SOURCES if module_name(path).startswith("client.")}
    assert not {module for module in rooms if room_of(module) is None}


@pytest.mark.parametrize(
    "path", SOURCES + sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_files_stay_readable(path: Path) -> None:
    text = path.read_text()
    if len(text.splitlines()) > LONGEST:
        head = ast.get_docstring(ast.parse(text)) or ""
        assert "one thing" in head, f"{path.name} is long and its docstring does not say why it is one thing"


COMMANDS_WITHOUT_QT = """
import sys, client.cli, pkgutil, importlib
for one in pkgutil.iter_modules(client.cli.__path__, "client.cli."):
    importlib.import_module(one.name)
sys.exit(any(name.startswith("PySide6") for name in sys.modules))
"""


def test_the_command_line_never_loads_qt() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            COMMANDS_WITHOUT_QT,
        ],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


# Written apart, so that this file does not say what it forbids.
FORBIDDEN = re.compile(
    r"(^|[^A-Za-z0-9_.~-])/(wo"
    r"rk|far"
    r"m)/|files\.pyth"
    r"onhosted|py"
    r"pi\.org/simple|registry\.np"
    r"mjs|deb\.deb"
    r"ian"
)


def test_the_project_names_no_machine_and_no_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    wrong = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".png", ".ico", ".icns"} or not path.is_file():
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if FORBIDDEN.search(line):
                wrong.append(f"{name}:{number}")
    assert not wrong
