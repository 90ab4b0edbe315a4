"""Help desk adapters: which kinds there are, and how one is opened.

Importing this package loads no HTTP library: a resting tray asks it only what the configured desk can do.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final, Protocol

from client.desks.base import CannotDo, Desk
from client.errors import SettingsFault

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "ENTRY_POINTS",
    "CannotDo",
    "Desk",
    "DeskSettings",
    "NetworkSettings",
    "desk_class",
    "desk_kinds",
    "open_desk",
]

ENTRY_POINTS: Final = "deskside.desks"
BUILT_IN: Final = {
    "employee": "client.desks.employee:EmployeeDesk",
    "demo": "client.desks.employee:EmployeeDesk",  # the embedded desk speaks the employee API
    "email": "client.desks.email:EmailDesk",
    "freshservice": "client.desks.freshservice:FreshserviceDesk",
    "glpi": "client.desks.glpi:GlpiDesk",
    "jira_service_management": "client.desks.jira_service_management:JiraDesk",
    "osticket": "client.desks.osticket:OsTicketDesk",
    "request_tracker": "client.desks.request_tracker:RequestTrackerDesk",
    "roundup": "client.desks.roundup:RoundupDesk",
    "service_desk_plus": "client.desks.service_desk_plus:ServiceDeskPlusDesk",
    "servicenow": "client.desks.servicenow:ServiceNowDesk",
    "webhook": "client.desks.webhook:WebhookDesk",
    "zammad": "client.desks.zammad:ZammadDesk",
    "zendesk": "client.desks.zendesk:ZendeskDesk",
}


class DeskSettings(Protocol):
    """The `[desk]` table of the settings; an adapter's `wants` names what it takes of the rest of it."""

    @property
    def kind(self) -> str:
        """Which adapter."""

    @property
    def url(self) -> str:
        """Where the desk is."""


class NetworkSettings(Protocol):
    """What an adapter needs of the `[network]` table of the settings."""

    @property
    def proxy(self) -> str:
        """How the desk is reached: "system", "none" or a URL."""

    @property
    def no_proxy(self) -> tuple[str, ...]:
        """Hosts that are reached directly; a leading dot means the domain and all below it."""

    @property
    def ca_file(self) -> str:
        """Extra certificate authorities (PEM), empty for none."""


def desk_kinds() -> tuple[str, ...]:
    """The kinds that `desk.kind` may name, private adapters included (named, not loaded), sorted."""
    return tuple(sorted({*BUILT_IN, *(one.name for one in _private())}))


def desk_class(kind: str) -> type[Desk]:
    """The adapter of this kind; its `capabilities` say what it can do.

    Raises:
        SettingsFault: there is none, with the nearest right word; or a private one is there and broken, by its name.
    """
    if kind in BUILT_IN:
        module, _, name = BUILT_IN[kind].partition(":")
        found: type[Desk] = getattr(importlib.import_module(module), name)
        return found
    for point in _private():
        if point.name == kind:
            return _load(point)
    import difflib  # noqa: PLC0415 -- only for a mistake

    kinds = desk_kinds()
    near = difflib.get_close_matches(kind.lower(), kinds, n=1)
    message = f"There is no help desk of the kind {kind!r}." if kind else "No help desk is set."
    hint = f"Did you mean {near[0]!r}?" if near else f"Set desk.kind to one of: {', '.join(kinds)}."
    raise SettingsFault(message, problems=(f"desk.kind: {message} {hint}",), hint=hint)


def open_desk(desk: DeskSettings, *, network: NetworkSettings, secret: str | None, version: str) -> Desk:
    """An adapter, ready to be asked. Opens no connection yet.

    Args:
        desk: which kind, and where.
        network: proxy and certificate authorities.
        secret: the employee's token, None where there is none yet: asking then raises `SignInNeeded`.
        version: Deskside's, for the User-Agent.

    Raises:
        SettingsFault: the kind is unknown or broken, or the address cannot be used.
    """
    found = desk_class(desk.kind)
    wanted: dict[str, Any] = {name: getattr(desk, name) for name in found.wants}
    return found.open(desk.url, network=network, secret=secret, version=version, **wanted)


def _private() -> tuple[EntryPoint, ...]:
    from importlib.metadata import entry_points  # noqa: PLC0415 -- reads every installed package's folder

    return tuple(entry_points(group=ENTRY_POINTS))


def _load(point: EntryPoint) -> type[Desk]:
    try:
        found = point.load()
    except Exception as error:  # somebody else's module may raise anything
        raise _broken(point, f"it cannot be loaded ({type(error).__name__})") from error
    if not (isinstance(found, type) and issubclass(found, Desk)):
        raise _broken(point, "it is no help desk adapter")
    return found


def _broken(point: EntryPoint, why: str) -> SettingsFault:
    message = f"The help desk adapter {point.name!r} ({point.value}) is broken: {why}."
    return SettingsFault(message, problems=(f"desk.kind: {message}",), hint="Install it again, or ask who made it.")
