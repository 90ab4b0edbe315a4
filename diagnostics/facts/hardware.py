"""Facts about the machine: what it is, which one it is, what it is made of."""

from __future__ import annotations

from typing import Any, cast

from diagnostics.facts.declaration import fact
from diagnostics.model import Privacy
from diagnostics.platforms.machine import describer_of
from diagnostics.platforms.parts import HardwareFacts
from diagnostics.probe import Probe

# What makers leave in these fields when they have nothing to say.
PLACEHOLDERS = frozenset(
    {
        "", "0", "none", "n/a", "na", "not specified", "not applicable", "not available", "unknown", "invalid", "default string",
        "default", "system serial number", "system product name", "system manufacturer", "system version", "chassis serial number",
        "to be filled by o.e.m.", "to be filled by oem", "o.e.m.", "oem", "asset tag", "no asset tag", "no asset information",
        "asset-1234567890", "chassis asset tag", "sku", "123456789", "1234567890", "xxxxxxxxxx", "empty", "tbd", "undefined",
    }
)  # fmt: skip


async def _hardware(probe: Probe) -> HardwareFacts:
    return cast("HardwareFacts", await probe.once("facts.hardware", lambda: describer_of(probe).hardware(probe)))


def told(text: str) -> str:
    """A text of the firmware, empty when it is only a placeholder."""
    cleaned = " ".join(text.replace("\x00", " ").split())
    if cleaned.lower() in PLACEHOLDERS or not cleaned.strip("0.-x "):
        return ""
    return cleaned


@fact("hardware.vendor", privacy=Privacy.PUBLIC)
async def vendor(probe: Probe) -> str:
    """Who made the machine."""
    return told((await _hardware(probe)).vendor)


@fact("hardware.model", privacy=Privacy.PUBLIC)
async def model(probe: Probe) -> str:
    """Which model it is."""
    return told((await _hardware(probe)).model)


@fact("hardware.serial", privacy=Privacy.DEVICE)
async def serial(probe: Probe) -> str:
    """The machine's serial number, where this user may read it."""
    return told((await _hardware(probe)).serial)


@fact("hardware.asset_tag", privacy=Privacy.DEVICE)
async def asset_tag(probe: Probe) -> str:
    """The company's inventory number, where one was written into the firmware."""
    return told((await _hardware(probe)).asset_tag)


@fact("hardware.firmware", privacy=Privacy.PUBLIC)
async def firmware(probe: Probe) -> str:
    """The version (and date) of the firmware."""
    return told((await _hardware(probe)).firmware)


@fact("hardware.processor", privacy=Privacy.PUBLIC)
async def processor(probe: Probe) -> str:
    """The processor's name."""
    return told((await _hardware(probe)).processor)


@fact("hardware.processors", privacy=Privacy.PUBLIC)
async def processors(probe: Probe) -> int:
    """How many processors the system sees."""
    return probe.cores()


@fact("hardware.memory_bytes", privacy=Privacy.PUBLIC)
async def memory(probe: Probe) -> int:
    """Main memory."""
    return (await probe.memory_numbers()).total_bytes


@fact("hardware.disks", privacy=Privacy.PUBLIC)
async def disks(probe: Probe) -> list[dict[str, Any]]:
    """The disks: model and size."""
    return [{"model": told(name) or "disk", "bytes": size} for name, size in (await _hardware(probe)).disks]


@fact("hardware.graphics", privacy=Privacy.PUBLIC)
async def graphics(probe: Probe) -> list[str]:
    """The graphics cards."""
    return [name for one in (await _hardware(probe)).graphics if (name := told(one))]
