"""What adapters need of texts: one line, HTML to plain text and back, a link that may be opened, our key in a ticket's text.

Pure. Imports no HTTP library and nothing that waits.
"""

from __future__ import annotations

import html
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlsplit

from client.errors import NotFound, SettingsFault, SignInNeeded
from client.model import Payload
from client.receipt import LABEL, without_ref
from client.routing import OWN

__all__ = [  # `without_ref` is made where receipts are, and looked for here
    "FIELDS",
    "MAX_LINE",
    "MAX_VALUE",
    "basic",
    "checked",
    "field_rules",
    "html_of",
    "missing",
    "not_yours",
    "one_line",
    "own_fields",
    "proper_secret",
    "routed",
    "signed",
    "text_of",
    "web_link",
    "with_ref",
    "without_ref",
]

MAX_LINE: Final = 500  # of a subject that a desk tells
MAX_VALUE: Final = 200  # of a field
FIELDS: Final = ("cause", "subject", "severity", "tier", "device", "client", "version", "platform")
DIGITS: Final = re.compile(r"[0-9]{1,18}")
BREAKS: Final = frozenset(
    {"p", "div", "br", "li", "tr", "pre", "blockquote", "ul", "ol", "table", "section", "article"}
) | {f"h{level}" for level in range(1, 7)}
UNSEEN: Final = frozenset({"script", "style", "head", "title", "template", "noscript"})


def one_line(text: str, limit: int = MAX_VALUE) -> str:
    """One line without control or direction characters, at most `limit` characters."""
    return "".join(one if one.isprintable() else " " for one in text)[:limit]


def web_link(url: str) -> str:
    """A desk's link that a browser may be sent to, empty for anything else: what a server says may name a program or a file."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    fine = parts.scheme in {"http", "https"} and parts.hostname and not parts.username and url.isprintable()
    return url if fine and " " not in url else ""


def checked(ticket_id: str, pattern: re.Pattern[str]) -> str:
    """A ticket's id that can stand in an address.

    Raises:
        NotFound: no ticket of this desk has such an id.
    """
    if not pattern.fullmatch(ticket_id):
        raise not_yours()
    return ticket_id


def not_yours() -> NotFound:
    """The desk has no such ticket for this employee; whether somebody else has is nobody's business."""
    return NotFound("The help desk has no ticket with this number for you.")


def with_ref(payload: Payload) -> str:
    """The ticket's text with our key in it, so that a desk without a place for keys can be asked for it."""
    return payload.body if payload.key in payload.body else f"{payload.body}\n\n{LABEL}{payload.key}"


def own_fields(rules: Sequence[str], payload: Payload) -> dict[str, str]:
    """The desk's own fields for a ticket: name or number of the field, and its value; empty values are left out.

    What IT's rules have set for a field of the desk counts before what `desk.fields` would.

    Args:
        rules: `desk.fields`, each "cause=FIELD".
        payload: the ticket.

    Raises:
        SettingsFault: a rule cannot be used.
    """
    return {
        field: one_line(value)
        for ours, field in field_rules(rules).items()
        if (value := payload.fields.get(ours, "").strip())
    } | {
        name.removeprefix(OWN): one_line(value)
        for name, value in payload.fields.items()
        if name.startswith(OWN) and value
    }


def routed(payload: Payload, name: str, otherwise: str, pattern: re.Pattern[str] | None = None) -> str:
    """Where IT's rules send this ticket, or what the settings say for all.

    Args:
        payload: the ticket.
        name: "queue", "request_type", "category" or "priority".
        otherwise: without a rule, and where a rule's value cannot be one of this desk's.
        pattern: of the values that can.
    """
    value = payload.fields.get(name, "").strip()
    return one_line(value) if value and (pattern is None or pattern.fullmatch(value)) else otherwise


def field_rules(rules: Sequence[str]) -> dict[str, str]:
    """`desk.fields` by our names.

    Raises:
        SettingsFault: a rule names nothing that Deskside knows, or no field.
    """
    found: dict[str, str] = {}
    for rule in rules:
        ours, _, field = (part.strip() for part in rule.partition("="))
        if ours not in FIELDS or not field:
            message = f"desk.fields has {one_line(rule, 80)!r}, which cannot be used."
            raise SettingsFault(
                message, problems=(message,), hint=f'Write "cause=FIELD", with one of: {", ".join(FIELDS)}.'
            )
        found[ours] = field
    return found


def missing(key: str, why: str) -> SettingsFault:
    """A setting that this help desk cannot be used without."""
    message = f"{key} is not set: {why}"
    return SettingsFault(message, problems=(message,), hint=f"Ask who looks after the help desk, and set {key}.")


def basic(user: str, password: str) -> dict[str, str]:
    """The header of HTTP's Basic sign-in."""
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def proper_secret(secret: str | None) -> str:
    """A secret that can stand in a header.

    Raises:
        SignInNeeded: there is none, or it cannot be right.
    """
    if not secret:
        raise SignInNeeded("Nobody is signed in to the help desk on this computer.")
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise SignInNeeded("The sign-in that is kept on this computer cannot be right.")
    return secret


def signed(make: Callable[[str], Mapping[str, str]]) -> Callable[[str | None], dict[str, str]]:
    """A `sign_in` for `client.desks.http.Line` from what makes headers of a proper secret."""
    return lambda secret: dict(make(proper_secret(secret)))


def html_of(text: str) -> str:
    """Plain text as HTML that shows the same, for desks that take nothing else."""
    return html.escape(text, quote=False).replace("\r\n", "\n").replace("\n", "<br>\n")


def text_of(markup: str) -> str:
    """What a person sees of HTML: no tags, no scripts, a line for each block; not more than two line ends in a row."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.found).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    """Collects what is seen. White space of the source means a space; blocks and `br` end a line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 -- HTMLParser's
        if tag in UNSEEN:
            self._unseen += 1
        elif tag in BREAKS and (tag == "br" or not self._fresh()):
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag == "p":
            self.found.append("\n\n")
        elif tag in BREAKS and not self._fresh():
            self.found.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.found.append(re.sub(r"\s+", " ", data))

    def _fresh(self) -> bool:
        """Whether a new line has just begun."""
        return not self.found or not "".join(self.found[-3:]).strip(" ") or "".join(self.found[-3:]).endswith("\n")
