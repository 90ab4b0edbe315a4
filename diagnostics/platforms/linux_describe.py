"""What a Linux machine tells about itself for agents: os-release, DMI, package databases, the journal. Parsers are pure."""

from __future__ import annotations

import asyncio
import re
import shlex
from typing import Final

from diagnostics.platforms.parts import HardwareFacts, Package, SystemFacts, Wifi
from diagnostics.probe import Probe

DMI: Final = "/sys/class/dmi/id"
SECTOR_BYTES: Final = 512  # /sys/block/*/size counts in these, whatever the disk uses
NOT_DISKS: Final = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd", "zd")
RPM_DATABASES: Final = ("/usr/lib/sysimage/rpm", "/var/lib/rpm")
GHZ_5, GHZ_6 = 5000, 5945  # MHz; where the bands begin


class LinuxDescriber:
    """`parts.Describer` for Linux."""

    async def system(self, probe: Probe) -> SystemFacts:
        """From os-release, the kernel and the environment of the session."""
        release, kernel, zone_link, zone, virtual, krb5 = await asyncio.gather(
            probe.read_text_or("/etc/os-release"),
            probe.read_text_or("/proc/sys/kernel/osrelease"),
            probe.readlink("/etc/localtime"),
            probe.read_text_or("/etc/timezone"),
            probe.run(["systemd-detect-virt"]),
            probe.read_text_or("/etc/krb5.conf"),
        )
        fields = parse_os_release(release)
        session = probe.environment.get("XDG_CURRENT_DESKTOP", "")
        kind = probe.environment.get("XDG_SESSION_TYPE", "")
        realm = re.search(r"^\s*default_realm\s*=\s*(\S+)", krb5, re.MULTILINE)
        joined = realm and await probe.exists("/etc/krb5.keytab")  # the realm alone is only a default of the package
        return SystemFacts(
            name=fields.get("PRETTY_NAME", "Linux"),
            version=fields.get("VERSION_ID", ""),
            build=fields.get("BUILD_ID", ""),
            kernel=kernel.strip(),
            architecture=probe.architecture(),
            language=probe.environment.get("LANG", ""),
            time_zone=zone_link.partition("zoneinfo/")[2] or zone.strip(),
            desktop=f"{session} ({kind})" if session and kind else session,
            joined_to=realm[1] if realm and joined else "",
            runs_in=virtual.out.strip() if virtual.fine else "",
        )

    async def hardware(self, probe: Probe) -> HardwareFacts:
        """From DMI (its serial numbers only where this user may read them) or the device tree, /proc/cpuinfo and /sys/block."""
        names = (
            "sys_vendor", "product_name", "product_version", "product_serial", "board_serial", "chassis_serial",
            "chassis_asset_tag", "board_asset_tag", "bios_version", "bios_date",
        )  # fmt: skip
        texts = await asyncio.gather(*(probe.read_text_or(f"{DMI}/{name}") for name in names))
        dmi = {name: text.strip() for name, text in zip(names, texts, strict=True)}
        tree_model, tree_serial, cpuinfo, cards = await asyncio.gather(
            probe.read_text_or("/proc/device-tree/model"),
            probe.read_text_or("/proc/device-tree/serial-number"),
            probe.read_text_or("/proc/cpuinfo"),
            probe.run(["lspci", "-mm"]),
        )
        # Some makers write the name that people know into the version ("ThinkPad X1 Carbon"), the order number into the name.
        known = dmi["product_version"] if dmi["sys_vendor"].upper() == "LENOVO" else ""
        return HardwareFacts(
            vendor=dmi["sys_vendor"],
            model=" ".join(part for part in (known, dmi["product_name"]) if part) or tree_model,
            serial=dmi["product_serial"] or dmi["chassis_serial"] or dmi["board_serial"] or tree_serial,
            asset_tag=dmi["chassis_asset_tag"] or dmi["board_asset_tag"],
            firmware=" ".join(part for part in (dmi["bios_version"], dmi["bios_date"]) if part),
            processor=parse_processor(cpuinfo),
            disks=await _disks(probe),
            graphics=parse_graphics(cards.out),
        )

    async def software(self, probe: Probe) -> tuple[Package, ...] | None:
        """From the package databases that exist here, and from flatpak and snap."""
        tools = {
            "dpkg-query": ["dpkg-query", "-W", "-f", "${db:Status-Abbrev}\t${Package}\t${Version}\n"],
            "rpm": ["rpm", "-qa", "--qf", "ii \t%{NAME}\t%{VERSION}-%{RELEASE}\n"],
            "pacman": ["pacman", "-Q"],
            "apk": ["apk", "info", "-v"],
            "flatpak": ["flatpak", "list", "--app", "--columns=application,version"],
            "snap": ["snap", "list"],
        }
        there = {name: argv for name, argv in tools.items() if probe.find_program(name)}
        if not any([await probe.listdir(place) for place in RPM_DATABASES]):
            there.pop("rpm", None)  # only the tool is here; asked, it makes an empty database in the person's home
        ran = await asyncio.gather(*(probe.run(argv) for argv in there.values()))
        found: dict[str, Package] = {}
        for name, one in zip(there, ran, strict=True):
            if one.fine:
                found.update({package.name: package for package in parse_packages(name, one.out)})
        return tuple(found.values()) if found else None

    async def log_errors(self, probe: Probe, *, lines: int) -> tuple[str, ...] | None:
        """From the journal of this boot; where there is none, from the kernel's own messages."""
        ran = await probe.run(
            ["journalctl", "-q", "-b", "-p", "err", "-n", str(lines), "-o", "short-iso", "--no-pager", "--no-hostname"]
        )
        found = parse_journal(ran.out)
        if ran.fine and found:
            return found
        kernel = await probe.run(["dmesg", "--level=emerg,alert,crit,err", "--time-format=iso"])
        if kernel.fine:
            return tuple(line.strip() for line in kernel.out.splitlines() if line.strip())[-lines:]
        return () if ran.fine else None

    async def wifi(self, probe: Probe) -> tuple[Wifi, ...]:
        """From iw."""
        names = re.findall(r"^\s*Interface (\S+)", (await probe.run(["iw", "dev"])).out, re.MULTILINE)
        links = await asyncio.gather(*(probe.run(["iw", "dev", name, "link"]) for name in names))
        found = (parse_iw_link(name, one.out) for name, one in zip(names, links, strict=True))
        return tuple(one for one in found if one is not None)


async def _disks(probe: Probe) -> tuple[tuple[str, int], ...]:
    found = []
    for name in await probe.listdir("/sys/block"):
        if name.startswith(NOT_DISKS):
            continue
        model, size = await asyncio.gather(
            probe.read_text_or(f"/sys/block/{name}/device/model"), probe.read_text_or(f"/sys/block/{name}/size")
        )
        sectors = int(size) if size.strip().isdigit() else 0
        if sectors:
            found.append((model.strip() or name, sectors * SECTOR_BYTES))
    return tuple(found)


def parse_os_release(text: str) -> dict[str, str]:
    """The fields of os-release(5), with the quotes of the shell taken off."""
    fields = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            try:
                fields[name] = " ".join(shlex.split(value))
            except ValueError:
                fields[name] = value
    return fields


def parse_processor(text: str) -> str:
    """The processor's name from /proc/cpuinfo; machines without one there (ARM) say their model instead."""
    for key in ("model name", "Model", "cpu model", "Hardware", "machine"):
        if match := re.search(rf"^{key}\s*:\s*(.+)$", text, re.MULTILINE):
            return " ".join(match[1].split())
    return ""


def parse_graphics(text: str) -> tuple[str, ...]:
    """Graphics cards from `lspci -mm`: maker and model."""
    found = []
    for line in text.splitlines():
        try:
            fields = shlex.split(line)
        except ValueError:
            continue
        if len(fields) > 3 and fields[1] in {"VGA compatible controller", "3D controller", "Display controller"}:  # noqa: PLR2004 -- slot, class, maker, model
            found.append(f"{fields[2]} {fields[3]}")
    return tuple(found)


def parse_packages(tool: str, text: str) -> tuple[Package, ...]:
    """Names and versions from what a package tool prints."""
    found = []
    for line in text.splitlines():
        if tool in {"dpkg-query", "rpm"}:
            state, _, rest = line.partition("\t")
            name, _, version = rest.partition("\t")
            if not state.startswith("ii"):
                continue
        elif tool == "apk":
            match = re.match(r"^(.+)-(\d[^-]*-r\d+)$", line.strip())
            name, version = (match[1], match[2]) if match else ("", "")
        elif tool == "flatpak":
            name, _, version = line.partition("\t")
        else:
            fields = line.split()
            name, version = (fields[0], fields[1]) if len(fields) > 1 and fields[0] != "Name" else ("", "")
        if name:
            found.append(Package(name=name.strip(), version=version.strip()))
    return tuple(found)


def parse_journal(text: str) -> tuple[str, ...]:
    """Lines of journalctl; its own remarks ("-- No entries --") are none."""
    return tuple(line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith(("-- ", "Hint: ")))


def parse_iw_link(adapter: str, text: str) -> Wifi | None:
    """The wireless network from `iw dev X link`; None when it is on none."""
    if not text.startswith("Connected to"):
        return None
    ssid = re.search(r"^\s*SSID: (.+)$", text, re.MULTILINE)
    mhz = re.search(r"^\s*freq: (\d+)", text, re.MULTILINE)
    dbm = re.search(r"^\s*signal: (-?\d+) dBm", text, re.MULTILINE)
    rate = re.search(r"^\s*tx bitrate: ([\d.]+) MBit/s", text, re.MULTILINE)
    frequency = int(mhz[1]) if mhz else 0
    return Wifi(
        adapter=adapter,
        network=ssid[1].strip() if ssid else "",
        signal_percent=signal_percent(int(dbm[1])) if dbm else None,
        band="6 GHz" if frequency >= GHZ_6 else "5 GHz" if frequency >= GHZ_5 else "2.4 GHz" if frequency else "",
        rate_mbit_per_s=float(rate[1]) if rate else None,
    )


def signal_percent(dbm: int) -> int:
    """How good a wireless signal is, as the systems' own symbols count it: twice the distance from -100 dBm."""
    return max(0, min(100, 2 * (dbm + 100)))
