"""Which proxy a URL goes through: settings first, then environment, then the operating system."""

from __future__ import annotations

import asyncio
import fnmatch
import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

import msgspec

from diagnostics.network.system_proxy import INTERNET_SETTINGS, SCUTIL, SystemProxy, from_registry, from_scutil
from diagnostics.network.view import resolve, usable_addresses
from diagnostics.platforms.network import is_address
from diagnostics.registry import Context
from diagnostics.wire.request import Request

PAC_S: Final = 3.0  # a script server that needs longer holds up every page as well
GSETTINGS_S: Final = 1.5  # asks the session's bus, which may be gone


class Doors(msgspec.Struct, frozen=True, kw_only=True):
    """The proxies in effect: one for http, one for https URLs ("" for none), what goes around them, and where this was read.

    `script` is the address of an automatic configuration script, `discover` says that the system looks for one by itself.
    """

    http: str = ""
    https: str = ""
    bypass: tuple[str, ...] = ()
    source: str = "none"
    script: str = ""
    discover: bool = False
    script_read: bool | None = None

    @property
    def proxies(self) -> tuple[str, ...]:
        """The distinct proxies."""
        return tuple(dict.fromkeys(one for one in (self.https, self.http) if one))

    def door_for(self, url: str) -> str:
        """The proxy for this URL, "" for the direct way."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        proxy = self.https if parts.scheme == "https" else self.http
        return "" if not proxy or goes_around(host, self.bypass) else proxy


def with_scheme(proxy: str) -> str:
    """A proxy as a URL: "host:port" becomes "http://host:port"; what is no proxy that we can speak to becomes ""."""
    proxy = proxy.strip()
    if not proxy:
        return ""
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    try:
        parts = urlsplit(proxy)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return ""
        _ = parts.port
    except ValueError:
        return ""
    return proxy


def goes_around(host: str, bypass: tuple[str, ...]) -> bool:
    """Whether a host is excepted from the proxy: "*", names, ".suffixes", wildcards, addresses and networks; loopback always."""
    host = host.lower().rstrip(".")
    if host == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback):
        return True
    for raw in bypass:
        rule = raw.strip().lower().removeprefix("http://").removeprefix("https://")
        if not rule:
            continue
        if rule == "*" or (rule in {"<local>", "<-loopback>"} and "." not in host):
            return True
        if is_address(host):
            try:
                if ipaddress.ip_address(host) in ipaddress.ip_network(rule, strict=False):
                    return True
            except ValueError:
                pass
        rule = rule.partition(":")[0] if rule.count(":") == 1 else rule
        bare = rule.removeprefix("*").removeprefix(".")
        if host == bare or host.endswith(f".{bare}") or fnmatch.fnmatchcase(host, rule):
            return True
    return False


async def doors(context: Context) -> Doors:
    """The proxies in effect for this run."""
    return await context.probe.once("doors", lambda: _doors(context))


async def _doors(context: Context) -> Doors:
    network = context.targets.network
    if network.proxy == "none":
        return Doors(source="settings")
    if network.proxy != "system":
        chosen = with_scheme(network.proxy)
        return Doors(http=chosen, https=chosen, bypass=network.no_proxy, source="settings")
    found = from_environment(dict(context.probe.environment))
    if not found.proxies:
        found = await _from_system(context)
    if found.script:
        found = await _read_script(context, found)
    return msgspec.structs.replace(found, bypass=(*found.bypass, *network.no_proxy))


def from_environment(environment: dict[str, str]) -> Doors:
    """The proxies of the variables http_proxy, https_proxy, all_proxy and no_proxy, in lower or upper case."""

    def value(name: str) -> str:
        return environment.get(name) or environment.get(name.upper()) or ""

    everything = value("all_proxy")
    bypass = tuple(one.strip() for one in value("no_proxy").split(",") if one.strip())
    http, https = with_scheme(value("http_proxy") or everything), with_scheme(value("https_proxy") or everything)
    return Doors(http=http, https=https, bypass=bypass, source="environment" if http or https else "none")


async def _from_system(context: Context) -> Doors:
    probe = context.probe
    if probe.platform == "win32":
        return _as_doors(from_registry(await probe.registry(INTERNET_SETTINGS, hive="user") or {}))
    if probe.platform == "darwin":
        return _as_doors(from_scutil((await probe.run(SCUTIL, GSETTINGS_S)).out))
    if not probe.environment.get("DBUS_SESSION_BUS_ADDRESS") or probe.find_program("gsettings") is None:
        return Doors()
    ran = await probe.run(("gsettings", "list-recursively", "org.gnome.system.proxy"), GSETTINGS_S)
    return parse_gsettings(ran.out)


def _as_doors(told: SystemProxy) -> Doors:
    http, https = with_scheme(told.http), with_scheme(told.https)
    known = bool(http or https or told.script or told.discover)
    return Doors(
        http=http,
        https=https,
        bypass=told.bypass,
        source="system" if known else "none",
        script=told.script,
        discover=told.discover and not told.script,
    )


def parse_gsettings(text: str) -> Doors:
    """The proxies in the output of `gsettings list-recursively org.gnome.system.proxy`."""
    values = {}
    for line in text.splitlines():
        words = line.split(" ", 2)
        if len(words) == 3:  # noqa: PLR2004 -- schema, key, value
            values[f"{words[0].removeprefix('org.gnome.system.proxy').lstrip('.')}.{words[1]}"] = (
                words[2].strip().strip("'")
            )
    mode = values.get(".mode", "none")
    if mode == "auto":
        script = values.get(".autoconfig-url", "")
        return Doors(source="system", script=script, discover=not script)
    if mode != "manual":
        return Doors()

    def one(scheme: str) -> str:
        host, port = values.get(f"{scheme}.host", ""), values.get(f"{scheme}.port", "0")
        return with_scheme(f"{host}:{port}") if host and port != "0" else ""

    bypass = tuple(re.findall(r"'([^']+)'", values.get(".ignore-hosts", "")))
    return Doors(http=one("http"), https=one("https") or one("http"), bypass=bypass, source="system")


async def _read_script(context: Context, found: Doors) -> Doors:
    """Takes the proxy that a configuration script names. Scripts are programs: one that chooses between several is not followed."""
    host = urlsplit(found.script).hostname
    if not host:
        return msgspec.structs.replace(found, script_read=False)
    addresses = await usable_addresses(context, (await resolve(context, host)).addresses)
    try:
        async with asyncio.timeout(PAC_S):
            ca_file = context.targets.network.ca_file
            got = await context.probe.visit(
                Request(url=found.script, addresses=addresses, ca_file=ca_file, keep_page=True)
            )
    except TimeoutError:
        return msgspec.structs.replace(found, script_read=False)
    if got.status != 200:  # noqa: PLR2004 -- OK
        return msgspec.structs.replace(found, script_read=False)
    proxy = proxy_in_script(got.page)
    return msgspec.structs.replace(found, http=proxy, https=proxy, script_read=True)


def proxy_in_script(text: str) -> str:
    """The proxy in an automatic configuration script that names exactly one, "" otherwise."""
    named = list(dict.fromkeys(re.findall(r"\bPROXY\s+([A-Za-z0-9.\-]+:\d+)", text)))
    return with_scheme(named[0]) if len(named) == 1 else ""
