"""Whether the desk has what we sent, when it tells it in its own way: names and texts compared by what survives any desk. Pure."""

from __future__ import annotations

from collections import Counter

from client.errors import TooLarge
from client.model import Attachment
from client.receipt import essence


def check_sizes(attachments: tuple[Attachment, ...], most: int | None) -> None:
    """Says which file the desk would refuse, before it is on its way for minutes.

    Args:
        attachments: the files.
        most: bytes that the desk takes of one file, None where it does not say.

    Raises:
        TooLarge: a file is larger; names it.
    """
    for one in attachments:
        if most is not None and len(one.data) > most:
            raise TooLarge(
                f"{one.name} has {len(one.data) / 1e6:.1f} MB; this help desk takes files up to {most / 1e6:.1f} MB.",
                name=one.name,
            )


def places(names: tuple[str, ...], attachments: tuple[Attachment, ...]) -> tuple[int, ...]:
    """Which attachments the desk has, by the names it gives them; desks replace spaces and other characters."""
    left = Counter(essence(name) for name in names)
    found = []
    for place, one in enumerate(attachments):
        name = essence(one.name)
        if left[name] > 0:
            left[name] -= 1
            found.append(place)
    return tuple(found)


def worth_leaving_out(name: str, attachments: tuple[Attachment, ...]) -> int | None:
    """Which file a desk means that takes no message of this size: the one it names, else the largest; None without files."""
    if not attachments:
        return None
    named = [place for place, one in enumerate(attachments) if one.name == name]
    return named[0] if named else max(range(len(attachments)), key=lambda place: len(attachments[place].data))
