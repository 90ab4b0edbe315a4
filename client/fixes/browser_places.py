"""Where browsers keep their caches, profile by profile: a table, per operating system. Data only; `browser_cache` reads it.

Only folders whose whole content a browser fetches again are here. Cookies, passwords, bookmarks, history and open tabs lie
elsewhere in a profile and are in no pattern.
"""

from __future__ import annotations

from typing import Final

import msgspec

# Of a Chromium profile: pages and pictures, compiled scripts, compiled graphics. "Service Worker/CacheStorage" holds what sites
# store to work offline, which can be a person's unsent work, and stays.
CHROMIUM: Final = ("Cache", "Code Cache", "GPUCache", "DawnCache", "DawnGraphiteCache", "DawnWebGPUCache")
FIREFOX: Final = ("cache2", "startupCache", "jumpListCache", "thumbnails")


class Browser(msgspec.Struct, frozen=True, kw_only=True):
    """A browser on one system.

    Attributes:
        id: as in steps. `name`: for people.
        roots: folders below the home that hold profiles, with forward slashes.
        profiles: patterns of a profile's folder name.
        caches: what may be cleared in a profile.
        programs: its processes, as `Machine.programs` says them.
    """

    id: str
    name: str
    platform: str
    roots: tuple[str, ...]
    profiles: tuple[str, ...] = ("Default", "Profile *", "Guest Profile")
    caches: tuple[str, ...] = CHROMIUM
    programs: tuple[str, ...]


def _linux(id: str, name: str, folder: str, programs: tuple[str, ...], *sandboxed: str) -> Browser:
    """Where a distribution's package, and each sandboxed one, keep it: caches by XDG, and some beside the profile."""
    return Browser(
        id=id,
        name=name,
        platform="linux",
        roots=(f".cache/{folder}", f".config/{folder}", *sandboxed),
        programs=programs,
    )


BROWSERS: Final = {
    browser.id: browser
    for browser in (
        _linux(
            "chrome-linux",
            "Google Chrome",
            "google-chrome",
            ("chrome", "google-chrome"),
            ".var/app/com.google.Chrome/cache/google-chrome",
        ),
        _linux(
            "chromium-linux",
            "Chromium",
            "chromium",
            ("chromium", "chromium-browser"),
            "snap/chromium/common/.cache/chromium",
            "snap/chromium/common/chromium",
            ".var/app/org.chromium.Chromium/cache/chromium",
        ),
        _linux(
            "edge-linux",
            "Microsoft Edge",
            "microsoft-edge",
            ("msedge", "microsoft-edge"),
            ".var/app/com.microsoft.Edge/cache/microsoft-edge",
        ),
        _linux(
            "brave-linux",
            "Brave",
            "BraveSoftware/Brave-Browser",
            ("brave", "brave-browser"),
            "snap/brave/common/.cache/BraveSoftware/Brave-Browser",
            ".var/app/com.brave.Browser/cache/BraveSoftware/Brave-Browser",
        ),
        Browser(
            id="firefox-linux",
            name="Firefox",
            platform="linux",
            roots=(
                ".cache/mozilla/firefox",
                "snap/firefox/common/.cache/mozilla/firefox",
                ".var/app/org.mozilla.firefox/cache/mozilla/firefox",
            ),
            profiles=("*.*",),
            caches=FIREFOX,
            programs=("firefox", "firefox-bin", "firefox-esr"),
        ),
        *(
            Browser(
                id=f"{id}-darwin",
                name=name,
                platform="darwin",
                roots=(f"Library/Caches/{folder}", f"Library/Application Support/{folder}"),
                programs=(program,),
            )
            for id, name, folder, program in (
                ("chrome", "Google Chrome", "Google/Chrome", "google chrome"),
                ("chromium", "Chromium", "Chromium", "chromium"),
                ("edge", "Microsoft Edge", "Microsoft Edge", "microsoft edge"),
                ("brave", "Brave", "BraveSoftware/Brave-Browser", "brave browser"),
            )
        ),
        Browser(
            id="firefox-darwin",
            name="Firefox",
            platform="darwin",
            roots=("Library/Caches/Firefox/Profiles",),
            profiles=("*.*",),
            caches=FIREFOX,
            programs=("firefox",),
        ),
        *(
            Browser(
                id=f"{id}-win32",
                name=name,
                platform="win32",
                roots=(f"AppData/Local/{folder}/User Data",),
                programs=(program,),
            )
            for id, name, folder, program in (
                ("chrome", "Google Chrome", "Google/Chrome", "chrome"),
                ("chromium", "Chromium", "Chromium", "chromium"),
                ("edge", "Microsoft Edge", "Microsoft/Edge", "msedge"),
                ("brave", "Brave", "BraveSoftware/Brave-Browser", "brave"),
            )
        ),
        Browser(
            id="firefox-win32",
            name="Firefox",
            platform="win32",
            roots=("AppData/Local/Mozilla/Firefox/Profiles",),
            profiles=("*.*",),
            caches=FIREFOX,
            programs=("firefox",),
        ),
    )
}
