"""What the accounts are joined of: the keyring, the places of tokens, the lock between processes, and the way to the provider.

A part of the composition root, as `client.accounts`, and imported with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from client import __version__
from client.errors import DeskBroken, DeskUnreachable, SecretsFault, SignInFault, StorageFault

if TYPE_CHECKING:
    from client.desks.http import Answer, Line
    from client.settings.layers import Loaded
    from client.signin.tokens import Tokens
    from client.signin.vault import Vault

log = logging.getLogger(__name__)

LOCK_S: Final = 150.0  # longer than an exchange may take that another process has begun
LOOK_S: Final = 0.05
ANY: Final = frozenset(range(100, 600))  # the provider's refusals are read by `client.signin`


class Way:
    """The way to the provider: the help desks' own, with nothing of a help desk's sign-in."""

    def __init__(self, settings: Loaded) -> None:
        self._settings = settings
        self._lines: dict[str, Line] = {}

    async def ask(self, url: str, form: Mapping[str, str] | None = None) -> Answer:
        """See `client.signin.provider.Ask`."""
        from client.desks.base import Act  # noqa: PLC0415 -- as said above
        from client.desks.http import Line  # noqa: PLC0415 -- as said above

        parts = urlsplit(url)
        base = f"{parts.scheme}://{parts.netloc}"
        if base not in self._lines:
            self._lines[base] = Line(
                base, network=self._settings.values.network, version=__version__, secret=None, sign_in=lambda _: {}
            )
        try:
            return await self._lines[base].ask(
                "GET" if form is None else "POST",
                parts.path or "/",
                act=Act.READ,
                expect=ANY,
                params=dict(parse_qsl(parts.query, keep_blank_values=True)),
                headers={"Content-Type": "application/x-www-form-urlencoded"} if form is not None else None,
                content=urlencode(form).encode() if form is not None else None,
            )
        except DeskUnreachable as fault:
            raise DeskUnreachable(
                fault.message, hint="Try again when the network is there; everything is kept."
            ) from fault
        except DeskBroken as fault:
            raise SignInFault(f"{parts.hostname} answered with something that is no sign-in.") from fault

    async def close(self) -> None:
        """Lets go of connections; a later question opens new ones."""
        lines, self._lines = self._lines, {}
        for line in lines.values():
            await line.close()


@contextlib.asynccontextmanager
async def locked(folder: Path) -> AsyncIterator[None]:
    """Keeps other processes of this user from changing accounts and tokens.

    Raises:
        SecretsFault: another one does not finish.
    """
    from client.outbox.lock import FileLock  # noqa: PLC0415 -- as said above
    from client.platform.paths import ensure_folder  # noqa: PLC0415 -- as said above

    loop = asyncio.get_running_loop()
    ends = loop.time() + LOCK_S
    lock = FileLock(folder / "sign-in.lock")
    try:
        ensure_folder(folder)
        while not lock.take():
            if loop.time() > ends:
                raise SecretsFault(
                    "Another Deskside is renewing the sign-in right now, and does not finish.",
                    hint="Try again in a minute.",
                )
            await asyncio.sleep(LOOK_S)
    except (StorageFault, OSError) as error:  # a read-only home: better without the lock than without a sign-in
        log.warning("no lock for the sign-in: %s", error)
    with lock:
        yield


class Keyring:
    """The operating system's keyring, as the vault wants it."""

    def get(self, name: str) -> str | None:
        """See `client.signin.vault.Keyring`."""
        from client.platform.secrets import get_secret  # noqa: PLC0415 -- brings keyring, not needed before

        return get_secret(name)

    def set(self, name: str, secret: str) -> None:
        """As above."""
        from client.platform.secrets import set_secret  # noqa: PLC0415 -- as above

        set_secret(name, secret)

    def delete(self, name: str) -> None:
        """As above."""
        from client.platform.secrets import delete_secret  # noqa: PLC0415 -- as above

        delete_secret(name)


class Kept:
    """One account's tokens in the keyring."""

    def __init__(self, vault: Vault, account: str) -> None:
        self._vault = vault
        self._account = account

    def load(self) -> Tokens | None:
        """See `client.signin.keeper.Store`."""
        return self._vault.tokens(self._account)

    def save(self, tokens: Tokens) -> None:
        """As above."""
        self._vault.keep_tokens(self._account, tokens)


class Memory:
    """Tokens that end with this process."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens

    def load(self) -> Tokens | None:
        """See `client.signin.keeper.Store`."""
        return self.tokens

    def save(self, tokens: Tokens) -> None:
        """As above."""
        self.tokens = tokens
