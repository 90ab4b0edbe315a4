"""Compares a receipt with what is kept here and with what the help desk shows, and says in words what matches. Pure.

A receipt holds hashes, not words: it can say that a text differs, not where. Desks lay texts out in their own way, so a text whose
letters and digits are all the same counts as the same, and that is said.
"""

from __future__ import annotations

from collections import Counter

from client.model import Compared, Conversation, Payload, Receipt
from client.receipt import digest, essence, fingerprint, hash_in, marks, without_ref


def with_payload(receipt: Receipt, payload: Payload, *, whole: str) -> tuple[Compared, ...]:
    """What is kept on this computer, and is what went out, against the receipt.

    Args:
        receipt: taken from what the preview showed.
        payload: as it is kept; its bytes were checked against its own hashes when it was read.
        whole: the hash of everything that is kept.
    """
    wanted = tuple(one for one in receipt.files if one.name not in receipt.left_out)
    if whole == receipt.whole_sha256 and marks(payload) == wanted:
        words = f"What is kept here to be sent is what the preview showed, byte for byte: the text{_and_files(len(wanted))}."
        return (Compared(same=True, words=words), *_left_out(receipt))
    found = [
        *_text("subject", payload.subject, receipt.subject_sha256),
        *_text("text", without_ref(payload.body), receipt.body_sha256),
    ]
    if fingerprint(payload) != receipt.sha256 and not receipt.left_out and all(one.same for one in found):
        have = {one.name: one for one in marks(payload)}
        for mark in wanted:
            if mark.name not in have:
                found.append(Compared(same=False, words=f"{mark.name} is missing from what is kept here."))
            elif have[mark.name] != mark:
                found.append(Compared(same=False, words=f"{mark.name} differs from what the preview showed."))
    if all(one.same for one in found):
        found.append(Compared(same=False, words="The help desk's fields differ from what the preview showed."))
    return (*found, *_left_out(receipt))


def with_desk(receipt: Receipt, conversation: Conversation) -> tuple[Compared, ...]:
    """What the help desk shows against the receipt; what it does not show cannot be compared, which is said."""
    if receipt.kind == "reply":
        return _reply(receipt, conversation)
    first = next(iter(conversation.comments), None)
    found = list(_text("subject", conversation.ticket.subject, receipt.subject_sha256, by="The help desk's"))
    if first is None or not first.text.strip():
        return (*found, Compared(same=None, words="The help desk does not show the ticket's text."))
    found += _message(receipt, first.text)
    carried = hash_in(first.text)
    if carried:
        same = carried == receipt.sha256
        said = "carries the hash of this receipt" if same else "carries another hash than this receipt"
        found.append(Compared(same=same, words=f"The ticket's last line {said}."))
    everywhere = tuple(name for one in conversation.comments if not one.from_agent for name in one.attachments)
    return (*found, *_files(receipt, everywhere), *_left_out(receipt))


def _reply(receipt: Receipt, conversation: Conversation) -> tuple[Compared, ...]:
    mine = [one for one in conversation.comments if not one.from_agent]
    there = next((one for one in mine if digest(essence(one.text).encode()) == receipt.letters_sha256), None)
    if there is None:
        return (Compared(same=False, words="The help desk shows no reply with this text."), *_left_out(receipt))
    return (*_message(receipt, there.text), *_files(receipt, there.attachments), *_left_out(receipt))


def _message(receipt: Receipt, shown: str) -> tuple[Compared, ...]:
    text = without_ref(shown.replace("\r\n", "\n"))
    if digest(text.encode()) == receipt.body_sha256:
        return (Compared(same=True, words="The help desk's text is what the preview showed, letter for letter."),)
    if digest(essence(text).encode()) == receipt.letters_sha256:
        words = (
            "The help desk's text has the same words and numbers as the preview; it is laid out in the desk's own way."
        )
        return (Compared(same=True, words=words),)
    return (Compared(same=False, words="The help desk's text differs from what the preview showed."),)


def _files(receipt: Receipt, names: tuple[str, ...]) -> tuple[Compared, ...]:
    """By their names: a list of messages carries no bytes."""
    wanted = [one.name for one in receipt.files if one.name not in receipt.left_out]
    if not wanted:
        return ()
    have = Counter(essence(name) for name in names)
    missing = []
    for name in wanted:
        if have[essence(name)] > 0:
            have[essence(name)] -= 1
        else:
            missing.append(name)
    if not names:
        return (Compared(same=None, words="The help desk shows no files, so they could not be compared."),)
    if missing:
        said = "are" if len(missing) > 1 else "is"
        return (Compared(same=False, words=f"{', '.join(missing)} {said} missing at the help desk."),)
    words = f"Every file is there by its name ({', '.join(wanted)}); their bytes were not fetched."
    return (Compared(same=True, words=words),)


def _text(what: str, text: str, wanted: str, *, by: str = "The") -> tuple[Compared, ...]:
    same = digest(text.encode()) == wanted
    said = "is what the preview showed" if same else "differs from what the preview showed"
    return (Compared(same=same, words=f"{by} {what} {said}."),)


def _left_out(receipt: Receipt) -> tuple[Compared, ...]:
    return tuple(
        Compared(
            same=None,
            words=f"{name} was in the preview and was not sent: the help desk refused it, and you left it out.",
        )
        for name in receipt.left_out
    )


def _and_files(count: int) -> str:
    return "" if not count else f", the fields and {count} file{'' if count == 1 else 's'}"
