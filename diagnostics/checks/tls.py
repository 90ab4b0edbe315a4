"""The certificates that servers showed in this run, put side by side. Makes no connections of its own."""

from __future__ import annotations

from typing import Any

from diagnostics.model import Outcome, Status
from diagnostics.registry import Context, check

VISITING = ("internet.http", "internet.https", "service.help_desk", "service.company")
WORDS = {
    "expired": "has expired",
    "not_yet": "is not valid yet",
    "wrong_host": "is for another name",
    "untrusted": "is from an unknown issuer",
}


def seen_certificates(context: Context) -> list[dict[str, Any]]:
    """One row for each secure visit that met a certificate: role, name, host, and what it said."""
    rows = []
    for id in VISITING:
        finding = context.findings.get(id)
        for one in finding.measures.get("visits", []) if finding else []:
            shown = one.get("certificate")
            if shown:
                rows.append(
                    {
                        "role": one["role"],
                        "name": one["name"],
                        "host": one["host"],
                        "url": one["url"],
                        "address": one["address"],
                    }
                    | shown
                )
    return rows


@check("tls.certificates", words="Looking at certificates", after=VISITING)
async def certificates(context: Context) -> Outcome:
    """Fails when a certificate was refused."""
    rows = seen_certificates(context)
    bad = [one for one in rows if one.get("problem")]
    measures = {"certificates": rows}
    if bad:
        words = f"The certificate of {bad[0]['host']} {WORDS[bad[0]['problem']]}."
        return Outcome(status=Status.FAILED, summary=words, measures=measures)
    words = f"{len(rows)} certificates are fine." if rows else "No certificate was met."
    return Outcome(status=Status.OK, summary=words, measures=measures)
