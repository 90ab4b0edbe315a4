"""The errors of the client. Each carries what a person needs: a title, a message and a hint. Imports nothing of the project.

DesksideError
├── EnvironmentFault          the machine, the network, the help desk, the settings: not our mistake
│   ├── SettingsFault         a settings file says something impossible; lists every problem at once
│   ├── StorageFault          this computer cannot keep or read our files (full, read-only, broken)
│   │   └── NewerData         the data was written by a newer Deskside
│   ├── SecretsFault          the keyring is missing or locked
│   ├── SignInFault           signing in with a company account did not work; nothing was changed
│   ├── DisplayFault          there is no display to show a window on
│   ├── ActionFault           a fix could not be carried out
│   └── DeskFault             the help desk
│       ├── DeskUnreachable   we could not talk: nothing was sent, safe to send again
│       ├── OutcomeUnknown    the line broke after we sent: it may have arrived
│       └── DeskRefused       they answered, and said no
│           ├── SignInNeeded  the credentials are missing, expired or refused
│           ├── TooBusy       asked to wait; `retry_after_s` says how long
│           ├── TooLarge      a file or the ticket is larger than the desk takes
│           ├── NotFound      the ticket or article does not exist (any more)
│           └── DeskBroken    the desk has a fault of its own (5xx, a login page, an answer without a ticket's number)
├── UsageError                the command line or an id was used wrongly
└── DesksideBug               our own mistake; asks for a report
"""

from __future__ import annotations

from typing import ClassVar


class DesksideError(Exception):
    """Base of all. `str()` is the message.

    Args:
        message: one sentence: what happened and what it means.
        hint: one sentence: what to do next.
    """

    title: ClassVar[str] = "Something went wrong"
    default_hint: ClassVar[str] = "Try again; if it stays, tell your IT department."

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.default_hint


class EnvironmentFault(DesksideError):
    """Not our mistake: the machine, the network, the help desk or the settings."""


class SettingsFault(EnvironmentFault):
    """The settings cannot be used. `problems` has one sentence each, all at once."""

    title = "The settings have a mistake"
    default_hint = "Correct the file, or run `deskside config validate` to see every problem."

    def __init__(self, message: str, *, problems: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


class StorageFault(EnvironmentFault):
    """This computer cannot keep or read our files."""

    title = "This computer could not save it"
    default_hint = "Free some disk space, then try again. Nothing that was saved before is lost."


class NewerData(StorageFault):
    """The data was written by a newer Deskside."""

    title = "This data belongs to a newer Deskside"
    default_hint = "Install the newer version again; it will find everything in place."


class SecretsFault(EnvironmentFault):
    """The operating system's keyring is missing or locked."""

    title = "The password store is not available"
    default_hint = "Unlock the keyring of this computer, then try again."


class SignInFault(EnvironmentFault):
    """Signing in with a company account did not work; who was signed in before still is."""

    title = "Signing in did not work"
    default_hint = "Start signing in again; everything you wrote is kept."


class DisplayFault(EnvironmentFault):
    """There is no display to show a window on."""

    title = "There is no display"
    default_hint = "Use the command line: `deskside check`, `deskside ticket create`."


class ActionFault(EnvironmentFault):
    """A fix could not be carried out; the machine is as the message says."""

    title = "The fix did not work"


class DeskFault(EnvironmentFault):
    """Anything about the help desk."""

    title = "The help desk"


class DeskUnreachable(DeskFault):
    """We could not talk to it; it received nothing, so sending again is safe."""

    title = "The help desk cannot be reached"
    default_hint = "Your ticket is kept on this computer and will be sent when the way is clear."


class OutcomeUnknown(DeskFault):
    """The line broke after we sent: it may have arrived. Must be asked for before anything is sent again."""

    title = "It may have arrived"
    default_hint = "Deskside asks the help desk before it sends again."


class DeskRefused(DeskFault):
    """They answered, and said no. `words` is what the desk said, shortened, as plain text."""

    title = "The help desk did not accept it"

    def __init__(self, message: str, *, hint: str = "", words: str = "") -> None:
        super().__init__(message, hint=hint)
        self.words = words


class SignInNeeded(DeskRefused):
    """The credentials are missing, expired or refused."""

    title = "Please sign in to the help desk"
    default_hint = "Sign in again; everything you wrote is kept."


class TooBusy(DeskRefused):
    """The desk asks to wait. `retry_after_s` is None where it did not say how long."""

    title = "The help desk is busy"
    default_hint = "Deskside tries again by itself."

    def __init__(self, message: str, *, retry_after_s: float | None = None, hint: str = "", words: str = "") -> None:
        super().__init__(message, hint=hint, words=words)
        self.retry_after_s = retry_after_s


class TooLarge(DeskRefused):
    """A file or the ticket is larger than the desk takes. `name` is the file, empty where the desk did not say."""

    title = "That is too large for the help desk"
    default_hint = "Leave the file out, or make it smaller."

    def __init__(self, message: str, *, name: str = "", hint: str = "", words: str = "") -> None:
        super().__init__(message, hint=hint, words=words)
        self.name = name


class NotFound(DeskRefused):
    """The ticket or article does not exist (any more), or is somebody else's."""

    title = "Not found"


class DeskBroken(DeskRefused):
    """The desk has a fault of its own: 5xx, a login page, an answer without a ticket's number."""

    title = "The help desk has a problem of its own"
    default_hint = "Your ticket is kept on this computer and will be sent when the desk is well again."


class UsageError(DesksideError):
    """The command line or an id was used wrongly."""

    title = "That is not quite right"
    default_hint = "Run `deskside --help` to see what there is."


class DesksideBug(DesksideError):
    """Our own mistake."""

    title = "Deskside has made a mistake"
    default_hint = "Nothing you wrote is lost. Please report it to your IT department."
