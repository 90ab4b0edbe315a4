"""The secrets of help desk accounts, in the operating system's keyring and nowhere else.

Every call blocks (a locked keyring asks its owner for a password) and belongs in a thread. Each is bounded by a deadline, so that a
prompt that nobody answers, or that nobody can see, never hangs the program. A secret is never part of an error or a log line.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from client.errors import SecretsFault

T = TypeVar("T")

SERVICE: Final = "deskside"
DEADLINE_S: Final = 60.0  # long enough to type the keyring's password into its prompt
_PLAIN_FILES: Final = ("keyrings.alt", "keyrings.cryptfile")  # backends that keep secrets in ordinary files

_NO_HINT: Final = (
    "Your tickets are kept on this computer. Ask IT to set up the password store (keyring) for your account."
)


def get_secret(account_url: str, *, deadline_s: float = DEADLINE_S) -> str | None:
    """The secret kept for the help desk at `account_url`, None when there is none.

    Raises:
        SecretsFault: the keyring is missing, locked, broken, or did not answer in time.
    """
    return _bounded(lambda keyring: _text(keyring.get_password(SERVICE, account_url)), deadline_s=deadline_s)


def set_secret(account_url: str, secret: str, *, deadline_s: float = DEADLINE_S) -> None:
    """Keeps the secret; returns after the keyring has proved that it can give it back.

    Raises:
        SecretsFault: as `get_secret`, or the keyring did not keep it.
    """

    def keep(keyring: Any) -> bool:
        keyring.set_password(SERVICE, account_url, secret)
        return bool(keyring.get_password(SERVICE, account_url) == secret)

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

    _bounded(forget, deadline_s=deadline_s)


def _text(value: str | None) -> str | None:
    return value or None


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
