"""The keyring: there, missing, locked, silent, broken, and pretending."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import keyring
import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

from client.errors import SecretsFault
from client.platform.secrets import delete_secret, get_secret, set_secret

URL = "https://help.example.com"


class Memory(KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.kept:
            raise PasswordDeleteError("not found")
        del self.kept[service, username]


class Raising(Memory):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def get_password(self, *_: str) -> str | None:
        raise self.error

    def set_password(self, *_: str) -> None:
        raise self.error


class Silent(Memory):
    """A prompt that nobody answers."""

    def __init__(self) -> None:
        super().__init__()
        self.answered = threading.Event()

    def get_password(self, *_: str) -> str | None:
        self.answered.wait(30)
        return None


@pytest.fixture(autouse=True)
def backend() -> Iterator[Memory]:
    memory = Memory()
    before = keyring.get_keyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


def test_a_secret_is_kept_given_back_and_forgotten(backend: Memory) -> None:
    assert get_secret(URL) is None
    set_secret(URL, "s3cret")
    assert get_secret(URL) == "s3cret"
    assert backend.kept == {("deskside", URL): "s3cret"}
    delete_secret(URL)
    assert get_secret(URL) is None


class Vault(Memory):
    """Windows' vault: no entry is longer than 2560 bytes. Stops working after `writes`, as a process does that is killed."""

    writes = 1000

    def set_password(self, service: str, username: str, password: str) -> None:
        assert len(password.encode("utf-16-le")) <= 2560
        if not self.writes:
            raise RuntimeError("killed")
        self.writes -= 1
        super().set_password(service, username, password)


@pytest.fixture
def vault(backend: Memory) -> Vault:
    vault = Vault()
    keyring.set_keyring(vault)
    return vault


@pytest.mark.parametrize(
    "secret", ["x" * 1200, "x" * 1201, "日本𝄞" * 900, "deskside parts 1 a 1 0", "y" * 9000], ids=len
)
def test_a_long_secret_fits_into_windows_vault(vault: Vault, secret: str) -> None:
    for one in ("z" * 5000, secret, "short", secret):
        set_secret(URL, one)
        assert get_secret(URL) == one
    needed = len(secret) // 600 + 2
    assert len(vault.kept) <= needed
    delete_secret(URL)
    assert vault.kept == {}


@pytest.mark.parametrize("writes", range(6))
@pytest.mark.parametrize("before", [None, "short", "old" * 1500])
def test_a_write_that_is_cut_off_leaves_the_old_secret_or_the_new_one(
    vault: Vault, writes: int, before: str | None
) -> None:
    if before:
        set_secret(URL, before)
    new = "new" * 1500  # four parts and the entry itself
    vault.writes = writes
    if writes < 5:
        with pytest.raises(SecretsFault):
            set_secret(URL, new)
        assert get_secret(URL) == before
    else:
        set_secret(URL, new)
        assert get_secret(URL) == new
    vault.writes = 1000
    set_secret(URL, "last" * 400)
    assert get_secret(URL) == "last" * 400
    assert len(vault.kept) == 3  # and nothing of the others
    delete_secret(URL)
    assert vault.kept == {}


def test_a_secret_that_lacks_a_part_is_no_secret(vault: Vault) -> None:
    set_secret(URL, "x" * 3000)
    del vault.kept["deskside", f"{URL} part a1"]
    assert get_secret(URL) is None


def test_accounts_are_apart() -> None:
    set_secret(URL, "one")
    set_secret("https://other.example.com", "two")
    delete_secret(URL)
    assert get_secret("https://other.example.com") == "two"


def test_forgetting_what_is_not_there_is_fine() -> None:
    delete_secret(URL)


def test_an_empty_secret_is_none(backend: Memory) -> None:
    backend.kept["deskside", URL] = ""
    assert get_secret(URL) is None


@pytest.mark.parametrize("work", [get_secret, delete_secret, lambda url: set_secret(url, "s3cret")])
@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (keyring.backends.fail.Keyring, "has no password store"),
        (lambda: Raising(KeyringLocked("locked")), "is locked"),
        (lambda: Raising(RuntimeError("s3cret of the backend")), "has a problem (RuntimeError)"),
        (lambda: Raising(OSError(5, "s3cret")), "has a problem (OSError)"),
    ],
    ids=["none", "locked", "broken", "input/output"],
)
def test_a_keyring_that_cannot_be_used_is_a_sentence(work, made, sentence: str) -> None:  # type: ignore[no-untyped-def]
    keyring.set_keyring(made())
    with pytest.raises(SecretsFault) as caught:
        work(URL)
    assert sentence in caught.value.message
    assert caught.value.hint
    assert (
        "s3cret" not in f"{caught.value.message}{caught.value.hint}{caught.value.__cause__}{caught.value.__context__}"
    )


def test_a_prompt_that_nobody_answers_ends_at_the_deadline() -> None:
    silent = Silent()
    keyring.set_keyring(silent)
    began = time.monotonic()
    with pytest.raises(SecretsFault, match="did not answer"):
        get_secret(URL, deadline_s=0.1)
    assert time.monotonic() - began < 10
    silent.answered.set()


def test_a_keyring_that_keeps_nothing_is_found_out() -> None:
    keyring.set_keyring(keyring.backends.null.Keyring())
    with pytest.raises(SecretsFault, match="did not keep"):
        set_secret(URL, "s3cret")


def test_a_backend_that_keeps_secrets_in_an_ordinary_file_is_refused() -> None:
    plain = type("PlaintextKeyring", (Memory,), {"__module__": "keyrings.alt.file"})()
    keyring.set_keyring(plain)
    with pytest.raises(SecretsFault, match="ordinary file"):
        set_secret(URL, "s3cret")
    assert plain.kept == {}
