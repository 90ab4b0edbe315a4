"""Where programs keep what they can make again: a table of places, per operating system. Data only; `clear_caches` reads it.

What is in no place here cannot be cleared by any plan, so a new place is a decision: it must be this user's own, made again by
its program without loss, and without anything that a person has made or typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

OLD_DAYS: Final = 10  # systemd cleans /tmp of what nobody has used for ten days; where nothing does, we offer it


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where caches are. `base` names a folder of `_base`; an item is a folder below it that fits one of `patterns`.

    `without` are patterns of first names that stay: somebody's state in spite of where it lies, or in a place of its own.
    `programs` are the running programs that keep an item alive, by the beginning of the item. `old`: the entries of the base
    themselves, when nothing in them was used for `OLD_DAYS`.
    """

    id: str
    words: str
    platform: str
    base: str
    patterns: tuple[str, ...]
    without: tuple[str, ...] = ()
    programs: Mapping[str, tuple[str, ...]] = {}
    old: bool = False


BROWSERS_LINUX: Final = {
    "google-chrome": ("chrome", "google-chrome"),
    "chromium": ("chromium", "chromium-browser"),
    "microsoft-edge": ("msedge", "microsoft-edge"),
    "BraveSoftware": ("brave", "brave-browser"),
    "vivaldi": ("vivaldi-bin", "vivaldi"),
    "opera": ("opera",),
    "mozilla": ("firefox", "firefox-bin", "firefox-esr", "thunderbird"),
    "thunderbird": ("thunderbird", "thunderbird-bin"),
}
TOOLS_LINUX: Final = ("pip", "pipenv", "uv", "yarn", "go-build", "pypoetry", "composer", "node-gyp")
BROWSERS_MACOS: Final = {
    "Google": ("google chrome",),
    "Mozilla": ("firefox",),
    "Firefox": ("firefox",),
    "Microsoft Edge": ("microsoft edge",),
    "BraveSoftware": ("brave browser",),
}
BROWSERS_WINDOWS: Final = {
    "Google": ("chrome",),
    "Microsoft": ("msedge",),
    "Mozilla": ("firefox",),
    "BraveSoftware": ("brave",),
}
CHROMIUM: Final = ("Cache", "Code Cache", "GPUCache")
PLACES: Final = {
    place.id: place
    for place in (
        Place(
            id="browsers",
            words="Remove what browsers have stored to load pages faster. You stay signed in.",
            platform="linux",
            base="cache",
            patterns=tuple(BROWSERS_LINUX),
            programs=BROWSERS_LINUX,
        ),
        Place(
            id="programs",
            words="Remove what programs have stored to be faster.",
            platform="linux",
            base="cache",
            patterns=("*",),
            # Sockets, keys, mail and what a session works with; and our own index.
            without=(
                *BROWSERS_LINUX,
                *TOOLS_LINUX,
                *(
                    "thumbnails",
                    "deskside",
                    "keyring*",
                    "gnupg",
                    "evolution",
                    "dconf",
                    "ibus*",
                    "gvfs*",
                    "at-spi*",
                    "doc*",
                    "dbus*",
                ),
            ),
        ),
        Place(
            id="apps",
            words="Remove what apps (Flatpak and Snap) have stored to be faster.",
            platform="linux",
            base="home",
            patterns=(".var/app/*/cache", "snap/*/common/.cache"),
        ),
        Place(
            id="thumbnails",
            words="Remove the small preview pictures of your files; they are made again when needed.",
            platform="linux",
            base="cache",
            patterns=("thumbnails",),
        ),
        Place(
            id="tools",
            words="Remove downloaded packages of programming tools; they are downloaded again when needed.",
            platform="linux",
            base="cache",
            patterns=TOOLS_LINUX,
        ),
        Place(
            id="npm",
            words="Remove downloaded packages of npm; they are downloaded again when needed.",
            platform="linux",
            base="home",
            patterns=(".npm/_cacache",),
        ),
        Place(
            id="temporary",
            words=f"Remove your temporary files that nothing has used for {OLD_DAYS} days.",
            platform="linux",
            base="tmp",
            patterns=("*",),
            without=(
                "systemd-private-*",
                ".*-unix",
                "snap-private-tmp",
                "tmux-*",
                "ssh-*",
                "gpg-*",
                "pulse-*",
                ".deskside*",
            ),
            old=True,
        ),
        Place(
            id="temporary-kept",
            words=f"Remove your temporary files that nothing has used for {OLD_DAYS} days.",
            platform="linux",
            base="var-tmp",
            patterns=("*",),
            without=("systemd-private-*", "flatpak-cache-*"),
            old=True,
        ),
        Place(
            id="mac-browsers",
            words="Remove what browsers have stored to load pages faster. You stay signed in.",
            platform="darwin",
            base="cache",
            patterns=tuple(BROWSERS_MACOS),
            programs=BROWSERS_MACOS,
        ),
        Place(
            id="mac-programs",
            words="Remove what programs have stored to be faster.",
            platform="darwin",
            base="cache",
            patterns=("*",),
            without=(*BROWSERS_MACOS, "com.apple.*", "CloudKit", "FamilyCircle", "GeoServices", "deskside", "Deskside"),
        ),
        Place(
            id="mac-temporary",
            words=f"Remove your temporary files that nothing has used for {OLD_DAYS} days.",
            platform="darwin",
            base="tmpdir",
            patterns=("*",),
            without=("com.apple.*", "TemporaryItems", "itmp*"),
            old=True,
        ),
        Place(
            id="win-browsers",
            words="Remove what browsers have stored to load pages faster. You stay signed in.",
            platform="win32",
            base="localappdata",
            patterns=(
                *(f"Google/Chrome/User Data/*/{name}" for name in CHROMIUM),
                *(f"Microsoft/Edge/User Data/*/{name}" for name in CHROMIUM),
                *(f"BraveSoftware/Brave-Browser/User Data/*/{name}" for name in CHROMIUM),
                "Mozilla/Firefox/Profiles/*/cache2",
            ),
            programs=BROWSERS_WINDOWS,
        ),
        Place(
            id="win-tools",
            words="Remove downloaded packages of programming tools; they are downloaded again when needed.",
            platform="win32",
            base="localappdata",
            patterns=("pip/Cache", "npm-cache/_cacache", "Yarn/Cache", "NuGet/v3-cache"),
        ),
        Place(
            id="win-temporary",
            words=f"Remove your temporary files that nothing has used for {OLD_DAYS} days.",
            platform="win32",
            base="wintemp",
            patterns=("*",),
            without=("deskside*",),
            old=True,
        ),
    )
}
