"""The privileged helper stays small and alone, whatever the rest of the house becomes."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "client/helper").glob("*.py"))
OTHERS = [
    path
    for package in ("client", "diagnostics")
    for path in sorted((ROOT / package).rglob("*.py"))
    if path not in SOURCES
]
MOST_LINES = 900  # of code; the table of actions is data and has a limit of its own
MOST_OF_THE_TABLE = 320
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def lines_of_code(path: Path) -> int:
    text = path.read_text()
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            found |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            found -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(found)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_helper_imports_itself_the_standard_library_and_the_bus(path: Path) -> None:
    for name in imported(path):
        top = name.split(".")[0]
        allowed = name.startswith("client.helper.") or top in sys.stdlib_module_names
        assert allowed or (top == "jeepney" and path.stem == "bus"), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_else_imports_the_helper(path: Path) -> None:
    assert not [name for name in imported(path) if name.startswith("client.helper.") or name == "client.helper"]


def test_the_helper_stays_small() -> None:
    table = ROOT / "client/helper/actions.py"
    assert sum(lines_of_code(path) for path in SOURCES if path != table) < MOST_LINES
    assert lines_of_code(table) < MOST_OF_THE_TABLE


def test_what_runs_as_root_loads_nothing_else_of_the_project() -> None:
    code = (
        "import sys, client.helper.__main__, client.helper.bus, client.helper.gate, client.helper.local\n"
        "mine = [name for name in sys.modules if name.split('.')[0] in ('client', 'diagnostics', 'resources')]\n"
        "print(*sorted(name for name in mine if not name.startswith('client.helper')))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-P", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}"],
        check=True,
        capture_output=True,
        text=True,
        cwd="/",
    )
    assert done.stdout.split() == ["client", "diagnostics"]  # their own version, and nothing below them
