"""Every fix there is, as data. The ids are public: articles, causes and settings name them.

`checks` are areas or ids of checks: what a fix is about. What failed of it is looked at again afterwards. A fix without checks
proves nothing and says so.
"""

from __future__ import annotations

import difflib
from typing import Final

import msgspec

EVERY_PLATFORM: Final = ("linux", "darwin", "win32")
PASSWORD_S: Final = 180.0  # a person looks for a password before the privileged helper begins
NETWORK: Final = ("link", "address", "route", "dns", "internet", "service")


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """One fix.

    Attributes:
        actions: names of the closed list with their option; none where only the privileged helper can do it.
        checks: what it is about: areas or ids of checks.
        privileged: the id under which the privileged helper does the same, where IT has installed it and an ordinary user may not.
        settles_s: how long its effect may take to show: so long a check that still fails is looked at again.
        carries_on: a step that fails does not keep the others from being done.
        frees_disk: it must be possible on a disk so full that the journal cannot be written.
    """

    id: str
    title: str
    summary: str
    actions: tuple[tuple[str, str], ...]
    checks: tuple[str, ...] = ()
    platforms: tuple[str, ...] = EVERY_PLATFORM
    privileged: str = ""
    deadline_s: float = 60.0
    settles_s: float = 0.0
    carries_on: bool = False
    frees_disk: bool = False


def _page(page: str, title: str, summary: str) -> Fix:
    return Fix(id=f"settings.{page}", title=title, summary=summary, actions=(("open_settings", page),), deadline_s=15.0)


FIXES: Final = (
    Fix(
        id="dns.flush_cache",
        title="Forget remembered names",
        summary="Makes this computer look up the names of sites and servers afresh. Nothing of yours is lost.",
        actions=(("flush_dns", ""),),
        checks=("dns", "internet", "service"),
        privileged="dns.flush",
        deadline_s=PASSWORD_S + 60.0,
    ),
    Fix(
        id="network.reconnect",
        title="Reconnect the network",
        summary="Leaves the network and joins it again. You are offline for some seconds; calls and downloads break off.",
        actions=(("reconnect_network", ""),),
        checks=NETWORK,
        deadline_s=180.0,
        carries_on=True,  # a spare socket that gets no address must not keep the Wi-Fi from coming back
        settles_s=20.0,  # an address from a slow DHCP server, and the names after it
    ),
    Fix(
        id="disk.free_space",
        title="Free up disk space",
        summary="Removes copies that programs keep to be faster, and old temporary files. Your documents are not touched.",
        actions=(("clear_caches", ""),),
        checks=("disk.space", "disk.inodes"),
        deadline_s=900.0,
        frees_disk=True,
    ),
    Fix(
        id="disk.empty_trash",
        title="Empty the trash",
        summary="Removes for good what you have thrown away.",
        actions=(("empty_trash", ""),),
        checks=("disk.space", "disk.inodes"),
        deadline_s=900.0,
        frees_disk=True,
    ),
    Fix(
        id="network.restart_service",
        title="Restart the network service",
        summary="Starts the part of this computer afresh that manages all networks. You are offline for some seconds.",
        actions=(),
        privileged="network.restart",
        checks=NETWORK,
        platforms=("linux",),
        deadline_s=PASSWORD_S + 90.0,
        settles_s=20.0,
    ),
    Fix(
        id="clock.sync",
        title="Set the clock right",
        summary="Sets the clock by the time server that your IT department has chosen.",
        actions=(),
        privileged="clock.sync",
        checks=("clock.time",),
        deadline_s=PASSWORD_S + 60.0,
        settles_s=15.0,
    ),
    Fix(
        id="shares.reconnect",
        title="Connect the network folders again",
        summary="Connects the folders on servers that this computer should show, and does not.",
        actions=(),
        privileged="shares.remount",
        platforms=("linux", "darwin"),
        deadline_s=PASSWORD_S + 150.0,
    ),
    Fix(
        id="printing.clear_all",
        title="Clear everything that waits to be printed",
        summary="Removes every print job of everybody on this computer, and starts printing afresh.",
        actions=(),
        privileged="printing.clear",
        checks=("printing.queues",),
        deadline_s=PASSWORD_S + 60.0,
        settles_s=10.0,
    ),
    Fix(
        id="updates.install",
        title="Install the updates that wait",
        summary="Installs them now, without a restart. This can take half an hour; you can go on working.",
        actions=(),
        privileged="updates.install",
        checks=("updates.install",),
        deadline_s=PASSWORD_S + 7300.0,
    ),
    Fix(
        id="system.restart",
        title="Restart in 15 minutes",
        summary="Plans a restart, so that you can save your work and finish a call. It can be called off.",
        actions=(),
        privileged="restart.plan",
        deadline_s=PASSWORD_S + 60.0,
    ),
    Fix(
        id="system.repair",
        title="Repair the system's own files",
        summary="Lets the system look for damage in its own files. This can take half an hour; you can go on working.",
        actions=(),
        privileged="repair.system",
        deadline_s=PASSWORD_S + 5500.0,
    ),
    Fix(
        id="system.repair_store",
        title="Repair what Windows repairs itself from",
        summary="Renews the store of good copies. Worth it when repairing the system's files did not work.",
        actions=(),
        privileged="repair.image",
        platforms=("win32",),
        deadline_s=PASSWORD_S + 5500.0,
    ),
    Fix(
        id="browser.clear_cache",
        title="Clear what a browser has stored",
        summary="Pages and pictures are fetched afresh. You stay signed in; passwords, bookmarks and history are not touched.",
        actions=(("browser_cache", ""),),
        checks=("disk.space",),
        deadline_s=300.0,
    ),
    Fix(
        id="proxy.reset",
        title="Set the proxy back",
        summary="Sets your proxy to what your company uses, or to none. A wrong one keeps the whole web away.",
        actions=(("reset_proxy", ""),),
        checks=("proxy", "internet", "service"),
    ),
    Fix(
        id="printing.clear_mine",
        title="Remove my print jobs that hang",
        summary="Takes back what you have sent to a printer and what is not printed yet.",
        actions=(("print_jobs", ""),),
        checks=("printing.queues",),
        platforms=("linux", "darwin"),
        settles_s=5.0,
    ),
    Fix(
        id="printing.choose_default",
        title="Choose another default printer",
        summary="What you print goes to the printer that you choose, until you choose another.",
        actions=(("default_printer", ""),),
    ),
    Fix(
        id="sound.restart",
        title="Restart the sound service",
        summary="Starts sound afresh. It stops for some seconds, also in calls.",
        actions=(("restart_audio", ""),),
        privileged="audio.restart",
        checks=("devices.sound",),
        deadline_s=PASSWORD_S + 60.0,
        settles_s=5.0,
    ),
    Fix(
        id="sound.unmute",
        title="Switch the sound on",
        summary="Switches the loudspeaker or headphones on where they are muted or turned down to nothing.",
        actions=(("unmute", "output"),),
        checks=("devices.sound",),
    ),
    Fix(
        id="microphone.unmute",
        title="Switch the microphone on",
        summary="Switches the microphone on where it is muted or turned down to nothing.",
        actions=(("unmute", "input"),),
        checks=("devices.sound",),
    ),
    Fix(
        id="programs.restart",
        title="End a program that hangs",
        summary="Shows your programs that hang or keep the computer busy, ends the one that you choose, and starts it again.",
        actions=(("restart_program", ""),),
        checks=("memory.available", "processor.use"),
        deadline_s=120.0,
        settles_s=5.0,
    ),
    Fix(
        id="files.find_large",
        title="Find my largest files",
        summary="Shows your largest files, and moves those that you choose into the trash.",
        actions=(("large_files", ""),),
        checks=("disk.space",),
        deadline_s=300.0,
    ),
    Fix(
        id="mail.rebuild_index",
        title="Let Thunderbird build its search index anew",
        summary="Helps when searching your mail finds nothing or too little. No mail is touched.",
        actions=(("set_aside", "mail_index"),),
    ),
    Fix(
        id="mail.reset_outlook",
        title="Let Outlook build its stored views anew",
        summary="Helps when Outlook shows old folders or completes wrong names. No mail is touched.",
        actions=(("set_aside", "outlook_cache"),),
        platforms=("win32",),
    ),
    Fix(
        id="meetings.reset_teams",
        title="Let Teams fetch everything afresh",
        summary="Helps when Teams shows old pictures, does not start, or loses its calendar. Chats and files stay.",
        actions=(("set_aside", "teams_cache"),),
    ),
    Fix(
        id="display.forget_layout",
        title="Forget how screens are arranged",
        summary="Helps when a screen stays dark or has the wrong size after it was plugged in.",
        actions=(("set_aside", "screen_layout"),),
        checks=("devices.displays",),
        platforms=("linux",),
    ),
    Fix(
        id="desktop.reset_apps",
        title="Forget which program opens which file",
        summary="Helps when files open in a wrong program. The system's own choices count again.",
        actions=(("set_aside", "default_apps"),),
        platforms=("linux",),
    ),
    Fix(
        id="startup.disable_broken",
        title="Switch off broken start-up items",
        summary="Helps with error messages at every sign-in: what is started there and is not installed any more.",
        actions=(("startup_item", ""),),
    ),
    Fix(
        id="network.forget_wifi",
        title="Forget a Wi-Fi network",
        summary="Helps when its password has changed. You join it afresh, with the password.",
        actions=(("forget_network", ""),),
        checks=("link", "address"),
    ),
    Fix(
        id="desktop.clear_thumbnails",
        title="Forget the preview pictures of files",
        summary="Helps when previews are wrong or missing. They are made again as you look at folders.",
        actions=(("small_caches", "thumbnails"),),
        deadline_s=180.0,
    ),
    Fix(
        id="desktop.clear_icons",
        title="Forget the stored icons",
        summary="Helps when programs or files show a wrong or an empty icon.",
        actions=(("small_caches", "icons"),),
        deadline_s=180.0,
    ),
    Fix(
        id="desktop.clear_fonts",
        title="Look through the fonts afresh",
        summary="Helps when a font is missing in a list, or letters look wrong.",
        actions=(("small_caches", "fonts"),),
        deadline_s=180.0,
    ),
    _page("network", "Open the network settings", "Shows where Wi-Fi, cable and VPN are set."),
    _page("storage", "Open the storage settings", "Shows what takes up the space of this computer."),
    _page("date_time", "Open the date and time settings", "Shows where clock and time zone are set."),
    _page("proxy", "Open the proxy settings", "Shows whether your web traffic goes through a proxy."),
    _page("updates", "Open the update settings", "Shows which updates wait, and why one did not work."),
    _page("display", "Open the display settings", "Shows where screens are arranged and sharpened."),
    _page("sound", "Open the sound settings", "Shows where speakers, headphones and microphone are chosen."),
    _page("printers", "Open the printer settings", "Shows your printers and what waits to be printed."),
    _page("power", "Open the power settings", "Shows battery, charging and sleep."),
    _page(
        "security",
        "Open the privacy and security settings",
        "Shows what protects this computer, and what programs may use.",
    ),
)
BY_ID: Final = {fix.id: fix for fix in FIXES}


def nearest(id: str) -> str:
    """The fix that was probably meant, empty where none is near."""
    return next(iter(difflib.get_close_matches(id, BY_ID, n=1)), "")
