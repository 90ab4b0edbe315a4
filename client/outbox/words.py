"""What an entry of the outbox says about a fault, for the employee. Pure."""

from __future__ import annotations

from client.errors import DeskRefused, DesksideError


def words_of(fault: DesksideError) -> str:
    """What an entry says about a fault: what happened, the desk's own words, and what to do."""
    parts = [fault.message.strip()]
    said = fault.words.strip() if isinstance(fault, DeskRefused) else ""
    if said and said not in fault.message:
        parts.append(f"It said: \u201c{said}\u201d")
    if fault.hint and fault.hint not in fault.message:
        parts.append(fault.hint.strip())
    return " ".join(part if part.endswith((".", "!", "?", "\u201d")) else f"{part}." for part in parts if part)
