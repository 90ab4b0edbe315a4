"""What the employee API does with django-helpdesk's tables: create once, reply once, list, tell.

Everything an employee writes is stored as it came. django-helpdesk's own `update_ticket` is not used for it: it renders a comment
as a template and renames the ticket where a follow-up carries a title.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from helpdesk.models import CustomField, FollowUp, FollowUpAttachment, Queue, Ticket

from client.demo.gate import Upload
from client.demo.models import Sent
from client.demo.problems import Problem, not_found
from client.demo.seed import FIELDS, QUEUE
from client.demo.settings import ALLOWED_EXTENSIONS, MAX_FILES_BYTES
from client.demo.shapes import (
    CommentEntry,
    CreatedComment,
    CreatedTicket,
    FileEntry,
    NewComment,
    NewTicket,
    StoredFile,
    TicketDetail,
    TicketEntry,
)

PRIORITY = {"critical": 1, "high": 2, "medium": 3, "": 3, "low": 4}
OPENED = "Ticket opened"
MAX_NAME = 150
CHUNK_BYTES = 256 * 1024


# --- writing


def create(employee: User, *, key: str, new: NewTicket, files: list[Upload]) -> tuple[CreatedTicket, bool]:
    """Makes the ticket, once per key.

    Returns:
        The ticket with its files as they are on the disk, and whether it had been made before.

    Raises:
        Problem: a file is refused, or the key was used for something else.
    """
    check_files(files)
    mark = fingerprint("ticket", new, files)

    def write(stored: list[Path]) -> Sent:
        queue = Queue.objects.get(slug=QUEUE)
        ticket = Ticket.objects.create(
            title=new.subject,
            queue=queue,
            description=new.body,
            submitter_email=employee.email,
            priority=PRIORITY[new.fields.severity],
        )
        values = {**msgspec.structs.asdict(new.fields), "key": key}
        for field in CustomField.objects.all():
            if value := values.get(FIELDS.get(field.name, ("", "", ""))[2], ""):
                ticket.ticketcustomfieldvalue_set.create(field=field, value=value)
        # The body is the description, so the first follow-up carries the files and says nothing a second time.
        followup = FollowUp.objects.create(ticket=ticket, title=OPENED, comment="", public=True, user=employee)
        store(followup, files, stored)
        return Sent(ticket=ticket, followup=followup)

    sent, replay = once(employee, key, mark, write)
    return CreatedTicket(ticket=entry(sent.ticket, key), attachments=proof(sent.followup)), replay


def reply(
    employee: User, ticket: Ticket, *, key: str, new: NewComment, files: list[Upload]
) -> tuple[CreatedComment, bool]:
    """Adds the employee's words to a ticket, once per key. A ticket that was closed is opened again.

    Raises:
        Problem: as for `create`.
    """
    check_files(files)
    mark = fingerprint(f"comment {ticket.id}", new, files)

    def write(stored: list[Path]) -> Sent:
        current = Ticket.objects.get(pk=ticket.pk)
        followup = FollowUp(ticket=current, title="Comment", comment=new.body, public=True, user=employee)
        if current.status not in Ticket.OPEN_STATUSES:
            change_status(current, followup, Ticket.REOPENED_STATUS)
        followup.save()
        store(followup, files, stored)
        return Sent(ticket=current, followup=followup, is_reply=True)

    sent, replay = once(employee, key, mark, write)
    return CreatedComment(comment=said(sent.followup), attachments=proof(sent.followup)), replay


def set_open(employee: User, ticket: Ticket, *, wanted: bool) -> TicketEntry:
    """Closes or reopens a ticket; one that already is as wanted stays as it is."""
    with transaction.atomic():
        current = Ticket.objects.get(pk=ticket.pk)
        already = current.status in Ticket.OPEN_STATUSES if wanted else current.status == Ticket.CLOSED_STATUS
        if not already:
            followup = FollowUp(
                ticket=current,
                title="Reopened by the employee" if wanted else "Closed by the employee",
                comment="",
                public=True,
                user=employee,
            )
            change_status(current, followup, Ticket.REOPENED_STATUS if wanted else Ticket.CLOSED_STATUS)
            followup.save()
    return entry(current, keys_of([current]).get(current.id))


def change_status(ticket: Ticket, followup: FollowUp, status: int) -> None:
    """Sets the new status on both; `followup.save` saves the ticket with it."""
    ticket.status = status
    followup.new_status = status


def once(employee: User, key: str, mark: str, write: Callable[[list[Path]], Sent]) -> tuple[Sent, bool]:
    """Runs `write` unless this key is known; key and ticket are committed together, so no crash can part them.

    The transaction takes the database's write lock where it begins: of several requests with one key, the first writes, and
    the others find it written.

    Raises:
        Problem: 409 if the key was used for something else, 404 if an agent has deleted what it made.
    """
    with undo_files() as stored, transaction.atomic():
        known = Sent.objects.select_related("ticket", "followup").filter(employee=employee, key=key).first()
        if known is None:
            sent = write(stored)
            sent.employee, sent.key, sent.fingerprint = employee, key, mark
            sent.save()
            return sent, False
    if known.fingerprint != mark:
        raise Problem(
            409,
            "This key is taken",
            "Another message was sent with this Idempotency-Key.",
            hint="Use a new key for a new message; repeat a message exactly as it was.",
        )
    if known.ticket is None or known.followup is None:
        raise not_found("What was sent with this key has been deleted by the help desk.")
    return known, True


@contextmanager
def undo_files() -> Iterator[list[Path]]:
    """Gives a list for paths; when the block fails, they are removed: files are not part of the database's transaction."""
    stored: list[Path] = []
    try:
        yield stored
    except BaseException:
        for path in stored:
            path.unlink(missing_ok=True)
        raise


def check_files(files: list[Upload]) -> None:
    """Refuses a file that django-helpdesk would refuse, and names or sizes that no disk likes.

    Raises:
        Problem: 400 for a name or its extension, 413 for the size.
    """
    allowed = ", ".join(ALLOWED_EXTENSIONS)
    for file in files:
        if (
            not 1 <= len(file.name.encode("utf-8", "replace")) <= MAX_NAME
            or not file.name.isprintable()
            or {*"/\\"} & {*file.name}
        ):
            raise Problem(
                400,
                "A file has an unusable name",
                f"A file's name must have 1 to {MAX_NAME} bytes, no slashes and no control characters.",
                hint="Rename the file.",
                file="".join(one for one in file.name if one.isprintable())[:MAX_NAME],
            )
        if PurePosixPath(file.name).suffix.lower() not in ALLOWED_EXTENSIONS:
            raise Problem(
                400,
                "A file is of a kind that is not accepted",
                f"The help desk does not accept {file.name}.",
                hint=f"Accepted are {allowed}; a zip archive carries anything else.",
                file=file.name,
            )
    if sum(file.size for file in files) > MAX_FILES_BYTES:
        largest = max(files, key=lambda file: file.size).name
        raise Problem(
            413,
            "Too large",
            f"The files have more than {MAX_FILES_BYTES // 1024**2} MB together.",
            hint=f"The largest is {largest}: leave it out or make it smaller.",
            file=largest,
        )


def fingerprint(what: str, new: NewTicket | NewComment, files: Iterable[Upload]) -> str:
    """The SHA-256 of everything that was sent: same content, same value."""
    whole = hashlib.sha256()
    parts = [what.encode(), msgspec.json.encode(new, order="deterministic")]
    for file in files:
        content = hashlib.sha256()
        for chunk in file.content.chunks(CHUNK_BYTES):
            content.update(chunk)
        parts += [file.name.encode("utf-8", "replace"), file.media_type.encode("utf-8", "replace"), content.digest()]
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


def store(followup: FollowUp, files: Iterable[Upload], stored: list[Path]) -> None:
    """Writes the files to the disk, down to the platter, and hangs them on the follow-up."""
    for file in files:
        file.content.seek(0)
        kept = FollowUpAttachment(
            followup=followup,
            filename=file.name,
            mime_type=(file.media_type or "application/octet-stream")[:255],
            size=file.size,
        )
        # The name on the disk is ours: what the employee calls a file is kept beside it and decides nothing.
        kept.file.save(f"file{PurePosixPath(file.name).suffix.lower()}", file.content, save=False)
        path = Path(kept.file.path)
        stored.append(path)
        kept.save()
        for target in (path, path.parent):
            sync(target)


def sync(path: Path) -> None:
    """Waits until a file or folder is on the disk; folders cannot be asked for on Windows."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- reading


def own(employee: User) -> Any:
    """The employee's tickets, those that an agent wrote down for them included."""
    return Ticket.objects.filter(submitter_email__iexact=employee.email)


def own_one(employee: User, ticket_id: str) -> Ticket:
    """One ticket of the employee.

    Raises:
        Problem: 404, the same for a ticket that does not exist and for one of somebody else.
    """
    if re.fullmatch(r"[1-9][0-9]{0,17}", ticket_id):
        ticket = own(employee).filter(pk=int(ticket_id)).first()
        if ticket is not None:
            return ticket
    raise not_found("You have no ticket with this number.")


def page(
    employee: User, *, ref: str | None, key: str | None, updated_since: datetime | None, before: str | None, limit: int
) -> tuple[list[TicketEntry], str | None]:
    """One page of the employee's tickets, newest first, and where the next one begins."""
    found = own(employee).select_related("queue").order_by("-id")
    if ref is not None:
        parts = re.fullmatch(r"\[?([A-Za-z0-9_-]+)-([1-9][0-9]{0,17})\]?", ref)
        found = found.filter(queue__slug__iexact=parts[1], id=int(parts[2])) if parts else found.none()
    if key is not None:
        found = found.filter(id__in=Sent.objects.filter(employee=employee, key=key, is_reply=False).values("ticket_id"))
    if updated_since is not None:
        found = found.filter(modified__gte=updated_since)
    if before is not None:
        found = found.filter(id__lt=int(before))
    tickets = list(found[: limit + 1])
    more = len(tickets) > limit
    tickets = tickets[:limit]
    keys = keys_of(tickets)
    return [entry(ticket, keys.get(ticket.id)) for ticket in tickets], str(tickets[-1].id) if more else None


def keys_of(tickets: list[Ticket]) -> dict[int, str]:
    """The keys that tickets were made with, by ticket."""
    return dict(Sent.objects.filter(ticket__in=tickets, is_reply=False).values_list("ticket_id", "key"))


def entry(ticket: Ticket, key: str | None) -> TicketEntry:
    """A ticket as the list tells it."""
    return TicketEntry(
        id=str(ticket.id),
        ref=ticket.ticket_for_url.upper(),
        subject=ticket.title,
        status=f"{ticket.get_status_display()}{', on hold' if ticket.on_hold else ''}",
        open=ticket.status in Ticket.OPEN_STATUSES,
        url=f"{settings.DESKSIDE_BASE_URL}/tickets/{ticket.id}/",
        created_at=ticket.created,
        updated_at=ticket.modified,
        key=key,
    )


def detail(ticket: Ticket) -> TicketDetail:
    """A ticket with its conversation: the description first, then every public follow-up that says something."""
    followups = list(
        FollowUp.objects.filter(ticket=ticket, public=True)
        .select_related("user", "ticket")
        .prefetch_related("followupattachment_set")
        .order_by("date", "id")
    )
    # A ticket that an agent wrote down for the employee repeats its description in its first follow-up.
    opening = [
        one
        for one in followups
        if (one.title or "").lower().startswith(OPENED.lower()) and one.comment in (None, "", ticket.description)
    ]
    writer = (
        opening[0].user
        if opening and opening[0].user
        else User.objects.filter(email__iexact=ticket.submitter_email).first()
    )
    first = CommentEntry(
        id="0",
        author=name_of(writer) if writer else (ticket.submitter_email or ""),
        from_agent=bool(writer and writer.is_staff),
        text=ticket.description or "",
        created_at=ticket.created,
        attachments=files_of(opening[0]) if opening else (),
    )
    rest = [said(one) for one in followups if one not in opening]
    comments = (first, *(one for one in rest if one.text or one.attachments))
    return TicketDetail(ticket=entry(ticket, keys_of([ticket]).get(ticket.id)), comments=comments)


def said(followup: FollowUp) -> CommentEntry:
    """A follow-up as the conversation tells it; a bare change of status becomes a sentence."""
    text = followup.comment or ""
    if not text and followup.new_status is not None:
        text = f"The status is now: {followup.get_new_status_display()}."
    staff = followup.user is None or followup.user.is_staff
    return CommentEntry(
        id=str(followup.id),
        author=name_of(followup.user) if followup.user else "IT help desk",
        from_agent=staff,
        text=text,
        created_at=followup.date,
        attachments=files_of(followup),
    )


def name_of(user: User) -> str:
    """What a person is called."""
    return user.get_full_name() or user.get_username()


def files_of(followup: FollowUp) -> tuple[FileEntry, ...]:
    """The files of a follow-up, in the order sent."""
    kept = sorted(followup.followupattachment_set.all(), key=lambda one: one.id)
    return tuple(FileEntry(name=one.filename, media_type=one.mime_type, size_bytes=one.size) for one in kept)


def proof(followup: FollowUp) -> tuple[StoredFile, ...]:
    """The files of a follow-up, read back from the disk."""
    found = []
    for one in FollowUpAttachment.objects.filter(followup=followup).order_by("id"):
        content = hashlib.sha256()
        with one.file.open("rb") as stream:
            size = 0
            while chunk := stream.read(CHUNK_BYTES):
                size += len(chunk)
                content.update(chunk)
        found.append(
            StoredFile(name=one.filename, media_type=one.mime_type, size_bytes=size, sha256=content.hexdigest())
        )
    return tuple(found)
