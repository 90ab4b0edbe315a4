"""What packages install for the helper fits the helper: names, actions, who may do what."""

from __future__ import annotations

import configparser
import plistlib
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from client.fixes.actions.ask_helper import DEEDS
from client.fixes.catalogue import FIXES, PASSWORD_S
from client.helper import bus, local, windows
from client.helper.actions import ACTIONS
from client.platform import helper, helper_pipe

ROOT = Path(__file__).parents[3]
LINUX = ROOT / "installers/linux/helper"
OWN_PASSWORD = {"network.restart", "restart.plan", "restart.cancel"}  # it touches others, and harms nothing


def unit() -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.optionxform = str
    parsed.read_string((LINUX / "deskside-helper.service").read_text())
    return parsed


def polkit() -> dict[str, dict[str, str]]:
    tree = ET.parse(LINUX / "io.github.deskside.helper.policy")  # noqa: S314 -- our own file
    return {
        action.get("id", ""): {one.tag: one.text or "" for one in action.iterfind("defaults/*")}
        for action in tree.iterfind("action")
    }


def test_polkit_knows_every_action_of_linux_and_no_other() -> None:
    ids = {id for id, action in ACTIONS.items() if any(way.platform == "linux" for way in action.ways)}
    assert polkit().keys() == {bus.POLKIT_PREFIX + id.replace(".", "-") for id in ids}


@pytest.mark.parametrize("id", ACTIONS)
def test_polkit_lets_people_do_what_the_table_calls_light(id: str) -> None:
    defaults = polkit().get(bus.POLKIT_PREFIX + id.replace(".", "-"))
    if defaults is None:
        return
    wanted = "yes" if ACTIONS[id].light else "auth_self_keep" if id in OWN_PASSWORD else "auth_admin_keep"
    assert defaults == {"allow_any": "auth_admin", "allow_inactive": "auth_admin", "allow_active": wanted}


def test_the_bus_lets_only_root_be_the_helper_and_everybody_ask_it() -> None:
    tree = ET.parse(LINUX / f"{bus.NAME}.conf")  # noqa: S314 -- our own file
    root, others = tree.iterfind("policy")
    assert (root.attrib, [one.attrib for one in root]) == ({"user": "root"}, [{"own": bus.NAME}])
    assert others.attrib == {"context": "default"}
    assert {one.tag for one in others} == {"allow"}
    assert {one.get("send_destination") for one in others} == {bus.NAME}
    assert {one.get("send_interface") for one in others} == {interface for interface, _ in bus._METHODS}


def test_it_is_started_isolated_by_the_bus_and_by_systemd() -> None:
    service = configparser.ConfigParser()
    service.read_string((LINUX / f"{bus.NAME}.service").read_text())
    about = dict(service["D-BUS Service"])
    command = "@PYTHON@ -I -P -m client.helper"
    assert about == {"name": bus.NAME, "exec": command, "user": "root", "systemdservice": "deskside-helper.service"}
    section = unit()["Service"]
    assert (section["BusName"], section["ExecStart"], section["UMask"]) == (bus.NAME, command, "0077")
    assert not {"Environment", "EnvironmentFile", "PassEnvironment", "User"} & section.keys()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_the_unit_and_finds_it_well_closed(tmp_path: Path) -> None:
    file = tmp_path / "deskside-helper.service"
    file.write_text((LINUX / file.name).read_text().replace("@PYTHON@", sys.executable))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(file)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert file.name not in checked.stderr, checked.stderr
    found = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=50", str(file)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout[-600:]


def test_both_sides_mean_the_same_places() -> None:
    assert helper.BUS_NAME == bus.NAME
    assert helper_pipe.PIPE == windows.PIPE
    assert hex(helper_pipe.ACCESS) in windows.RIGHTS
    assert not helper_pipe.ACCESS & 0x4  # FILE_CREATE_PIPE_INSTANCE: nobody else may serve the pipe
    listed = plistlib.loads((ROOT / "installers/macos/io.github.deskside.helper.plist").read_bytes())
    assert listed["Sockets"][local.SOCKET]["SockPathName"] == helper.SOCKET


def test_the_command_is_declared() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts["deskside-helper"] == "client.helper.__main__:main"


def test_what_the_client_asks_for_exists_and_is_waited_for_long_enough() -> None:
    assert DEEDS.keys() <= ACTIONS.keys()
    for id, deed in DEEDS.items():
        assert deed.parameters.keys() == set(ACTIONS[id].parameters), id
        assert deed.back == ACTIONS[id].undo
        assert deed.deadline_s >= ACTIONS[id].limit_s
    for fix in FIXES:
        if fix.privileged:
            assert fix.privileged in DEEDS
            assert fix.deadline_s >= PASSWORD_S + DEEDS[fix.privileged].deadline_s
            assert helper.PASSWORD_S == PASSWORD_S == bus.PASSWORD_S


def test_the_page_for_administrators_names_every_action_and_its_limit() -> None:
    rows = [
        line.split("|")
        for line in (ROOT / "docs/privileged-helper.md").read_text().splitlines()
        if line.startswith("| `")
    ]
    told = {cells[1].strip(" `"): [cell.strip() for cell in cells[2:-1]] for cells in rows}
    assert told.keys() == ACTIONS.keys()
    for id, (parameters, light, *platforms, limit) in told.items():
        action = ACTIONS[id]
        assert parameters == ", ".join(action.parameters)
        assert light == ("yes" if action.light else "own password" if id in OWN_PASSWORD else "no")
        ways = {way.platform for way in action.ways}
        assert [cell != "-" for cell in platforms] == [one in ways for one in ("linux", "darwin", "win32")]
        number, unit_of_time = limit.split()
        assert action.limit_s == int(number) * {"min": 60, "h": 3600}[unit_of_time]
