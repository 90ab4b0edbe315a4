"""Two hundred kills at random moments, through bad weather, against the real embedded help desk: nothing lost, nothing doubled.

`make torture` does it a thousand times; the seed of a failure is in its output.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

TORTURE = Path(__file__).parents[1] / "torture.py"
FAULTS = ("lost", "doubled", "changed", "unknown", "claimed", "not_sent", "crashed")


@pytest.mark.slow
def test_nothing_is_lost_doubled_or_claimed_over_two_hundred_kills(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(TORTURE),
        "--kills",
        "200",
        "--desk-kills",
        "3",
        "--folder",
        str(tmp_path / "torture"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)
    assert {name: result[name] for name in FAULTS} == {name: [] for name in FAULTS}, result
    assert result["kills"] >= 200
    assert result["tickets"] >= 100
    assert result["replies"] >= 30
    assert len(result["killed_during"]) >= 3
    assert done.returncode == 0
