"""What a run looks at and how strict it is: the [network], [[services]] and [thresholds] tables of the settings.

The client's settings hand these over whole; alone, `python -m diagnostics` reads them from a TOML file of the same shape.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """Where the checks look on the network. Empty means: not looked at."""

    connectivity_url: str = ""
    public_urls: tuple[str, ...] = ()
    internal_names: tuple[str, ...] = ()
    proxy: str = "system"
    no_proxy: tuple[str, ...] = ()
    ca_file: str = ""
    time_server: str = ""
    bandwidth_url: str = ""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A company service: an http(s) `url` whose answer should be below 400, or a TCP `address` ("host:port")."""

    name: str
    url: str = ""
    address: str = ""


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """From when on a number is a problem. Percentages are of what is free, except where the name says used."""

    disk_free_percent: Percent = 5
    disk_free_bytes: Annotated[int, msgspec.Meta(ge=0)] = 2_000_000_000
    inodes_free_percent: Percent = 3
    memory_available_percent: Percent = 5
    processor_used_percent: Percent = 95
    battery_health_percent: Percent = 60
    latency_local_ms: Annotated[int, msgspec.Meta(gt=0)] = 80
    latency_internet_ms: Annotated[int, msgspec.Meta(gt=0)] = 400
    loss_percent: Percent = 5
    dns_slow_ms: Annotated[int, msgspec.Meta(gt=0)] = 1000
    service_slow_ms: Annotated[int, msgspec.Meta(gt=0)] = 3000
    bandwidth_kbit_per_s: Annotated[int, msgspec.Meta(gt=0)] = 1000
    clock_skew_s: Annotated[int, msgspec.Meta(gt=0)] = 120
    uptime_days: Annotated[int, msgspec.Meta(gt=0)] = 30


class Targets(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run needs to know. Unknown keys are the settings' business, not this type's."""

    network: Network = Network()
    services: tuple[Service, ...] = ()
    thresholds: Thresholds = Thresholds()
    desk_url: str = ""
