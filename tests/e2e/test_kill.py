"""Kills at random moments, through bad weather: nothing lost, nothing doubled, nothing claimed that was not.

`make torture` does it over a thousand times against three real help desks (docs/torture.md); the seed of a
failure is in its output.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TORTURE = Path(__file__).parents[1] / "torture.py"
FAULTS = ("lost", "doubled", "changed", "unknown", "claimed", "not_sent", "crashed")


def torture(folder: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, str(TORTURE), "--folder", str(folder / "torture"), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)
    assert {name: result[name] for name in FAULTS} == {name: [] for name in FAULTS}, result
    assert done.returncode == 0
    return result


@pytest.mark.slow
def test_kills_against_the_embedded_help_desk(tmp_path: Path) -> None:
    result = torture(tmp_path, "--kills", "120", "--desk-kills", "3", "--network-kills", "20")
    assert result["kills"] >= 120
    assert result["desk_kills"] + result["both_kills"] == 3
    assert result["network_kills"] == 20
    assert result["tickets"] >= 10  # how many are written between the kills is the scheduler's and the dice's
    assert result["replies"] >= 1
    assert len(result["killed_during"]) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("desk", ["request_tracker", "roundup"])
def test_kills_against_other_real_help_desks(tmp_path: Path, desk: str) -> None:
    result = torture(tmp_path, "--desk", desk, "--kills", "4", "--desk-kills", "2", "--network-kills", "3")
    assert (result["desk_kills"], result["both_kills"], result["network_kills"]) == (1, 1, 3)
    assert result["tickets"] >= 1


@pytest.mark.slow
@pytest.mark.parametrize("desk", ["search", "search-files", "none", "none-files"])
def test_kills_against_desks_of_other_kinds(tmp_path: Path, desk: str) -> None:
    result = torture(tmp_path, "--kills", "40", "--desk", desk)
    assert result["kills"] >= 40
    assert result["tickets"] >= 1  # how many are written between the kills is the scheduler's and the dice's
    assert (result["for_a_person"] > 0) == desk.startswith("none")
