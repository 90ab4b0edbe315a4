"""The one place that chooses the machine's platform module."""

from __future__ import annotations

from diagnostics.platforms.parts import Describer, Machine
from diagnostics.probe import Probe


def machine_of(probe: Probe) -> Machine:
    """What the checks ask, for the platform that the probe looks at."""
    if probe.platform == "darwin":
        from diagnostics.platforms.darwin_machine import DarwinMachine  # noqa: PLC0415 -- only one of the three is ever loaded

        return DarwinMachine()
    if probe.platform == "win32":
        from diagnostics.platforms.win32_machine import WindowsMachine  # noqa: PLC0415 -- as above

        return WindowsMachine()
    from diagnostics.platforms.linux_machine import LinuxMachine  # noqa: PLC0415 -- as above

    return LinuxMachine()


def describer_of(probe: Probe) -> Describer:
    """What the facts ask, for the platform that the probe looks at."""
    if probe.platform == "darwin":
        from diagnostics.platforms.darwin_machine import DarwinDescriber  # noqa: PLC0415 -- as above

        return DarwinDescriber()
    if probe.platform == "win32":
        from diagnostics.platforms.win32_machine import WindowsDescriber  # noqa: PLC0415 -- as above

        return WindowsDescriber()
    from diagnostics.platforms.linux_describe import LinuxDescriber  # noqa: PLC0415 -- as above

    return LinuxDescriber()
