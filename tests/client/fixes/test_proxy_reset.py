"""The proxy set back: on a real GNOME configuration, and by the recorded words of Windows and macOS."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from client.errors import ActionFault
from client.fixes.actions import reset_proxy
from client.fixes.machine import Completed, Local, Policy

SCHEMA = "org.gnome.system.proxy"


@pytest.fixture
def gnome(tmp_path: Path) -> Local:
    """The real gsettings over a file of the test's own, set as a person (or a program) has set it."""
    assert shutil.which("gsettings"), "gsettings is missing: installers/linux/prepare test"
    machine = Local(state=tmp_path / "state")
    machine.environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "GSETTINGS_BACKEND": "keyfile",
        "LC_ALL": "C",
    }
    machine.home = tmp_path
    for words in (
        (SCHEMA, "mode", "'manual'"),
        (f"{SCHEMA}.http", "host", "'old.example.com'"),
        (f"{SCHEMA}.http", "port", "3128"),
        (SCHEMA, "ignore-hosts", "['localhost', '.example.com']"),
    ):
        set_(machine, *words)
    return machine


def set_(machine: Local, schema: str, key: str, value: str) -> None:
    subprocess.run(["gsettings", "set", schema, key, value], env=dict(machine.environment), check=True, timeout=20)


def get(machine: Local, schema: str, key: str) -> str:
    done = subprocess.run(
        ["gsettings", "get", schema, key], env=dict(machine.environment), check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def plan(machine):
    return asyncio.run(reset_proxy.plan("", machine))


def execute(machine, step):
    assert reset_proxy.accepts(step, "", machine) == ""
    return asyncio.run(reset_proxy.execute(step, machine, lambda _: None))


def undo(machine, step):
    return asyncio.run(reset_proxy.undo(reset_proxy.undo_of(step), machine))


def test_without_a_company_proxy_the_own_one_goes_and_undo_brings_it_back(gnome: Local) -> None:
    (step,) = plan(gnome).steps
    assert "http host: 'old.example.com'" in step.details
    execute(gnome, step)
    assert (get(gnome, SCHEMA, "mode"), get(gnome, f"{SCHEMA}.http", "host")) == ("'none'", "''")
    assert plan(gnome).refused == reset_proxy.NONE_SET
    assert undo(gnome, step) == "The proxy settings are as they were."
    assert (get(gnome, SCHEMA, "mode"), get(gnome, f"{SCHEMA}.http", "host")) == ("'manual'", "'old.example.com'")
    assert get(gnome, SCHEMA, "ignore-hosts") == "['localhost', '.example.com']"


def test_the_companys_proxy_is_set_and_undo_takes_it_back(gnome: Local) -> None:
    gnome.policy = Policy(proxy="http://proxy.example.com:8080", no_proxy=("intranet.example.com", "evil'] x"))
    (step,) = plan(gnome).steps
    execute(gnome, step)
    for kind in ("http", "https"):
        assert get(gnome, f"{SCHEMA}.{kind}", "host") == "'proxy.example.com'"
        assert get(gnome, f"{SCHEMA}.{kind}", "port") == "8080"
    assert "intranet.example.com" in get(gnome, SCHEMA, "ignore-hosts")
    assert "evil" not in get(gnome, SCHEMA, "ignore-hosts")
    assert plan(gnome).refused == "The proxy is set as your IT department says."
    undo(gnome, step)
    assert get(gnome, f"{SCHEMA}.http", "host") == "'old.example.com'"
    assert get(gnome, f"{SCHEMA}.https", "host") == "''"


def test_what_changed_since_the_plan_is_left_alone(gnome: Local) -> None:
    (step,) = plan(gnome).steps
    set_(gnome, f"{SCHEMA}.http", "host", "'new.example.com'")
    with pytest.raises(ActionFault, match="have changed"):
        execute(gnome, step)
    assert get(gnome, f"{SCHEMA}.http", "host") == "'new.example.com'"


@pytest.mark.parametrize(
    "before",
    [
        "{}",
        '{"org.gnome.desktop.interface gtk-theme": "x"}',
        "[1]",
        "no JSON",
        '{"org.gnome.system.proxy mode": "\'auto\'"}',
    ],
)
def test_a_step_that_was_changed_is_not_accepted(gnome: Local, before: str) -> None:
    (step,) = plan(gnome).steps
    changed = msgspec.structs.replace(step, parameters={"before": before})
    assert reset_proxy.accepts(changed, "", gnome)


WINDOWS = (
    "HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\r\n"
    "    ProxyEnable    REG_DWORD    0x1\r\n    ProxyServer    REG_SZ    old.example.com:3128\r\n"
    "    User Agent    REG_SZ    Mozilla\r\n\r\nHKEY_CURRENT_USER\\...\\Zones\r\n    ProxyServer    REG_SZ    other\r\n"
)


def test_windows_is_switched_off_and_put_back_value_by_value(tmp_path, pretended) -> None:
    machine = pretended(tmp_path / "home", "win32")
    machine.installed = {"reg"}
    machine.answers["reg", "query", reset_proxy.POLICY] = Completed(code=1)
    machine.answers["reg", "query", reset_proxy.INTERNET] = WINDOWS
    (step,) = plan(machine).steps
    execute(machine, step)
    changes = [words[1:] for words in machine.ran if words[1] in {"add", "delete"}]
    assert changes[0] == ("add", reset_proxy.INTERNET, "/v", "ProxyEnable", "/t", "REG_DWORD", "/d", "0x0", "/f")
    assert ("delete", reset_proxy.INTERNET, "/v", "ProxyServer", "/f") in changes
    machine.answers["reg", "query", reset_proxy.POLICY] = (
        "HKEY_LOCAL_MACHINE\\x\r\n    ProxySettingsPerUser    REG_DWORD    0x0\r\n"
    )
    assert plan(machine).refused == reset_proxy.BY_IT


def test_a_mac_is_switched_off_service_by_service(tmp_path, pretended) -> None:
    machine = pretended(tmp_path / "home", "darwin")
    machine.installed = {"networksetup"}
    machine.answers["networksetup", "-listallnetworkservices"] = (
        "An asterisk (*) denotes that a network service is disabled.\nWi-Fi\n*Bluetooth PAN\n"
    )
    machine.answers["networksetup", "-getwebproxy", "Wi-Fi"] = (
        "Enabled: Yes\nServer: old.example.com\nPort: 3128\nAuthenticated Proxy Enabled: 0\n"
    )
    machine.answers["networksetup", "-getautoproxyurl", "Wi-Fi"] = "URL: (null)\nEnabled: No\n"
    (step,) = plan(machine).steps
    assert not any("Bluetooth" in line for line in step.details)
    execute(machine, step)
    assert ("networksetup", "-setwebproxystate", "Wi-Fi", "off") in machine.ran
    assert not [words for words in machine.ran if words[1] == "-setautoproxystate"]


def test_a_password_in_an_address_is_not_shown(tmp_path, pretended) -> None:
    machine = pretended(tmp_path / "home", "win32")
    machine.installed = {"reg"}
    machine.answers["reg", "query", reset_proxy.POLICY] = Completed(code=1)
    machine.answers["reg", "query", reset_proxy.INTERNET] = WINDOWS.replace(
        "old.example.com:3128", "http://robin:geheim@old.example.com"
    )
    (step,) = plan(machine).steps
    assert "geheim" not in " ".join(step.details)
