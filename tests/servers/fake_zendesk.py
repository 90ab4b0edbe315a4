"""A Zendesk as an end user sees it: uploads that expire, requests, comments, a help center; strict about what it accepts."""

from __future__ import annotations

import re
from typing import Any

from tests.servers.small_server import Asked, Refusal, Reply, SmallServer, unknown

AT = "2026-01-31T09:00:00Z"
FIELDS = {360001: "cause", 360002: "device"}
ARTICLES = [{"id": 1, "title": "Order a new computer", "body": "<p>Ask in the <b>shop</b>.</p>", "updated_at": AT}]
NOT_FOUND = {"error": "RecordNotFound", "description": "Not found"}


class FakeZendesk(SmallServer):
    """Two end users and an agent. `now` are seconds; uploads expire an hour after they were made.

    `knows_keys`: whether creating a request minds an `Idempotency-Key`, which is documented for tickets only.
    `loses`: names of files that are dropped without a word.
    """

    def __init__(self) -> None:
        super().__init__()
        self.people = {"oauth-robin": (11, "Robin"), "oauth-kim": (12, "Kim")}
        self.now = 0.0
        self.knows_keys = False
        self.loses: set[str] = set()
        self.uploads: dict[str, tuple[float, str, bytes]] = {}
        self.requests: dict[int, dict[str, Any]] = {}
        self.comments: list[dict[str, Any]] = []
        self._made = 0
        self._keys: dict[str, tuple[bytes, int]] = {}

    # --- the agent's side

    def agent_says(self, request: int, text: str, *, public: bool) -> None:
        with self.lock:
            self._say(request, 99, text, [], public=public)

    # --- the API

    def answer(self, asked: Asked) -> Reply:  # noqa: C901, PLR0911 -- a table of addresses
        token = re.fullmatch(r"Bearer (\S+)", asked.headers.get("authorization", ""))
        if not token or token[1] not in self.people:
            raise Refusal(401, {"error": "invalid_token", "error_description": "The access token is invalid"})
        if asked.headers.get("accept") != "application/json":
            raise Refusal(406, {"error": "Accept: application/json is needed"})
        me, name = self.people[token[1]]
        match asked.method, asked.path.removeprefix("/api/v2").strip("/").split("/"):
            case "GET", ["users", "me"]:
                return Reply(200, {"user": {"id": me, "name": name, "email": f"{name.lower()}@example.com"}})
            case "POST", ["uploads"]:
                return self._upload(asked)
            case "POST", ["requests"]:
                return self._create(asked, me)
            case "GET", ["requests"]:
                return self._list(asked, me)
            case "GET", ["requests", number]:
                return Reply(200, {"request": self._mine(number, me)})
            case "PUT", ["requests", number]:
                return self._update(asked, number, me)
            case "POST", ["tickets", number, "satisfaction_rating"]:
                return self._rate(asked, self._mine(number, me))
            case "GET", ["requests", number, "comments"]:
                return self._told(asked, self._mine(number, me)["id"])
            case "GET", ["help_center", "articles", "search"]:
                words = asked.query["query"].lower().split()
                hits = [one for one in ARTICLES if any(word in one["title"].lower().split() for word in words)]
                return Reply(200, {"results": hits, "count": len(hits)})
        raise Refusal(404, {"error": "InvalidEndpoint", "description": "Not found"})

    def _upload(self, asked: Asked) -> Reply:
        name, kind = asked.query.get("filename"), asked.headers.get("content-type")
        if not name or not kind or "multipart" in kind:
            raise Refusal(
                422, {"error": "Unprocessable Entity", "description": "filename and a content type are needed"}
            )
        self._made += 1
        token = f"upload-{self._made}"
        self.uploads[token] = (self.now, name, asked.body)
        attachment = {"id": self._made, "file_name": name, "content_type": kind, "size": len(asked.body)}
        return Reply(201, {"upload": {"token": token, "expires_at": AT, "attachment": attachment}})

    def _create(self, asked: Asked, me: int) -> Reply:
        key = asked.headers.get("idempotency-key", "")
        if self.knows_keys and key in self._keys:
            body, number = self._keys[key]
            if body != asked.body:
                words = "Request parameters don't match the given idempotency key"
                raise Refusal(400, {"error": "IdempotentRequestError", "description": words})
            return Reply(201, {"request": self.requests[number]}, {"x-idempotency-lookup": "hit"})
        sent = self._object(asked, {"subject", "comment", "custom_fields", "ticket_form_id", "priority"})
        if not sent.get("subject"):
            base = [{"description": "Subject: cannot be blank", "error": "BlankValue"}]
            details = {
                "error": "RecordInvalid",
                "description": "Record validation errors",
                "details": {"subject": base},
            }
            raise Refusal(422, details)
        files = self._claim(sent["comment"])
        number = len(self.requests) + 1
        self.requests[number] = {
            "id": number,
            "url": f"{self.url}/api/v2/requests/{number}.json",
            "subject": sent["subject"],
            "description": sent["comment"]["body"],
            "status": "new",
            "requester_id": me,
            "custom_fields": [one for one in sent.get("custom_fields", []) if one["id"] in FIELDS],
            "created_at": AT,
            "updated_at": AT,
        }
        self._say(number, me, sent["comment"]["body"], files, public=True)
        self._keys[key] = (asked.body, number)
        return Reply(
            201, {"request": self.requests[number]}, {"x-idempotency-lookup": "miss"} if self.knows_keys else {}
        )

    def _update(self, asked: Asked, number: str, me: int) -> Reply:
        request = self._mine(number, me)
        sent = self._object(asked, {"comment", "solved", "additional_collaborators"})
        if request["status"] == "closed":
            base = [{"description": "Status: closed prevents ticket update"}]
            raise Refusal(
                422, {"error": "RecordInvalid", "description": "Record validation errors", "details": {"status": base}}
            )
        self._say(request["id"], me, sent["comment"]["body"], self._claim(sent["comment"]), public=True)
        return Reply(200, {"request": request})

    def _rate(self, asked: Asked, request: dict[str, Any]) -> Reply:
        found = asked.json()
        rating = found.get("satisfaction_rating", {})
        if unknown(found, {"satisfaction_rating"}) or unknown(rating, {"score", "comment", "reason_code"}):
            raise Refusal(400, {"error": {"title": "Invalid attribute", "message": "unknown"}})
        if rating.get("score") not in {"good", "bad"} or request["status"] not in {"solved", "closed"}:
            raise Refusal(422, {"error": "RecordInvalid", "description": "Record validation errors"})
        request["satisfaction_rating"] = rating
        return Reply(200, {"satisfaction_rating": {"id": 1, **rating}})

    def _object(self, asked: Asked, allowed: set[str]) -> dict[str, Any]:
        found = asked.json()
        wrong = unknown(found, {"request"}) or unknown(found.get("request"), allowed)
        wrong = wrong or unknown(found["request"].get("comment"), {"body", "uploads"})
        if wrong:
            raise Refusal(400, {"error": {"title": "Invalid attribute", "message": f"unknown: {wrong}"}})
        return found["request"]

    def _claim(self, comment: dict[str, Any]) -> list[tuple[str, bytes]]:
        files = []
        for token in comment.get("uploads", []):
            made, name, data = self.uploads.pop(token, (-1e9, "", b""))
            if self.now - made > 3600:
                raise Refusal(422, {"error": "RecordInvalid", "description": f"Upload token {token} is invalid"})
            if name not in self.loses:
                files.append((name, data))
        return files

    def _say(self, request: int, author: int, body: str, files: list[tuple[str, bytes]], *, public: bool) -> None:
        comment = {"id": len(self.comments) + 1, "request": request, "author_id": author, "body": body, "files": files}
        self.comments.append({**comment, "public": public, "created_at": AT})

    def _mine(self, number: str, me: int) -> dict[str, Any]:
        request = self.requests.get(int(number)) if number.isdigit() else None
        if request is None:
            raise Refusal(404, NOT_FOUND)
        if request["requester_id"] != me:
            raise Refusal(403, {"error": {"title": "Forbidden", "message": "You do not have access to this page."}})
        return request

    def _list(self, asked: Asked, me: int) -> Reply:
        if unknown(asked.query, {"sort_by", "sort_order", "page", "per_page"}):
            raise Refusal(400, {"error": {"title": "Invalid attribute", "message": "unknown parameter"}})
        own = [one for one in self.requests.values() if one["requester_id"] == me]
        if asked.query.get("sort_order") == "desc":
            own.reverse()
        return self._page(asked, "requests", own)

    def _told(self, asked: Asked, request: int) -> Reply:
        shown = [one for one in self.comments if one["request"] == request and one["public"]]
        comments = [
            {
                **{key: value for key, value in one.items() if key not in {"files", "request"}},
                "type": "Comment",
                "attachments": [{"id": place, "file_name": name} for place, (name, _) in enumerate(one["files"])],
            }
            for one in shown
        ]
        users = [{"id": number, "name": name, "agent": False, "photo": None} for number, name in self.people.values()]
        return self._page(asked, "comments", comments, users=[*users, {"id": 99, "name": "Ada Agent", "agent": True}])

    def _page(self, asked: Asked, name: str, found: list[Any], **beside: Any) -> Reply:
        size, page = min(int(asked.query.get("per_page", 100)), 100), int(asked.query.get("page", 1))
        more = f"{self.url}{asked.path}?page={page + 1}" if len(found) > page * size else None
        shown = found[(page - 1) * size : page * size]
        return Reply(200, {name: shown, "next_page": more, "previous_page": None, "count": len(found), **beside})
