"""Who is signed in to the help desk: accounts and their secrets or tokens, signing in, and signing out.

A part of the composition root: it joins the help desk, the provider and what is in `client.account_parts`. Imported with the
first coroutine and not by a tray at rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from client import __version__
from client.account_parts import Kept, Keyring, Memory, Way, locked
from client.errors import (
    DeskBroken,
    DeskUnreachable,
    EnvironmentFault,
    StorageFault,
    UsageError,
)
from client.model import Account, Identity
from client.signin.vault import FIRST, Vault, check_name

if TYPE_CHECKING:
    from client.desks import Desk
    from client.settings.layers import Loaded
    from client.signin.device import Code
    from client.signin.keeper import Keeper, Store
    from client.signin.provider import Provider
    from client.signin.tokens import Tokens

log = logging.getLogger(__name__)

GOODBYE_S: Final = 10.0  # signing out does not wait longer for the provider


class Accounts:
    """The accounts of the configured help desk. One per app.

    Args:
        settings: which help desk, and how one signs in.
        folder: the user's data folder, for the lock between processes.
        resume: sends again what waits for a sign-in; blocks.
        secret: a sign-in for this process alone, instead of the one in the keyring.
    """

    def __init__(
        self, *, settings: Loaded, folder: Path, resume: Callable[[], object], secret: str | None = None
    ) -> None:
        self._settings = settings
        self._resume = resume
        self._secret = secret
        self._private: Memory | None = None  # a company sign-in for this process alone
        self._made: Provider | None = None
        self._way = Way(settings)
        self._locked = partial(locked, folder)
        self._desk: Desk | None = None
        self._used = ("", "")  # the account and the secret of the desk that is open
        self._keeper: Keeper | None = None

    @property
    def by_company_account(self) -> bool:
        """Whether one signs in with the company account; otherwise with a token or password of the help desk."""
        return self._settings.values.sign_in.method == "oidc"

    @property
    def for_now(self) -> bool:
        """Whether somebody is signed in for this process alone."""
        return self._secret is not None or self._private is not None

    # --- the desk

    async def desk(self) -> Desk:
        """The adapter of the configured help desk, signed in as the account that counts.

        Raises:
            SettingsFault: no help desk is configured.
            SecretsFault: the keyring is missing or locked.
            SignInFault: the company's sign-in is not set up completely.
        """
        if self._desk is None:
            from client.desks import desk_class  # noqa: PLC0415 -- as said above

            found = desk_class(self._settings.values.desk.kind)  # without one there is no reason to unlock a keyring
            if self.by_company_account and self._secret is None:
                made = await self._with_tokens(found)
            else:
                self._used = await self._kept() if self._secret is None else ("", self._secret)
                made = self._open(self._used[1] or None)
            if self._desk is None:  # nobody else was faster
                self._desk = made
        return self._desk

    async def renewed(self) -> bool:
        """Whether another sign-in is kept now than the one that was used; the next use of the desk takes it."""
        if self._desk is None or self.for_now or await self._kept() == self._used:
            return False
        await self.forget_desk()
        return True

    async def _kept(self) -> tuple[str, str]:
        """The account that counts, and its secret; a company account's tokens are renewed by their keeper."""

        def read() -> tuple[str, str]:
            active = self._vault.index().active
            return active, "" if self.by_company_account else self._vault.secret(active) or ""

        return await asyncio.to_thread(read)

    async def forget_desk(self) -> None:
        """Lets go of the adapter and its connections; the next use opens it anew, with the sign-in that is kept then."""
        desk, self._desk = self._desk, None
        keeper, self._keeper = self._keeper, None
        self._made = None
        if keeper is not None:
            await keeper.close()
        if desk is not None:
            await desk.close()
        await self._way.close()

    async def whoami(self) -> Identity:
        """Who the desk says we are.

        Raises:
            DeskFault: it could not be asked, or does not know us.
        """
        return await (await self.desk()).whoami()

    # --- signing in

    async def sign_in(self, secret: str, *, account: str = FIRST, keep: bool = True) -> Identity:
        """Proves a token or password at the desk and only then keeps it.

        Args:
            account: which of several.
            keep: False where there is no keyring: the sign-in lasts as long as this process.

        Raises:
            UsageError: one signs in with the company account here.
            SignInNeeded: the desk refused it.
            SecretsFault: the keyring is missing or locked.
        """
        check_name(account)
        if self.by_company_account:
            raise UsageError(
                "Your company signs in to the help desk with the company account, not with a token.",
                hint="Run `deskside login` without a token.",
            )
        identity = await self._prove(secret)
        if keep:
            async with self._locked():
                await asyncio.to_thread(self._vault.keep_secret, account, secret)
                await asyncio.to_thread(self._vault.enter, account, identity)
        self._secret = None if keep else secret
        await self._signed_in()
        return identity

    async def sign_in_by_browser(
        self, open_page: Callable[[str], None], *, account: str = FIRST, keep: bool = True
    ) -> Identity:
        """Opens the company's sign-in page in the browser and waits for the person. Cancelling ends the waiting.

        Args:
            open_page: shows an address in the browser; it may block.
            account: which of several.
            keep: as `sign_in`.

        Raises:
            SignInFault: it did not work; says why.
            SignInNeeded: the help desk does not accept the company account.
            SecretsFault: the keyring is missing or locked; said before the browser opens.
            EnvironmentFault: the line.
        """
        from client.signin import browser  # noqa: PLC0415 -- as said above

        others = await self._others(account, keep=keep)
        then = partial(self._enter, account=account, keep=keep)
        return await browser.sign_in(
            self._provider(), desk=self._settings.values.desk.url, open_page=open_page, then=then, another=others
        )

    async def sign_in_by_code(
        self, show: Callable[[Code], None], *, account: str = FIRST, keep: bool = True
    ) -> Identity:
        """Shows a code to enter on another device and waits for the person; otherwise as `sign_in_by_browser`.

        Args:
            show: shows the code; called once.
        """
        from client.signin import device  # noqa: PLC0415 -- as said above

        await self._others(account, keep=keep)
        tokens = await device.sign_in(self._provider(), desk=self._settings.values.desk.url, show=show)
        return await self._enter(tokens, account=account, keep=keep)

    async def _others(self, account: str, *, keep: bool) -> bool:
        """Whether other accounts are signed in; looks into the keyring before the person is asked anything."""
        check_name(account)
        if not keep:
            return False
        index = await asyncio.to_thread(self._vault.index)
        return any(name != account for name in index.accounts)

    async def _enter(self, tokens: Tokens, *, account: str, keep: bool) -> Identity:
        """Proves fresh tokens at the desk and only then keeps them. A desk out of reach does not undo a sign-in."""
        known = Identity(
            name=tokens.person.name or tokens.person.email or tokens.person.subject, email=tokens.person.email
        )
        before = None
        try:
            try:
                known = await self._prove(tokens.access)
            except (DeskUnreachable, DeskBroken) as fault:
                log.info("the sign-in is not proved at the help desk yet: %s", fault)
            if keep:
                async with self._locked():
                    before = await asyncio.to_thread(self._vault.tokens, account)
                    await asyncio.to_thread(self._vault.keep_tokens, account, tokens)
                    await asyncio.to_thread(self._vault.enter, account, known)
        except BaseException:
            await self._revoke(tokens)
            raise
        if before is not None:
            await self._revoke(before)
        self._secret, self._private = None, None if keep else Memory(tokens)
        await self._signed_in()
        return known

    async def _prove(self, secret: str) -> Identity:
        desk = self._open(secret)
        try:
            return await desk.whoami()
        finally:
            await desk.close()

    async def _signed_in(self) -> None:
        await self.forget_desk()
        with contextlib.suppress(
            StorageFault
        ):  # a sign-in does not fail because of the outbox, which comes to it by itself
            await asyncio.to_thread(self._resume)

    # --- which one

    async def all(self) -> tuple[Account, ...]:
        """The accounts that are signed in on this computer, the one that counts marked.

        Raises:
            SecretsFault: the keyring is missing or locked.
        """
        index = await asyncio.to_thread(self._vault.index)
        return tuple(
            Account(name=name, identity=identity, active=name == index.active)
            for name, identity in sorted(index.accounts.items())
        )

    async def switch(self, account: str) -> None:
        """Makes another account count.

        Raises:
            UsageError: there is none of this name.
            SecretsFault: the keyring is missing or locked.
        """
        async with self._locked():
            await asyncio.to_thread(self._vault.choose, account)
        await self._signed_in()

    async def sign_out(self, account: str | None = None) -> bool:
        """Forgets an account, by default the one that counts. False where the provider could not be told of it.

        Raises:
            SecretsFault: the keyring is missing or locked.
        """
        await self.forget_desk()
        if account is None and self.for_now:  # it was never in the keyring
            private, self._secret, self._private = self._private, None, None
            return private is None or await self._revoke(private.tokens)
        async with self._locked():
            name = account or (await asyncio.to_thread(self._vault.index)).active
            tokens = await asyncio.to_thread(self._vault.tokens, check_name(name))
            told = tokens is None or await self._revoke(tokens)
            await asyncio.to_thread(self._vault.forget, name)
        return told

    async def _revoke(self, tokens: Tokens) -> bool:
        """Makes tokens useless at the provider, as far as it can be reached and has a way to."""
        token, kind = (tokens.refresh, "refresh_token") if tokens.refresh else (tokens.access, "access_token")
        if not token:
            return True
        if not self._bound(tokens):
            return False
        try:
            async with asyncio.timeout(GOODBYE_S):
                return await self._provider().revoke(token, kind)
        except (EnvironmentFault, TimeoutError) as fault:
            log.info("the provider could not be told that a sign-in has ended: %s", fault)
            return False

    # --- the parts

    @property
    def _vault(self) -> Vault:
        return Vault(Keyring(), self._settings.values.desk.url)

    def _open(self, secret: str | None) -> Desk:
        from client.desks import open_desk  # noqa: PLC0415 -- as said above

        values = self._settings.values
        return open_desk(values.desk, network=values.network, secret=secret, version=__version__)

    async def _with_tokens(self, found: type[Desk]) -> Desk:
        from client.desks.signed import signed  # noqa: PLC0415 -- the company account's only
        from client.signin.keeper import Keeper  # noqa: PLC0415 -- as above

        self._provider()  # says at once what the settings lack
        store: Store
        if self._private is not None:
            store = self._private
        else:
            self._used = await self._kept()
            store = Kept(self._vault, self._used[0])
        if self._keeper is None:
            self._keeper = Keeper(provider=self._provider, store=store, lock=self._locked, bound=self._bound)
        return signed(found, open_with=self._open, access=self._keeper.access)

    def _bound(self, tokens: Tokens) -> bool:
        """Whether tokens are of the provider, for the client and the help desk that are set now."""
        values = self._settings.values
        now = (values.sign_in.issuer, values.sign_in.client_id, values.desk.url)
        return now == (tokens.issuer, tokens.client_id, tokens.desk)

    def _provider(self) -> Provider:
        if self._made is None:
            from client.signin.provider import Provider  # noqa: PLC0415 -- as said above

            self._made = Provider(self._settings.values.sign_in, self._way.ask)
        return self._made
