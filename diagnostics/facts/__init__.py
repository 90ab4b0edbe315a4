"""What is collected for agents without judging it. Imports the model, the probe and the platforms; must not judge.

`collect(probe)` gives every fact by its key, `privacy_of(key)` says how private one is.
"""

from __future__ import annotations

from diagnostics.facts import hardware, interfaces, logs, os, software
from diagnostics.facts.declaration import MISSING, Declared, FactError, collect, declared, fact, privacy_of

__all__ = [
    "MISSING",
    "Declared",
    "FactError",
    "collect",
    "declared",
    "fact",
    "hardware",
    "interfaces",
    "logs",
    "os",
    "privacy_of",
    "software",
]
