"""The proxy settings of Windows and macOS: pure readers of what the systems say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

INTERNET_SETTINGS: Final = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings"  # of the user
SCUTIL: Final = ("scutil", "--proxy")


class SystemProxy(msgspec.Struct, frozen=True, kw_only=True):
    """As the system has it: "host:port" or a URL each, "" for none; `script` is the address of the configuration script."""

    http: str = ""
    https: str = ""
    bypass: tuple[str, ...] = ()
    script: str = ""
    discover: bool = False


def from_registry(values: Mapping[str, Any]) -> SystemProxy:
    """From the values of `INTERNET_SETTINGS`. `ProxyServer` is one proxy for all or "http=a:1;https=b:2"."""
    script = str(values.get("AutoConfigURL") or "")
    server = str(values.get("ProxyServer") or "") if values.get("ProxyEnable") else ""
    each = dict(part.split("=", 1) for part in server.split(";") if "=" in part)
    one = "" if "=" in server else server
    bypass = tuple(rule.strip() for rule in str(values.get("ProxyOverride") or "").split(";") if rule.strip())
    http, https = each.get("http", one), each.get("https", one)
    return SystemProxy(http=http, https=https, bypass=bypass if http or https else (), script=script)


def from_scutil(text: str) -> SystemProxy:
    """From the output of `scutil --proxy`: a dictionary, its exceptions an array of its own."""
    values = dict(re.findall(r"^  (\w+) : (\S.*?)\s*$", text, re.MULTILINE))
    array = re.search(r"ExceptionsList : <array> \{(.*?)\}", text, re.DOTALL)
    bypass = tuple(re.findall(r"^\s+\d+ : (\S+)\s*$", array[1], re.MULTILINE)) if array else ()

    def one(scheme: str) -> str:
        if values.get(f"{scheme}Enable") != "1" or not values.get(f"{scheme}Proxy"):
            return ""
        return f"{values[f'{scheme}Proxy']}:{values.get(f'{scheme}Port', '80')}"

    script = values.get("ProxyAutoConfigURLString", "") if values.get("ProxyAutoConfigEnable") == "1" else ""
    if values.get("ExcludeSimpleHostnames") == "1":
        bypass = (*bypass, "<local>")
    return SystemProxy(
        http=one("HTTP"),
        https=one("HTTPS"),
        bypass=bypass,
        script=script,
        discover=values.get("ProxyAutoDiscoveryEnable") == "1",
    )
