"""The one place that reads foreign errors: exceptions of httpx and answers of help desks become errors of `client.errors`.

What an error promises about a message that was being sent:

    DeskUnreachable   nothing was received: no connection, no encryption, or a proxy in between refused
    OutcomeUnknown    the request, or part of it, may have been received, and no valid answer came back
    DeskRefused       the desk has read it and said no: nothing was made of it
    DeskBroken        the desk has a fault of its own. A desk that knows our key (`Act.KEYED`) may have made the ticket before it
                      failed; sending the same message again with the same key is safe and finds it. For every other desk a
                      fault while writing is `OutcomeUnknown`, because sending again could make a second ticket.

Nothing that an error says holds a token: it is made of the host's name, of the kind of fault, and of the desk's own words
with the secret taken out.
"""

from __future__ import annotations

import html
import re
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import msgspec

from client.confidential import without_secrets
from client.desks.base import Act
from client.errors import (
    DeskBroken,
    DeskFault,
    DeskRefused,
    DeskUnreachable,
    NotFound,
    OutcomeUnknown,
    SettingsFault,
    SignInNeeded,
    TooBusy,
    TooLarge,
)

MAX_WORDS = 300
MAX_WAIT_S = 86_400.0  # nobody means more than a day; the ticket is tried again then
TAG = re.compile(r"<[/!?A-Za-z][^<>]{0,2000}>")
ASKED_LATER = frozenset({425, 429, 503})


def broken_line(error: Exception, *, host: str, act: Act) -> DeskFault:  # noqa: PLR0911 -- a table, as below
    """What a failed exchange means.

    Args:
        error: what httpx (or a time limit around it) raised.
        host: the desk's name for the sentence.
        act: what was being done.
    """
    if isinstance(error, httpx.ProxyError):
        return DeskUnreachable(f"The proxy on the way to {host} refused the connection.")
    if isinstance(error, httpx.ConnectTimeout):
        return DeskUnreachable(f"{host} did not answer in time.")
    if isinstance(error, httpx.ConnectError):
        return DeskUnreachable(_why_no_connection(error, host))
    if isinstance(error, (httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)):
        return DeskUnreachable(f"No connection to {host} could be made.")
    if act is Act.READ:
        return DeskUnreachable(f"The connection to {host} broke before the answer was complete.")
    if isinstance(error, (httpx.TimeoutException, TimeoutError)):
        return OutcomeUnknown(f"{host} took what was sent, but did not answer in time.")
    return OutcomeUnknown(f"The connection to {host} broke after sending had begun.")


def _why_no_connection(error: BaseException, host: str) -> str:
    """The true reason, which is deep in the chain of exceptions."""
    seen: BaseException | None = error
    for _ in range(12):
        if seen is None:
            break
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"The certificate of {host} is not trusted by this computer ({seen.verify_message})."
        if isinstance(seen, ssl.SSLError):
            return f"No encrypted connection to {host} could be made."
        if isinstance(seen, socket.gaierror):
            return f"The name {host} cannot be found in the network."
        if isinstance(seen, ConnectionRefusedError):
            return f"{host} refused the connection."
        inner = seen.exceptions[0] if isinstance(seen, BaseExceptionGroup) else None
        seen = inner or seen.__cause__ or seen.__context__
    return f"{host} cannot be reached."


def no_answer(  # noqa: C901, PLR0911 -- a table of statuses; taking it apart would hide which one is missing
    status: int, headers: Mapping[str, str], body: bytes, *, host: str, act: Act, secret: str = ""
) -> DeskFault:
    """What an answer means that is not the one that was asked for (any status but the expected ones).

    Args:
        status: the HTTP status.
        headers: the answer's, in lower case or httpx's own.
        body: the answer's body, already bounded and decompressed.
        host: the desk's name for the sentence.
        act: what was being done.
        secret: is taken out of the desk's words, should it repeat it.
    """
    words, hint, name = _said(headers, body, secret)
    if 300 <= status < 400:  # noqa: PLR2004 -- HTTP's own classes of status, here and below
        return _moved(headers, host)
    match status:
        case 401:
            return SignInNeeded("The help desk does not accept the sign-in (any more).", words=words)
        case 403:
            return DeskRefused(
                "The help desk does not allow this for your account.",
                words=words,
                hint=hint or "Ask your IT department to allow it.",
            )
        case 404 | 410:
            return NotFound("The help desk does not have this (any more).", words=words)
        case 407:
            return DeskUnreachable(
                f"The proxy on the way to {host} asks for a sign-in.", hint="Tell your IT department; nothing is lost."
            )
        case 413:
            return TooLarge(
                f"The file {name} is too large for the help desk." if name else "This is too large for the help desk.",
                name=name,
                words=words,
            )
        case 408:
            return DeskUnreachable(f"{host} did not get all of it in time.")
    wait = retry_after_s(headers)
    if status in ASKED_LATER and (wait is not None or status != 503):  # noqa: PLR2004 -- as above
        return TooBusy("The help desk asks to wait a little.", retry_after_s=wait, words=words)
    if 400 <= status < 500:  # noqa: PLR2004 -- as above
        sentence = f"The help desk did not accept it: {words}" if words else "The help desk did not accept it."
        return DeskRefused(sentence, words=words, **({"hint": hint} if hint else {}))
    if act is Act.WRITE:
        return OutcomeUnknown("The help desk had a fault while it took this; it may have kept it.")
    return DeskBroken(f"The help desk answered with a fault of its own ({status}).", words=words)


def not_the_desk(what: str, *, act: Act, yes: bool = False) -> DeskFault:
    """An answer that says yes but is not what the desk answers: a web page, no JSON, no ticket number, no end.

    Args:
        what: the sentence.
        act: what was being done.
        yes: the status said that something was made (201), so it probably was.
    """
    if act is Act.WRITE or (yes and act is not Act.READ):
        return OutcomeUnknown(what)
    return DeskBroken(what)


def _moved(headers: Mapping[str, str], host: str) -> DeskFault:
    """A redirection is never followed: it could carry the token to another host."""
    try:
        to = httpx.URL(headers.get("location", "")).host or host
    except httpx.InvalidURL:
        to = host
    return DeskBroken(
        f"{host} sends us on to {plain(to, limit=80)}, and Deskside does not follow with your sign-in."
        if to != host
        else f"{host} sends us on to another address.",
        hint="If this is a sign-in page of the network, sign in there first; otherwise IT should correct the help desk's address.",
    )


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `Retry-After` in seconds or as a date, else from `ratelimit-reset` in seconds (Zendesk); None where
    they are missing or make no sense.

    A date is compared with the answer's own `Date` where there is one: this computer's clock may be wrong.
    """
    raw = headers.get("retry-after", "").strip()
    reset = headers.get("ratelimit-reset", "").strip()
    if not raw and re.fullmatch(r"[0-9]{1,4}", reset):  # more digits are a moment since 1970, as other desks have it
        raw = reset
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", raw):
        return min(float(raw), MAX_WAIT_S)
    until, now = moment(raw), moment(headers.get("date", "")) or datetime.now(UTC)
    return None if until is None else min(max(0.0, (until - now).total_seconds()), MAX_WAIT_S)


def moment(text: str) -> datetime | None:
    """The moment that a header tells, None where it tells none. It has a time zone."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class _Said(msgspec.Struct):
    """What desks write into an error, by the names that are common."""

    title: object = ""
    detail: object = ""
    hint: object = ""
    message: object = ""
    error_human: object = ""  # Zammad
    description: object = ""  # Zendesk, Freshservice
    errorMessage: object = ""  # noqa: N815 -- Jira's name
    errorMessages: object = ()  # noqa: N815 -- Jira's name
    errors: object = ()  # Jira: {field: words}; Freshservice: [{field, message}]
    details: object = ()  # Zendesk: {field: [{description}]}
    error: object = ""
    response_status: object = ()  # ServiceDesk Plus: {messages: [{message, field}]}
    file: object = ""


def _said(headers: Mapping[str, str], body: bytes, secret: str) -> tuple[str, str, str]:
    """The desk's words, its hint and the file it speaks of; all plain text, empty where there are none."""
    try:
        found = msgspec.json.decode(body, type=_Said)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        kind = headers.get("content-type", "")
        if "html" in kind or re.match(rb"\s*(<!doctype|<html)", body[:200], re.IGNORECASE):
            return "", "", ""  # a whole web page says nothing that fits into a sentence
        return plain(body[: 8 * MAX_WORDS].decode("utf-8", "replace"), secret=secret), "", ""
    said = (found.detail, found.message, found.error_human, found.errorMessage, found.description)
    status = found.response_status
    messages = status.get("messages") if isinstance(status, dict) else ()
    each = [text for one in (found.errorMessages, found.errors, found.details, messages) for text in _each(one)]
    nested = _each(found.error) if isinstance(found.error, dict) else []
    ways = [*said, *each[:1], *nested, found.error, found.title]
    texts = [one for one in ways if isinstance(one, str) and one.strip()]
    if each and texts and texts[0] == found.description:  # "Validation failed": what failed says more
        texts[0] = f"{texts[0]}: {'; '.join(each[:5])}"
    hint = found.hint if isinstance(found.hint, str) else ""
    file = found.file if isinstance(found.file, str) else ""
    return plain(texts[0] if texts else "", secret=secret), plain(hint, secret=secret), plain(file, secret=secret)


def _each(found: object, *, depth: int = 0) -> list[str]:
    """The sentences of a list or table of errors, with the names of the fields that they are about."""
    if depth > 3:  # noqa: PLR2004 -- deeper than any desk nests them
        return []
    if isinstance(found, str):
        return [found] if found.strip() else []
    if isinstance(found, list):
        return [text for one in found[:10] for text in _each(one, depth=depth + 1)]
    if not isinstance(found, dict):
        return []
    named = (found.get("message"), found.get("msg"), found.get("description"))
    words = next((one for one in named if isinstance(one, str)), "")
    if words:
        field = found.get("field")
        return [f"{field}: {words}" if isinstance(field, str) and field else words]
    return [
        text if name == "title" else f"{name}: {text}"
        for name, inner in list(found.items())[:10]
        for text in _each(inner, depth=depth + 1)
    ]


def plain(text: str, *, limit: int = MAX_WORDS, secret: str = "") -> str:
    """Somebody else's text, safe to show: one line of `limit` characters, no tags, secrets, control or direction marks."""
    # Of "user:password" the password alone too; a shorter one would take single letters out of every word.
    secrets = [one for one in (secret, secret.partition(":")[2]) if len(one) >= 4 or (one and one == secret)]  # noqa: PLR2004
    for one in secrets:
        text = text.replace(one, "…")
    text = TAG.sub(" ", html.unescape(TAG.sub(" ", text[: limit * 20])))
    for one in secrets:
        text = text.replace(one, "…")
    text = "".join(one if one.isprintable() else " " for one in text)
    text = without_secrets(re.sub(r"\s+", " ", text).strip())[0]
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def bad_address(url: str, why: str) -> SettingsFault:
    """`desk.url` cannot be used; the address itself is not repeated, for it may hold a password."""
    del url
    message = f"The help desk's address cannot be used: {why}"
    return SettingsFault(
        message, problems=(f"desk.url: {message}",), hint="Set desk.url to something like https://help.example.com."
    )
