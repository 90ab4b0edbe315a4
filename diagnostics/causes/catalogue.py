"""Every cause, in the order of the layers: when two are equally likely, the lower layer is named first."""

from __future__ import annotations

from typing import Final

from diagnostics.causes import company, link, machine, names, proxy, quality, reach, trust
from diagnostics.causes.cause import Cause

CATALOGUE: Final[tuple[Cause, ...]] = (
    *link.CAUSES,
    *reach.CAUSES,
    *names.CAUSES,
    *proxy.CAUSES,
    *trust.CAUSES,
    *company.CAUSES,
    *quality.CAUSES,
    *machine.CAUSES,
)

if len({cause.id for cause in CATALOGUE}) != len(CATALOGUE):
    raise RuntimeError("a cause is declared twice")  # a fault of the program, seen at the first import
