"""One settings value: from what a file says to what the program uses, or a sentence that says what it should have been."""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Meta

from client.routing import BadRule
from client.routing import parse as parse_rule
from client.settings.schema import KEYS, Key
from diagnostics.targets import Service

_URL: Final = re.compile(r"https?://[^\s/?#@]+([/?#]\S*)?", re.IGNORECASE)
_HERE: Final = re.compile(r"http://(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]+)?([/?#]\S*)?", re.IGNORECASE)
_PROXY: Final = re.compile(r"(system|none|(https?|socks5h?)://[^\s/?#]+/?)", re.IGNORECASE)
_REDIRECT: Final = re.compile(r"http://(localhost|127\.0\.0\.1)(/[A-Za-z0-9._~/-]*)?")
_SCOPE: Final = re.compile(r"[!#-\[\]-~]+")  # RFC 6749, section 3.3
_HOST: Final = re.compile(r"[^\s/@]+")
_ADDRESS: Final = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^\s/:@\[\]]+):([0-9]{1,5})")
_PACK: Final = re.compile(r"(\S+)((?: ed25519:[A-Za-z0-9+/]{43}=){1,8})")
_MOST_PACKS: Final = 20
_LANGUAGE: Final = re.compile(r"([a-zA-Z]{2,3}([-_][a-zA-Z0-9]{2,8})*)?")
_LARGEST: Final = 2**53  # what every reader of JSON takes exactly; the settings go to the check run as JSON
_SHOWN: Final = 40  # characters of a wrong value that a sentence repeats


class BadValue(Exception):
    """The text is the end of a sentence that starts with the key: "must be ..."."""


def read_value(key: Key, value: Any, *, lenient: bool = False) -> Any:
    """The value as the program uses it.

    Args:
        lenient: the source knows texts and numbers only: take "5" for a number and 0 and 1 for a switch.

    Raises:
        BadValue: it is of the wrong type or out of range.
    """
    if lenient and isinstance(value, str) and typing.get_origin(_plain(key.type)) is tuple:
        value = value.splitlines()
    if key.name == "knowledge.packs" and isinstance(value, list):
        value = [_pack_line(item) for item in value]
    try:
        read = msgspec.convert(value, key.type, strict=not lenient)
    except (msgspec.ValidationError, OverflowError) as error:
        raise BadValue(f"must be {expected(key)}, not {_show(value)}") from error
    if isinstance(read, int) and read > _LARGEST:
        raise BadValue(f"must be a smaller number, not {_show(value)}")
    check = _CHECKS.get(key.name)
    if check is not None and (wanted := check(read)):
        raise BadValue(f"must be {wanted}, not {_show(value)}")
    return read


def read_service(item: Any) -> Service:
    """One entry of [[services]]; unknown keys in it are the caller's business.

    Raises:
        BadValue: it has no name, not exactly one of url and address, or one of them is malformed.
    """
    if not isinstance(item, dict):
        raise BadValue("must be a table with name, and url or address")
    try:
        service = msgspec.convert({name: item[name] for name in SERVICE_KEYS if name in item}, Service)
    except msgspec.ValidationError as error:
        raise BadValue("must have a name, and a url or an address, all of them text") from error
    if not service.name.strip():
        raise BadValue("must have a name")
    if bool(service.url) == bool(service.address):
        raise BadValue(f"({service.name}) must have either a url or an address")
    if service.url and (wanted := _url(service.url)):
        raise BadValue(f"({service.name}) has a url that must be {wanted}, not {_show(service.url)}")
    if service.address and not _is_address(service.address):
        raise BadValue(f'({service.name}) has an address that must be "host:port", not {_show(service.address)}')
    return service


SERVICE_KEYS: Final = tuple(field.name for field in msgspec.structs.fields(Service))


def _url(value: str) -> str:
    return (
        ""
        if not value or _URL.fullmatch(value)
        else "an address that starts with https:// or http://, without a user name"
    )


def _desk_url(value: str) -> str:
    if value.lower().startswith("http://") and not _HERE.fullmatch(value):  # a sign-in goes there with every request
        return "an address that starts with https:// (http:// only on this computer)"
    return _url(value)


def _issuer(value: str) -> str:
    if "?" in value or "#" in value:
        return "an address without ? and #"
    return _desk_url(value)


def _scopes(values: tuple[str, ...]) -> str:
    proper = "openid" in values and all(_SCOPE.fullmatch(value) for value in values)
    return "" if proper else 'a list of words, "openid" one of them'


def _redirect(value: str) -> str:
    return (
        ""
        if _REDIRECT.fullmatch(value)
        else 'such as "http://127.0.0.1/deskside" or "http://localhost", without a port'
    )


def _ports(values: tuple[str, ...]) -> str:
    proper = all(re.fullmatch(r"[0-9]{4,5}", value) and 1024 <= int(value) < 65536 for value in values)  # noqa: PLR2004 -- as below
    return "" if proper else 'a list of ports from 1024 to 65535, such as "53682"'


def _pack_line(item: Any) -> Any:
    """One entry of knowledge.packs as text; a table is another way to write it, with one key or a list of them."""
    if isinstance(item, str):
        return " ".join(item.split())
    if isinstance(item, dict) and item.keys() == {"url", "key"}:
        keys = item["key"] if isinstance(item["key"], list) else [item["key"]]
        if all(isinstance(text, str) for text in (item["url"], *keys)):
            return " ".join(" ".join((item["url"], *keys)).split())
    return item


def _packs(values: tuple[str, ...]) -> str:
    parts = [_PACK.fullmatch(value) for value in values]
    addresses = [match[1] for match in parts if match is not None]
    good = len(addresses) == len(values) <= _MOST_PACKS and not any(map(_desk_url, addresses))
    if good and len(set(addresses)) == len(values):
        return ""
    return (
        f'a list of at most {_MOST_PACKS} packs, each once: "https://... ed25519:..." (http:// only on this computer,'
        " and a public key as `deskside articles keygen` prints it)"
    )


def _routing(values: tuple[str, ...]) -> str:
    for value in values:
        try:
            parse_rule(value)
        except BadRule as error:
            return f'a list of rules such as "dns.* -> queue=Network" ({error})'
    return ""


def _feed(value: str) -> str:
    match = _PACK.fullmatch(value)
    good = not value or (match is not None and not _desk_url(match[1]))
    return "" if good else '"https://... ed25519:..." (http:// only on this computer, and a public key)'


def _urls(values: tuple[str, ...]) -> str:
    return (
        ""
        if all(value and not _url(value) for value in values)
        else "a list of addresses that start with https:// or http://"
    )


def _proxy(value: str) -> str:
    return "" if _PROXY.fullmatch(value) else '"system", "none" or an address such as "http://proxy.example.com:3128"'


def _host(value: str) -> str:
    return "" if not value or _HOST.fullmatch(value) else "the name of a host"


def _hosts(values: tuple[str, ...]) -> str:
    return "" if all(_HOST.fullmatch(value) for value in values) else "a list of host names"


def _full_path(value: str) -> str:
    full = not value or value.startswith("/") or re.match(r"[a-zA-Z]:[\\/]|\\\\", value)
    return "" if full and "\0" not in value else "the full path of a file"


def _language(value: str) -> str:
    return "" if _LANGUAGE.fullmatch(value) else 'a language such as "de"'


def _is_address(value: str) -> bool:
    match = _ADDRESS.fullmatch(value)
    return match is not None and 0 < int(match[2]) < 65536  # noqa: PLR2004 -- the range of ports


_CHECKS: Final[Mapping[str, Callable[[Any], str]]] = {
    "desk.url": _desk_url,
    "desk.routing": _routing,
    "sign_in.issuer": _issuer,
    "sign_in.scopes": _scopes,
    "sign_in.redirect": _redirect,
    "sign_in.redirect_ports": _ports,
    "network.connectivity_url": _url,
    "network.public_urls": _urls,
    "network.internal_names": _hosts,
    "network.proxy": _proxy,
    "fixes.scripts": _full_path,
    "network.no_proxy": _hosts,
    "network.ca_file": _full_path,
    "network.time_server": _host,
    "network.bandwidth_url": _url,
    "client.language": _language,
    "brand.url": _url,
    "knowledge.packs": _packs,
    "knowledge.counts_url": _desk_url,
    "announcements.feed": _feed,
}
assert KEYS.keys() >= _CHECKS.keys()  # noqa: S101 -- a typing error here would silently check nothing


def _plain(annotated: Any) -> Any:
    return typing.get_args(annotated)[0] if hasattr(annotated, "__metadata__") else annotated


def expected(key: Key) -> str:
    """What a value of this key is, in words: "a whole number from 0 to 100"."""
    plain = _plain(key.type)
    if typing.get_origin(plain) is typing.Literal:
        return "one of " + ", ".join(f'"{word}"' for word in typing.get_args(plain))
    if typing.get_origin(plain) is tuple:
        return "a list of texts"
    if plain is bool:
        return "true or false"
    limits = [meta for meta in getattr(key.type, "__metadata__", ()) if isinstance(meta, Meta)]
    if plain is int:
        return f"a whole number{_range(limits)}"
    if any(meta.pattern for meta in limits):
        return 'a time such as "22:00"'
    longest = next((meta.max_length for meta in limits if meta.max_length), None)
    return f"text of at most {longest} characters" if longest else "text"


def _range(limits: list[Meta]) -> str:
    for meta in limits:
        least = meta.ge if meta.ge is not None else None if meta.gt is None else meta.gt + 1
        if least is not None and meta.le is not None:
            return f" from {least} to {meta.le}"
        if least is not None:
            return f" of at least {least}"
    return ""


def _show(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        text = type(value).__name__
    text = re.sub(r"//[^\s/@]*@", "//...@", text)  # a password in an address is not repeated on a screen or in a log
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
