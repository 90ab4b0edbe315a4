"""Opens the right page of the operating system's settings. A table: page by desktop; the employee changes what they like."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from client.errors import ActionFault
from client.fixes.machine import Machine
from client.fixes.plan import Action, Planned, Say
from client.model import Step

# The pages' addresses: learn.microsoft.com "Launch Windows Settings"; names of the settings extensions of macOS 13 and newer.
WINDOWS: Final = {
    "network": "ms-settings:network-status",
    "storage": "ms-settings:storagesense",
    "date_time": "ms-settings:dateandtime",
    "proxy": "ms-settings:network-proxy",
    "updates": "ms-settings:windowsupdate",
    "display": "ms-settings:display",
    "sound": "ms-settings:sound",
    "printers": "ms-settings:printers",
    "power": "ms-settings:powersleep",
    "security": "ms-settings:windowsdefender",
}
MACOS: Final = {
    "network": "com.apple.Network-Settings.extension",
    "storage": "com.apple.settings.Storage",
    "date_time": "com.apple.Date-Time-Settings.extension",
    "proxy": "com.apple.Network-Settings.extension?Proxies",
    "updates": "com.apple.Software-Update-Settings.extension",
    "display": "com.apple.Displays-Settings.extension",
    "sound": "com.apple.Sound-Settings.extension",
    "printers": "com.apple.Print-Scan-Settings.extension",
    "power": "com.apple.Battery-Settings.extension",
    "security": "com.apple.settings.PrivacySecurity.extension",
}
# Per desktop, the first program that is installed. The first word is the program.
GNOME: Final = {
    "network": ("gnome-control-center network", "nm-connection-editor"),
    "storage": ("baobab", "gnome-disks"),
    "date_time": ("gnome-control-center datetime",),
    "proxy": ("gnome-control-center network",),
    "updates": ("gnome-software --mode=updates", "update-manager"),
    "display": ("gnome-control-center display",),
    "sound": ("gnome-control-center sound", "pavucontrol"),
    "printers": ("gnome-control-center printers", "system-config-printer"),
    "power": ("gnome-control-center power",),
    "security": ("gnome-control-center privacy",),
}
KDE: Final = {
    "network": ("systemsettings kcm_networkmanagement",),
    "storage": ("filelight", "partitionmanager"),
    "date_time": ("systemsettings kcm_clock",),
    "proxy": ("systemsettings kcm_proxy",),
    "updates": ("plasma-discover --mode update",),
    "display": ("systemsettings kcm_kscreen",),
    "sound": ("systemsettings kcm_pulseaudio", "pavucontrol"),
    "printers": ("systemsettings kcm_printer_manager", "system-config-printer"),
    "power": ("systemsettings kcm_powerdevilprofilesconfig",),
    "security": ("systemsettings kcm_screenlocker",),
}
XFCE: Final = {
    "network": ("nm-connection-editor",),
    "storage": ("baobab", "gnome-disks"),
    "date_time": ("time-admin", "xfce4-settings-manager"),
    "proxy": ("xfce4-settings-manager",),
    "updates": ("gnome-software --mode=updates", "update-manager"),
    "display": ("xfce4-display-settings",),
    "sound": ("pavucontrol",),
    "printers": ("system-config-printer",),
    "power": ("xfce4-power-manager-settings",),
    "security": ("xfce4-settings-manager",),
}
CINNAMON: Final = {
    "network": ("cinnamon-settings network",),
    "storage": ("baobab", "gnome-disks"),
    "date_time": ("cinnamon-settings calendar",),
    "proxy": ("cinnamon-settings network",),
    "updates": ("mintupdate", "gnome-software --mode=updates"),
    "display": ("cinnamon-settings display",),
    "sound": ("cinnamon-settings sound",),
    "printers": ("system-config-printer",),
    "power": ("cinnamon-settings power",),
    "security": ("cinnamon-settings privacy",),
}
DESKTOPS: Final = (("GNOME", GNOME), ("KDE", KDE), ("XFCE", XFCE), ("X-CINNAMON", CINNAMON))
NAMES: Final = {
    "network": "network",
    "storage": "storage",
    "date_time": "date and time",
    "proxy": "proxy",
    "updates": "update",
    "display": "display",
    "sound": "sound",
    "printers": "printer",
    "power": "power",
    "security": "privacy and security",
}
DATA_FOLDERS: Final = "/usr/local/share:/usr/share"


async def plan(option: str, machine: Machine) -> Planned:
    """One step, or a refusal that says what is missing."""
    if machine.platform == "linux" and not (
        machine.environment.get("DISPLAY") or machine.environment.get("WAYLAND_DISPLAY")
    ):
        return Planned(refused="There is no desktop here to show settings on.")
    if _target(option, machine) is None:
        return Planned(refused=f"No program for the {NAMES[option]} settings was found on this computer.")
    return Planned(steps=(_step(option, machine),), undo="Close the window; opening it changes nothing.")


def accepts(step: Step, option: str, machine: Machine) -> str:
    """As `Action.accepts`."""
    if option not in NAMES or _target(option, machine) is None or step != _step(option, machine):
        return "This step opens no settings page of this computer."
    return ""


async def execute(step: Step, machine: Machine, _say: Say) -> str:
    """Opens the page and leaves it to the employee."""
    page = step.parameters["page"]
    target = _target(page, machine)
    if target is None:
        raise ActionFault(f"The program for the {NAMES[page]} settings is not there any more.")
    try:
        if machine.platform == "win32":
            machine.open_address(target[0])
        else:
            await machine.start(target)
    except OSError as error:
        raise ActionFault(f"The {NAMES[page]} settings could not be opened.") from error
    return f"The {NAMES[page]} settings are open."


def _step(page: str, machine: Machine) -> Step:
    target = _target(page, machine) or ("",)
    program = PurePosixPath(target[0]).name if machine.platform == "linux" else ""
    return Step(
        action="open_settings",
        parameters={"page": page},
        words=f"Open the {NAMES[page]} settings.",
        details=(
            f"Starts {program}. Nothing is changed by opening it."
            if program
            else "Nothing is changed by opening them.",
        ),
    )


def _target(page: str, machine: Machine) -> tuple[str, ...] | None:
    """The command (Windows: the address) that shows the page; None where nothing here can."""
    if machine.platform == "win32":
        return (WINDOWS[page],)
    if machine.platform == "darwin":
        return ("/usr/bin/open", f"x-apple.systempreferences:{MACOS[page]}")
    desktop = machine.environment.get("XDG_CURRENT_DESKTOP", "").upper().split(":")
    tables = [table for name, table in DESKTOPS if name in desktop]
    tables += [table for _, table in DESKTOPS if table not in tables]
    for table in tables:
        for command in table[page]:
            program, *words = command.split()
            if path := machine.which(program):
                return (path, *_panel(program, words, machine))
    return None


def _panel(program: str, words: list[str], machine: Machine) -> list[str]:
    """GNOME 46 has moved date and time into a "system" panel; the launcher file tells which one this is."""
    if program == "gnome-control-center" and words == ["datetime"]:
        folders = machine.environment.get("XDG_DATA_DIRS", DATA_FOLDERS).split(":")
        if any(machine.exists(f"{folder}/applications/gnome-system-panel.desktop") for folder in folders if folder):
            return ["system", "datetime"]
    return words


ACTION: Final = Action(name="open_settings", plan=plan, accepts=accepts, execute=execute)
