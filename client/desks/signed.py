"""A help desk that is spoken to with a token that does not last: every question is asked with a good one, once again if refused.

A refusal for want of a valid token means that nothing was read and nothing was made of it, so asking again is safe.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from client.desks.base import Desk
from client.errors import SignInNeeded


class Access(Protocol):
    """Where good tokens come from."""

    def __call__(self, *, refused: str = "") -> Awaitable[str]:
        """A token that is good now; another one than the one that was `refused`.

        Raises:
            SignInNeeded: there is none any more.
        """


class _Tokens:
    """The adapters in use, one for each token; an old one is let go of when its last question was answered."""

    def __init__(self, open_with: Callable[[str], Desk], access: Access) -> None:
        self._open_with = open_with
        self._access = access
        self._desks: dict[str, Desk] = {}
        self._asked: Counter[str] = Counter()
        self._newest = ""
        self._known: Mapping[str, tuple[str, bytes]] = {}

    async def ask(self, method: str, *words: Any, **named: Any) -> Any:
        token = await self._access()
        try:
            return await self._ask(token, method, *words, **named)
        except SignInNeeded:
            fresh = await self._access(refused=token)
            if fresh == token:
                raise
        return await self._ask(fresh, method, *words, **named)

    def recall(self, answers: Mapping[str, tuple[str, bytes]]) -> None:
        self._known = answers

    def answers(self) -> dict[str, tuple[str, bytes]]:
        desk = self._desks.get(self._newest)
        return dict(self._known) if desk is None else desk.answers()

    async def close(self) -> None:
        desks, self._desks = self._desks, {}
        for desk in desks.values():
            await desk.close()

    async def _ask(self, token: str, method: str, *words: Any, **named: Any) -> Any:
        if token not in self._desks:
            known = self.answers()
            self._desks[token] = self._open_with(token)
            self._desks[token].recall(known)
        self._newest = token
        self._asked[token] += 1
        try:
            return await getattr(self._desks[token], method)(*words, **named)
        finally:
            self._asked[token] -= 1
            for old in [one for one in self._desks if one != self._newest and not self._asked[one]]:
                await self._desks.pop(old).close()


def signed(found: type[Desk], *, open_with: Callable[[str], Desk], access: Access) -> Desk:
    """A desk like `found`, whose every question carries a token that is good.

    Args:
        found: the adapter's class.
        open_with: an adapter of this class for one token.
        access: gives the tokens.
    """
    tokens = _Tokens(open_with, access)
    own: dict[str, Any] = {name: getattr(found, name) for name in dir(found) if _is_fact(found, name)}
    own |= {
        name: _asking(tokens, name)
        for name, _ in inspect.getmembers(found, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }
    own |= {
        "open": found.open,
        "close": _own(tokens.close),
        "recall": _own(tokens.recall),
        "answers": _own(tokens.answers),
    }
    kind = type(f"Signed{found.__name__}", (Desk,), {**own, "__module__": __name__})
    desk: Desk = kind()
    return desk


def _is_fact(found: type[Desk], name: str) -> bool:
    """Whether this says what the adapter is: its kind, its capabilities."""
    return not name.startswith("_") and not callable(inspect.getattr_static(found, name)) and name != "open"


def _own(method: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _, *words: method(*words)


def _asking(tokens: _Tokens, method: str) -> Callable[..., Awaitable[Any]]:
    async def ask(_: Desk, *words: Any, **named: Any) -> Any:
        return await tokens.ask(method, *words, **named)

    return ask
