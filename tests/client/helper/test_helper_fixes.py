"""`deskside fix` as an ordinary user, with the helper installed: the whole way, from the command line to what was done."""

from __future__ import annotations

import json
import os
import pwd
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.netlab

ROOT = Path(__file__).parents[3]


@pytest.fixture
def deskside(lab, tmp_path):
    """Runs `deskside WORDS` in the lab as a user with a home of its own, and gives code, JSON and what went to stderr."""
    home = Path("/run/homes", tmp_path.name)

    def run(*words: str, user: str = "nobody"):
        about = pwd.getpwnam(user)
        mine = lab.root / str(home / user).lstrip("/")
        mine.mkdir(parents=True, exist_ok=True)
        os.chown(mine, about.pw_uid, about.pw_gid)
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(home / user),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        become = ("setpriv", f"--reuid={about.pw_uid}", f"--regid={about.pw_gid}", "--clear-groups")
        done = lab.enter(*become, sys.executable, "-m", "client", *words, env=environment)
        assert "Traceback" not in done.stderr, done.stderr
        return (
            done.returncode,
            json.loads(done.stdout) if "--json" in words and done.stdout else done.stdout,
            done.stderr,
        )

    return run


def test_what_only_the_helper_does_is_listed_where_it_is_installed(lab, deskside) -> None:
    code, listed, _ = deskside("fix", "list", "--json")
    ids = {one["id"] for one in listed["fixes"]}
    assert code == 0
    assert {"updates.install", "system.restart", "shares.reconnect", "printing.clear_all"} <= ids
    assert not {"clock.sync", "network.restart_service"} & ids  # this computer has nothing that could do it
    lab.policy('[fixes]\nprivileged = ["shares.*"]\n')
    _, listed, _ = deskside("fix", "list", "--json")
    assert {"updates.install", "system.restart", "shares.reconnect"} & {one["id"] for one in listed["fixes"]} == {
        "shares.reconnect"
    }


def test_an_ordinary_user_connects_the_network_folders(lab, deskside) -> None:
    code, told, err = deskside("fix", "run", "shares.reconnect", "--yes", "--json")
    assert code == 0, err
    assert told["outcome"]["result"] == "done"
    assert told["outcome"]["words"] == "The network folders were connected again."
    assert "user=65534 " in lab.log()
    assert '["run", "shares.remount", {}]: done' in lab.log()


def test_a_restart_is_planned_and_called_off_from_the_history(lab, deskside) -> None:
    code, told, err = deskside("fix", "run", "system.restart", "--yes", "--json")
    assert code == 0, err
    assert told["plan"]["undo"] == "The restart is called off, as long as it has not begun."
    assert told["outcome"]["can_undo"] is True
    code, undone, err = deskside("fix", "undo", told["outcome"]["id"], "--json")
    assert code == 0, err
    assert undone["outcome"]["result"] == "undone"
    commands = [line for line in lab.recorded("shutdown").splitlines() if line.startswith("/usr")]
    assert commands == ["/usr/sbin/shutdown -r +15", "/usr/sbin/shutdown -c"]


def test_what_an_ordinary_user_may_not_do_goes_through_the_helper(lab, deskside) -> None:
    code, told, _ = deskside("fix", "plan", "dns.flush_cache", "--json")
    assert code == 0
    (step,) = told["plan"]["steps"]
    assert (step["action"], step["parameters"]) == ("ask_helper", {"id": "dns.flush"})


def test_without_the_password_it_says_so_and_changes_nothing(lab, deskside) -> None:
    code, told, err = deskside("fix", "run", "system.restart", "--yes", "--json", user="daemon")
    assert code == 3, err
    assert told["outcome"]["result"] == "failed"
    assert (
        "You may not do this on this computer. Ask your IT department. Nothing was changed." in told["outcome"]["words"]
    )
    assert lab.recorded("shutdown") == ""


def test_without_the_helper_nothing_of_it_is_offered(lab, deskside) -> None:
    service = lab.root / "usr/share/dbus-1/system-services/io.github.deskside.Helper1.service"
    away = service.with_suffix(".away")
    service.rename(away)
    try:
        _, listed, _ = deskside("fix", "list", "--json")
        assert not {"updates.install", "system.restart"} & {one["id"] for one in listed["fixes"]}
        code, told, _ = deskside("fix", "plan", "dns.flush_cache", "--json")
        assert code == 1
        assert "administrator" in told["plan"]["refused"]
        code, told, err = deskside("fix", "plan", "updates.install", "--json")
        assert code == 1, err
        assert "helper for such things is not installed" in told["plan"]["refused"]
    finally:
        away.rename(service)
