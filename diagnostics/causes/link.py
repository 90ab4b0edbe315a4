"""Causes of the adapters and the addresses on them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

from diagnostics.causes.cause import Cause, Evidence, Match
from diagnostics.causes.readings import BEYOND_LINK, line_alive, web_works
from diagnostics.model import Severity, Tier

NEAR_PREFIX: Final = 24  # hosts of one /24 are nearly always on one cable
SAYS: Final = {
    "wired": ("The network cable", "Push the cable in firmly at both ends, or try another socket. Where there is Wi-Fi, use it."),
    "wifi": ("The Wi-Fi", "Choose your network in the Wi-Fi menu and join it again."),
    "mobile": ("The mobile network", "Look whether the SIM card is in and there is a signal."),
}  # fmt: skip
OTHERS: Final = ("The network", "Connect to a network.")


def _adapter(evidence: Evidence, problem: str) -> Iterable[Match]:
    if evidence.failed("link.adapters") and evidence.measure("link.adapters", "problem") == problem:
        what, advice = SAYS.get(str(evidence.measure("link.adapters", "kind")), OTHERS)
        yield Match(
            subject=evidence.measure("link.adapters", "adapter"),
            confidence=0.98,
            evidence=("link.adapters",),
            values={"what": what, "advice": advice},
        )


def no_adapter(evidence: Evidence) -> Iterable[Match]:
    """There is none at all."""
    return _adapter(evidence, "none")


def disabled(evidence: Evidence) -> Iterable[Match]:
    """The one that would be the way out is switched off."""
    return _adapter(evidence, "disabled")


def no_carrier(evidence: Evidence) -> Iterable[Match]:
    """The one that would be the way out has no cable or is not associated."""
    return _adapter(evidence, "no_carrier")


def _address(evidence: Evidence, problem: str) -> Iterable[Match]:
    if evidence.failed("address.ipv4") and evidence.measure("address.ipv4", "problem") == problem:
        yield Match(
            subject=evidence.measure("address.ipv4", "adapter"),
            confidence=0.96,
            evidence=("address.ipv4",),
            values={"address": evidence.measure("address.ipv4", "address", "")},
        )


def missing(evidence: Evidence) -> Iterable[Match]:
    """Connected, but no IPv4 address, and IPv6 does not lead out either."""
    return _address(evidence, "missing")


def self_assigned(evidence: Evidence) -> Iterable[Match]:
    """Only 169.254/16."""
    return _address(evidence, "self_assigned")


def wrong_subnet(evidence: Evidence) -> Iterable[Match]:
    """The router is outside this computer's network and nothing works; or nobody has the router's address while the cable is alive
    with others: another router (IPv6 tells), or addresses of another network. An address from DHCP is never called wrong.
    """
    adapter, address = evidence.measure("address.ipv4", "adapter"), evidence.measure("address.ipv4", "address")
    if not address or evidence.measure("address.ipv4", "dynamic") is True or web_works(evidence):
        return
    values = {
        "address": address,
        "gateway": evidence.measure("address.ipv4", "gateway") or evidence.measure("route.gateway", "gateway"),
    }
    if evidence.measure("address.ipv4", "gateway_far") and line_alive(evidence) is not True:
        gateway = ipaddress.ip_address(str(values["gateway"]))
        if gateway not in ipaddress.ip_network(f"{address}/{NEAR_PREFIX}", strict=False):
            yield Match(subject=adapter, confidence=0.93, evidence=("address.ipv4", "route.gateway"), values=values)
        return
    if not evidence.failed("route.gateway"):
        return
    shown = ("route.gateway", "address.foreign")
    if evidence.measure("address.foreign", "seen"):
        yield Match(subject=adapter, confidence=0.95, evidence=shown, values=values)
    elif evidence.measure("address.foreign", "routers") and not evidence.measure("address.foreign", "near"):
        yield Match(subject=adapter, confidence=0.8, evidence=shown, values=values)


def wrong_mask(evidence: Evidence) -> Iterable[Match]:
    """Hosts that this computer takes for near do not answer on the cable, although the router does; and nobody that far away does.

    A single dead host in its own /24 is just a dead host.
    """
    address, prefix = evidence.measure("address.ipv4", "address"), evidence.measure("address.ipv4", "prefix")
    if (
        not address
        or not isinstance(prefix, int)
        or prefix >= NEAR_PREFIX
        or evidence.measure("route.gateway", "on_cable") is False
    ):
        return
    around = ipaddress.ip_network(f"{address}/{NEAR_PREFIX}", strict=False)

    def far(name: str) -> list[str]:
        told = evidence.measure("route.near", name, [])
        return [one for one in told if ":" not in one and ipaddress.ip_address(one) not in around]

    dead, alive = far("dead"), far("alive_neighbours")
    if dead and not alive:
        yield Match(
            subject=evidence.measure("address.ipv4", "adapter"),
            confidence=0.95 if len(dead) > 1 else 0.85,
            evidence=("address.ipv4", "route.near"),
            values={"address": f"{address}/{prefix}", "host": dead[0]},
        )


CAUSES: Final[tuple[Cause, ...]] = (
    Cause(
        id="link.no_adapter",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="This computer has no network adapter",
        explanation="The part that connects this computer to a network is missing, broken or not recognised, so "
        "nothing online can work.",
        advice="Restart the computer once. If it stays like this, ask IT: the adapter or its driver needs a look.",
        holds=no_adapter,
        explains=BEYOND_LINK,
        articles=("no-internet", "wifi-connect", "docking-station"),
        fixes=("settings.network",),
    ),
    Cause(
        id="link.disabled",
        severity=Severity.HIGH,
        tier=Tier.L1,
        title="{what} is switched off on this computer",
        explanation="The adapter {subject} is switched off, so this computer reaches no network at all.",
        advice="Switch it on in the network settings. Look also for an airplane mode.",
        holds=disabled,
        explains=BEYOND_LINK,
        articles=("no-internet", "wifi-connect"),
        fixes=("settings.network", "network.reconnect"),
    ),
    Cause(
        id="link.no_carrier",
        severity=Severity.HIGH,
        tier=Tier.L1,
        title="{what} is not connected",
        explanation="The adapter {subject} is on, but it is connected to nothing: no cable, or no wireless network.",
        advice="{advice}",
        holds=no_carrier,
        explains=BEYOND_LINK,
        articles=("no-internet", "wifi-connect", "docking-station"),
        fixes=("settings.network", "network.reconnect"),
    ),
    Cause(
        id="address.missing",
        severity=Severity.HIGH,
        tier=Tier.L1,
        title="This computer has no address in the network",
        explanation="{subject} is connected, but has no IPv4 address. Without one nothing can be sent or received.",
        advice="Disconnect from the network and connect again. If there is still no address, ask IT.",
        holds=missing,
        explains=BEYOND_LINK,
        articles=("no-internet", "wifi-connect"),
        fixes=("network.reconnect", "settings.network"),
    ),
    Cause(
        id="address.self_assigned",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="The network gave this computer no address",
        explanation="{subject} asked the network for an address and got no answer, so it gave itself {address}. "
        "That leads nowhere.",
        advice="Disconnect and connect again. If it stays like this for others here too, the network's address "
        "service (DHCP) is down: ask IT.",
        holds=self_assigned,
        explains=BEYOND_LINK,
        articles=("no-internet", "wifi-connect"),
        fixes=("network.reconnect", "settings.network"),
    ),
    Cause(
        id="address.wrong_subnet",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="This computer's address belongs to another network",
        explanation="{subject} has the fixed address {address}, but the network it is connected to is a different "
        "one. "
        "Its router {gateway} is not to be found there.",
        advice="Set the network to get its address automatically (DHCP), or ask IT for the right address.",
        holds=wrong_subnet,
        explains=BEYOND_LINK,
        articles=("no-internet",),
        fixes=("settings.network",),
    ),
    Cause(
        id="address.wrong_mask",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="This computer's network mask is wrong",
        explanation="With the address {address} on {subject}, this computer takes {host} for a neighbour on the "
        "same cable. Nobody answers "
        "there: it is further away, behind the router.",
        advice="Set the network to get its address automatically (DHCP), or ask IT for the right network mask.",
        holds=wrong_mask,
        explains=(*BEYOND_LINK, "internal.unreachable"),
        articles=("no-internet",),
        fixes=("settings.network",),
    ),
)
