"""The command line on Windows' own Python, under Wine: what runs there is the tree that the MSI installs, without the window.

Wine has no WMI, no PowerShell and no windows of ours; what asks for them must say "unknown" and go on.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from client.demo import launch

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "build/windows"
CRASHED = "Deskside could not find this out."
pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def tree() -> Path:
    """The runtime and the wheels are kept between runs; the program is copied afresh."""
    if not (BUILT / "wheels").is_dir():
        shutil.rmtree(BUILT, ignore_errors=True)
        command = [sys.executable, str(ROOT / "installers/windows/tree.py"), str(BUILT), "--without-window"]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        (BUILT / "runtime/_wmi.pyd").unlink()  # needs a function that Wine lacks, and loading it ends the process
    shutil.rmtree(BUILT / "app", ignore_errors=True)
    for package in ("client", "diagnostics", "resources"):
        shutil.copytree(ROOT / package, BUILT / "app" / package, ignore=shutil.ignore_patterns("__pycache__", "model"))
    return BUILT


@pytest.fixture(scope="session")
def wine(tree: Path, tmp_path_factory: pytest.TempPathFactory):
    """Runs `python.exe WORDS` and gives the finished process; Wine's standard streams must be pipes."""
    prefix = tmp_path_factory.mktemp("wine")
    environment = {
        **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        "HOME": str(prefix),
        "WINEPREFIX": str(prefix / "prefix"),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml=",  # do not ask to fetch Mono and Gecko
        "XDG_RUNTIME_DIR": str(prefix),
    }

    def run(*words: str, said: str = "") -> subprocess.CompletedProcess[str]:
        command = ["xvfb-run", "-a", "wine", "runtime/python.exe", *words]
        return subprocess.run(
            command, cwd=tree, env=environment, input=said, capture_output=True, text=True, timeout=180, check=False
        )

    assert run("-c", "pass").returncode == 0  # makes the prefix
    yield run
    subprocess.run(["wineserver", "-k"], env=environment, check=False, capture_output=True)


@pytest.fixture(scope="session")
def report(wine) -> dict:
    done = wine("-m", "client", "check", "--json")
    assert done.returncode in {0, 1}, done.stderr
    return json.loads(done.stdout)


def finding(report: dict, check: str) -> dict:
    return next(one for one in report["findings"] if one["check"] == check)


def test_a_whole_check_speaks_for_windows(report: dict) -> None:
    assert (report["schema"], report["platform"]) == (1, "win32")
    assert len(report["findings"]) > 40
    assert report["duration_ms"] < 20_000


def test_no_check_crashes_there(report: dict) -> None:
    assert [one["check"] for one in report["findings"] if one["summary"] == CRASHED] == []


def test_it_sees_the_real_adapters_disks_and_memory(report: dict) -> None:
    assert finding(report, "link.adapters")["status"] != "unknown"
    assert finding(report, "disk.space")["status"] == "ok"
    assert finding(report, "memory.available")["measures"]["total_bytes"] > 100_000_000


def test_it_sees_the_way_out_through_windows_own_tables(report: dict) -> None:
    shown = json.loads(subprocess.check_output(["ip", "-4", "-j", "route", "show", "default"], text=True))
    ways = [one["gateway"] for one in finding(report, "route.default")["measures"].get("routes", [])]
    assert ways == [one["gateway"] for one in shown if "gateway" in one]
    adapters = finding(report, "link.adapters")["measures"]["adapters"]
    own = {
        address["local"] for link in addresses_here() for address in link["addr_info"] if address["family"] == "inet"
    }
    assert {ip.partition("/")[0] for one in adapters for ip in one["ipv4"]} == own - {"127.0.0.1"}


def addresses_here() -> list[dict]:
    found: list[dict] = json.loads(subprocess.check_output(["ip", "-j", "addr", "show"], text=True))
    return [one for one in found if one.get("link_type") != "loopback"]


def test_windows_own_service_pings_for_everybody(wine) -> None:
    code = (
        "import asyncio\n"
        "from diagnostics.probe import Probe\n"
        "found = asyncio.run(Probe().echo('127.0.0.1', count=20, interval=0.01, wait=2))\n"
        "print(found.allowed, found.sent, found.received)"
    )
    done = wine("-c", code)
    assert done.stdout.split() == ["True", "20", "20"], done.stderr


def test_nothing_is_called_wrong_that_cannot_be_seen(report: dict) -> None:
    wrong = [
        one["cause"] for one in report["diagnosis"] if one["cause"] != "processor.saturated"
    ]  # other tests run beside
    assert wrong == []


def test_the_settings_say_where_they_come_from(wine) -> None:
    done = wine("-m", "client", "config", "show", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


def test_articles_are_found(wine) -> None:
    done = wine("-m", "client", "search", "--json", "-", said="the printer does not print\n")
    assert json.loads(done.stdout)["results"][0]["article"] == "printer"


def test_a_secret_is_kept_in_windows_own_vault(wine) -> None:
    code = (
        "from client.platform.secrets import *\n"
        "set_secret('https://help.example.com', 'a secret')\n"
        "print(get_secret('https://help.example.com'))\n"
        "delete_secret('https://help.example.com')\n"
        "print(get_secret('https://help.example.com'))"
    )
    done = wine("-c", code)
    assert done.stdout.split("\n")[:2] == ["a secret", "None"], done.stderr


def test_a_mistake_is_one_sentence_there_too(wine) -> None:
    done = wine("-m", "client", "fix", "plan", "no.such")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_what_would_be_cleared_is_shown_first(wine) -> None:
    done = wine("-m", "client", "fix", "plan", "disk.free_space", "--json")
    plan = json.loads(done.stdout)["plan"]
    assert plan["fix"] == "disk.free_space"
    assert bool(plan["steps"]) != bool(plan["refused"]), done.stdout


POLICY = (
    "import sys, winreg\n"
    "key = winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, r'Software\\Policies\\Deskside\\desk')\n"
    "for name, value in (('kind', 'employee'), ('url', sys.argv[1])):\n"
    "    winreg.SetValueEx(key, name, 0, winreg.REG_SZ, value)"
)
NO_POLICY = (
    "import winreg\n"
    "winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, r'Software\\Policies\\Deskside\\desk')\n"
    "winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, r'Software\\Policies\\Deskside')"
)


def test_a_ticket_goes_to_the_desk_of_the_policy_with_the_vaults_token(wine, tmp_path: Path) -> None:
    with launch.start(tmp_path / "desk", rate=0) as desk:
        assert wine("-c", POLICY, desk.url).returncode == 0
        try:
            signed_in = wine("-m", "client", "login", "--token-stdin", said=desk.token)
            assert signed_in.returncode == 0, signed_in.stderr
            sent = wine("-m", "client", "ticket", "create", "--words", 'Drucker: grün & "ä"', "--yes", "--json")
            assert sent.returncode == 0, sent.stderr
            seen = desk.agent_ticket(json.loads(sent.stdout)["ticket"]["id"])
            assert wine("-m", "client", "logout").returncode == 0
            assert wine("-m", "client", "whoami").returncode != 0
        finally:
            wine("-c", NO_POLICY)
    assert seen.title == 'Drucker: grün & "ä"'
    assert {one.name for one in seen.attachments} >= {"report.json", "summary.txt"}
    assert json.loads(next(one.data for one in seen.attachments if one.name == "report.json"))["platform"] == "win32"


def test_the_privileged_helper_is_a_service_with_a_pipe(wine) -> None:
    done = wine("-I", "-P", f"Z:{Path(__file__).with_name('windows_helper.py')}")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["absent"] == [True, "FileNotFoundError"]
    assert (found["made"], found["up"], found["down"]) == (0, True, True)
    assert found["list"]["ids"]
    assert sorted(found["list"]["ids"]) == found["offers"]
    assert found["plan"]["words"] == "Restart this computer in 15 minutes. Save your work before."
    assert found["refused"] == ["bad-parameter", "bad-parameter", "unknown-action"]
    assert [one["reason"] for one in found["nonsense"]] == ["unknown-action"] * 4
    assert found["failed"]["words"] == "The system could not do it."  # Wine's ipconfig knows no /flushdns
    assert found["beside silent callers"] == "done"
    assert found["at once"] == ["done"] * 12
    assert found["a second one"] == [3, False]  # the pipe is taken
    assert found["policy"] == ["not-allowed", "done"]
    assert found["squatted"] == "OSError"  # made by somebody who is not the system
