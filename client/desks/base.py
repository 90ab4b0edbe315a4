"""What a help desk adapter is. An adapter translates; it keeps nothing, retries nothing and shows nothing.

Every fault leaves it as an error of `client.errors`, made in `client.desks.translate` and nowhere else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING, ClassVar, Self

from client.errors import DeskFault
from client.model import (
    Announcement,
    Article,
    Attachment,
    Capabilities,
    Conversation,
    Created,
    Identity,
    Payload,
    Ticket,
)

if TYPE_CHECKING:
    from client.desks import NetworkSettings


class Act(Enum):
    """What was being done, which decides what a broken line means."""

    READ = auto()  # asking changes nothing, so asking again is always safe
    KEYED = auto()  # writing, and the desk makes one thing of one key however often it comes
    WRITE = auto()  # writing, and a second time makes a second thing


class CannotDo(DeskFault):
    """This help desk has no such thing; the screen should not have offered it."""

    title = "This help desk cannot do that"
    default_hint = "Ask your IT department how they would like to be reached."


class Desk(ABC):
    """One help desk, spoken to as one employee. Only `create` is common to all; the rest follows `capabilities`.

    All methods raise the `DeskFault` family. `OutcomeUnknown` is raised when a request may have been received although no valid
    answer came back; `DeskUnreachable` only when it certainly was not. `DeskBroken` while writing comes from desks with `dedupe`
    "key" only: the desk failed and may have kept the message all the same, and sending it again with its key is safe.
    """

    kind: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    wants: ClassVar[tuple[str, ...]] = ()  # keys of [desk] that `open` takes by their names, beside the address

    @classmethod
    @abstractmethod
    def open(cls, url: str, *, network: NetworkSettings, secret: str | None, version: str) -> Self:
        """An adapter for the desk at this address; opens no connection yet.

        Raises:
            SettingsFault: the address cannot be used.
        """

    @abstractmethod
    async def create(self, payload: Payload) -> Created:
        """Creates the ticket; files too where `capabilities.attach` is "same_request". Success is a parsed ticket id."""

    async def find(self, key: str) -> Created | None:
        """The ticket that carries our key, if the desk has it. Only where `dedupe` is not "none"."""
        raise CannotDo("This help desk cannot be asked for a ticket by its key.")

    async def attach(self, ticket: Created, attachment: Attachment) -> None:
        """Adds one file to a created ticket. Only where `attach` is "after_creation"."""
        raise CannotDo("This help desk takes no files after a ticket was created.")

    async def tickets(self) -> tuple[Ticket, ...]:
        """The employee's own tickets, newest first. Only where `own_list`."""
        raise CannotDo("This help desk has no list of your tickets.")

    async def conversation(self, ticket_id: str) -> Conversation:
        """What was said in a ticket, without internal notes. Only where `comments`."""
        raise CannotDo("This help desk has no conversation to show.")

    async def comment(self, ticket_id: str, payload: Payload) -> None:
        """Adds the employee's reply (`payload.body`, its files, its key). Only where `comments`."""
        raise CannotDo("This help desk takes replies by other ways only.")

    async def set_open(self, ticket_id: str, *, wanted: bool) -> None:
        """Closes a ticket, or opens it again; twice is as once. Only where `closing`."""
        raise CannotDo("This help desk lets only its agents close tickets and open them again.")

    async def rate(self, ticket_id: str, *, good: bool, words: str = "") -> None:
        """Says whether a ticket that is done has helped; a second time replaces the first. Only where `rating`."""
        raise CannotDo("This help desk does not ask how its help was.")

    async def articles(self, words: str) -> tuple[Article, ...]:
        """Articles of the desk's own knowledge base. Only where `articles`."""
        raise CannotDo("This help desk has no articles.")

    async def announcements(self) -> tuple[Announcement, ...]:
        """What IT tells everybody now, and what was over lately. Only where `announcements`."""
        raise CannotDo("This help desk has no announcements.")

    @abstractmethod
    async def whoami(self) -> Identity:
        """Proves the credentials and says whose they are.

        Raises:
            SignInNeeded: there are none, or they are refused.
        """

    def recall(self, answers: Mapping[str, tuple[str, bytes]]) -> None:
        """Takes what `answers` gave in an earlier process. Nothing happens where an adapter speaks without a `Line`."""
        line = getattr(self, "_line", None)
        if line is not None:
            line.recall(answers)

    def answers(self) -> dict[str, tuple[str, bytes]]:
        """What the desk has answered with an ETag, by address: to ask for it again costs next to nothing."""
        line = getattr(self, "_line", None)
        return {} if line is None else dict(line.answers())

    @abstractmethod
    async def close(self) -> None:
        """Lets go of connections."""
