"""Start-up items that lead nowhere, and networks that are remembered wrongly: real files, and recorded words of each system."""

from __future__ import annotations

import asyncio
import plistlib
import sys

import msgspec
import pytest

from client.errors import ActionFault
from client.fixes.actions import forget_network, startup_item
from client.fixes.machine import Completed

ENTRY = "[Desktop Entry]\nType=Application\nName=Old\nExec={exec}\n{more}"


def plan(action, machine):
    return asyncio.run(action.plan("", machine))


def execute(action, machine, step):
    assert action.accepts(step, "", machine) == ""
    return asyncio.run(action.execute(step, machine, lambda _: None))


def undo(action, machine, step):
    return asyncio.run(action.undo(action.undo_of(step), machine))


def changed(step, **more):
    return msgspec.structs.replace(step, parameters={**step.parameters, **more})


def entry(machine, name: str, exec: str, more: str = ""):
    file = machine.home / ".config/autostart" / f"{name}.desktop"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(ENTRY.format(exec=exec, more=more))
    return file


def test_only_what_cannot_start_is_switched_off_and_undo_brings_it_back(machine) -> None:
    broken = entry(machine, "old-sync", "/opt/gone/sync --quiet")
    entry(machine, "works", f"{sys.executable} -V")
    entry(machine, "by-name", "env LANG=C sh -c true")
    entry(machine, "off", "/opt/gone/off", "Hidden=true\n")
    entry(machine, "odd", "'unclosed")
    (step,) = plan(startup_item, machine).steps
    assert step.words == "Do not start old-sync with your session any more."
    assert step.details == ("Its program is missing: /opt/gone/sync",)
    execute(startup_item, machine, step)
    assert not broken.exists()
    assert plan(startup_item, machine).refused == startup_item.NOTHING
    assert "again" in undo(startup_item, machine, step)
    assert "/opt/gone/sync" in broken.read_text()


def test_an_agent_of_a_mac_is_moved_aside_and_comes_back(tmp_path, pretended) -> None:
    machine = pretended(tmp_path / "home", "darwin")
    file = machine.home / "Library/LaunchAgents/com.example.old.plist"
    file.parent.mkdir(parents=True)
    file.write_bytes(plistlib.dumps({"Label": "x", "ProgramArguments": ["/Applications/Gone.app/x"]}))
    (file.parent / "broken.plist").write_bytes(b"no plist")
    (file.parent / "off.plist").write_bytes(plistlib.dumps({"Program": "/gone", "Disabled": True}))
    (step,) = plan(startup_item, machine).steps
    execute(startup_item, machine, step)
    assert not file.exists()
    undo(startup_item, machine, step)
    assert file.exists()


def test_a_value_of_windows_is_deleted_and_put_back_as_it_was(tmp_path, pretended) -> None:
    machine = pretended(tmp_path / "home", "win32", APPDATA=r"C:\Users\robin\AppData\Roaming")
    machine.installed = {"reg"}
    machine.files[r"C:\Program Files\Here\here.exe"] = ""
    machine.answers["reg", "query", startup_item.RUN] = (
        "HKEY_CURRENT_USER\\x\r\n"
        '    Old    REG_SZ    "C:\\Program Files\\Gone\\gone.exe" /tray\r\n'
        "    Here    REG_SZ    C:\\Program Files\\Here\\here.exe -q\r\n"
        "    Roam    REG_EXPAND_SZ    %APPDATA%\\gone\\x.exe\r\n"
        "    Dll    REG_SZ    rundll32.exe x.dll,Run\r\n"
    )
    old, roam = plan(startup_item, machine).steps
    assert (old.parameters["program"], roam.parameters["program"]) == (
        r"C:\Program Files\Gone\gone.exe",
        r"C:\Users\robin\AppData\Roaming\gone\x.exe",
    )
    execute(startup_item, machine, roam)
    assert ("reg", "delete", startup_item.RUN, "/v", "Roam", "/f") in machine.ran
    machine.answers["reg", "query", startup_item.RUN] = "HKEY_CURRENT_USER\\x\r\n"
    undo(startup_item, machine, roam)
    wanted = ("reg", "add", startup_item.RUN, "/v", "Roam", "/t", "REG_EXPAND_SZ", "/d", "%APPDATA%\\gone\\x.exe", "/f")
    assert wanted in machine.ran
    with pytest.raises(ActionFault, match="has changed"):
        execute(startup_item, machine, old)


@pytest.mark.parametrize(
    "path", ["{home}/.ssh/id_rsa", "/etc/xdg/autostart/x.desktop", "{home}/.config/autostart/../x.desktop"]
)
def test_nothing_else_is_switched_off(machine, path) -> None:
    entry(machine, "old", "/opt/gone/x")
    (step,) = plan(startup_item, machine).steps
    evil = path.format(home=machine.home)
    assert startup_item.accepts(changed(step, path=evil, place=f"{evil}.deskside-1"), "", machine)
    assert startup_item.accepts(changed(step, place=str(machine.home / "x")), "", machine)
    with pytest.raises(ActionFault):
        asyncio.run(startup_item.undo({**step.parameters, "path": evil}, machine))


# --- networks

UUID = "6f1c2d3e-1111-4222-8333-abcdefabcdef"
KNOWN = f"Office: 2nd floor:{UUID}:802-11-wireless\nlo:00000000-0000-0000-0000-000000000000:loopback\nbroken\n"


def test_a_network_is_forgotten_by_its_uuid(machine) -> None:
    machine.installed = {"nmcli"}
    machine.answers["nmcli", "-t", "-f", "NAME,UUID,TYPE", "connection"] = KNOWN.replace("Office: ", "Office\\: ")
    planned = plan(forget_network, machine)
    (step,) = planned.steps
    assert (planned.choice, step.picked, planned.undo) == ("one", False, "")
    assert step.words == "Forget the network Office: 2nd floor."
    assert "enter its password" in execute(forget_network, machine, step)
    assert ("nmcli", "connection", "delete", "uuid", UUID) in machine.ran
    machine.answers["nmcli", "connection", "delete"] = Completed(code=4)
    with pytest.raises(ActionFault, match="did not let us"):
        execute(forget_network, machine, step)
    machine.answers["nmcli", "-t", "-f", "NAME,UUID,TYPE", "connection"] = ""
    with pytest.raises(ActionFault, match="not remembered any more"):
        execute(forget_network, machine, step)
    assert plan(forget_network, machine).refused == forget_network.NONE


@pytest.mark.parametrize(
    ("head", "label"),
    [
        ("Profiles on interface Wi-Fi:", "All User Profile"),
        ("Profile auf Schnittstelle WLAN:", "Profil für alle Benutzer"),
    ],
)
def test_windows_says_its_networks_in_any_language(tmp_path, pretended, head, label) -> None:
    machine = pretended(tmp_path / "home", "win32")
    machine.installed = {"netsh"}
    machine.answers["netsh", "wlan", "show", "profiles"] = (
        f"\r\n{head}\r\n\r\nGroup policy profiles (read only)\r\n---------------------------------\r\n    <None>\r\n\r\n"
        f"User profiles\r\n-------------\r\n    {label}     : Office 5G\r\n    {label}     : Home\r\n\r\n"
    )
    steps = plan(forget_network, machine).steps
    assert [step.parameters["id"] for step in steps] == ["Office 5G", "Home"]
    execute(forget_network, machine, steps[1])
    assert ("netsh", "wlan", "delete", "profile", "name=Home") in machine.ran


def test_a_mac_forgets_by_its_wifi_device(tmp_path, pretended) -> None:
    machine = pretended(tmp_path / "home", "darwin")
    machine.installed = {"networksetup"}
    machine.answers["networksetup", "-listallhardwareports"] = (
        "\nHardware Port: Wi-Fi\nDevice: en0\nEthernet Address: 00:00:00:00:00:00\n"
    )
    machine.answers["networksetup", "-listpreferredwirelessnetworks", "en0"] = (
        "Preferred networks on en0:\n\tOffice\n\tHome\n"
    )
    steps = plan(forget_network, machine).steps
    execute(forget_network, machine, steps[0])
    assert ("networksetup", "-removepreferredwirelessnetwork", "en0", "Office") in machine.ran


@pytest.mark.parametrize("change", [{"id": "x; reboot"}, {"name": "a\nb"}, {"id": ""}, {"more": "x"}])
def test_a_step_that_was_changed_is_not_accepted(machine, change) -> None:
    step = forget_network._step("Office", UUID)
    assert forget_network.accepts(step, "", machine) == ""
    assert forget_network.accepts(changed(step, **change), "", machine)
