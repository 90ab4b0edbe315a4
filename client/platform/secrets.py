"""The secrets of help desk accounts, in the operating system's keyring and nowhere else.

Every call blocks (a locked keyring asks its owner for a password) and belongs in a thread. Each is bounded by a deadline, so that a
prompt that nobody answers, or that nobody can see, never hangs the program. A secret is never part of an error or a log line.

Windows keeps at most 2560 bytes in one entry, and a company's tokens are longer: a long secret is kept in parts. The parts are
written beside those of the secret before, and the entry itself, which says which parts count, last. So whoever reads, and whoever
comes after a killed process, finds the old secret or the new one, whole.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from client.errors import SecretsFault

T = TypeVar("T")

SERVICE: Final = "deskside"
DEADLINE_S: Final = 60.0  # long enough to type the keyring's password into its prompt
PART: Final = 1200  # characters; Windows' vault counts two bytes for each
_PARTS: Final = (
    "deskside parts 1 "  # what an entry begins with whose secret is in parts: generation, number of parts, digest
)
_READS: Final = 3  # another process may replace the secret while its parts are read
_PLAIN_FILES: Final = ("keyrings.alt", "keyrings.cryptfile")  # backends that keep secrets in ordinary files

_NO_HINT: Final = (
    "Your tickets are kept on this computer. Ask IT to set up the password store (keyring) for your account."
)


def get_secret(account_url: str, *, deadline_s: float = DEADLINE_S) -> str | None:
    """The secret kept for the help desk at `account_url`, None when there is none.

    Raises:
        SecretsFault: the keyring is missing, locked, broken, or did not answer in time.
    """
    return _bounded(lambda keyring: _read(keyring, account_url), deadline_s=deadline_s)


def set_secret(account_url: str, secret: str, *, deadline_s: float = DEADLINE_S) -> None:
    """Keeps the secret; returns after the keyring has proved that it can give it back.

    Raises:
        SecretsFault: as `get_secret`, or the keyring did not keep it.
    """

    def keep(keyring: Any) -> bool:
        return _write(keyring, account_url, secret)

    if not _bounded(keep, deadline_s=deadline_s):  # keyring's null backend accepts everything and keeps nothing
        raise SecretsFault("The password store of this computer did not keep the sign-in.", hint=_NO_HINT)


def delete_secret(account_url: str, *, deadline_s: float = DEADLINE_S) -> None:
    """Forgets the secret; fine when there was none.

    Raises:
        SecretsFault: as `get_secret`.
    """

    def forget(keyring: Any) -> None:
        if keyring.get_password(SERVICE, account_url) is not None:
            keyring.delete_password(SERVICE, account_url)
        for generation in "ab":
            _drop_parts(keyring, account_url, generation)

    _bounded(forget, deadline_s=deadline_s)


def _read(keyring: Any, name: str) -> str | None:
    for _ in range(_READS):
        head = keyring.get_password(SERVICE, name) or ""
        if not head.startswith(_PARTS):
            return head or None
        generation, count, digest = head.removeprefix(_PARTS).split()
        parts = [keyring.get_password(SERVICE, _part(name, generation, number)) or "" for number in range(int(count))]
        if _digest(secret := "".join(parts)) == digest:
            return secret
    return None  # somebody has removed a part: it is as good as gone


def _write(keyring: Any, name: str, secret: str) -> bool:
    """Keeps the secret, and says whether the keyring gives it back."""
    before = keyring.get_password(SERVICE, name) or ""
    generation = "b" if before.startswith(f"{_PARTS}a ") else "a"
    size = PART if secret.isascii() else PART // 2  # a character outside the basic plane counts twice
    parts = [secret[start : start + size] for start in range(0, len(secret), size)]
    if len(parts) > 1 or secret.startswith(_PARTS):
        for number, part in enumerate(parts):
            keyring.set_password(SERVICE, _part(name, generation, number), part)
        keyring.set_password(SERVICE, name, f"{_PARTS}{generation} {len(parts)} {_digest(secret)}")
        _drop_parts(keyring, name, generation, start=len(parts))  # of a longer one that was never finished
        _drop_parts(keyring, name, "a" if generation == "b" else "b")
    else:
        keyring.set_password(SERVICE, name, secret)
        if before.startswith(_PARTS):
            for one in "ab":
                _drop_parts(keyring, name, one)
    return _read(keyring, name) == secret


def _drop_parts(keyring: Any, name: str, generation: str, *, start: int = 0) -> None:
    while keyring.get_password(SERVICE, part := _part(name, generation, start)) is not None:
        keyring.delete_password(SERVICE, part)
        start += 1


def _part(name: str, generation: str, number: int) -> str:
    return f"{name} part {generation}{number}"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _bounded(work: Callable[[Any], T], *, deadline_s: float) -> T:
    """Runs `work(keyring backend)` in a daemon thread: a prompt that is never answered must not keep the program from ending."""
    outcome: list[T] = []
    fault: list[SecretsFault] = []

    def run() -> None:
        try:
            outcome.append(work(_backend()))
        except SecretsFault as error:
            fault.append(error)
        except Exception as error:  # noqa: BLE001 -- backends raise what they like: D-Bus, COM and OS errors of their own
            fault.append(_translate(error))

    thread = threading.Thread(target=run, name="deskside-keyring", daemon=True)
    thread.start()
    thread.join(deadline_s)
    if fault:
        raise fault[0]
    if not outcome:
        raise SecretsFault(
            "The password store of this computer did not answer.",
            hint="If it asks for a password somewhere on the screen, answer it, then try again.",
        )
    return outcome[0]


def _backend() -> Any:
    import keyring  # noqa: PLC0415 -- 15 MiB that a tray at rest must not pay for

    backend = keyring.get_keyring()
    if type(backend).__module__.startswith(_PLAIN_FILES):
        raise SecretsFault(
            "This computer would keep the sign-in in an ordinary file, which is not safe.", hint=_NO_HINT
        )
    return backend


def _translate(error: Exception) -> SecretsFault:
    from keyring.errors import KeyringLocked, NoKeyringError  # noqa: PLC0415 -- as above

    if isinstance(error, KeyringLocked):
        return SecretsFault("The password store of this computer is locked.", hint="Unlock it, then try again.")
    if isinstance(error, NoKeyringError):
        return SecretsFault("This computer has no password store that Deskside could use.", hint=_NO_HINT)
    # Only the kind of the error: the text of a foreign backend might hold what was to be kept.
    return SecretsFault(f"The password store of this computer has a problem ({type(error).__name__}).", hint=_NO_HINT)
