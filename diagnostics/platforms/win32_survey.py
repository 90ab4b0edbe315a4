"""What is asked of Windows through PowerShell: two fixed scripts, for the checks and for the facts, answered with JSON.

One program start for many questions, because each start costs half a second. Every question stands alone: what Windows does not
answer (an edition without it, no permission) is missing in the answer. Nothing is ever put into the scripts.
"""

from __future__ import annotations

import json
from typing import Any, Final, cast

from diagnostics.probe import Probe

TIMEOUT_S: Final = 4.5
_ARGV: Final = ("powershell.exe", "-NoLogo", "-NoProfile", "-NonInteractive", "-Command")

# Numbers and property names instead of words, so that the language of the system does not matter.
_BEGIN: Final = """
$ErrorActionPreference = 'SilentlyContinue'
$ProgressPreference = 'SilentlyContinue'
[Console]::OutputEncoding = New-Object System.Text.UTF8Encoding($false)
function Utc($when) { if ($when) { $when.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ') } }
function Events($filter, $most) {
  @(Get-WinEvent -FilterHashtable $filter -MaxEvents $most |
    ForEach-Object { @{ id = $_.Id; time = (Utc $_.TimeCreated); data = @($_.Properties | ForEach-Object { "$($_.Value)" }) } })
}
"""

CHECKS: Final = (
    _BEGIN
    + """
$week = (Get-Date).AddDays(-7)
$wu = @{ LogName = 'System'; ProviderName = 'Microsoft-Windows-WindowsUpdateClient'; Id = 19, 20 }
$ae = @{ LogName = 'Application'; ProviderName = 'Application Error'; Id = 1000; StartTime = $week }
$drive = (New-Object -ComObject Shell.Application).NameSpace($env:SystemDrive)
$storage = 'root/Microsoft/Windows/Storage'
@{
  disks = @(Get-CimInstance -Namespace $storage -ClassName MSFT_PhysicalDisk |
    Select-Object FriendlyName, DeviceId, HealthStatus, BusType, MediaType)
  partitions = @(Get-CimInstance -Namespace $storage -ClassName MSFT_Partition |
    Where-Object { $_.DriveLetter } | ForEach-Object { @{ letter = "$($_.DriveLetter)"; disk = "$($_.DiskNumber)" } })
  designed = @(Get-CimInstance -Namespace root/wmi -ClassName BatteryStaticData |
    Select-Object InstanceName, DeviceName, DesignedCapacity)
  charged = @(Get-CimInstance -Namespace root/wmi -ClassName BatteryFullChargedCapacity |
    Select-Object InstanceName, FullChargedCapacity)
  cycles = @(Get-CimInstance -Namespace root/wmi -ClassName BatteryCycleCount | Select-Object InstanceName, CycleCount)
  batteries = @(Get-CimInstance -ClassName Win32_Battery | Select-Object Name, EstimatedChargeRemaining, BatteryStatus)
  heat = @(Get-CimInstance -ClassName Win32_PerfFormattedData_Counters_ThermalZoneInformation |
    Select-Object Name, HighPrecisionTemperature, PercentPassiveLimit, ThrottleReasons)
  services = @(Get-CimInstance -ClassName Win32_Service -Filter "StartMode='Auto' AND State='Stopped'" |
    Where-Object { $_.ExitCode -ne 0 -and $_.ExitCode -ne 1077 } | Select-Object Name, DisplayName, ExitCode)
  printers = @(Get-CimInstance -ClassName Win32_Printer |
    Select-Object Name, PrinterState, PrinterStatus, DetectedErrorState, WorkOffline, Default)
  jobs = @(Get-CimInstance -ClassName Win32_PrintJob |
    ForEach-Object { @{ name = $_.Name; since = (Utc $_.TimeSubmitted) } })
  sound = @(Get-CimInstance -ClassName Win32_PnPEntity -Filter "PNPClass='AudioEndpoint'" | Select-Object Name, DeviceID)
  screens = @(Get-CimInstance -Namespace root/wmi -ClassName WmiMonitorID -Filter 'Active=TRUE' |
    ForEach-Object { -join ($_.UserFriendlyName | Where-Object { $_ } | ForEach-Object { [char]$_ }) })
  modes = @(Get-CimInstance -ClassName Win32_VideoController |
    Where-Object { $_.CurrentHorizontalResolution } |
    ForEach-Object { "$($_.CurrentHorizontalResolution)x$($_.CurrentVerticalResolution)" })
  bitlocker = $drive.Self.ExtendedProperty('System.Volume.BitLockerProtection')
  antivirus = @(Get-CimInstance -Namespace root/SecurityCenter2 -ClassName AntiVirusProduct |
    Select-Object displayName, productState)
  updates = (Events $wu 60)
  crashes = (Events $ae 100)
} | ConvertTo-Json -Depth 5 -Compress
"""
)

FACTS: Final = (
    _BEGIN
    + """
$day = (Get-Date).AddDays(-1)
@{
  system = (Get-CimInstance -ClassName Win32_OperatingSystem | Select-Object Caption, Version, OSArchitecture)
  computer = (Get-CimInstance -ClassName Win32_ComputerSystem | Select-Object Manufacturer, Model, Domain, PartOfDomain)
  firmware = (Get-CimInstance -ClassName Win32_BIOS | Select-Object SerialNumber, SMBIOSBIOSVersion)
  enclosure = @(Get-CimInstance -ClassName Win32_SystemEnclosure | Select-Object SMBIOSAssetTag, SerialNumber)
  disks = @(Get-CimInstance -ClassName Win32_DiskDrive | Select-Object Model, Size)
  graphics = @(Get-CimInstance -ClassName Win32_VideoController | ForEach-Object { $_.Name })
  errors = @(Get-WinEvent -FilterHashtable @{ LogName = 'System'; Level = 1, 2; StartTime = $day } -MaxEvents 50 |
    ForEach-Object { @{ time = (Utc $_.TimeCreated); source = $_.ProviderName; id = $_.Id; message = "$($_.Message)" } })
} | ConvertTo-Json -Depth 4 -Compress
"""
)


async def survey(probe: Probe, script: str) -> dict[str, Any]:
    """The answer to one of the two scripts, asked once per run; empty where PowerShell is missing, forbidden or too slow."""

    async def ask() -> dict[str, Any]:
        ran = await probe.run([*_ARGV, script], timeout=TIMEOUT_S)
        return read(ran.out)

    return cast("dict[str, Any]", await probe.once(("win32.survey", script), ask))


def read(text: str) -> dict[str, Any]:
    """The JSON object that PowerShell printed, empty when it printed something else. A byte order mark is passed over."""
    try:
        told = json.loads(text.lstrip("\ufeff").strip() or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def rows(told: dict[str, Any], name: str) -> list[dict[str, Any]] | None:
    """A list of objects out of an answer; None when the question was not answered. PowerShell writes a list of one as that one."""
    value = told.get(name)
    if isinstance(value, dict):
        value = [value]
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else None
