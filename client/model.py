"""What the client's packages hand to each other. Frozen types only; imports `diagnostics.model` and nothing else of the project."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from diagnostics.model import Finding, Report

# --- knowledge


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """One article. `body` is Markdown; `id` is the file's name; `words` are what people call the problem; `source` is who wrote it.

    `causes` and `fixes` are ids; `platforms` holds "windows", "macos", "linux" (empty: all); `reviewed_on` is an ISO date.
    """

    id: str
    title: str
    summary: str
    body: str
    words: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    language: str = "en"
    reviewed_on: str = ""
    source: str = "deskside"


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What IT has told everybody: an outage, maintenance, or a notice.

    `causes` are ids ("vpn.down", "dns.*"), `subjects` the services, hosts or volumes it is about; a problem found here that
    fits both is known to IT (an empty one fits all; where both are empty, nothing fits). `ends_at` is when an outage should be
    over, and when anything else is. `over`: IT has said that it is over. Times have a zone.
    """

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    text: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    kind: Literal["outage", "maintenance", "notice"] = "notice"
    causes: Annotated[tuple[str, ...], msgspec.Meta(max_length=50)] = ()
    subjects: Annotated[tuple[str, ...], msgspec.Meta(max_length=50)] = ()
    begins_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    ends_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    over: bool = False


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One search result; `score` is 0 to 1, best first."""

    article: str
    score: float
    title: str
    summary: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found. `nothing_fits` says honestly that the results, if any, are guesses."""

    results: tuple[Hit, ...] = ()
    nothing_fits: bool = True


# --- fixes


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a plan: an action from the closed list, its parameters, and what it does in words."""

    action: str
    parameters: dict[str, str] = {}
    words: str
    details: tuple[str, ...] = ()  # what exactly is touched: a line each, such as "/home/a/.cache/pip  1.2 GB"
    picked: bool = True  # where the employee chooses among the steps: whether this one is chosen at first
    gain_bytes: int | None = None  # what this step frees, if known


class FixPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a fix would do on this machine now. It is shown before anything happens, and executed as it was shown.

    `checks` are re-run afterwards. `refused` says why it cannot be done here (empty: it can). `undo` says how it can be
    undone (empty: it cannot, and the screen says so plainly). `gain_bytes` is what disk fixes will free, if known.
    `choice` says which steps may be done: "all" as they are, "some" that the employee chooses, or exactly "one".
    """

    fix: str
    title: str
    summary: str
    steps: tuple[Step, ...]
    checks: tuple[str, ...] = ()
    refused: str = ""
    undo: str = ""
    gain_bytes: int | None = None
    choice: Literal["all", "some", "one"] = "all"


class FixResult(StrEnum):
    """How a fix ended, judged by the checks and not by the action's own word."""

    HELPED = "helped"  # what failed before is fine now
    NO_CHANGE = "no_change"  # carried out, but the checks say the same as before
    DONE = "done"  # carried out; there is no check that could prove it (a settings page was opened)
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # Deskside was ended while it ran
    UNDONE = "undone"


class FixOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """A fix that was tried, with its proof. Goes into the journal and into the ticket."""

    id: str
    fix: str
    title: str
    result: FixResult
    words: str
    started_at: datetime
    took_ms: int = 0
    before: tuple[Finding, ...] = ()
    after: tuple[Finding, ...] = ()
    can_undo: bool = False


# --- tickets


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that goes with a ticket: a name without folders, a media type, and its bytes."""

    name: str
    media_type: str
    data: bytes


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that is being written; `id` is client-made (UUID) and stays the ticket's key through all sending.

    `report` is what the check found (None: no check was run). `left_out` holds ids of sections the employee has unticked.
    """

    id: str
    created_at: datetime
    subject: str = ""
    words: str = ""
    report: Report | None = None
    tried: tuple[FixOutcome, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    left_out: frozenset[str] = frozenset()


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the ticket that the employee may leave out; `text` is what it holds, as it would be sent."""

    id: str
    title: str
    text: str
    included: bool = True
    required: bool = False


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly what is sent, serialised once: the preview shows it, the outbox stores it, the adapter sends it.

    `body` is plain text that reads well as Markdown; `body_html` the same model for desks that want HTML. `fields` carries
    cause, subject, severity, tier, device, client and version. `attachments` include report.json, report.html, summary.txt.
    """

    key: str
    subject: str
    body: str
    body_html: str = ""
    fields: dict[str, str] = {}
    attachments: tuple[Attachment, ...] = ()


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The payload with its sections: what the employee looks at and agrees to.

    `exposed` names files of the employee's own that go as they are and hold what looks like a password or key.
    """

    payload: Payload
    sections: tuple[Section, ...]
    redactions: int = 0
    exposed: tuple[str, ...] = ()


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that the help desk has confirmed. `attached` names the files it already has."""

    id: str
    ref: str
    url: str = ""
    attached: tuple[str, ...] = ()


class FileMark(msgspec.Struct, frozen=True, kw_only=True):
    """A file as a receipt remembers it: by its name, type, size and the hash of its bytes."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What proves later what was sent, without a word of it: hashes (SHA-256) and names of files. See `client.receipt`.

    `sha256` is what the ticket's last line carries; `whole_sha256` covers the desk's fields and the formatted text too;
    `letters_sha256` is of the text's letters and digits alone, because desks lay texts out anew. `ticket` and `ref` are the desk's
    (empty: not known yet), `cause` with `about_sha256` says what the ticket was about. `left_out` names files that were shown
    and then not sent, because the desk refused them and the employee decided so.
    """

    key: str
    kind: Literal["ticket", "reply"]
    sha256: str
    whole_sha256: str
    subject_sha256: str
    body_sha256: str
    letters_sha256: str
    files: tuple[FileMark, ...] = ()
    left_out: tuple[str, ...] = ()
    ticket: str = ""
    ref: str = ""
    cause: str = ""
    about_sha256: str = ""
    created_at: datetime
    sent_at: datetime | None = None


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a receipt was compared with: `same` is None where it could not be compared, and `words` say why."""

    same: bool | None
    words: str


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt, and what it was compared with. It holds while nothing differs."""

    receipt: Receipt
    compared: tuple[Compared, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing that could be compared differs, and something could be."""
        told = [one.same for one in self.compared if one.same is not None]
        return bool(told) and all(told)


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """An own ticket about the same cause that is still open. `ticket` and `ref` are empty while it waits in the outbox."""

    created_at: datetime
    ticket: str = ""
    ref: str = ""
    url: str = ""


class SendState(StrEnum):
    """Where an outbox entry stands. `UNSURE` means: it may have arrived, and the desk cannot be asked."""

    WAITING = "waiting"
    SENDING = "sending"
    CREATED = "created"  # the ticket exists; files are still on their way
    SENT = "sent"
    UNSURE = "unsure"
    REFUSED = "refused"


class OutboxEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One message to the help desk that is kept until it has arrived. `kind` is a new ticket or a reply to `ticket`."""

    id: str
    kind: Literal["ticket", "reply"]
    state: SendState
    subject: str
    created_at: datetime
    attempts: int = 0
    next_attempt_at: datetime | None = None
    last_error: str = ""  # the last fault's sentence and hint, for the employee
    ticket: Created | None = None
    sent_at: datetime | None = None
    refused_files: tuple[str, ...] = ()  # what the desk did not take; it can be sent without


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """One of the employee's tickets as the help desk tells it. `unread` counts answers not yet looked at on this computer."""

    id: str
    ref: str
    subject: str
    status: str
    is_open: bool
    url: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    unread: int = 0


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a conversation, oldest first. `text` is plain text or Markdown, never HTML."""

    id: str
    author: str
    from_agent: bool
    text: str
    created_at: datetime | None = None
    attachments: tuple[str, ...] = ()


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket with what was said."""

    ticket: Ticket
    comments: tuple[Comment, ...] = ()


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who the help desk says we are."""

    name: str
    email: str = ""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One of the accounts that are signed in to the help desk on this computer; `active` is the one that is used."""

    name: str
    identity: Identity
    active: bool = False


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a help desk's adapter can do; the screen shows no page for what it cannot.

    `attach`: with the creating request, uploaded before it, or one by one after it. `dedupe`: the server knows our key, can be
    searched for it, or neither. `closing`: the employee may close a ticket and open it again; `rating`: say whether a ticket that
    is done has helped. `max_file_bytes` is None where the desk does not say.
    """

    body: Literal["text", "markdown", "html"] = "text"
    attach: Literal["same_request", "upload_first", "after_creation", "none"] = "none"
    dedupe: Literal["key", "search", "none"] = "none"
    comments: bool = False
    own_list: bool = False
    status: bool = False
    articles: bool = False
    announcements: bool = False
    closing: bool = False
    rating: bool = False
    max_file_bytes: int | None = None


# --- the state that the icon shows


class State(StrEnum):
    """The one state that icon, menu and window agree on. `UNKNOWN` before the first check."""

    UNKNOWN = "unknown"
    FINE = "fine"
    CHECKING = "checking"
    PROBLEM = "problem"
    OFFLINE = "offline"
