"""Causes of the machine itself: volumes, memory, processor, battery, system, updates."""

from __future__ import annotations

from typing import Final

from diagnostics.causes.cause import Cause

CAUSES: Final[tuple[Cause, ...]] = ()
