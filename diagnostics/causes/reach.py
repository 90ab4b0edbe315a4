"""Causes of the routes, the gateway and the line beyond it."""

from __future__ import annotations

from typing import Final

from diagnostics.causes.cause import Cause

CAUSES: Final[tuple[Cause, ...]] = ()
