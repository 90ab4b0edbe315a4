"""`deskside demo --walk`: the whole loop in one process tree, in a network of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

STEPS = [
    "start the help desk",
    "sign in",
    "check this computer",
    "search the articles",
    "plan a repair",
    "send a ticket",
    "read it as the agent",
    "answer as the agent",
    "see the answer",
]
OWN_NETWORK = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


def walk(*before: str) -> tuple[int, dict[str, object], str]:
    command = [*OWN_NETWORK, sys.executable, "-P", "-m", "client", *before, "demo", "--walk"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180, stdin=subprocess.DEVNULL)
    assert done.stdout, done.stderr
    return done.returncode, msgspec.json.decode(done.stdout), done.stderr


@pytest.mark.netlab
def test_the_walk_does_everything_and_leaves_nothing(tmp_path: Path) -> None:
    code, result, _ = walk()
    assert code == 0, result
    assert result.keys() == {"ok", "check", "ticket", "steps"}
    assert result["ok"] is True
    assert [one["step"] for one in result["steps"]] == STEPS
    assert all(one["ok"] for one in result["steps"])
    assert {"report.json", "report.html", "summary.txt", "note.txt"} <= set(result["ticket"]["attachments"])
    assert result["ticket"]["url"].startswith("http://127.0.0.1:")
    assert result["check"]["findings"]["failed"] >= 1  # it has no network but loopback
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".log"]
    kept = [path for path in kept if path.parent.name != "dconf"]  # GNOME's own mark, once its settings were asked for
    assert kept == []  # nothing of the demonstration is among the user's own files


@pytest.mark.netlab
def test_a_walk_that_fails_says_where_and_still_prints_its_json(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[fixes]\nallowed = []\n")
    code, result, err = walk("--settings", str(settings))
    assert code == 3
    assert result["ok"] is False
    assert result["ticket"] is None
    last = result["steps"][-1]
    assert (last["step"], last["ok"], last["said"]) == ("plan a repair", False, "There is no repair for this computer.")
    assert "Traceback" not in err
