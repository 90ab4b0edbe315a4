"""A Zammad that knows what customers may do, and is strict about it: unknown members are refused instead of dropped."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from tests.servers.small_server import Asked, Refusal, Reply, SmallServer, unknown

AT = "2026-01-31T09:00:00.000Z"
TICKET = {"title", "group", "group_id", "priority_id", "article", "deskside_cause", "deskside_device"}
ARTICLE = {"body", "content_type", "type", "internal", "subject", "attachments", "ticket_id"}
GROUPS = {"IT": 2, "Network": 5}


class FakeZammad(SmallServer):
    """Two customers; `colleagues_share` shows them each other's tickets, as customers of one shared organisation are shown them.

    `index_lags`: the search does not know new tickets yet.
    """

    def __init__(self) -> None:
        super().__init__()
        self.people = {"token-robin": (5, "Robin"), "token-kim": (6, "Kim")}
        self.tickets: dict[int, dict[str, Any]] = {}
        self.articles: list[dict[str, Any]] = []
        self.index_lags = False
        self.colleagues_share = False

    # --- the agent's side

    def agent_says(self, ticket: int, text: str, *, public: bool) -> None:
        with self.lock:
            self._add(ticket, text, "text/plain", sender="Agent", author="Ada Agent", internal=not public, files=[])

    def agent_says_html(self, ticket: int, markup: str) -> None:
        with self.lock:
            self._add(ticket, markup, "text/html", sender="Agent", author="Ada Agent", internal=False, files=[])

    def close_ticket(self, ticket: int) -> None:
        self.tickets[ticket]["state"] = "closed"

    # --- the API

    def answer(self, asked: Asked) -> Reply:  # noqa: PLR0911 -- a table of addresses
        token = re.fullmatch(r"Token token=(\S+)", asked.headers.get("authorization", ""))
        if not token or token[1] not in self.people:
            raise Refusal(401, {"error": "Invalid token!" if token else "Authentication required"})
        me, name = self.people[token[1]]
        match asked.method, asked.path.removeprefix("/api/v1").strip("/").split("/"):
            case "GET", ["users", "me"]:
                return Reply(200, {"id": me, "firstname": name, "lastname": "Example", "login": name.lower()})
            case "POST", ["tickets"]:
                return self._create(asked, me, name)
            case "GET", ["tickets"]:
                return Reply(200, self._list(asked, me))
            case "GET", ["tickets", "search"]:
                return Reply(200, self._search(asked, me))
            case "GET", ["tickets", number]:
                return Reply(200, self._told(self._mine(number, me), asked))
            case "GET", ["ticket_articles", "by_ticket", number]:
                ticket = self._mine(number, me)
                return Reply(200, [self._article(one) for one in self._of(ticket["id"]) if not one["internal"]])
            case "POST", ["ticket_articles"]:
                return self._reply(asked, me, name)
        raise Refusal(404, {"error": f"No route matches [{asked.method}] {asked.path}"})

    def _create(self, asked: Asked, me: int, name: str) -> Reply:
        sent = self._object(asked, TICKET)
        group = sent.get("group_id") or GROUPS.get(sent.get("group", ""))
        if group not in GROUPS.values():
            raise Refusal(422, {"error": "No lookup value found for 'group'", "error_human": "This group is unknown."})
        if not sent.get("title"):
            raise Refusal(422, {"error": "Missing required value for field 'title'!"})
        files = self._check_article(sent.get("article"))
        number = len(self.tickets) + 1
        extra = {key: value for key, value in sent.items() if key.startswith("deskside_")}
        self.tickets[number] = {
            "id": number,
            "number": f"2200{number}",
            "title": sent["title"],
            "group_id": group,
            "customer_id": me,
            "state_id": 1,
            "state": "new",
            "note": None,
            "created_at": AT,
            "updated_at": AT,
            **extra,
        }
        self._add_sent(number, sent["article"], name, files)
        return Reply(201, self._told(self.tickets[number], asked))

    def _reply(self, asked: Asked, me: int, name: str) -> Reply:
        sent = self._object(asked, ARTICLE)
        ticket = self._mine(str(sent.get("ticket_id")), me)
        return Reply(201, self._article(self._add_sent(ticket["id"], sent, name, self._check_article(sent))))

    def _object(self, asked: Asked, allowed: set[str]) -> dict[str, Any]:
        sent = asked.json()
        if wrong := unknown(sent, allowed):
            raise Refusal(422, {"error": f"unknown attributes: {wrong}"})
        return sent

    def _check_article(self, sent: Any) -> list[tuple[str, bytes]]:
        if wrong := unknown(sent, ARTICLE):
            raise Refusal(422, {"error": f"unknown attributes: {wrong}"})
        if "body" not in sent:
            raise Refusal(422, {"error": 'Need at least article: { body: "some text" }'})
        files = []
        for place, one in enumerate(sent.get("attachments", [])):
            for key in ("mime-type", "filename", "data"):
                if key not in one:
                    raise Refusal(422, {"error": f"Attachment needs '{key}' param for attachment with index '{place}'"})
            try:
                files.append((one["filename"], base64.b64decode(one["data"], validate=True)))
            except binascii.Error:
                raise Refusal(422, {"error": f"Invalid base64 for attachment with index '{place}'"}) from None
        return files

    def _add_sent(self, ticket: int, sent: dict[str, Any], name: str, files: list[tuple[str, bytes]]) -> dict[str, Any]:
        kind = sent.get("content_type", "text/plain")
        return self._add(ticket, sent["body"], kind, sender="Customer", author=name, internal=False, files=files)

    def _add(self, ticket: int, body: str, kind: str, *, sender: str, author: str, internal: bool, files: list) -> dict:
        article = {
            "id": len(self.articles) + 1,
            "ticket_id": ticket,
            "from": author,
            "to": None,
            "subject": None,
            "body": body,
            "content_type": kind,
            "type": "web" if sender == "Customer" else "note",
            "internal": internal,
            "sender": sender,
            "files": files,
            "created_at": AT,
        }
        self.articles.append(article)
        return article

    def _of(self, ticket: int) -> list[dict[str, Any]]:
        return [one for one in self.articles if one["ticket_id"] == ticket]

    @staticmethod
    def _article(one: dict[str, Any]) -> dict[str, Any]:
        files = [
            {"id": place, "filename": name, "size": str(len(data)), "preferences": {}}
            for place, (name, data) in enumerate(one["files"])
        ]
        return {**{key: value for key, value in one.items() if key != "files"}, "attachments": files}

    @staticmethod
    def _told(ticket: dict[str, Any], asked: Asked) -> dict[str, Any]:
        return {key: value for key, value in ticket.items() if key != "state" or asked.query.get("expand") == "true"}

    def _seen_by(self, me: int) -> list[dict[str, Any]]:
        return [one for one in self.tickets.values() if one["customer_id"] == me or self.colleagues_share]

    def _mine(self, number: str, me: int) -> dict[str, Any]:
        ticket = self.tickets.get(int(number)) if number.isdigit() else None
        if ticket is None:
            raise Refusal(404, {"error": f"Couldn't find Ticket with 'id'={number}"})
        if ticket not in self._seen_by(me):
            raise Refusal(403, {"error": "Not authorized"})
        return ticket

    def _list(self, asked: Asked, me: int) -> list[dict[str, Any]]:
        size = min(int(asked.query.get("per_page", 100)), 100)
        start = (int(asked.query.get("page", 1)) - 1) * size
        return [self._told(one, asked) for one in self._seen_by(me)[start : start + size]]

    def _search(self, asked: Asked, me: int) -> Any:
        if "query" not in asked.query:
            raise Refusal(422, {"error": "query missing"})
        words = asked.query["query"].strip('"')
        hits = [
            one
            for one in self._seen_by(me)
            if not self.index_lags and any(words in article["body"] for article in self._of(one["id"]))
        ]
        if asked.query.get("expand") == "true":
            return [self._told(one, asked) for one in hits]
        return {"tickets": [one["id"] for one in hits], "tickets_count": len(hits), "assets": {}}
