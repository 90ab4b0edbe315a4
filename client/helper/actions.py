"""The closed table of what can be done with an administrator's rights, and how to find the way that exists on this computer.

Ids are public; policies, the polkit file and `client.fixes` name them. A command is a program with fixed words: the only holes are
`{interface}`, `{minutes}` and `{seconds}`, which `client.helper.parameters` fills after checking. A leading "-" means, as in make,
that a failure of this command does not count.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

FOLDERS: Final = ("/usr/bin", "/usr/sbin", "/bin", "/sbin")  # all root's; no environment is asked
SYSTEMD: Final = "/run/systemd/system"  # exists where systemd is in charge (sd_booted(3))
MINUTE: Final = 60.0
Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """How an action is done on a system of this kind: where `sign` exists (empty: always) and every program is there.

    `last` is run at the end whatever happened before it. `apart`: where systemd is in charge, in a unit of its own, so that the
    end of the helper is not the end of an installation, and the helper's own unit can be kept small.
    """

    platform: str
    commands: tuple[Command, ...]
    sign: str = ""
    last: Command = ()
    apart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that can be done.

    Attributes:
        words: what it does, to the employee; may name a parameter.
        done: what was done.
        parameters: the kinds of `client.helper.parameters` that it takes; each is needed.
        limit_s: after so long it is ended.
        light: harmless enough for whoever sits at the computer; anything else needs an administrator's word or a policy.
        undo: the id of the action that takes it back, empty where there is none.
        says: what in the output changes the answer: the first pattern that is found gives the sentence, good or not.
    """

    words: str
    done: str
    ways: tuple[Way, ...]
    parameters: tuple[str, ...] = ()
    limit_s: float = MINUTE
    light: bool = False
    undo: str = ""
    says: tuple[tuple[str, bool, str], ...] = ()


# Searches, downloads and installs through the documented Windows Update Agent; a restart is left to the person.
_WINDOWS_UPDATE: Final = (
    "$s=New-Object -ComObject Microsoft.Update.Session;"
    "$f=$s.CreateUpdateSearcher().Search('IsInstalled=0 and IsHidden=0').Updates;"
    "if($f.Count -eq 0){'deskside:none';exit 0}"
    "$f|%{if(-not $_.EulaAccepted){$_.AcceptEula()}};"
    "$d=$s.CreateUpdateDownloader();$d.Updates=$f;[void]$d.Download();"
    "$i=$s.CreateUpdateInstaller();$i.Updates=$f;$r=$i.Install();"
    "if($r.RebootRequired){'deskside:restart'};if($r.ResultCode -ne 2){exit 1}"
)
_POWERSHELL: Final = (r"WindowsPowerShell\v1.0\powershell.exe", "-NoProfile", "-NonInteractive", "-NoLogo", "-Command")
_KEEP: Final = ("-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold")
_WAIT: Final = ("-o", "DPkg::Lock::Timeout=120")  # another installation may be running


def _restart(unit: str) -> tuple[Way, ...]:
    return (
        Way("linux", (("systemctl", "restart", f"{unit}.service"),), f"/lib/systemd/system/{unit}.service"),
        Way("linux", ((f"/etc/init.d/{unit}", "restart"),)),
    )


def _off_and_on(off: str, on: str) -> Command:
    """Both in one process that is not stopped half-way, so that nobody stays offline when the helper is killed in between.

    The adapter's name is "$1" of the fixed script, never a part of it.
    """
    return ("sh", "-c", f'trap "" TERM HUP INT; {off}; {on}', "sh", "{interface}")


ACTIONS: Final[Mapping[str, Action]] = {
    "dns.flush": Action(
        words="Make this computer forget the names of sites and servers that it has looked up.",
        done="The remembered names are cleared.",
        light=True,
        ways=(
            Way("linux", (("resolvectl", "flush-caches"),), "/run/systemd/resolve/io.systemd.Resolve"),
            Way("linux", (("nscd", "--invalidate=hosts"),), "/run/nscd/socket"),
            Way("linux", (("nmcli", "general", "reload", "dns-full"),), "/run/NetworkManager/dnsmasq.pid"),
            Way("darwin", (("dscacheutil", "-flushcache"), ("killall", "-HUP", "mDNSResponder"))),
            Way("win32", (("ipconfig.exe", "/flushdns"),)),
        ),
    ),
    "address.renew": Action(
        words="Ask the network for the address of {interface} again. You are offline for some seconds.",
        done="The address was asked for again.",
        light=True,
        parameters=("interface",),
        ways=(
            Way("linux", (("nmcli", "--wait", "45", "device", "connect", "{interface}"),), "/run/NetworkManager"),
            Way("linux", (("networkctl", "renew", "{interface}"),), "/run/systemd/netif/state"),
            Way("linux", (_off_and_on('ifdown "$1"', 'ifup "$1"'),), "/run/network/ifstate", apart=True),
            # The first fails where the address is not from DHCP, and then nothing is changed.
            Way("darwin", (("ipconfig", "getpacket", "{interface}"), ("ipconfig", "set", "{interface}", "DHCP"))),
            Way("win32", (("-ipconfig.exe", "/release", "{interface}"), ("ipconfig.exe", "/renew", "{interface}"))),
        ),
    ),
    "adapter.restart": Action(
        words="Switch {interface} off and on again. You are offline for some seconds.",
        done="The network adapter was switched off and on again.",
        light=True,
        parameters=("interface",),
        ways=(
            Way(
                "linux",
                (_off_and_on('nmcli device disconnect "$1"', 'nmcli --wait 45 device connect "$1"'),),
                "/run/NetworkManager",
            ),
            Way("linux", (_off_and_on('ifdown "$1"', 'ifup "$1"'),), "/run/network/ifstate", apart=True),
            # Only where something puts addresses and routes back when the link is up again.
            Way(
                "linux",
                (_off_and_on('ip link set down dev "$1"', 'ip link set up dev "$1"'),),
                "/run/systemd/netif/state",
                last=("ip", "link", "set", "up", "dev", "{interface}"),
            ),
            Way(
                "darwin",
                (_off_and_on('ifconfig "$1" down', 'ifconfig "$1" up'),),
                last=("ifconfig", "{interface}", "up"),
            ),
            Way(
                "win32",
                (("netsh.exe", "interface", "set", "interface", "name={interface}", "admin=disabled"),),
                last=("netsh.exe", "interface", "set", "interface", "name={interface}", "admin=enabled"),
            ),
        ),
    ),
    "network.restart": Action(
        words="Restart the network service. You are offline for some seconds; calls and downloads break off.",
        done="The network service was restarted.",
        ways=(
            Way("linux", (("systemctl", "restart", "NetworkManager.service"),), "/run/NetworkManager"),
            Way("linux", (("systemctl", "restart", "systemd-networkd.service"),), "/run/systemd/netif/state"),
            *_restart("networking"),
        ),
    ),
    "printing.restart": Action(
        words="Restart printing. What waits to be printed stays.",
        done="Printing was restarted.",
        light=True,
        ways=(
            *_restart("cups"),
            Way("darwin", (("launchctl", "kickstart", "-k", "system/org.cups.cupsd"),)),
            Way("win32", (("-net.exe", "stop", "spooler", "/y"),), last=("net.exe", "start", "spooler")),
        ),
    ),
    "printing.clear": Action(
        words="Remove everything that waits to be printed, by anybody on this computer, and restart printing.",
        done="Nothing waits to be printed any more, and printing was restarted.",
        ways=(
            *(Way("linux", (("cancel", "-a"), *way.commands), way.sign) for way in _restart("cups")),
            Way("darwin", (("cancel", "-a"), ("launchctl", "kickstart", "-k", "system/org.cups.cupsd"))),
            Way(
                "win32",
                (("-net.exe", "stop", "spooler", "/y"), ("cmd.exe", "/d", "/c", "del", "/q", r"spool\PRINTERS\*")),
                last=("net.exe", "start", "spooler"),
            ),
        ),
    ),
    "audio.restart": Action(
        words="Restart the sound of this computer. Calls and music are silent for some seconds.",
        done="The sound was restarted.",
        light=True,
        ways=(
            Way("linux", (("alsactl", "restore"),), "/var/lib/alsa/asound.state"),
            Way("darwin", (("killall", "coreaudiod"),)),  # launchd starts it again at once
            Way(
                "win32",
                (("-net.exe", "stop", "audiosrv", "/y"), ("-net.exe", "stop", "AudioEndpointBuilder", "/y")),
                last=("net.exe", "start", "audiosrv"),  # starts what it depends on
            ),
        ),
    ),
    "clock.sync": Action(
        words="Set the clock by the time server that your IT department has chosen.",
        done="The clock was told to set itself by the time server.",
        light=True,
        ways=(
            Way("linux", (("chronyc", "makestep"),), "/run/chrony"),
            Way("linux", (("systemctl", "restart", "systemd-timesyncd.service"),), "/run/systemd/timesync"),
            Way("darwin", (("launchctl", "kickstart", "-k", "system/com.apple.timed"),)),
            Way("win32", (("-net.exe", "start", "w32time"), ("w32tm.exe", "/resync", "/force"))),
        ),
    ),
    "shares.remount": Action(
        words="Connect the network folders of this computer again.",
        done="The network folders were connected again.",
        light=True,
        limit_s=2 * MINUTE,
        ways=(
            Way("linux", (("mount", "-a", "-t", "nfs,nfs4,cifs,smb3"),), apart=True),
            Way("darwin", (("automount", "-c"),)),
        ),
    ),
    "updates.install": Action(
        words="Install the updates that wait. This can take half an hour; leave the computer switched on.",
        done="The updates that waited are installed.",
        limit_s=120 * MINUTE,
        says=(
            (r"deskside:none|No new software available|No updates are available", True, "No update was waiting."),
            (
                r"deskside:restart|restart(?:ed)? (?:is )?required",
                True,
                "The updates are installed. Restart to finish them.",
            ),
            (
                r"Could not get lock|is another process using it",
                False,
                "Another installation is running. Try again later.",
            ),
            (r"No space left on device|enough free space", False, "There is not enough space for the updates."),
        ),
        ways=(
            Way(
                "linux",
                (("apt-get", "-q", *_WAIT, "update"), ("apt-get", "-q", "-y", *_WAIT, *_KEEP, "upgrade")),
                apart=True,
            ),
            Way("linux", (("dnf", "-q", "-y", "upgrade"),), apart=True),
            Way("linux", (("zypper", "--quiet", "--non-interactive", "update"),), apart=True),
            Way("linux", (("pkcon", "--plain", "--noninteractive", "update"),), apart=True),
            Way("darwin", (("softwareupdate", "--install", "--all", "--agree-to-license"),)),
            Way("win32", ((*_POWERSHELL, _WINDOWS_UPDATE),)),
        ),
    ),
    "restart.plan": Action(
        words="Restart this computer in {minutes} minutes. Save your work before.",
        done="The restart is planned.",
        parameters=("minutes",),
        undo="restart.cancel",
        ways=(
            Way("linux", (("shutdown", "-r", "+{minutes}"),)),
            Way("darwin", (("shutdown", "-r", "+{minutes}"),)),
            Way("win32", (("shutdown.exe", "/r", "/t", "{seconds}"),)),
        ),
    ),
    "restart.cancel": Action(
        words="Call off the planned restart.",
        done="No restart is planned any more.",
        ways=(
            Way("linux", (("shutdown", "-c"),)),
            Way("darwin", (("killall", "shutdown"),)),
            Way("win32", (("shutdown.exe", "/a"),)),
        ),
    ),
    "repair.system": Action(
        words="Let the system look for damaged files of its own and repair them. This can take half an hour.",
        done="The system has looked at its own files.",
        limit_s=90 * MINUTE,
        says=(
            (r"unable to fix some|could not perform", False, "Some damaged files could not be repaired."),
            (r"successfully repaired", True, "Damaged files of the system were found and repaired."),
            (
                r"found to be corrupt|needs to be repaired",
                False,
                "The disk has damage that it cannot repair while in use.",
            ),
            (r"did not find any integrity violations|appears to be OK", True, "No damage was found."),
            (r"Setting up ", True, "An installation that had been broken off was finished."),
        ),
        ways=(
            Way("linux", (("dpkg", "--force-confold", "--configure", "-a"), ("apt-get", "-q", "check")), apart=True),
            Way("linux", (("dnf", "-q", "check"),), apart=True),
            Way("darwin", (("diskutil", "verifyVolume", "/"),)),
            Way("win32", (("sfc.exe", "/scannow"),)),
        ),
    ),
    "repair.image": Action(
        words="Repair the store that the system repairs its files from. This can take half an hour.",
        done="The store of the system's files is in order.",
        limit_s=90 * MINUTE,
        says=(
            (r"0x800f081f|source files could not be found", False, "The files for the repair could not be found."),
            (r"restore operation completed successfully", True, "The store of the system's files is in order."),
        ),
        ways=(Way("win32", (("dism.exe", "/English", "/Online", "/Cleanup-Image", "/RestoreHealth"),)),),
    ),
}


def way_for(
    action: Action, platform: str, *, find: Callable[[str], str | None], exists: Callable[[str], bool]
) -> Way | None:
    """The first way of the action that this computer has everything for, its programs with their full paths; None: there is none.

    Args:
        find: the full path of a program in the system's own folders.
        exists: whether a path exists.
    """
    for way in action.ways:
        if way.platform != platform or (way.sign and not exists(way.sign)):
            continue
        systemctl = any(command[0] == "systemctl" for command in way.commands)
        if systemctl and not exists(SYSTEMD):
            continue
        commands = [_found(command, find) for command in (*way.commands, *([way.last] if way.last else []))]
        if all(commands):
            ready = tuple(command for command in commands if command)
            last = ready[-1] if way.last else ()
            return Way(platform, ready[: len(way.commands)], way.sign, last, way.apart)
    return None


def find_program(name: str) -> str | None:
    """Where a program of the system is; None where it is not."""
    places = [name] if name.startswith("/") else [f"{folder}/{name}" for folder in FOLDERS]
    return next((place for place in places if os.access(place, os.X_OK)), None)


def said(action: Action, output: str) -> tuple[bool, str] | None:
    """What the output says about the result; None where it says nothing that is known."""
    for pattern, good, sentence in action.says:
        if re.search(pattern, output, re.IGNORECASE):
            return good, sentence
    return None


def _found(command: Command, find: Callable[[str], str | None]) -> Command | None:
    program = find(command[0].removeprefix("-"))
    return (("-" if command[0].startswith("-") else "") + program, *command[1:]) if program else None
