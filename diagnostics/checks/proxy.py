"""Proxies: which are set, do they work, and does the direct way."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from diagnostics.checks.internet import AFTER_MEASURING, public_targets
from diagnostics.model import Outcome, Status
from diagnostics.network.doors import Doors, doors, proxy_in_script
from diagnostics.network.view import Target, resolve, resolvers, state, targets, usable_addresses
from diagnostics.network.visits import visit_target
from diagnostics.platforms.network import is_address
from diagnostics.registry import Context, check
from diagnostics.wire.connect import Reach
from diagnostics.wire.request import Request, host_port

USUAL_PORTS: Final = (3128, 8080)  # squid's, and everybody else's
PATIENCE_S: Final = 1.2  # pages that take longer may as well hang
FIND_S: Final = 1.5  # a proxy of this network is near
ASKS_WHO: Final = 407  # Proxy Authentication Required
FIRST_BAD_STATUS: Final = 400
WPAD_PATH: Final = "/wpad.dat"


@check("proxy.settings", words="Looking at the proxy settings", after=("dns.resolvers",), deadline_s=8.0)
async def settings(context: Context) -> Outcome:
    """Never fails; warns when an automatic configuration script is set and cannot be read."""
    found = await doors(context)
    measures: dict[str, Any] = {
        "proxies": [_without_password(one) for one in found.proxies],
        "source": found.source,
        "script": found.script,
        "script_read": found.script_read,
        "discover": found.discover,
        "bypass": list(found.bypass),
    }
    if found.script and found.script_read is False:
        words = "The script that chooses the proxy cannot be read."
        return Outcome(status=Status.WARNING, summary=words, measures=measures)
    words = f"Web pages go through {measures['proxies'][0]}." if found.proxies else "No proxy is set."
    return Outcome(status=Status.OK, summary=words, measures=measures)


def _without_password(proxy: str) -> str:
    return "{}:{}".format(*host_port(proxy))


@check(
    "proxy.reach", words="Asking the proxy", after=("dns.resolvers", "proxy.settings", *AFTER_MEASURING), deadline_s=9.5
)
async def reach(context: Context) -> Outcome:
    """Does each proxy in effect carry a page; where it does not, would the direct way?"""
    found = await doors(context)
    if not found.proxies:
        return Outcome(status=Status.OK, summary="No proxy is set.", measures={"proxies": []})
    looking = asyncio.gather(*(_one(context, found, one) for one in found.proxies))
    await asyncio.wait([looking], timeout=PATIENCE_S)
    aside = (
        None if looking.done() else asyncio.create_task(_directly(context))
    )  # it hangs: use the time for what comes next
    rows = await looking
    measures: dict[str, Any] = {"proxies": rows}
    bad = [one for one in rows if one["problem"]]
    if not bad:
        if aside is not None:
            aside.cancel()
        return Outcome(status=Status.OK, summary="The proxy works.", measures=measures)
    direct = await (aside or _directly(context))
    measures["direct_works"] = any(one["outcome"] == "answered" for one in direct) if direct else None
    measures["direct"] = [{"url": one["url"], "outcome": one["outcome"], "status": one["status"]} for one in direct]
    return Outcome(
        status=Status.FAILED, summary=f"The proxy {bad[0]['proxy']} {WORDS[bad[0]['problem']]}.", measures=measures
    )


async def _directly(context: Context) -> list[dict[str, Any]]:
    return await asyncio.gather(*(visit_target(context, one, direct=True) for one in public_targets(context)))


WORDS: Final = {
    "name": "has a name that is not known",
    "auth": "wants a user name and password",
    "refused": "refuses the connection",
    "silent": "does not answer",
    "beyond": "cannot get any page itself",
    "denied": "forbids this computer's request",
}


async def _one(context: Context, found: Doors, proxy: str) -> dict[str, Any]:
    host, port = host_port(proxy)
    resolved = await resolve(context, host)
    row: dict[str, Any] = {
        "proxy": f"{host}:{port}",
        "host": host,
        "addresses": list(resolved.addresses),
        "problem": "",
    }
    if not resolved.addresses:
        return {**row, "problem": "name"}
    through = [one for one in targets(context) if one.url and found.door_for(one.url) == proxy]
    visits = await asyncio.gather(*(visit_target(context, one) for one in through))
    row["visits"] = [
        {"url": one["url"], "outcome": one["outcome"], "proxy_status": one.get("proxy_status")} for one in visits
    ]
    if any(one["outcome"] == "answered" or (one["outcome"] in {"certificate", "stalled"}) for one in visits):
        return row
    if any(one.get("proxy_status") == ASKS_WHO for one in visits):
        return {**row, "problem": "auth"}
    if statuses := [one["proxy_status"] for one in visits if one.get("proxy_status")]:
        return {**row, "problem": "denied" if min(statuses) < 500 else "beyond", "status": min(statuses)}  # noqa: PLR2004 -- RFC 9110
    outcomes = {one["outcome"] for one in visits if one.get("at_proxy")}
    if not visits:
        addresses = await usable_addresses(context, resolved.addresses)
        attempts = await asyncio.gather(*(context.probe.connect(one, port, within=FIND_S) for one in addresses))
        reaches = {str(one.reach) for one in attempts}
        outcomes = set() if str(Reach.CONNECTED) in reaches else reaches
    if not outcomes:
        return row
    refused = outcomes & {str(Reach.REFUSED), str(Reach.RESET)}
    return {**row, "problem": "refused" if refused else "silent", "reach": sorted(outcomes)}


@check(
    "proxy.discovery",
    words="Looking for a proxy in this network",
    needs=("dns.resolvers",),
    after=("proxy.settings", *AFTER_MEASURING),
    deadline_s=9.5,
)
async def discovery(context: Context) -> Outcome:
    """Only when no proxy is set and no web page comes: does this network offer one?

    `announced`: by its configuration script or a name made for it. `guessed`: something that speaks as a proxy listens on the
    router or a name server. Both must really bring a page, or ask who we are.
    """
    nothing: dict[str, Any] = {"announced": [], "guessed": []}
    if (await doors(context)).proxies:
        return Outcome(status=Status.OK, summary="A proxy is set.", measures=nothing)
    wanted = public_targets(context)
    if not wanted:
        return Outcome(status=Status.OK, summary="No public page is named in the settings.", measures=nothing)
    visiting = [asyncio.ensure_future(visit_target(context, one)) for one in wanted]
    done, _ = await asyncio.wait(visiting, timeout=PATIENCE_S)
    if any(one.result()["outcome"] in COMES for one in done):
        return Outcome(status=Status.OK, summary="Web pages come without a proxy.", measures=nothing)
    announced, guessed = await _search(context)
    visits = await asyncio.gather(*visiting)
    if any(one["outcome"] in COMES for one in visits):
        return Outcome(status=Status.OK, summary="Web pages come without a proxy.", measures=nothing)
    found = [*announced, *guessed]
    measures = {"announced": announced, "guessed": guessed}
    if found:
        words = f"This network has a proxy, {found[0]}, and this computer does not use it."
        return Outcome(status=Status.WARNING, summary=words, measures=measures)
    return Outcome(status=Status.OK, summary="No proxy was found in this network.", measures=measures)


COMES: Final = frozenset({"answered", "certificate", "stalled", "tls"})


async def _search(context: Context) -> tuple[list[str], list[str]]:
    domains = await _domains(context)
    scripts, names = await asyncio.gather(
        asyncio.gather(*(_script(context, f"wpad.{one}") for one in domains)),
        asyncio.gather(*(resolve(context, f"{word}.{one}") for one in domains for word in ("proxy", "wpad"))),
    )
    now = await state(context)
    named = {address for one in names for address in one.addresses if ":" not in address}
    servers = {one for one in (await resolvers(context)).servers if not now.own(one)}
    places = {one.gateway for one in now.defaults() if one.gateway} | servers
    by_name, by_guess = await asyncio.gather(
        asyncio.gather(*(_is_proxy(context, place, port) for place in sorted(named) for port in USUAL_PORTS)),
        asyncio.gather(*(_is_proxy(context, place, port) for place in sorted(places - named) for port in USUAL_PORTS)),
    )
    announced = list(dict.fromkeys(one for one in (*scripts, *by_name) if one))
    return announced, list(dict.fromkeys(one for one in by_guess if one))


async def _domains(context: Context) -> tuple[str, ...]:
    """The domains in which this network may announce a proxy: search domains, and the parents of the company's names."""
    hosts = [one.host for one in targets(context) if one.role in {"service", "desk"} and not is_address(one.host)]
    parents = [name.partition(".")[2] for name in (*context.targets.network.internal_names, *hosts)]
    found = dict.fromkeys((*(await resolvers(context)).search, *parents))
    return tuple(one for one in found if "." in one)[:3]


async def _script(context: Context, host: str) -> str:
    addresses = await usable_addresses(context, (await resolve(context, host)).addresses)
    if not addresses:
        return ""
    request = Request(
        url=f"http://{host}{WPAD_PATH}", addresses=addresses, connect_s=FIND_S, answer_s=FIND_S, keep_page=True
    )
    got = await context.probe.visit(request)
    return _without_password(proxy) if got.status == 200 and (proxy := proxy_in_script(got.page)) else ""  # noqa: PLR2004 -- OK


async def _is_proxy(context: Context, address: str, port: int) -> str:
    """As "address:port" when a proxy listens there: it takes a request for another host and answers as a proxy does."""
    attempt = await context.probe.connect(address, port, within=FIND_S)
    if attempt.reach is not Reach.CONNECTED:
        return ""
    wanted: Target | None = next(iter(public_targets(context)), None)
    if wanted is None:
        return ""
    host = f"[{address}]" if ":" in address else address
    probe = Request(
        url=wanted.url,
        addresses=(address,),
        proxy=f"http://{host}:{port}",
        connect_s=FIND_S,
        answer_s=FIND_S,
        tls_s=FIND_S,
    )
    got = await context.probe.visit(probe)
    brings = (
        got.proxy_status == ASKS_WHO
        or got.outcome in {"certificate", "stalled"}
        or (got.outcome == "answered" and _fine(got.status))
    )
    return f"{address}:{port}" if brings else ""


def _fine(status: int | None) -> bool:
    return status is not None and status < FIRST_BAD_STATUS
