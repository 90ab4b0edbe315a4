"""The one place that chooses the machine's platform module."""

from __future__ import annotations

from diagnostics.platforms.linux_machine import LinuxMachine
from diagnostics.platforms.parts import Machine
from diagnostics.probe import Probe


def machine_of(probe: Probe) -> Machine:  # noqa: ARG001 -- the other platforms follow
    """The machine module for the platform that the probe looks at."""
    return LinuxMachine()
