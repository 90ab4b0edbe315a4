"""JSON and property lists from outside, taken for what they are: a value of another kind than expected is read as nothing."""

from __future__ import annotations

from typing import Any


def mapping(value: object) -> dict[Any, Any]:
    """An object, else an empty one."""
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> list[dict[Any, Any]]:
    """The objects of a list, else none."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list | tuple) else []


def items(value: object) -> list[Any]:
    """A list, else an empty one."""
    return list(value) if isinstance(value, list | tuple) else []


def number(value: object) -> float:
    """A number, else 0."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def whole(value: object) -> int | None:
    """A whole number, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def text(value: object, default: str = "") -> str:
    """A text that is not empty, else `default`."""
    return value if isinstance(value, str) and value else default


def dig(tree: object, *names: str) -> Any:
    """What lies below these names, one in the other; None where there is nothing."""
    for name in names:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree
