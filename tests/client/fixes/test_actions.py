"""What each action plans on each system, what it refuses, and what it will not accept."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import psutil
import pytest

from client.errors import ActionFault
from client.fixes.actions import ACTIONS, flush_dns, open_settings, reconnect_network
from client.fixes.actions.reconnect_network import wifi_device, windows_radios
from client.fixes.catalogue import BY_ID, FIXES, nearest
from client.fixes.machine import Completed, Local, Mount, mounts
from client.fixes.plan import counted, printable, size
from client.model import Step
from diagnostics.registry import load

RESOLVED = "/run/systemd/resolve/stub-resolv.conf"


def plan(action, machine, option=""):
    return asyncio.run(action.plan(option, machine))


def execute(action, machine, step):
    return asyncio.run(action.ACTION.execute(step, machine, lambda _: None))


# --- the catalogue


def test_the_catalogue_names_only_actions_of_the_closed_list():
    assert {action for fix in FIXES for action, _ in fix.actions} == set(ACTIONS) - {"ask_helper", "run_script"}
    assert len(BY_ID) == len(FIXES)


def test_every_promised_fix_exists():
    pages = ("network", "storage", "date_time", "proxy", "updates", "display", "sound", "printers", "power", "security")
    promised = [
        "dns.flush_cache",
        "network.reconnect",
        "disk.free_space",
        "disk.empty_trash",
        "network.restart_service",
        "clock.sync",
        "shares.reconnect",
        "printing.clear_all",
        "updates.install",
        "system.restart",
        "system.repair",
        "system.repair_store",
        "browser.clear_cache",
        "proxy.reset",
        "printing.clear_mine",
        "printing.choose_default",
        "sound.restart",
        "sound.unmute",
        "microphone.unmute",
        "programs.restart",
        "files.find_large",
        "mail.rebuild_index",
        "mail.reset_outlook",
        "meetings.reset_teams",
        "display.forget_layout",
        "desktop.clear_thumbnails",
        "desktop.clear_icons",
        "desktop.clear_fonts",
        "desktop.reset_apps",
        "startup.disable_broken",
        "network.forget_wifi",
        *(f"settings.{page}" for page in pages),
    ]
    assert set(promised) == set(BY_ID)


def test_the_checks_of_the_catalogue_exist():
    checks = load()
    known = {one.area for one in checks} | {one.id for one in checks}
    assert {check for fix in FIXES for check in fix.checks} <= known


def test_a_mistyped_id_has_a_neighbour():
    assert nearest("disk.freespace") == "disk.free_space"
    assert nearest("xyz") == ""


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 KB"),
        (999_600, "1.0 MB"),
        (1_234_567_890, "1.2 GB"),
        (10**13, "10 TB"),
    ],
)
def test_sizes_read_as_in_a_file_manager(count, words):
    assert size(count) == words


def test_counts_and_names_are_shown_safely():
    assert counted(1, "entry", "entries") == "1 entry"
    assert counted(1200, "file") == "1,200 files"
    assert "\n" not in printable("evil\nname\x1b[31m\udcff")


# --- names


@pytest.mark.parametrize(
    ("platform", "files", "installed", "command"),
    [
        ("linux", {RESOLVED: ""}, {"resolvectl"}, ("resolvectl", "flush-caches")),
        ("darwin", {}, {"dscacheutil"}, ("dscacheutil", "-flushcache")),
        ("win32", {}, {"ipconfig"}, ("ipconfig", "/flushdns")),
    ],
)
def test_the_systems_own_cache_is_cleared(tmp_path, pretended, platform, files, installed, command):
    machine = pretended(tmp_path / "home", platform)
    machine.files, machine.installed = files, installed
    planned = plan(flush_dns, machine)
    assert not planned.refused
    (step,) = planned.steps
    assert flush_dns.accepts(step, "", machine) == ""
    assert machine.ran == []
    assert "cleared" in execute(flush_dns, machine, step)
    assert machine.ran == [command]


def test_nothing_to_clear_is_said(machine):
    assert "does not remember names" in plan(flush_dns, machine).refused


def test_a_cache_that_only_root_may_clear_is_refused_to_others_and_named(machine):
    machine.files["/run/nscd/socket"] = ""
    machine.installed.add("nscd")
    machine.uid = 1000
    refused = plan(flush_dns, machine).refused
    assert "nscd" in refused
    assert "administrator" in refused
    machine.uid = 0
    assert plan(flush_dns, machine).steps[0].parameters == {"cache": "nscd"}


def test_a_refusing_name_service_is_an_error_with_a_hint(machine):
    machine.files[RESOLVED] = ""
    machine.installed.add("resolvectl")
    (step,) = plan(flush_dns, machine).steps
    machine.answers["resolvectl",] = Completed(code=1, err="Access denied")
    with pytest.raises(ActionFault, match="did not let us") as caught:
        execute(flush_dns, machine, step)
    assert "administrator" in caught.value.hint


# --- the network

GENERAL = ("nmcli", "--terse", "--fields", "RUNNING,NETWORKING,WIFI-HW,WIFI", "general")
PERMISSIONS = ("nmcli", "--terse", "general", "permissions")
DEVICES = ("nmcli", "--terse", "--fields", "DEVICE,TYPE,STATE", "device")
ACTIVE = ("nmcli", "--terse", "--fields", "UUID,TYPE,NAME,STATE", "connection", "show", "--active")
UUID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@pytest.fixture
def networked(machine):
    machine.installed.add("nmcli")
    machine.answers[GENERAL] = "running:enabled:enabled:enabled\n"
    machine.answers[PERMISSIONS] = "".join(
        f"org.freedesktop.NetworkManager.{name}:yes\n"
        for name in ("network-control", "enable-disable-wifi", "enable-disable-network")
    )
    machine.answers[DEVICES] = (
        "wlp3s0:wifi:connected\nenp2s0:ethernet:unavailable\ndocker0:bridge:connected (externally)\n"
    )
    machine.answers[ACTIVE] = (
        f"{UUID}:802-11-wireless:Caf\\: upstairs:activated\n{UUID[:-1]}1:bridge:docker0:activated\n"
        f"{UUID[:-1]}2:vpn:Company:activated\n"
    )
    return machine


def test_each_real_connection_is_joined_again_and_no_bridge_or_vpn(networked):
    (step,) = plan(reconnect_network, networked).steps
    assert step.words == "Leave “Caf: upstairs” and join it again."
    assert reconnect_network.accepts(step, "", networked) == ""
    execute(reconnect_network, networked, step)
    assert networked.ran[-1] == ("nmcli", "--wait", "45", "connection", "up", "uuid", UUID)


def test_what_works_comes_before_what_hangs(networked):
    networked.answers[ACTIVE] = (
        f"{UUID[:-1]}3:802-3-ethernet:Spare socket:activating\n{UUID}:802-11-wireless:Office:activated\n"
    )
    assert [step.parameters["name"] for step in plan(reconnect_network, networked).steps] == ["Office", "Spare socket"]


def test_wifi_that_is_off_is_switched_on_and_can_be_switched_off_again(networked):
    networked.answers[GENERAL] = "running:enabled:enabled:disabled\n"
    networked.answers[ACTIVE] = ""
    planned = plan(reconnect_network, networked)
    (step,) = planned.steps
    assert planned.undo == "Wi-Fi is switched off again."
    execute(reconnect_network, networked, step)
    assert networked.ran[-1][-3:] == ("radio", "wifi", "on")
    assert (
        asyncio.run(reconnect_network.undo(reconnect_network.undo_of(step), networked))
        == "Wi-Fi is switched off again."
    )
    assert networked.ran[-1] == ("nmcli", "radio", "wifi", "off")


def test_without_an_active_connection_whatever_could_connect_is_connected(networked):
    networked.answers[ACTIVE] = ""
    networked.answers[DEVICES] = "enp2s0:ethernet:disconnected\n"
    (step,) = plan(reconnect_network, networked).steps
    execute(reconnect_network, networked, step)
    assert networked.ran[-1][-3:] == ("device", "connect", "enp2s0")


def test_networking_that_is_off_is_switched_on(networked):
    networked.answers[GENERAL] = "running:disabled:enabled:enabled\n"
    planned = plan(reconnect_network, networked)
    assert planned.steps[0].parameters == {"how": "networking_on"}
    assert planned.undo


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda machine: machine.installed.clear(), "no NetworkManager"),
        (lambda machine: machine.answers.update({GENERAL: Completed(code=8, err="not running")}), "does not run"),
        (
            lambda machine: machine.answers.update(
                {PERMISSIONS: "org.freedesktop.NetworkManager.network-control:auth\n"}
            ),
            "administrator",
        ),
        (lambda machine: machine.answers.update({ACTIVE: "", DEVICES: ""}), "no network connection"),
        (lambda machine: setattr(machine, "environment", {"SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22"}), "cut you off"),
        (lambda machine: setattr(machine, "environment", {"SESSIONNAME": "RDP-Tcp#3"}), "cut you off"),
    ],
)
def test_the_network_is_left_alone_where_it_cannot_or_should_not_be_touched(networked, break_it, words):
    break_it(networked)
    planned = plan(reconnect_network, networked)
    assert words in planned.refused
    assert planned.steps == ()


def test_a_network_that_does_not_come_back_is_an_error_that_says_what_to_do(networked):
    (step,) = plan(reconnect_network, networked).steps
    networked.answers = {("nmcli", "--wait"): Completed(code=4, err="secrets were required")}
    with pytest.raises(ActionFault, match="did not come back") as caught:
        execute(reconnect_network, networked, step)
    assert "settings" in caught.value.hint


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"how": "activate"},
        {"how": "activate", "uuid": UUID},
        {"how": "activate", "uuid": "--help", "name": "x"},
        {"how": "activate", "uuid": UUID + "\n", "name": "x"},
        {"how": "connect", "device": "-x"},
        {"how": "connect", "device": "a b"},
        {"how": "connect", "device": "enp2s0", "more": "x"},
        {"how": "profile", "interface": 'a"b', "profile": "x"},
        {"how": "rm", "device": "enp2s0"},
    ],
)
def test_a_tampered_connection_is_not_accepted(networked, parameters):
    (step,) = plan(reconnect_network, networked).steps
    assert reconnect_network.accepts(msgspec.structs.replace(step, parameters=parameters), "", networked)
    assert reconnect_network.accepts(msgspec.structs.replace(step, words="Nothing."), "", networked)


MAC_PORTS = "\nHardware Port: Ethernet\nDevice: en1\nEthernet Address: aa\n\nHardware Port: Wi-Fi\nDevice: en0\n"


def test_a_mac_switches_wifi_off_and_on(tmp_path, pretended):
    machine = pretended(tmp_path / "home", "darwin")
    machine.installed.add("networksetup")
    machine.answers["networksetup", "-listallhardwareports"] = MAC_PORTS
    machine.answers["networksetup", "-getairportpower"] = "Wi-Fi Power (en0): On\n"
    (step,) = plan(reconnect_network, machine).steps
    execute(reconnect_network, machine, step)
    assert [words[-1] for words in machine.ran[-2:]] == ["off", "on"]
    machine.answers["networksetup", "-getairportpower"] = "Wi-Fi Power (en0): Off\n"
    assert plan(reconnect_network, machine).undo == "Wi-Fi is switched off again."
    assert wifi_device("Hardware Port: Ethernet\nDevice: en1\n") is None


GERMAN_INTERFACES = """
Es ist 1 Schnittstelle auf dem System vorhanden:

    Name                   : WLAN
    Beschreibung           : Intel(R) Wi-Fi 6 AX201 160MHz
    GUID                   : 01234567-89ab-cdef-0123-456789abcdef
    Physische Adresse      : aa:bb:cc:dd:ee:ff
    Status                 : Verbunden
    SSID                   : Buero
    BSSID                  : 11:22:33:44:55:66
    Netzwerktyp            : Infrastruktur
    Signal                 : 84%
    Profil                 : Buero 5 GHz

    Status des gehosteten Netzwerks: Nicht verfügbar
"""
GERMAN_PROFILES = """
Profile auf Schnittstelle WLAN:

Benutzerprofile
---------------
    Profil für alle Benutzer : Zuhause
    Profil für alle Benutzer : Buero 5 GHz
"""


def test_windows_joins_its_wifi_profile_again_in_any_language(tmp_path, pretended):
    machine = pretended(tmp_path / "home", "win32")
    machine.installed.add("netsh")
    machine.answers["netsh", "wlan", "show", "interfaces"] = GERMAN_INTERFACES.replace("\n", "\r\n")
    machine.answers["netsh", "wlan", "show", "profiles"] = GERMAN_PROFILES.replace("\n", "\r\n")
    (step,) = plan(reconnect_network, machine).steps
    assert step.parameters == {"how": "profile", "interface": "WLAN", "profile": "Buero 5 GHz"}
    execute(reconnect_network, machine, step)
    assert machine.ran[-1] == ("netsh", "wlan", "connect", "name=Buero 5 GHz", "interface=WLAN")


def test_a_windows_without_connected_wifi_is_told_about_its_cable(tmp_path, pretended):
    machine = pretended(tmp_path / "home", "win32")
    assert "cable" in plan(reconnect_network, machine).refused
    assert windows_radios(GERMAN_INTERFACES.replace("    SSID ", "    Band "), GERMAN_PROFILES) == ()


# --- this computer


def test_a_process_that_cannot_be_asked_hides_no_other(monkeypatch):
    class Process:
        def __init__(self, answer):
            self.answer = answer

        def name(self):
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

    found = [
        Process("Firefox"),
        Process(psutil.AccessDenied(1)),
        Process(OSError("WinError 87")),
        Process("chrome.exe"),
    ]
    monkeypatch.setattr(psutil, "process_iter", lambda: iter(found))
    assert Local().programs() == {"firefox", "chrome"}


def test_a_command_is_ended_when_its_time_is_over_and_speaks_english():
    async def run():
        machine = Local()
        said = await machine.run(("sh", "-c", "echo $LC_ALL; cat; echo oops >&2; exit 3"), deadline_s=10)
        with pytest.raises(TimeoutError):
            await machine.run(("sleep", "60"), deadline_s=0.2)
        with pytest.raises(OSError, match="ended at once"):
            await machine.start(("false",))
        with pytest.raises(FileNotFoundError):
            await machine.run(("no-such-program",), deadline_s=1)
        return said

    assert asyncio.run(run()) == Completed(code=3, out="C\n", err="oops\n")


def test_mount_points_are_read_with_their_odd_names(machine):
    machine.files["/proc/self/mountinfo"] = "22 1 8:1 / /media/a\\040b\\134c rw shared:1 - ext4 /dev/sda1 rw\nrubbish\n"
    assert mounts(machine) == (Mount(path=Path("/media/a b\\c"), kind="ext4"),)
    assert not Local().which("no-such-program")
    assert Local().which("sh").endswith("/sh")


# --- settings pages

PAGES = sorted(open_settings.NAMES)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_every_page_opens_on_every_system(tmp_path, pretended, platform, page):
    machine = pretended(tmp_path / "home", platform, DISPLAY=":0", XDG_CURRENT_DESKTOP="ubuntu:GNOME")
    machine.installed |= {"gnome-control-center", "gnome-software", "baobab"}
    (step,) = plan(open_settings, machine, page).steps
    assert open_settings.accepts(step, page, machine) == ""
    assert "open" in execute(open_settings, machine, step)
    assert len(machine.started) + len(machine.opened) == 1


@pytest.mark.parametrize(
    ("desktop", "installed", "command"),
    [
        ("GNOME", {"gnome-control-center"}, ("/usr/bin/gnome-control-center", "sound")),
        ("KDE", {"systemsettings", "gnome-control-center"}, ("/usr/bin/systemsettings", "kcm_pulseaudio")),
        ("XFCE", {"pavucontrol"}, ("/usr/bin/pavucontrol",)),
        ("X-Cinnamon", {"cinnamon-settings"}, ("/usr/bin/cinnamon-settings", "sound")),
        ("", {"systemsettings"}, ("/usr/bin/systemsettings", "kcm_pulseaudio")),
    ],
)
def test_the_page_is_that_of_the_desktop(tmp_path, pretended, desktop, installed, command):
    machine = pretended(tmp_path / "home", WAYLAND_DISPLAY="wayland-0", XDG_CURRENT_DESKTOP=desktop)
    machine.installed = installed
    (step,) = plan(open_settings, machine, "sound").steps
    execute(open_settings, machine, step)
    assert machine.started == [command]


def test_newer_gnome_has_date_and_time_in_its_system_panel(tmp_path, pretended):
    machine = pretended(tmp_path / "home", DISPLAY=":0", XDG_CURRENT_DESKTOP="GNOME")
    machine.installed = {"gnome-control-center"}
    (step,) = plan(open_settings, machine, "date_time").steps
    execute(open_settings, machine, step)
    machine.files["/usr/share/applications/gnome-system-panel.desktop"] = ""
    execute(open_settings, machine, step)
    assert [words[1:] for words in machine.started] == [("datetime",), ("system", "datetime")]


def test_no_desktop_and_no_program_are_said(tmp_path, pretended):
    assert "no desktop" in plan(open_settings, pretended(tmp_path / "home"), "sound").refused
    assert (
        "No program for the sound settings"
        in plan(open_settings, pretended(tmp_path / "home", DISPLAY=":0"), "sound").refused
    )


def test_a_page_cannot_become_a_command(tmp_path, pretended):
    machine = pretended(tmp_path / "home", "win32")
    (step,) = plan(open_settings, machine, "sound").steps
    for parameters in ({"page": "calc.exe"}, {"page": "../x"}, {}, {"page": "sound", "more": "x"}, {"page": "network"}):
        assert open_settings.accepts(msgspec.structs.replace(step, parameters=parameters), "sound", machine)


def test_no_action_accepts_an_empty_step(machine: object, tmp_path: Path):
    for action in ACTIONS.values():
        assert action.accepts(Step(action=action.name, words="x"), "sound", machine)
