"""A Windows machine, as an ordinary user may see it: the registry, psutil, and one PowerShell survey, all through the probe."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Final

from diagnostics.platforms import shape
from diagnostics.platforms import win32_parts as parse
from diagnostics.platforms.parts import (
    Battery,
    Crash,
    DiskHealth,
    Display,
    HardwareFacts,
    Memory,
    Package,
    Printer,
    Protection,
    Sound,
    SystemFacts,
    Temperature,
    UpdateState,
    Wifi,
)
from diagnostics.platforms.volumes import Role, Volume
from diagnostics.platforms.win32_survey import CHECKS, FACTS, rows, survey
from diagnostics.probe import Probe

CURRENT: Final = r"SOFTWARE\Microsoft\Windows\CurrentVersion"
CBS: Final = rf"{CURRENT}\Component Based Servicing\RebootPending"
UPDATE: Final = rf"{CURRENT}\WindowsUpdate\Auto Update\RebootRequired"
NAMES: Final = r"SYSTEM\CurrentControlSet\Control\ComputerName"
FIREWALL: Final = r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
FIREWALL_POLICY: Final = r"SOFTWARE\Policies\Microsoft\WindowsFirewall"
PROFILES: Final = {
    "DomainProfile": "DomainProfile",
    "StandardProfile": "PrivateProfile",
    "PublicProfile": "PublicProfile",
}
UNINSTALL: Final = (rf"{CURRENT}\Uninstall", r"SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall")
PATIENCE_S: Final = 3.5  # shorter than a fact's own deadline
BIOS: Final = r"HARDWARE\DESCRIPTION\System\BIOS"


class WindowsMachine:
    """`parts.Machine` for Windows."""

    async def volumes(self, probe: Probe) -> tuple[Volume, ...]:
        """From the drives."""
        drive, home = probe.environment.get("SYSTEMDRIVE", "C:"), probe.environment.get("USERPROFILE", "")
        return parse.volumes(await probe.partitions(), system_drive=drive, home=home)

    async def folder_to_write(self, probe: Probe, volume: Volume) -> str | None:
        """The folder for temporary files on its own drive, else the drive's top."""
        temporary = probe.environment.get("TEMP") or probe.environment.get("TMP") or ""
        own = volume.role in {Role.SYSTEM, Role.HOME} and temporary[:2].upper() == volume.mount[:2].upper()
        for folder in (temporary, volume.mount) if own else (volume.mount,):
            if await probe.may_write(folder):
                return folder
        return None

    async def disk_health(self, probe: Probe) -> tuple[DiskHealth, ...]:
        """From Windows' own verdict about every physical disk."""
        return parse.parse_disks(await survey(probe, CHECKS))

    async def memory(self, probe: Probe) -> Memory:
        """From psutil; Windows does not count who waits."""
        numbers = await probe.memory_numbers()
        return Memory(
            total_bytes=numbers.total_bytes,
            available_bytes=numbers.available_bytes,
            swap_total_bytes=numbers.swap_total_bytes,
            swap_free_bytes=numbers.swap_free_bytes,
        )

    async def processor_pressure(self, probe: Probe) -> float | None:  # noqa: ARG002 -- Windows does not count it
        """Not counted here."""
        return None

    async def batteries(self, probe: Probe) -> tuple[Battery, ...] | None:
        """From the batteries' own numbers."""
        return parse.parse_batteries(await survey(probe, CHECKS))

    async def temperatures(self, probe: Probe) -> tuple[Temperature, ...] | None:
        """From the thermal zones."""
        return parse.parse_heat(await survey(probe, CHECKS))

    async def restart_reasons(self, probe: Probe) -> tuple[str, ...] | None:
        """From the marks that Windows' installers leave in the registry.

        Files waiting to be renamed are no reason: browsers and drivers leave such notes on healthy machines all the time.
        """
        servicing, update, active, chosen = await asyncio.gather(
            probe.registry(CBS),
            probe.registry(UPDATE),
            probe.registry(rf"{NAMES}\ActiveComputerName"),
            probe.registry(rf"{NAMES}\ComputerName"),
        )
        reasons = []
        if update is not None:
            reasons.append("an update was installed that needs it")
        if servicing is not None:
            reasons.append("parts of Windows were changed")
        if active and chosen and str(active.get("ComputerName")).upper() != str(chosen.get("ComputerName")).upper():
            reasons.append("the computer was given a new name")
        return tuple(reasons)

    async def updates(self, probe: Probe) -> UpdateState | None:
        """From the events of Windows Update."""
        return parse.parse_updates(await survey(probe, CHECKS))

    async def failed_services(self, probe: Probe) -> tuple[str, ...] | None:
        """From services that should run and ended with an error."""
        found = rows(await survey(probe, CHECKS), "services")
        return None if found is None else tuple(str(one.get("DisplayName") or one.get("Name")) for one in found)

    async def printers(self, probe: Probe) -> tuple[Printer, ...] | None:
        """From the spooler."""
        return parse.parse_printers(await survey(probe, CHECKS), now=probe.now())

    async def sound(self, probe: Probe) -> Sound | None:
        """From the sound endpoints."""
        return parse.parse_sound(await survey(probe, CHECKS))

    async def displays(self, probe: Probe) -> tuple[Display, ...] | None:
        """From the monitors that are active."""
        return parse.parse_displays(await survey(probe, CHECKS))

    async def encryption(self, probe: Probe) -> Protection | None:
        """From what Explorer shows about the system's drive, which needs no rights."""
        return parse.parse_bitlocker((await survey(probe, CHECKS)).get("bitlocker"))

    async def firewall(self, probe: Probe) -> Protection | None:
        """From the registry; what group policy says goes first."""
        profiles: dict[str, Any] = {}
        for local, policy in PROFILES.items():
            decided = await probe.registry(rf"{FIREWALL_POLICY}\{policy}")
            own = await probe.registry(rf"{FIREWALL}\{local}")
            profiles[local] = decided if decided and "EnableFirewall" in decided else own
        return parse.firewall_of(profiles)

    async def antivirus(self, probe: Probe) -> tuple[Protection, ...] | None:
        """From Windows' security centre (which servers do not have)."""
        return parse.parse_antivirus(await survey(probe, CHECKS))

    async def crashes(self, probe: Probe) -> tuple[Crash, ...] | None:
        """From the log of applications."""
        return parse.parse_crashes(await survey(probe, CHECKS))


async def _in_time(asked: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """An answer of PowerShell, empty when it takes too long: what the registry knows must not be lost for it."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await asked
    except TimeoutError:
        return {}


class WindowsDescriber:
    """`parts.Describer` for Windows. What the registry knows does not wait for PowerShell."""

    async def system(self, probe: Probe) -> SystemFacts:
        """From the registry."""
        version, zone, language, domain = await asyncio.gather(
            probe.registry(r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"),
            probe.registry(r"SYSTEM\CurrentControlSet\Control\TimeZoneInformation"),
            probe.registry(r"Control Panel\International", hive="user"),
            probe.registry(r"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"),
        )
        name, release, build = parse.windows_name(version or {})
        return SystemFacts(
            name=f"{name} {release}".strip(),
            version=release,
            build=build,
            kernel=parse.kernel_version(version or {}, build=build),
            architecture=probe.architecture(),
            language=str((language or {}).get("LocaleName") or ""),
            time_zone=str((zone or {}).get("TimeZoneKeyName") or "").split("\x00")[0],
            joined_to=str((domain or {}).get("Domain") or ""),
        )

    async def hardware(self, probe: Probe) -> HardwareFacts:
        """From the registry, and from PowerShell what only it tells: serial, asset tag, disks, graphics."""
        bios, processor, told = await asyncio.gather(
            probe.registry(BIOS),
            probe.registry(rf"{BIOS.rpartition(chr(92))[0]}\CentralProcessor\0"),
            _in_time(survey(probe, FACTS)),
        )
        bios, processor = bios or {}, processor or {}
        firmware = next(iter(rows(told, "firmware") or []), {})
        cases = rows(told, "enclosure") or []
        graphics = told.get("graphics")
        return HardwareFacts(
            vendor=str(bios.get("SystemManufacturer") or ""),
            model=" ".join(str(bios[key]) for key in ("SystemFamily", "SystemProductName") if bios.get(key)),
            serial=str(firmware.get("SerialNumber") or ""),
            asset_tag=next((str(one["SMBIOSAssetTag"]) for one in cases if one.get("SMBIOSAssetTag")), ""),
            firmware=str(firmware.get("SMBIOSBIOSVersion") or bios.get("BIOSVersion") or ""),
            processor=str(processor.get("ProcessorNameString") or ""),
            disks=tuple(
                (str(one.get("Model") or "disk"), int(one["Size"]))
                for one in rows(told, "disks") or []
                if str(one.get("Size") or "").isdigit()
            ),
            graphics=(graphics,) if isinstance(graphics, str) else tuple(str(one) for one in shape.items(graphics)),
        )

    async def software(self, probe: Probe) -> tuple[Package, ...] | None:
        """From the registry's list of programs, of the computer and of the user."""
        trees = await asyncio.gather(
            *(probe.registry_tree(key) for key in UNINSTALL), probe.registry_tree(UNINSTALL[0], hive="user")
        )
        found: dict[str, Package] = {}
        for tree in trees:
            found.update({one.name: one for one in parse.parse_programs(tree)})
        return tuple(found.values()) if any(trees) else None

    async def log_errors(self, probe: Probe, *, lines: int) -> tuple[str, ...] | None:
        """From the system's log of one day."""
        found = rows(await survey(probe, FACTS), "errors")
        if found is None:
            return None
        texts = (
            f"{one.get('time')} {one.get('source')} {one.get('id')}: {' '.join(str(one.get('message') or '').split())}"
            for one in found
        )
        return tuple(texts)[:lines][::-1]

    async def wifi(self, probe: Probe) -> tuple[Wifi, ...]:
        """From netsh."""
        return parse.parse_netsh_wifi((await probe.run(["netsh.exe", "wlan", "show", "interfaces"])).out)
