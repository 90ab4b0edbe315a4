"""The one place that chooses the network module of this operating system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from diagnostics.platforms.network import Neighbour, NetworkState, Resolvers

if TYPE_CHECKING:
    from diagnostics.probe import Probe


class NetworkModule(Protocol):
    """What a platform's network module offers."""

    async def read_state(self, probe: Probe) -> NetworkState:
        """Adapters, addresses, routes and neighbours now."""

    async def read_neighbours(self, probe: Probe) -> tuple[Neighbour, ...]:
        """Who has answered on the cable until now."""

    async def read_resolvers(self, probe: Probe) -> Resolvers:
        """The name servers that this computer asks."""


def network_module(platform: str) -> NetworkModule:
    """The module for a `sys.platform`."""
    if platform == "win32":
        from diagnostics.platforms import win32_network  # noqa: PLC0415 -- only one of the three is ever loaded

        return win32_network
    if platform == "darwin":
        from diagnostics.platforms import darwin_network  # noqa: PLC0415 -- as above

        return darwin_network
    from diagnostics.platforms import linux_network  # noqa: PLC0415 -- as above

    return linux_network
