"""One attempt at one entry: a small state machine that goes on where it stood and never claims more than the desk confirmed.

    waiting -> (asked for, when an earlier attempt is unclear) -> create -> created -> each file -> sent
                                                                     or -> waiting, unsure, refused

Every step is written down before and after it is taken. An attempt whose outcome nobody knows is followed by what the desk's
`dedupe` allows: the same key again, asking first, or, where it knows neither, a person's decision.

Three kinds of fault: of this one message (refused, with the desk's words), of the desk or the way to it (everything waits, with
back-off, and one message at a time finds out whether it is well again), and unclear outcomes. An answer of 500 is unclear too:
desks were seen to save a ticket and then fail.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final, ParamSpec, Protocol, TypeVar

from client.errors import (
    DeskBroken,
    DeskFault,
    DeskRefused,
    DesksideError,
    DeskUnreachable,
    NotFound,
    OutcomeUnknown,
    SignInNeeded,
    StorageFault,
    TooBusy,
    TooLarge,
)
from client.model import Attachment, Capabilities, Conversation, Created, Payload
from client.outbox.backoff import wait_asked_s, wait_s
from client.outbox.ledger import Ledger, Task
from client.outbox.matching import check_sizes, places, worth_leaving_out
from client.outbox.words import words_of
from client.receipt import essence

CIRCUIT_OPENS_AT: Final = 3  # failures of the desk itself in a row; two may be two bad tickets
ATTEMPT_DEADLINE_S: Final = 180.0  # for the desk's work; an adapter has shorter ones of its own
SLOWEST_LINE_BYTES_PER_S: Final = (
    16_384.0  # a poor mobile line; on a slower one the evening's attempt is the better one
)
SIGN_IN_WAIT_S: Final = 3600.0  # refused credentials asked again and again could lock an account
SETTINGS_WAIT_S: Final = 300.0  # a locked keyring is usually opened within minutes
KEY_TRUSTED_S: Final = (
    1800.0  # desks forget idempotency keys after hours: after this long, ask by the key before sending
)
SEARCH_SETTLES_S: Final = 60.0  # a new ticket may take this long to be found by a desk's search

UNSURE: Final = (
    "It may have arrived: the line broke before the help desk answered, and this help desk cannot be asked."
    " Look for its confirmation, then send it again or drop it."
)
CERTAIN: Final = TooBusy | SignInNeeded | TooLarge  # these come before the desk has looked at what was sent
log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


class Desk(Protocol):
    """What sending needs of a help desk's adapter; see `client.desks.base` for what each method promises."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    async def create(self, payload: Payload) -> Created:
        """Creates the ticket."""

    async def find(self, key: str) -> Created | None:
        """The ticket with our key."""

    async def attach(self, ticket: Created, attachment: Attachment) -> None:
        """Adds one file."""

    async def comment(self, ticket_id: str, payload: Payload) -> None:
        """Adds a reply."""

    async def conversation(self, ticket_id: str) -> Conversation:
        """What was said."""


class Undecidable(Exception):
    """An earlier attempt may have arrived, and the desk cannot be asked."""


class Settling(Exception):
    """An earlier attempt may have arrived, and the desk's search may not know it yet."""

    def __init__(self, wait_s: float) -> None:
        super().__init__()
        self.wait_s = wait_s


class Attempt:
    """One attempt. For one use.

    Args:
        task: the entry in hand.
        ledger: where every step is written down.
        roll: gives random numbers, 0 <= r < 1.
        settle_s: how long a desk's search may need to know a new ticket.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        task: Task,
        ledger: Ledger,
        *,
        roll: Callable[[], float],
        settle_s: float = SEARCH_SETTLES_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._task = task
        self._ledger = ledger
        self._roll = roll
        self._settle_s = settle_s
        self._clock = clock
        self._same_before = task.same_before
        self._began: float | None = None  # a request of this attempt is out whose outcome is not known yet

    async def run(self, desk: Desk) -> set[str]:
        """Goes as far as it can; gives the ids of other entries whose words have changed.

        Raises:
            StorageFault: a step could not be written down.
        """
        task, payload = self._task, self._task.payload
        deadline_s = ATTEMPT_DEADLINE_S + sum(len(one.data) for one in payload.attachments) / SLOWEST_LINE_BYTES_PER_S
        fault: DesksideError
        try:
            async with asyncio.timeout(deadline_s):
                await (self._ticket(desk) if task.kind == "ticket" else self._reply(desk))
        except StorageFault:
            raise
        except asyncio.CancelledError:
            self._interrupted()
            raise
        except Undecidable:
            await self._note(self._ledger.ends, task.id, "unsure", UNSURE, unclear_since=task.unclear_since)
            return set()
        except Settling as settling:
            words = "It may have arrived; Deskside asks the help desk in a moment."
            await self._later(words, wait_s=settling.wait_s, unclear_since=task.unclear_since, counts=False)
            return set()
        except TimeoutError:
            fault = OutcomeUnknown("The help desk did not finish in time.")
        except DesksideError as error:
            fault = error
        except (
            Exception
        ):  # the boundary of an adapter, which may be somebody else's: whatever it does wrong, nothing is lost
            log.exception("the help desk's adapter failed")
            fault = OutcomeUnknown(
                "Deskside could not understand the help desk.", hint="Please tell your IT department."
            )
        else:
            return set()
        return await self._failed(fault, desk.capabilities)

    async def cannot_begin(self, fault: DesksideError) -> set[str]:
        """There is no desk to talk to: no settings, no secret, no way."""
        if isinstance(fault, DeskFault):
            return await self._failed(fault, Capabilities())
        wait = SETTINGS_WAIT_S * (0.5 + self._roll())
        words = words_of(fault)
        await self._later(words, wait_s=wait, unclear_since=self._task.unclear_since, counts=False)
        return set(await self._note(self._ledger.pause, words, wait_s=wait, counts=False))

    # --- a ticket

    async def _ticket(self, desk: Desk) -> None:
        task, can = self._task, desk.capabilities
        ticket = task.ticket
        if ticket is None:
            ticket = await self._arrived_before(desk)
            if ticket is None:
                if can.attach in {"same_request", "upload_first"}:
                    check_sizes(task.payload.attachments, can.max_file_bytes)
                await self._begin()
                try:
                    ticket = await desk.create(task.payload)
                except DeskRefused as refusal:
                    ticket = await self._saved_all_the_same(desk, refusal)
                self._began = None
            there = places(ticket.attached, task.payload.attachments)
            await self._note(self._ledger.created, task.id, ticket, attached=there)
        else:
            there = tuple(place for place, progress in enumerate(task.progress) if progress == "attached")
        await self._files(desk, ticket, there=frozenset(there))

    async def _arrived_before(self, desk: Desk) -> Created | None:
        """The ticket of an earlier attempt whose outcome was unclear; None when sending is safe.

        Raises:
            Undecidable: the desk cannot be asked.
            Settling: it is too early to ask.
        """
        task, dedupe = self._task, desk.capabilities.dedupe
        if task.unclear_since is None:
            return None
        if dedupe == "none":
            raise Undecidable
        if dedupe == "key" and 0 <= self._clock() - task.unclear_since < KEY_TRUSTED_S:
            return None
        if dedupe == "search":
            self._let_settle()
        try:
            return await desk.find(task.payload.key)
        except NotFound:  # "there is no such thing" is not the answer to our question; None would be
            if dedupe == "key":
                return None
            raise Undecidable from None
        except (DeskUnreachable, OutcomeUnknown, DeskRefused):
            raise
        except DeskFault:  # it cannot be asked after all
            if dedupe == "key":
                return None
            raise Undecidable from None

    async def _saved_all_the_same(self, desk: Desk, refusal: DeskRefused) -> Created:
        """The ticket that the desk has made although it said no: some were seen to answer 404 to what they had saved.

        Raises:
            DeskRefused: the refusal, when it was one.
        """
        if isinstance(refusal, CERTAIN | DeskBroken) or desk.capabilities.dedupe == "none":
            raise refusal
        try:
            found = await desk.find(self._task.payload.key)
        except DeskFault:
            raise refusal from None
        if found is None:
            raise refusal
        return found

    def _let_settle(self) -> None:
        begun = self._task.begun_at or self._task.unclear_since or 0.0
        if 0 <= (age := self._clock() - begun) < self._settle_s:
            raise Settling(self._settle_s - age + 1.0)

    async def _files(self, desk: Desk, ticket: Created, *, there: frozenset[int]) -> None:
        task, can = self._task, desk.capabilities
        files = task.payload.attachments
        open_places = [place for place in range(len(files)) if place not in there]
        if can.attach == "after_creation":
            there |= await self._files_arrived_before(desk, ticket)
            refused = {}
            for place in open_places:
                if place not in there and (words := await self._attach(desk, ticket, place)):
                    refused[place] = words
            if refused:
                words = " ".join(f"{files[place].name}: {why}" for place, why in refused.items())
                words = f"The ticket has arrived, but the help desk did not take every file. {words}"
                await self._note(self._ledger.ends, task.id, "refused", words, unclear_since=None)
                return
        elif open_places and can.attach != "none":
            names = ", ".join(files[place].name for place in open_places)
            words = f"The ticket has arrived, but the help desk did not keep every file: {names} is missing. Tell the help desk."
            await self._note(self._ledger.ends, task.id, "refused", words, unclear_since=None)
            return
        note = "This help desk takes no files; they were not sent." if files and can.attach == "none" else ""
        await self._note(self._ledger.sent, task.id, note=note)

    async def _files_arrived_before(self, desk: Desk, ticket: Created) -> frozenset[int]:
        """The files that an earlier attempt has brought there after all."""
        unclear = [place for place, progress in enumerate(self._task.progress) if progress == "begun"]
        if not unclear:
            return frozenset()
        if desk.capabilities.dedupe == "none":
            raise Undecidable
        if desk.capabilities.dedupe == "search":
            self._let_settle()
        found = await desk.find(self._task.payload.key)
        if found is None or found.id != ticket.id:
            raise Undecidable
        there = places(found.attached, self._task.payload.attachments)
        for place in there:
            await self._note(self._ledger.file, self._task.id, place, "attached")
        return frozenset(there)

    async def _attach(self, desk: Desk, ticket: Created, place: int) -> str:
        """Adds one file; gives the desk's words when it refused this file for good."""
        file = self._task.payload.attachments[place]
        await self._note(self._ledger.file, self._task.id, place, "begun")
        try:
            check_sizes((file,), desk.capabilities.max_file_bytes)
            await self._begin()
            await desk.attach(ticket, file)
        except (SignInNeeded, TooBusy, DeskUnreachable):
            self._began = None
            await self._note(self._ledger.file, self._task.id, place, "open")
            raise
        except DeskBroken:
            raise
        except DeskRefused as error:
            self._began = None
            await self._note(self._ledger.file, self._task.id, place, "refused", words_of(error))
            return words_of(error)
        self._began = None
        await self._note(self._ledger.file, self._task.id, place, "attached")
        return ""

    # --- a reply

    async def _reply(self, desk: Desk) -> None:
        task, dedupe = self._task, desk.capabilities.dedupe
        if task.unclear_since is not None:
            if dedupe == "none":
                raise Undecidable
            if dedupe == "search":
                self._let_settle()
                if task.same_before is None:
                    raise Undecidable
                if await self._same(desk) > task.same_before:
                    await self._note(self._ledger.sent, task.id)
                    return
        elif dedupe == "search" and task.same_before is None and desk.capabilities.comments:
            self._same_before = await self._same(desk)
            await self._note(self._ledger.begin_reply, task.id, same_before=self._same_before)
        check_sizes(task.payload.attachments, desk.capabilities.max_file_bytes)
        await self._begin()
        try:
            await desk.comment(task.reply_to, task.payload)
        except DeskRefused as refusal:
            if isinstance(refusal, CERTAIN | DeskBroken) or not await self._said_all_the_same(desk):
                raise
        self._began = None
        await self._note(self._ledger.sent, task.id)

    async def _said_all_the_same(self, desk: Desk) -> bool:
        """Whether the reply is in the ticket although the desk said no; False where that cannot be seen."""
        before = self._same_before
        try:
            return before is not None and await self._same(desk) > before
        except DeskFault:
            return False

    async def _same(self, desk: Desk) -> int:
        """How many messages of the employee with these very words the ticket has."""
        words = essence(self._task.payload.body)
        conversation = await desk.conversation(self._task.reply_to)
        return sum(not one.from_agent and essence(one.text) == words for one in conversation.comments)

    # --- how it ended

    async def _failed(self, fault: DesksideError, can: Capabilities) -> set[str]:
        task, words = self._task, words_of(fault)
        since = task.unclear_since
        if self._began is not None and isinstance(fault, OutcomeUnknown | DeskBroken | DeskRefused):
            certain = isinstance(fault, CERTAIN)
            refused = isinstance(fault, DeskRefused) and not isinstance(fault, DeskBroken)
            if not certain and not (refused and can.dedupe == "none"):
                since = since or self._began
        if isinstance(fault, SignInNeeded):
            wait = SIGN_IN_WAIT_S * (1 + self._roll())
            await self._later(words, wait_s=wait, unclear_since=since, counts=False)
            return set(await self._note(self._ledger.pause, words, wait_s=wait, asked=True, counts=False))
        failures = 1 + await self._note(self._ledger.failures)
        if isinstance(fault, TooBusy):
            wait = wait_asked_s(fault.retry_after_s, failures=failures, roll=self._roll())
            await self._later(words, wait_s=wait, unclear_since=since)
            return set(await self._note(self._ledger.pause, words, wait_s=wait, asked=True))
        if isinstance(fault, DeskUnreachable):
            wait = wait_s(failures, roll=self._roll())
            await self._later(words, wait_s=wait, unclear_since=since)
            return set(await self._note(self._ledger.pause, words, wait_s=wait))
        if isinstance(fault, OutcomeUnknown | DeskBroken):
            if since is not None and can.dedupe == "none":
                await self._note(self._ledger.ends, task.id, "unsure", f"{UNSURE} {fault.message}", unclear_since=since)
            else:
                wait = wait_s(task.attempts + 1, roll=self._roll())
                if since is not None and can.dedupe == "search":
                    wait = max(wait, self._settle_s)
                await self._later(words, wait_s=wait, unclear_since=since)
            opened = failures >= CIRCUIT_OPENS_AT
            pause = wait_s(failures - CIRCUIT_OPENS_AT + 1, roll=self._roll()) if opened else 0.0
            words = f"{words} Everything waits until the help desk is well again." if opened else words
            return set(await self._note(self._ledger.pause, words, wait_s=pause))
        await self._refused_file(fault, words)
        await self._note(self._ledger.ends, task.id, "refused", words, unclear_since=since)
        return set()

    async def _refused_file(self, fault: DesksideError, words: str) -> None:
        """Notes which file was too large, so that the employee can send the message without it."""
        place = None
        if isinstance(fault, TooLarge):
            place = worth_leaving_out(fault.name, self._task.payload.attachments)
        if place is not None:
            await self._note(self._ledger.file, self._task.id, place, "refused", words)

    async def _begin(self) -> None:
        await self._note(self._ledger.begin, self._task.id)
        self._began = self._clock()

    async def _later(self, words: str, *, wait_s: float, unclear_since: float | None, counts: bool = True) -> None:
        await self._note(
            self._ledger.later, self._task.id, words, wait_s=wait_s, unclear_since=unclear_since, counts=counts
        )

    def _interrupted(self) -> None:
        """The program is being ended: lets go of the entry at once, on this thread, for the loop may not come back."""
        since = self._task.unclear_since or self._began
        self._ledger.later(self._task.id, "", wait_s=0.0, unclear_since=since, counts=False)

    @staticmethod
    async def _note(step: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(step, *args, **kwargs)
