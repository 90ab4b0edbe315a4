"""Keeps one account's tokens fresh: renews them before their end, or once they were refused, and never twice at once.

Providers give a new refresh token with every renewal and take the old one for stolen when it comes again. So a renewal holds a lock
between processes, looks first whether another process has renewed already, and the new tokens are in the keyring before anybody
uses them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from client.errors import DeskFault, DeskUnreachable, SecretsFault, SignInFault, SignInNeeded
from client.signin import tokens as renewing
from client.signin.errors import FOR_IT, Refused
from client.signin.provider import Provider
from client.signin.tokens import Tokens

log = logging.getLogger(__name__)

EARLY_AGAIN_S = 30.0  # between two attempts to renew what is still good
YOUNG_S = 60.0  # a token that is refused at this age is not too old but not wanted; a newer one would not be either
AGAIN_S = 300.0  # between two attempts to give the keyring what it did not take: each may ask for a password
ENDED = "Your sign-in with the company account has ended."
NOBODY = "Nobody is signed in to the help desk on this computer."


class Store(Protocol):
    """Where one account's tokens are. Blocks; raises `SecretsFault`."""

    def load(self) -> Tokens | None:
        """The tokens as any process has left them."""

    def save(self, tokens: Tokens) -> None:
        """Keeps them; returns after it was proved."""


class Keeper:
    """One account's tokens.

    Args:
        provider: makes the way to the company's provider, when it is first needed.
        store: where the tokens are.
        lock: keeps other processes, and other tasks of this one, from renewing at the same time.
        bound: whether tokens are for the provider and the help desk that are set now.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        *,
        provider: Callable[[], Provider],
        store: Store,
        lock: Callable[[], AbstractAsyncContextManager[None]],
        bound: Callable[[Tokens], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._provider = provider
        self._store = store
        self._lock = lock
        self._bound = bound
        self._clock = clock
        self._held: Tokens | None = None
        self._unsaved: Tokens | None = None  # renewed, but the keyring has not taken it yet
        self._save_at = 0.0
        self._running: set[asyncio.Task[Tokens]] = set()

    async def access(self, *, refused: str = "") -> str:
        """An access token that is good now, as far as this computer can know.

        Args:
            refused: the token that the help desk has just refused; another one is given.

        Raises:
            SignInNeeded: nobody is signed in, or the provider has ended the sign-in.
            DeskUnreachable: a renewal is needed, and the provider cannot be asked.
            SecretsFault: the keyring is missing or locked.
        """
        now, held = self._clock(), self._held
        unsaved = self._unsaved is not None and now >= self._save_at
        if held is None or held.wants_renewal(now) or held.expired(now) or held.access == refused or unsaved:
            # A task of its own: whoever waits may be cancelled, but a renewal that has begun must end in the keyring.
            task = asyncio.create_task(self._renewed(refused))
            self._running.add(task)
            task.add_done_callback(self._ended)
            held = await asyncio.shield(task)
        return held.access

    async def close(self) -> None:
        """Waits for a renewal that has begun."""
        if self._running:
            await asyncio.wait(self._running)

    def _ended(self, task: asyncio.Task[Tokens]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("tokens were not renewed: %s", error)

    async def _renewed(self, refused: str) -> Tokens:
        async with self._lock():
            if self._unsaved is not None:
                await self._save(self._unsaved)
            kept = self._unsaved or await asyncio.to_thread(self._store.load)
            if kept is None or not self._bound(kept):
                raise SignInNeeded(NOBODY)
            now = self._clock()
            if kept.access == refused and now - kept.since < YOUNG_S:
                raise SignInNeeded("The help desk does not accept the sign-in with the company account.", hint=FOR_IT)
            useful = not kept.expired(now) and kept.access != refused
            if useful and not kept.wants_renewal(now):  # it is new to us, or another process was here first
                pass
            elif kept.refresh:
                kept = await self._renew(kept, now, useful=useful)
            elif not useful:
                raise SignInNeeded(ENDED)
            self._held = kept
            return kept

    async def _renew(self, kept: Tokens, now: float, *, useful: bool) -> Tokens:
        """New tokens; the ones that there are where those are still `useful` and the provider cannot be asked."""
        try:
            return await self._renew_now(kept, now)
        except SignInNeeded:
            raise
        except DeskFault as fault:
            if not useful:
                raise
            log.info("a token was not renewed early: %s", fault)
            return msgspec.structs.replace(kept, renew_at=now + EARLY_AGAIN_S)

    async def _renew_now(self, kept: Tokens, now: float) -> Tokens:
        provider = self._provider()
        form = {"grant_type": "refresh_token", "refresh_token": kept.refresh}
        if provider.settings.resource:
            form["resource"] = provider.settings.resource
        try:
            answer = await provider.token(form)
            fresh = await renewing.renewed(kept, answer, provider, now=now)
        except Refused as refused:
            if refused.code != "invalid_grant":
                raise _later(refused) from refused
            await self._save(kept.ended())  # asking again would only look like a thief
            raise SignInNeeded(ENDED) from refused
        except SignInFault as fault:
            raise _later(fault) from fault
        await self._save(fresh)
        return fresh

    async def _save(self, fresh: Tokens) -> None:
        """Keeps the tokens. A keyring that was locked meanwhile gets them later; this process goes on."""
        self._unsaved, self._save_at = fresh, self._clock() + AGAIN_S
        try:
            await asyncio.to_thread(self._store.save, fresh)
        except SecretsFault as fault:
            log.warning("renewed tokens could not be kept: %s", fault)
        else:
            self._unsaved = None


def _later(fault: SignInFault) -> DeskUnreachable:
    """What a failed renewal means for what was to be sent: nothing was, and it can be tried again."""
    return DeskUnreachable(f"{fault.message} So nothing could be sent.")
