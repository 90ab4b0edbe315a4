"""Adapters and addresses by psutil: on macOS and Windows always, on Linux where iproute2 is missing."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable

import psutil

from diagnostics.platforms.network import Adapter, Address, Kind


def read_adapters(kind_of: Callable[[str], Kind]) -> tuple[Adapter, ...]:
    """Every adapter with its addresses. Blocking, quick. psutil's "up" means running, so an adapter that is down counts as off."""
    stats = psutil.net_if_stats()
    found = []
    for name, addresses in psutil.net_if_addrs().items():
        stat = stats.get(name)
        flags = set(str(getattr(stat, "flags", "")).split(","))
        up = "up" in flags if flags - {""} else bool(stat and stat.isup)
        found.append(
            Adapter(
                name=name,
                kind=kind_of(name),
                up=up,
                carrier=(stat.isup if stat else None) if up else None,
                addresses=tuple(
                    Address(
                        ip=one.address.partition("%")[0], prefix=prefix_of(one.netmask, v4=one.family == socket.AF_INET)
                    )
                    for one in addresses
                    if one.family in {socket.AF_INET, socket.AF_INET6}
                ),
                mtu=stat.mtu if stat else 0,
                mac=next((one.address for one in addresses if one.family == psutil.AF_LINK), ""),
            )
        )
    return tuple(found)


def prefix_of(mask: str | None, *, v4: bool) -> int:
    """The length of a netmask ("255.255.255.0", "ffff:ffff::", 0xffffff00); a whole address' length where there is none."""
    if not mask:
        return 32 if v4 else 64
    try:
        packed = int(mask, 16) if mask.startswith("0x") else int(ipaddress.ip_address(mask.partition("/")[0]))
    except ValueError:
        return 32 if v4 else 64
    return packed.bit_count()
