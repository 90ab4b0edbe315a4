"""The agent's side of the embedded help desk, over HTTP as a browser would: sign in, read a ticket, fetch its files, answer.

It proves from the other side what the client claims to have sent. Only for the embedded desk on loopback.
"""

from __future__ import annotations

from html.parser import HTMLParser
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin

import msgspec

from client.errors import EnvironmentFault, NotFound

if TYPE_CHECKING:
    import httpx

WAIT_S = 20.0  # the desk's own patience with its database
FOUND, REDIRECT, MISSING = 200, 302, 404
HIDDEN = frozenset({"script", "style", "template", "head", "title"})
VOID = frozenset({"input", "br", "img", "hr", "link", "meta"})


class AgentFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as the agent gets it."""

    name: str
    media_type: str
    data: bytes


class AgentTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as the agent sees it.

    `body` is the description exactly as stored; `text` is what the whole page says, one piece of text a line. `fields` maps
    the help desk's field names (cause, device, key ...) to their values. `attachments` are in the order they were sent.
    """

    id: str
    url: str
    title: str
    body: str
    text: str
    fields: dict[str, str]
    attachments: tuple[AgentFile, ...]


class Page(HTMLParser):
    """What we need of a page: its form fields, its links to files, Deskside's fields, its visible text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.radios: dict[str, str] = {}
        self.files: list[tuple[str, str]] = []
        self.fields: dict[str, str] = {}
        self.words: list[str] = []
        self._form: dict[str, str] | None = None
        self._select = ""
        self._into: tuple[dict[str, str], str] | None = None
        self._stack: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes what begins."""
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self._stack.append(tag)
        if tag == "form":
            self._form = {}
            self.forms.append(self._form)
        elif tag == "a" and "data-file" in given:
            self.files.append((given["data-file"], given.get("href", "")))
        elif tag == "dd" and "data-field" in given:
            self.fields[given["data-field"]] = ""
            self._into = (self.fields, given["data-field"])
        elif self._form is not None:
            self._control(self._form, tag, given)

    def _control(self, form: dict[str, str], tag: str, given: dict[str, str]) -> None:
        name = given.get("name", "")
        if tag == "input" and name:
            self._input(form, name, given)
        elif tag == "textarea" and name:
            form[name] = ""
            self._into = (form, name)
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in form):
            form[self._select] = given.get("value", "")

    def _input(self, form: dict[str, str], name: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text")
        if kind == "radio":
            self.radios[given.get("id", "")] = given.get("value", "")
        if kind in {"radio", "checkbox"}:
            if "checked" in given:
                form[name] = given.get("value", "on")
        elif kind not in {"file", "submit", "button"}:
            form[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """Notes what ends."""
        while self._stack and self._stack.pop() != tag:
            pass
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag in {"textarea", "dd"}:
            self._into = None

    def handle_data(self, data: str) -> None:
        """Collects text."""
        if self._into is not None:
            where, name = self._into
            # HTML leaves out the line end that directly follows <textarea>.
            where[name] += data.removeprefix("\n") if not where[name] and self._stack[-1:] == ["textarea"] else data
        if not HIDDEN.intersection(self._stack) and (words := " ".join(data.split())):
            self.words.append(words)


class AgentSeat:
    """A signed-in agent. Use it in a `with` block.

    Args:
        url: the desk's address.
        user: the agent's name.
        password: the agent's password.

    Raises:
        EnvironmentFault: the page does not answer or does not let the agent in.
    """

    def __init__(self, url: str, *, user: str, password: str) -> None:
        import httpx  # noqa: PLC0415 -- the launcher is imported by the command line, which mostly does something else

        self._error = httpx.HTTPError
        # No proxy of the environment may stand between two processes of one machine.
        self._line: httpx.Client = httpx.Client(base_url=url, timeout=WAIT_S, trust_env=False)
        try:
            self._sign_in(user, password)
        except BaseException:
            self.close()
            raise

    def _sign_in(self, user: str, password: str) -> None:
        form = _first(self._get("/login/").forms, "username")
        if self._send("/login/", {**form, "username": user, "password": password, "next": "/tickets/"}) != REDIRECT:
            raise EnvironmentFault("The help desk did not let the agent in.", hint="Is the password still the same?")

    def ticket(self, ticket_id: str) -> AgentTicket:
        """The ticket's page, its description as stored, and all files.

        Raises:
            NotFound: there is no such ticket.
            EnvironmentFault: the page cannot be read.
        """
        path = f"/tickets/{ticket_id}/"
        page = self._get(path)
        stored = _first(self._get(f"{path}edit/").forms, "description")
        files = []
        for name, href in page.files:
            answer = self._ask("GET", href)
            if answer.status_code != FOUND:
                raise EnvironmentFault(f"The agent cannot open the file {name}.")
            media_type = answer.headers.get("Content-Type", "").partition(";")[0]
            files.append(AgentFile(name=name, media_type=media_type, data=answer.content))
        return AgentTicket(
            id=ticket_id,
            url=urljoin(str(self._line.base_url), path),
            title=stored.get("title", ""),
            body=stored.get("description", ""),
            text="\n".join(page.words),
            fields={name: value.strip() for name, value in page.fields.items()},
            attachments=tuple(files),
        )

    def tickets(self, *, key: str) -> tuple[str, ...]:
        """The ids of all tickets that the desk's own search finds for a Deskside key: how many there are, seen by the agent.

        Raises:
            EnvironmentFault: the search cannot be read.
        """
        import base64  # noqa: PLC0415 -- only here
        import json  # noqa: PLC0415 -- only here

        query = base64.b64encode(json.dumps({"search_string": key}).encode()).decode()
        answer = self._ask("GET", f"/datatables_ticket_list/{query}")
        try:
            rows = answer.json()["data"]
            return tuple(str(row["id"]) for row in rows)
        except (ValueError, KeyError, TypeError) as error:
            raise EnvironmentFault("The agent's search cannot be read.") from error

    def reply(
        self,
        ticket_id: str,
        text: str,
        *,
        public: bool = True,
        status: str = "",
        files: tuple[tuple[str, bytes, str], ...] = (),
    ) -> None:
        """Fills in and sends the page's answer form.

        Args:
            ticket_id: the ticket's id.
            text: what the agent writes.
            public: False makes it an internal note.
            status: "open", "resolved", "closed" ...; empty leaves it.
            files: name, content and media type of each.

        Raises:
            NotFound: there is no such ticket.
            EnvironmentFault: the desk did not take it.
        """
        page = self._get(f"/tickets/{ticket_id}/")
        form = dict(_first(page.forms, "comment"))
        if not form:
            raise EnvironmentFault("The agent's page has no form to answer with.")
        form["comment"] = text
        form.pop("public", None)
        if public:
            form["public"] = "1"
        if status:
            form["new_status"] = page.radios[f"st_{status}"]
        self._form_sent(f"/tickets/{ticket_id}/update/", form, files)

    def assign(self, ticket_id: str) -> None:
        """Takes the ticket, by the page's own button."""
        self._ask("GET", f"/tickets/{ticket_id}/?take")

    def announce(
        self, title: str, *, kind: str = "outage", causes: str = "", subjects: str = "", text: str = ""
    ) -> None:
        """Fills in and sends the form for announcements.

        Args:
            title: one line for everybody.
            kind: "outage", "maintenance" or "notice".
            causes: ids, one a line.
            subjects: what it is about, one a line.
            text: more about it.

        Raises:
            EnvironmentFault: the desk did not take it.
        """
        path = "/admin/deskside/announcement/add/"
        form = _first(self._get(path).forms, "title")
        told = {"title": title, "kind": kind, "causes": causes, "subjects": subjects, "text": text}
        self._form_sent(path, {**form, **told}, ())

    def end_announcements(self) -> None:
        """Says of everything that was announced that it is over.

        Raises:
            EnvironmentFault: the desk did not take it.
        """
        path = "/admin/deskside/announcement/"
        form = _first(self._get(path).forms, "select_across")
        self._form_sent(
            path, {**form, "action": "end", "index": "0", "_selected_action": "0", "select_across": "1"}, ()
        )

    def close(self) -> None:
        """Lets go of the connection."""
        self._line.close()

    def _form_sent(self, path: str, form: dict[str, str], files: tuple[tuple[str, bytes, str], ...]) -> None:
        if self._send(path, form, files) != REDIRECT:
            raise EnvironmentFault("The help desk did not take the agent's answer.")

    def _get(self, path: str) -> Page:
        answer = self._ask("GET", path)
        if answer.status_code == MISSING:
            raise NotFound("The help desk has no such ticket.")
        if answer.status_code != FOUND:
            raise EnvironmentFault(f"The agent's page answered with {answer.status_code}.")
        return Page(answer.text)

    def _send(self, path: str, form: dict[str, str], files: tuple[tuple[str, bytes, str], ...] = ()) -> int:
        return self._ask(
            "POST", path, data=form, files=[("attachment", one) for one in files] if files else None
        ).status_code

    def _ask(
        self,
        method: str,
        path: str,
        *,
        data: dict[str, str] | None = None,
        files: list[tuple[str, tuple[str, bytes, str]]] | None = None,
    ) -> httpx.Response:
        try:
            return self._line.request(method, path, data=data, files=files)
        except self._error as error:
            raise EnvironmentFault(
                "The agent's page does not answer.", hint="Is the help desk still running?"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _first(forms: list[dict[str, str]], name: str) -> dict[str, str]:
    """The form that has a field of this name, empty where there is none."""
    return next((form for form in forms if name in form), {})
