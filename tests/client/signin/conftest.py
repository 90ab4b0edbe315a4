"""A real OpenID provider, a help desk that asks it, and accounts of one computer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from client.accounts import Accounts
from client.errors import SecretsFault
from client.settings.layers import Loaded
from client.settings.schema import Desk, Settings, SignIn
from tests.servers.oidc_server import OidcServer, TokenDesk


class Keys:
    """A keyring; `fault` is what every question ends in."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.fault: SecretsFault | None = None

    def get(self, name: str) -> str | None:
        self._try()
        return self.kept.get(name)

    def set(self, name: str, secret: str) -> None:
        self._try()
        self.kept[name] = secret

    def delete(self, name: str) -> None:
        self._try()
        self.kept.pop(name, None)

    def _try(self) -> None:
        if self.fault is not None:
            raise self.fault


class Computer:
    """One computer with accounts; `run` calls one of their coroutines with a loop of its own, as each command does."""

    def __init__(self, folder: Path, keys: Keys, **values: Any) -> None:
        self.keys = keys
        self.resumed = 0
        self._folder = folder
        self._values = values

    def run(self, work: Any) -> Any:
        async def whole() -> Any:
            accounts = Accounts(
                settings=Loaded(values=Settings(**self._values)), folder=self._folder, resume=self._resume
            )
            try:
                return await work(accounts)
            finally:
                await accounts.forget_desk()

        return asyncio.run(whole())

    def _resume(self) -> None:
        self.resumed += 1


@pytest.fixture(scope="session")
def provider() -> Iterator[OidcServer]:
    with OidcServer() as running:
        yield running


@pytest.fixture
def desk(provider: OidcServer) -> Iterator[TokenDesk]:
    with TokenDesk(provider) as running:
        yield running


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Keys:
    made = Keys()
    monkeypatch.setattr("client.accounts.Keyring", lambda: made)
    return made


@pytest.fixture
def make_computer(tmp_path: Path, keys: Keys, desk: TokenDesk, provider: OidcServer) -> Any:
    def make(**sign_in: Any) -> Computer:
        wanted = {"method": "oidc", "issuer": provider.issuer, "client_id": provider.client_id, "prompt": "consent"}
        return Computer(tmp_path, keys, desk=Desk(kind="employee", url=desk.url), sign_in=SignIn(**(wanted | sign_in)))

    return make


@pytest.fixture
def computer(make_computer: Any) -> Computer:
    return make_computer()
