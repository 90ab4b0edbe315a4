"""Every settings key, once: its type, its default, what it means and who may set it. Imports the checks' targets and nothing else.

With nothing configured the defaults check the machine, search, fix and write tickets; only sending needs a help desk. The keys
of [network], [[services]] and [thresholds] are the types that the checks use themselves.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from diagnostics.targets import Network, Service, Targets, Thresholds

SetBy = Literal["user", "machine"]

_MACHINE: Final[dict[str, Any]] = {"set_by": "machine"}
Minutes = Annotated[int, Meta(ge=0, le=10080)]
Clock = Annotated[str, Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9])?$")]
LogLevel = Literal["debug", "info", "warning", "error"]


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """The help desk that tickets go to."""

    kind: Annotated[
        str, Meta(description="Which help desk it is; empty: none yet, tickets are kept.", extra=_MACHINE)
    ] = ""
    url: Annotated[str, Meta(description="Where the help desk answers.", extra=_MACHINE)] = ""
    queue: Annotated[
        str,
        Meta(
            description="Where new tickets go in it: its queue, group or service desk, by name or number; for e-mail its mailbox.",
            extra=_MACHINE,
        ),
    ] = ""
    request_type: Annotated[
        str, Meta(description="What kind of request a ticket is, where the help desk asks for one.", extra=_MACHINE)
    ] = ""
    fields: Annotated[
        tuple[str, ...],
        Meta(
            description='The help desk\'s own fields for what Deskside knows: "cause=FIELD", "device=FIELD"'
            " (also subject, severity, tier, client, version, platform).",
            extra=_MACHINE,
        ),
    ] = ()
    routing: Annotated[
        tuple[str, ...],
        Meta(
            description='Rules from the cause to where a ticket goes, the first that fits first: "dns.*, vpn.* -> queue=Network;'
            ' priority=2". See docs/routing.md.',
            extra=_MACHINE,
        ),
    ] = ()
    personal_key: Annotated[
        bool,
        Meta(
            description="The key that people sign in with is each one's own; for help desks that know keys of agents only.",
            extra=_MACHINE,
        ),
    ] = False
    oauth_client: Annotated[
        str,
        Meta(
            description="GLPI's OAuth client for Deskside, IDENTIFIER:SECRET; it opens nothing without a person's password.",
            extra=_MACHINE,
        ),
    ] = ""


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """How people sign in to the help desk (docs/signing-in.md)."""

    method: Annotated[
        Literal["secret", "oidc"],
        Meta(
            description='"secret": a token or password of the help desk; "oidc": the company account, in the browser.',
            extra=_MACHINE,
        ),
    ] = "secret"
    issuer: Annotated[
        str, Meta(description="The OpenID provider, exactly as it names itself (its issuer).", extra=_MACHINE)
    ] = ""
    client_id: Annotated[
        str, Meta(description="What the provider calls Deskside: a public client for desktops.", extra=_MACHINE)
    ] = ""
    scopes: Annotated[
        tuple[str, ...],
        Meta(description="What is asked for; offline_access makes a sign-in that lasts.", extra=_MACHINE),
    ] = ("openid", "profile", "email", "offline_access")
    resource: Annotated[
        str, Meta(description="The help desk's name at the provider, sent as resource (RFC 8707).", extra=_MACHINE)
    ] = ""
    audience: Annotated[str, Meta(description="The same for providers that know it as audience.", extra=_MACHINE)] = ""
    prompt: Annotated[
        str,
        Meta(
            description='What the provider shall ask every time: "consent" where a lasting sign-in needs it.',
            extra=_MACHINE,
        ),
    ] = ""
    device_flow: Annotated[
        bool,
        Meta(
            description="Offer signing in with a code on another device, for computers without a browser.",
            extra=_MACHINE,
        ),
    ] = True
    redirect: Annotated[
        str,
        Meta(
            description="Where the browser comes back to on this computer, without the port, as the provider knows it.",
            extra=_MACHINE,
        ),
    ] = "http://127.0.0.1/deskside"
    redirect_ports: Annotated[
        tuple[str, ...],
        Meta(description="The ports for it, where the provider does not take any; empty: a free one.", extra=_MACHINE),
    ] = ()


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """How the program behaves on this computer."""

    language: Annotated[str, Meta(description='A language such as "de"; empty: the system\'s.')] = ""
    log_level: Annotated[LogLevel, Meta(description="How much is written to the log.")] = "info"
    start_at_login: Annotated[bool, Meta(description="Start with the session.")] = False
    tray: Annotated[
        bool, Meta(description="Show an icon in the tray; without it, the window opens from the launcher.")
    ] = True


class Fixes(msgspec.Struct, frozen=True, kw_only=True):
    """What Deskside may change on this computer."""

    allowed: Annotated[
        tuple[str, ...],
        Meta(
            description='Fixes that may be offered: ids, or "disk.*" for a group; "*" is every one, an empty list none.',
            extra=_MACHINE,
        ),
    ] = ("*",)
    scripts: Annotated[
        str,
        Meta(
            description="A folder with scripts of IT's own, which only administrators can write to. See docs/scripts.md.",
            extra=_MACHINE,
        ),
    ] = ""
    privileged: Annotated[
        tuple[str, ...],
        Meta(
            description='What the privileged helper may do (docs/privileged-helper.md): ids, or "dns.*" for a group. It reads'
            " policies alone, never the user's settings.",
            extra=_MACHINE,
        ),
    ] = ("*",)


class Notifications(msgspec.Struct, frozen=True, kw_only=True):
    """When Deskside may speak up."""

    enabled: Annotated[bool, Meta(description="Tell of a new problem and of an agent's answer.")] = True
    quiet_from: Annotated[
        Clock, Meta(description='From this local time on ("22:00") nothing is told; empty: never quiet.')
    ] = ""
    quiet_to: Annotated[Clock, Meta(description='Until this local time ("07:00").')] = ""


class Brand(msgspec.Struct, frozen=True, kw_only=True):
    """The IT department as its employees know it; shown wherever they should turn to people."""

    name: Annotated[str, Meta(description="What the help desk is called.", max_length=80)] = ""
    phone: Annotated[str, Meta(description="Its telephone number.", max_length=80)] = ""
    email: Annotated[str, Meta(description="Its e-mail address.", max_length=200)] = ""
    url: Annotated[str, Meta(description="Its page for employees.")] = ""
    hours: Annotated[
        str, Meta(description='When somebody is there, in words: "Mon to Fri, 8 to 18".', max_length=200)
    ] = ""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """What happens by itself, and how often."""

    check_every_min: Annotated[
        Minutes, Meta(description="Check by itself every so many minutes; 0: only when asked.")
    ] = 0
    news_every_min: Annotated[
        Minutes, Meta(description="Ask the help desk for answers every so many minutes; 0: never.")
    ] = 10


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """Articles of IT's own, and what IT learns about which of them help."""

    packs: Annotated[
        tuple[str, ...],
        Meta(
            description="Signed packs of articles, the most important first: each the address of a pack, a space, and the public"
            ' keys of its authors ("https://kb.example.com/it.pack ed25519:..."), or a table {url, key}. See docs/packs.md.',
            extra=_MACHINE,
        ),
    ] = ()
    refresh_every_min: Annotated[
        Minutes,
        Meta(description="Look for newer packs every so many minutes; 0: only when told to.", extra=_MACHINE),
    ] = 240
    search_desk: Annotated[
        bool,
        Meta(
            description="Ask the help desk for articles too, where it has some; what is typed then goes there, without secrets.",
            extra=_MACHINE,
        ),
    ] = True
    share_counts: Annotated[
        bool,
        Meta(
            description="Tell IT once a day how often articles and fixes helped, in numbers and never in words.",
            extra=_MACHINE,
        ),
    ] = False
    counts_url: Annotated[str, Meta(description="Where these numbers go.", extra=_MACHINE)] = ""


class Announcements(msgspec.Struct, frozen=True, kw_only=True):
    """What IT tells everybody: outages, maintenance, notices."""

    from_desk: Annotated[bool, Meta(description="Ask the help desk for them, where it has some.", extra=_MACHINE)] = (
        True
    )
    feed: Annotated[
        str,
        Meta(
            description="A signed feed of them: its address, a space, and the public keys of its authors"
            ' ("https://status.example.com/it.feed ed25519:..."). See docs/announcements.md.',
            extra=_MACHINE,
        ),
    ] = ""


class Screenshot(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures of the screen that go with a ticket."""

    hide_windows: Annotated[
        tuple[str, ...],
        Meta(
            description='Windows that are black in them: titles or programs, with wildcards ("KeePassXC", "*Payroll*").',
            extra=_MACHINE,
        ),
    ] = ()


class Privacy(msgspec.Struct, frozen=True, kw_only=True):
    """What tickets and reports may tell beyond what is always left out (docs/privacy.md)."""

    hide_network: Annotated[
        bool,
        Meta(
            description="Give stand-ins for IP addresses, networks and their names too; agents then have to ask for them.",
            extra=_MACHINE,
        ),
    ] = False


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings, merged and valid."""

    desk: Desk = Desk()
    sign_in: SignIn = SignIn()
    network: Network = Network()
    services: tuple[Service, ...] = ()
    thresholds: Thresholds = Thresholds()
    client: Client = Client()
    fixes: Fixes = Fixes()
    notifications: Notifications = Notifications()
    brand: Brand = Brand()
    schedule: Schedule = Schedule()
    knowledge: Knowledge = Knowledge()
    announcements: Announcements = Announcements()
    screenshot: Screenshot = Screenshot()
    privacy: Privacy = Privacy()

    def targets(self) -> Targets:
        """What the checks are given."""
        return Targets(network=self.network, services=self.services, thresholds=self.thresholds, desk_url=self.desk.url)


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One settings key. `name` is dotted ("desk.url"), `type` what msgspec converts to.

    `set_by` "machine" marks keys that decide where data goes or what may be done: as soon as IT has set one, no key of its
    kind in the same table (or in one that is `TOGETHER` with it) is taken from the user. Without policies the user looks after
    the computer and may set them.
    """

    name: str
    type: Any
    default: Any
    description: str
    set_by: SetBy = "user"

    @property
    def table(self) -> str:
        """The table the key is in; the key's own name for `services`."""
        return self.name.partition(".")[0]


# The checks' own types carry no words for administrators; these are theirs.
_ELSEWHERE: Final[Mapping[str, tuple[str, SetBy]]] = {
    "network.connectivity_url": ("A plain http:// address that answers 204 with nothing; tells sign-in pages.", "user"),
    "network.public_urls": ('Addresses on the internet that tell "one service" from "everything".', "user"),
    "network.internal_names": ("Names that can be looked up only inside the company.", "user"),
    "network.proxy": ('"system" (environment and operating system), "none" or the address of a proxy.', "user"),
    "network.no_proxy": ('Hosts (".example.com" for all below) that are asked without the proxy.', "user"),
    "network.ca_file": ("A file with certificate authorities to trust beside the operating system's.", "machine"),
    "network.time_server": ("A host that tells the time (SNTP).", "user"),
    "network.bandwidth_url": ("A small download to measure the line with; empty: not measured.", "user"),
    "services": ('Company services to look at: name, and url or address ("host:port").', "user"),
    "thresholds.disk_free_percent": ("A volume is full when less than this share is free, and ...", "user"),
    "thresholds.disk_free_bytes": ("... fewer than this many bytes are free.", "user"),
    "thresholds.inodes_free_percent": (
        "A volume can hold no more files when less than this share of file entries is free.",
        "user",
    ),
    "thresholds.memory_available_percent": ("Memory is short below this share.", "user"),
    "thresholds.processor_used_percent": ("The processor is busy above this share.", "user"),
    "thresholds.battery_health_percent": ("The battery is worn below this share of its design capacity.", "user"),
    "thresholds.latency_local_ms": ("The way to the router is slow above this.", "user"),
    "thresholds.latency_internet_ms": ("The way to the internet is slow above this.", "user"),
    "thresholds.loss_percent": ("The line loses too much above this share.", "user"),
    "thresholds.dns_slow_ms": ("A name server is slow above this.", "user"),
    "thresholds.service_slow_ms": ("A service is slow above this.", "user"),
    "thresholds.bandwidth_kbit_per_s": ("The line is thin below this.", "user"),
    "thresholds.clock_skew_s": ("The clock is wrong from this difference on.", "user"),
    "thresholds.uptime_days": ("A restart is due after this many days.", "user"),
}


def _keys() -> Iterator[Key]:
    hints = typing.get_type_hints(Settings, include_extras=True)
    for table in msgspec.structs.fields(Settings):
        kind = hints[table.name]
        if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
            description, set_by = _ELSEWHERE[table.name]
            yield Key(name=table.name, type=kind, default=table.default, description=description, set_by=set_by)
            continue
        for field in msgspec.structs.fields(kind):
            name = f"{table.name}.{field.name}"
            words, who = _words(field.type) or _ELSEWHERE[name]
            yield Key(name=name, type=field.type, default=field.default, description=words, set_by=who)


def _words(annotated: Any) -> tuple[str, SetBy] | None:
    for meta in getattr(annotated, "__metadata__", ()):
        if isinstance(meta, Meta) and meta.description:
            return meta.description, (meta.extra or {}).get("set_by", "user")
    return None


KEYS: Final[Mapping[str, Key]] = {key.name: key for key in _keys()}
# Tables that are one decision: a sign-in meant for IT's help desk must not be asked for by, or sent to, somebody else's.
TOGETHER: Final[frozenset[str]] = frozenset({"desk", "sign_in"})
TABLES: Final[frozenset[str]] = frozenset(name.partition(".")[0] for name in KEYS if "." in name)


def json_schema() -> dict[str, Any]:
    """The settings as JSON Schema: for editors that complete TOML, and for administrators' own tools.

    `x-set-by` says who may set a key: "user", or "machine" when only IT may as soon as it has set one of its table.
    """
    schema = msgspec.json.schema(Settings)
    tables = schema["$defs"]
    for key in KEYS.values():
        table, _, name = key.name.partition(".")
        struct = tables["Settings"] if not name else tables[_struct_name(table)]
        about = struct["properties"][name or table]
        about["description"] = key.description
        about["x-set-by"] = key.set_by
    for struct in tables.values():
        struct["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Deskside settings", **schema}


def _struct_name(table: str) -> str:
    return type(getattr(Settings(), table)).__name__
