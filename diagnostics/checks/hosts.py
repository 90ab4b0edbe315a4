"""The hosts file: a name that it overrides never reaches a name server."""

from __future__ import annotations

import asyncio
from typing import Any

from diagnostics.checks.dns import names_to_ask
from diagnostics.model import Outcome, Status
from diagnostics.network.view import hosts, live_servers, look_up
from diagnostics.registry import Context, check


@check("hosts.file", words="Looking at this computer's own list of names", after=("dns.resolvers",), deadline_s=7.0)
async def overrides(context: Context) -> Outcome:
    """Warns when the file gives a name of the settings an address that the name servers do not give."""
    known = await hosts(context)
    own = [name for name in names_to_ask(context) if name.lower() in known]
    live = await live_servers(context) if context.findings.get("dns.resolvers") else ()
    truth = await asyncio.gather(*(look_up(context, name, live) for name in own))
    rows: list[dict[str, Any]] = []
    for name, found in zip(own, truth, strict=True):
        here = known[name.lower()]
        rows.append(
            {
                "name": name,
                "here": list(here),
                "dns": list(found.addresses),
                "differs": not set(here) & set(found.addresses),
                "rcode": found.rcode,
            }
        )
    if differing := [row for row in rows if row["differs"]]:
        words = f"This computer's hosts file sends {differing[0]['name']} to {differing[0]['here'][0]}."
        return Outcome(status=Status.WARNING, summary=words, measures={"names": rows})
    words = "The hosts file overrides no name that matters." if own or known else "There is no hosts file."
    return Outcome(status=Status.OK, summary=words, measures={"names": rows})
