"""A GLPI 11 with its high-level API: OAuth 2, RSQL, timelines. What its schemas do not name is refused, not dropped."""

from __future__ import annotations

import itertools
import re
from typing import Any
from urllib.parse import parse_qsl

from tests.servers.small_server import Asked, Refusal, Reply, SmallServer, unknown

AT = "2026-01-31T09:00:00+00:00"
CLIENT = "0123abcd:client-secret-9876"
TICKET = {"name", "content", "external_id", "type", "category", "urgency"}
NOT_FOUND = {"status": "ERROR_ITEM_NOT_FOUND", "title": "Item not found", "detail": None}
DENIED = {"status": "ERROR_RIGHT_MISSING", "title": "You don't have permission to perform this action.", "detail": None}
ARTICLES = [
    {
        "id": 3,
        "name": "How to order a new computer",
        "content": "<p>Open the <b>catalogue</b>.</p>",
        "description": None,
        "is_faq": True,
        "date_mod": AT,
    },
    {
        "id": 4,
        "name": "Order of the computer room, for agents",
        "content": "<p>Internal</p>",
        "description": None,
        "is_faq": False,
        "date_mod": AT,
    },
]


class FakeGlpi(SmallServer):
    """Two people. `says_404`: follow-ups are saved and answered with 404, as GLPI 11.0.7 did.

    `old`: does not say who wrote a follow-up. `page`: what a list gives at most. `forget()` ends all tokens.
    """

    def __init__(self) -> None:
        super().__init__()
        self.people = {"robin": (5, "robin-password-1"), "kim": (6, "kim-password-1")}
        self.tokens: dict[str, int] = {}
        self.signed_in = 0
        self.tickets: dict[int, dict[str, Any]] = {}
        self.said: list[dict[str, Any]] = []
        self.documents: list[tuple[int, str]] = []
        self.says_404 = False
        self.old = False
        self.version = 2.3
        self.page = 100
        self._numbers = itertools.count(1)

    # --- the agent's side

    def agent_says(self, ticket: int, text: str, *, public: bool) -> None:
        with self.lock:
            self._say(ticket, f"<p>{text.replace(chr(10) * 2, '</p><p>')}</p>", user=2, private=not public)

    def solve(self, ticket: int, text: str) -> None:
        with self.lock:
            self._say(ticket, text, user=2, private=False, kind="Solution")
            self.tickets[ticket]["status"] = 5

    def forget(self) -> None:
        self.tokens.clear()

    # --- the API

    def answer(self, asked: Asked) -> Reply:  # noqa: PLR0911 -- a table of addresses
        if asked.path == "/api.php/token" and asked.method == "POST":
            return self._token(asked)
        bearer = re.fullmatch(r"Bearer (\S+)", asked.headers.get("authorization", ""))
        me = self.tokens.get(bearer[1]) if bearer else None
        if me is None:
            raise Refusal(401, {"status": "ERROR_UNAUTHENTICATED", "title": "You are not authenticated", "detail": ""})
        match asked.method, asked.path.removeprefix("/api.php/v2").strip("/").split("/"):
            case "GET", ["Administration", "User", "Me"]:
                name = next(name for name, (number, _) in self.people.items() if number == me)
                mails = [
                    {"id": 1, "email": "", "is_default": False},
                    {"email": f"{name}@example.com", "is_default": True},
                ]
                person = {"id": me, "username": name, "realname": "Example", "firstname": name.title(), "emails": mails}
                return Reply(200, person)
            case "POST", ["Assistance", "Ticket"]:
                return self._create(asked, me)
            case "GET", ["Assistance", "Ticket"]:
                return self._list([self._told(one) for one in self.tickets.values() if one["user"] == me], asked)
            case "GET", ["Assistance", "Ticket", number]:
                return Reply(200, self._told(self._mine(number, me)))
            case "GET", ["Assistance", "Ticket", number, "Timeline"]:
                return Reply(200, self._timeline(self._mine(number, me)["id"], me))
            case "POST", ["Assistance", "Ticket", number, "Timeline", "Followup"]:
                return self._reply(asked, self._mine(number, me)["id"], me)
            case "GET", ["Knowledgebase", "Article"] if self.version >= 2.2:
                return self._list(ARTICLES, asked)
        raise Refusal(404, NOT_FOUND)

    def _token(self, asked: Asked) -> Reply:
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
        sent = dict(parse_qsl(asked.body.decode()))
        if f"{sent.get('client_id')}:{sent.get('client_secret')}" != CLIENT:
            raise Refusal(401, {"error": "invalid_client", "error_description": "Client authentication failed"})
        if sent.get("grant_type") != "password" or "api" not in sent.get("scope", "").split():
            raise Refusal(400, {"error": "invalid_request", "error_description": "The request is missing a parameter"})
        number, password = self.people.get(sent.get("username", ""), (0, ""))
        if not password or sent.get("password") != password:
            raise Refusal(400, {"error": "invalid_grant", "error_description": "The user credentials were incorrect."})
        self.signed_in += 1
        token = f"token-{number}-{self.signed_in}"
        self.tokens[token] = number
        return Reply(200, {"token_type": "Bearer", "expires_in": 3600, "access_token": token})

    def _create(self, asked: Asked, me: int) -> Reply:
        sent = asked.json()
        if wrong := unknown(sent, TICKET):
            raise Refusal(400, {"status": "ERROR_INVALID_PARAMETER", "title": "Invalid input", "detail": wrong})
        number = next(self._numbers)
        self.tickets[number] = {"id": number, "user": me, "status": 1, **sent}
        return Reply(201, {"id": number, "href": f"/Assistance/Ticket/{number}"})

    def _reply(self, asked: Asked, ticket: int, me: int) -> Reply:
        sent = asked.json()
        if wrong := unknown(sent, {"content", "is_private"}):
            raise Refusal(400, {"status": "ERROR_INVALID_PARAMETER", "title": "Invalid input", "detail": wrong})
        number = self._say(ticket, sent["content"], user=me, private=sent["is_private"])
        if self.says_404:
            raise Refusal(404, NOT_FOUND)
        return Reply(201, {"id": number, "href": f"/Assistance/Ticket/{ticket}/Timeline/Followup/{number}"})

    def _say(self, ticket: int, content: str, *, user: int, private: bool, kind: str = "Followup") -> int:
        number = len(self.said) + 1
        one = {"id": number, "ticket": ticket, "kind": kind, "content": content, "user": user, "is_private": private}
        self.said.append(one)
        return number

    def _timeline(self, ticket: int, me: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for one in self.said:
            if one["ticket"] != ticket or (one["is_private"] and one["user"] != me):
                continue
            item = {key: one[key] for key in ("id", "content", "is_private")} | {"date_creation": AT}
            if not self.old:
                item["user"] = {"id": one["user"], "name": {2: "ada"}.get(one["user"], "someone")}
            found.append({"type": one["kind"], "item": item})
        found += [{"type": "Task", "item": {"id": 1, "content": "call back", "state": 1}}]
        return found + [
            {"type": "Document", "item": {"id": place, "name": None, "filename": name}}
            for place, (to, name) in enumerate(self.documents)
            if to == ticket
        ]

    def _told(self, one: dict[str, Any]) -> dict[str, Any]:
        names = {1: "New", 2: "Processing (assigned)", 5: "Solved", 6: "Closed"}
        team = [
            {"role": "requester", "name": "someone", "href": f"/front/user.form.php?id={one['user']}"},
            {"role": "assigned", "name": "ada", "href": "/front/user.form.php?id=2"},
        ]
        told = {key: value for key, value in one.items() if key not in {"user", "status"}}
        status = {"id": one["status"], "name": names[one["status"]]}
        return {**told, "status": status, "team": team, "date_creation": AT, "date_mod": AT}

    def _mine(self, number: str, me: int) -> dict[str, Any]:
        ticket = self.tickets.get(int(number)) if number.isdigit() else None
        if ticket is None:
            raise Refusal(404, NOT_FOUND)
        if ticket["user"] != me:
            raise Refusal(403, DENIED)
        return ticket

    def _list(self, items: list[dict[str, Any]], asked: Asked) -> Reply:
        if wrong := unknown(asked.query, {"filter", "start", "limit", "sort"}):
            raise Refusal(400, {"status": "ERROR_INVALID_PARAMETER", "title": "Invalid", "detail": wrong})
        found = [one for one in items if self._fits(one, asked.query.get("filter", ""))]
        if order := asked.query.get("sort"):
            found.sort(key=lambda one: one[order.split(":")[0]], reverse=order.endswith(":desc"))
        start, limit = int(asked.query.get("start", 0)), min(int(asked.query.get("limit", 100)), self.page)
        part = found[start : start + limit]
        more = start + limit < len(found)
        return Reply(206 if more else 200, part, {"Content-Range": f"{start}-{start + limit - 1}/{len(found)}"})

    def _fits(self, one: dict[str, Any], rsql: str) -> bool:
        """Enough of RSQL: comparisons, `,` for or, `;` for and, groups."""
        if not rsql:
            return True

        def compare(found: re.Match[str]) -> str:
            name, operator, value = found[1], found[2], found[3].strip("'")
            have = one.get(name)
            if operator == "==":
                fits = str(int(have) if isinstance(have, bool) else have) == value
            else:
                pattern = ".*".join(re.escape(part) for part in value.split("*"))
                fits = bool(re.fullmatch(pattern, str(have), re.DOTALL | (re.IGNORECASE if "ilike" in operator else 0)))
            return str(int(fits))

        logic = re.sub(r"(\w+)(==|=like=|=ilike=)('[^']*'|[^;,()']+)", compare, rsql)
        assert re.fullmatch(r"[01,;()]+", logic), rsql
        return bool(eval(logic.replace(",", "|").replace(";", "&")))  # noqa: S307 -- of 0, 1 and three signs
