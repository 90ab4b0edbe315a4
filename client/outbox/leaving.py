"""Sending without the files that the desk has refused: what is left is kept anew, and the receipt names what was left out.

Runs in the caller's transaction. What the desk has already (the ticket, the other files) is not sent again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

import msgspec

from client.errors import StorageFault, UsageError
from client.outbox.ledger import read_payload
from client.outbox.packing import pack
from client.outbox.receipts import leaves_out
from client.outbox.rows import drop_unused_blobs, entry_row


def leave_out(connection: sqlite3.Connection, entry_id: str, names: Collection[str], *, now: float) -> None:
    """Takes files out of a refused message, which is due now.

    Args:
        connection: inside a transaction.
        entry_id: the message.
        names: of files of it that the desk does not have.
        now: seconds since 1970.

    Raises:
        UsageError: it was not refused, or has no such file to be left out.
        StorageFault: the disk has damaged it.
    """
    row = entry_row(connection, entry_id)
    if row["state"] != "refused" or row["active"]:
        raise UsageError(
            "Files can be left out of what the help desk has refused, and this was not refused.",
            hint="`deskside outbox list` shows what became of it.",
        )
    try:
        payload = read_payload(connection, row)
    except ValueError as error:
        raise StorageFault("This computer's disk has damaged this message.", hint="Please write it again.") from error
    known = connection.execute("SELECT * FROM entry_file WHERE entry = ? ORDER BY place", (entry_id,)).fetchall()
    wanted = set(names)
    out = {file["place"] for file in known if file["name"] in wanted and file["progress"] != "attached"}
    strange = sorted(wanted - {file["name"] for file in known if file["place"] in out})
    if strange or not out:
        can = ", ".join(file["name"] for file in known if file["progress"] != "attached")
        raise UsageError(
            f"It has no file {strange[0]!r} that could be left out." if strange else "No file was named.",
            hint=f"There are: {can}." if can else "The help desk has all its files.",
        )
    kept = [(one, file) for one, file in zip(payload.attachments, known, strict=True) if file["place"] not in out]
    packed = pack(msgspec.structs.replace(payload, attachments=tuple(one for one, _ in kept)), reply_to=row["reply_to"])
    connection.execute("DELETE FROM entry_file WHERE entry = ?", (entry_id,))
    connection.executemany(
        "INSERT INTO entry_file (entry, place, name, sha256, progress) VALUES (?, ?, ?, ?, ?)",
        [
            (entry_id, place, file["name"], file["sha256"], "attached" if file["progress"] == "attached" else "open")
            for place, (_, file) in enumerate(kept)
        ],
    )
    connection.execute(
        "UPDATE entry SET payload = ?, sha256 = ?, state = CASE WHEN ticket IS NULL THEN 'waiting' ELSE 'created' END,"
        " urgent = 2, due_at = ?, due_set_at = ?, last_error = '' WHERE id = ?",
        (packed.body, packed.sha256, now, now, entry_id),
    )
    gone = tuple(file["name"] for file in known if file["place"] in out)
    leaves_out(connection, entry_id, gone, whole=packed.sha256)
    drop_unused_blobs(connection)
