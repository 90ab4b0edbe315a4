"""A Freshservice as its API shows it to the keys of agents, strict about parts, members and numbers."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from tests.servers.small_server import Asked, Refusal, Reply, SmallServer, unknown

AT = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"  # the answers' Date header says when it is, so this must agree
LONG_AGO = "2025-01-31T09:00:00Z"
TICKET = {"requester_id", "subject", "description", "status", "priority", "group_id", "category", "attachments[]"}
NEEDED = {"requester_id", "subject", "description", "status", "priority"}
CUSTOM = {"custom_fields[deskside_cause]", "custom_fields[deskside_device]"}
NOTE = {"body", "private", "incoming", "user_id", "attachments[]"}
ARTICLES = [{"id": 1, "title": "Order a new computer", "description": "<p>In the shop</p>", "updated_at": AT}]


def invalid(field: str, words: str) -> Refusal:
    errors = [{"field": field, "message": words, "code": "invalid_value"}]
    return Refusal(400, {"description": "Validation failed", "errors": errors})


def file_name(header: str) -> str:
    """As Rack reads it: escapes are taken out where every % begins one."""
    if all(re.fullmatch(r"%[0-9a-fA-F]{2}", one) for one in re.findall(r"%.{0,2}", header)):
        header = unquote(header)
    return header.replace("\\\\", "\\")


class FakeFreshservice(SmallServer):
    """Two agents with keys; each key sees everybody's tickets."""

    def __init__(self) -> None:
        super().__init__()
        self.people = {"key-robin-0123456789": (21, "Robin"), "key-kim-0123456789": (22, "Kim")}
        self.tickets: dict[int, dict[str, Any]] = {}
        self.messages: list[dict[str, Any]] = []

    # --- the agent's side

    def agent_says(self, ticket: int, text: str, *, public: bool) -> None:
        markup = "".join(f"<p>{one}</p>" for one in text.split("\n\n"))
        with self.lock:
            self._say(ticket, 99, markup, [], private=not public, incoming=False)

    # --- the API

    def answer(self, asked: Asked) -> Reply:  # noqa: PLR0911 -- a table of addresses
        me, name = self._who(asked)
        match asked.method, asked.path.removeprefix("/api/v2").strip("/").split("/"):
            case "GET", ["agents", "me"]:
                agent = {"id": me, "email": f"{name.lower()}@example.com", "first_name": name, "last_name": "Example"}
                return Reply(200, {"agent": agent})
            case "POST", ["tickets"]:
                return self._create(asked)
            case "GET", ["tickets"]:
                return self._list(asked)
            case "GET", ["tickets", number]:
                return Reply(200, {"ticket": self._told(self._ticket(number))})
            case "GET", ["tickets", number, "conversations"]:
                said = [one for one in self.messages if one["ticket"] == self._ticket(number)["id"]]
                return Reply(200, {"conversations": [self._message(one) for one in self._page(asked, said, 30)]})
            case "POST", ["tickets", number, "notes"]:
                return self._note(asked, self._ticket(number)["id"])
            case "GET", ["solutions", "articles", "search"]:
                if unknown(asked.query, {"search_term", "user_email"}) or "@" not in asked.query.get("user_email", ""):
                    raise invalid("user_email", "It should be a valid address")
                words = set(asked.query["search_term"].lower().split())
                return Reply(200, {"articles": [one for one in ARTICLES if words & set(one["title"].lower().split())]})
        raise Refusal(404, None)

    def _who(self, asked: Asked) -> tuple[int, str]:
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        user, _, password = base64.b64decode(token).decode().partition(":") if scheme == "Basic" else ("", "", "")
        if password != "X" or user not in self.people:
            words = "You have to be logged in to perform this action."
            raise Refusal(401, {"code": "invalid_credentials", "message": words})
        return self.people[user]

    def _sent(
        self, asked: Asked, allowed: set[str], needed: set[str]
    ) -> tuple[dict[str, str], list[tuple[str, bytes]]]:
        parts = asked.parts()
        if not parts:
            raise Refusal(415, {"code": "invalid_content_type", "message": "Content-Type must be multipart/form-data"})
        if wrong := {one.name for one in parts} - allowed:
            raise invalid(min(wrong), "Unexpected/invalid field in request")
        if lacking := needed - {one.name for one in parts if one.data}:
            raise invalid(min(lacking), "It should not be blank as this is a mandatory field")
        values = {one.name: one.data.decode() for one in parts if one.filename is None}
        return values, [(file_name(one.filename), one.data) for one in parts if one.filename is not None]

    def _create(self, asked: Asked) -> Reply:
        sent, files = self._sent(asked, TICKET | CUSTOM, NEEDED)
        if sent["priority"] not in {"1", "2", "3", "4"} or sent["status"] not in {"2", "3", "4", "5"}:
            raise invalid("priority", "It should be one of these values: '1,2,3,4'")
        number = len(self.tickets) + 1
        self.tickets[number] = {
            "id": number,
            "subject": sent["subject"],
            "description": f"<div>{sent['description']}</div>",
            "status": int(sent["status"]),
            "priority": int(sent["priority"]),
            "group_id": int(sent["group_id"]) if "group_id" in sent else None,
            "requester_id": int(sent["requester_id"]),
            "custom_fields": {name[14:-1]: value for name, value in sent.items() if name in CUSTOM},
            "files": files,
            "created_at": AT,
            "updated_at": AT,
        }
        return Reply(201, {"ticket": self._told(self.tickets[number])})

    def _note(self, asked: Asked, ticket: int) -> Reply:
        sent, files = self._sent(asked, NOTE, {"body"})
        private = sent.get("private", "true") == "true"
        incoming = sent.get("incoming", "false") == "true"
        said = self._say(ticket, int(sent["user_id"]), sent["body"], files, private=private, incoming=incoming)
        return Reply(201, {"conversation": self._message(said)})

    def _say(
        self, ticket: int, user: int, body: str, files: list[tuple[str, bytes]], *, private: bool, incoming: bool
    ) -> dict[str, Any]:
        said = {"id": len(self.messages) + 1, "ticket": ticket, "user_id": user, "body": body, "files": files}
        self.messages.append({**said, "private": private, "incoming": incoming, "created_at": AT})
        return self.messages[-1]

    @staticmethod
    def _message(one: dict[str, Any]) -> dict[str, Any]:
        files = [{"name": name, "size": len(data), "content_type": ""} for name, data in one["files"]]
        return {**{key: value for key, value in one.items() if key not in {"files", "ticket"}}, "attachments": files}

    _told = _message

    def _ticket(self, number: str) -> dict[str, Any]:
        ticket = self.tickets.get(int(number)) if number.isdigit() else None
        if ticket is None:
            raise Refusal(404, None)
        return ticket

    def _list(self, asked: Asked) -> Reply:
        if unknown(asked.query, {"email", "requester_id", "updated_since", "page", "per_page", "order_type"}):
            raise invalid("query", "Unexpected/invalid field in request")
        people = {f"{name.lower()}@example.com": number for number, name in self.people.values()}
        found = [
            {key: value for key, value in self._told(one).items() if key not in {"description", "attachments"}}
            for one in reversed(self.tickets.values())
            if one["requester_id"] == people.get(asked.query.get("email", ""))
            and ("updated_since" in asked.query or one["created_at"] != LONG_AGO)
        ]
        return Reply(200, {"tickets": self._page(asked, found, 100)})

    @staticmethod
    def _page(asked: Asked, found: list[Any], most: int) -> list[Any]:
        size = min(int(asked.query.get("per_page", 30)), most)
        page = int(asked.query.get("page", 1))
        return found[(page - 1) * size : page * size]
