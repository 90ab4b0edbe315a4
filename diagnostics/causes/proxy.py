"""Causes of proxies."""

from __future__ import annotations

from typing import Final

from diagnostics.causes.cause import Cause

CAUSES: Final[tuple[Cause, ...]] = ()
