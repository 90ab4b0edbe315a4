"""The accounts of one help desk in the keyring: which there are, which one counts, and each one's secret or tokens.

Blocks, as the keyring does: call it in a thread. Whoever writes holds the lock between processes (`client.signin.keeper`).
"""

from __future__ import annotations

import re
from typing import Final, Protocol

import msgspec

from client.errors import UsageError
from client.model import Identity
from client.signin.tokens import Tokens

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
FIRST: Final = "default"  # the account of whoever never names one


class Keyring(Protocol):
    """Where secrets are: three calls that block, and raise `SecretsFault`."""

    def get(self, name: str) -> str | None:
        """The secret of this name."""

    def set(self, name: str, secret: str) -> None:
        """Keeps it; returns after it was proved."""

    def delete(self, name: str) -> None:
        """Forgets it; fine when there is none."""


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts by name, with what is known of each, and the one that counts."""

    active: str = FIRST
    accounts: dict[str, Identity] = {}


class Vault:
    """The accounts of the help desk at `desk`."""

    def __init__(self, keyring: Keyring, desk: str) -> None:
        self._keyring = keyring
        self._desk = desk

    def index(self) -> Index:
        """Which accounts there are.

        Raises:
            SecretsFault: the keyring is missing or locked.
        """
        kept = self._keyring.get(f"{self._desk} accounts")
        try:
            return msgspec.json.decode(kept, type=Index) if kept else Index()
        except msgspec.MsgspecError:  # somebody else's writing; the accounts' own entries are still there
            return Index()

    def enter(self, account: str, identity: Identity) -> None:
        """Notes an account; from now on it is the one that counts."""
        index = self.index()
        self._keep(Index(active=account, accounts={**index.accounts, account: identity}))

    def choose(self, account: str) -> None:
        """Makes another account count.

        Raises:
            UsageError: there is none of this name.
        """
        index = self.index()
        if account not in index.accounts:
            known = ", ".join(sorted(index.accounts)) or "none"
            raise UsageError(f"Nobody is signed in here as {account}.", hint=f"There are: {known}.")
        self._keep(Index(active=account, accounts=index.accounts))

    def forget(self, account: str) -> None:
        """Removes an account with its secret and tokens; another one counts then, where there is one."""
        for name in (self._secret(account), self._tokens(account)):
            self._keyring.delete(name)
        index = self.index()
        left = {name: identity for name, identity in index.accounts.items() if name != account}
        if not left:
            self._keyring.delete(f"{self._desk} accounts")
        elif left != index.accounts:
            self._keep(Index(active=index.active if index.active in left else min(left), accounts=left))

    def secret(self, account: str) -> str | None:
        """An account's token or password of the help desk itself."""
        return self._keyring.get(self._secret(account))

    def keep_secret(self, account: str, secret: str) -> None:
        """Keeps it."""
        self._keyring.set(self._secret(account), secret)

    def tokens(self, account: str) -> Tokens | None:
        """An account's tokens of the company's provider."""
        kept = self._keyring.get(self._tokens(account))
        try:
            return msgspec.json.decode(kept, type=Tokens) if kept else None
        except msgspec.MsgspecError:
            return None

    def keep_tokens(self, account: str, tokens: Tokens) -> None:
        """Keeps them."""
        self._keyring.set(self._tokens(account), msgspec.json.encode(tokens).decode())

    def _keep(self, index: Index) -> None:
        self._keyring.set(f"{self._desk} accounts", msgspec.json.encode(index).decode())

    def _secret(self, account: str) -> str:
        return self._desk if account == FIRST else f"{self._desk} account {account}"

    def _tokens(self, account: str) -> str:
        return f"{self._desk} company account {account}"


def check_name(account: str) -> str:
    """An account's name that can stand in a keyring.

    Raises:
        UsageError: it cannot.
    """
    if not NAME.fullmatch(account):
        raise UsageError(
            "An account's name has letters, digits and . _ @ + - only.", hint="Choose a short one, such as work."
        )
    return account
