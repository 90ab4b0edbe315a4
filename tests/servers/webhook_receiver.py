"""A receiver of signed tickets as docs/webhook.md describes it; it computes signatures with its own few lines."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any

from tests.servers.small_server import Asked, Refusal, Reply, SmallServer, unknown

KEYS = {"robin": "key-of-robin", "kim": "key-of-kim"}
MEMBERS = {"event", "key", "subject", "body", "body_html", "fields", "attachments"}


class WebhookReceiver(SmallServer):
    """`tickets` are in order; the id of the first is "1"."""

    def __init__(self) -> None:
        super().__init__()
        self.tickets: list[dict[str, Any]] = []

    def answer(self, asked: Asked) -> Reply:
        if (asked.method, asked.path) != ("POST", "/hook"):
            raise Refusal(404, {"detail": "No such address"})
        me = self._who(asked)
        sent = asked.json()
        match sent["event"]:
            case "whoami":
                return Reply(200, {"name": me, "email": f"{me}@example.com"})
            case "ticket.find":
                return Reply(200, {"ticket": next(map(self._told, self._with(sent["key"], me)), None)})
            case "ticket.create":
                return self._create(asked, sent, me)
        raise Refusal(422, {"detail": "This event is unknown"})

    def _who(self, asked: Asked) -> str:
        name, moment = asked.headers.get("deskside-key-name", ""), asked.headers.get("deskside-timestamp", "")
        right = hmac.new(KEYS.get(name, "").encode(), f"{moment}.".encode() + asked.body, "sha256").hexdigest()
        if name not in KEYS or not hmac.compare_digest(asked.headers.get("deskside-signature", ""), f"v1={right}"):
            raise Refusal(401, {"detail": "The signature is wrong"})
        if abs(int(moment) - time.time()) > 300:
            raise Refusal(401, {"detail": "The timestamp is too far away"})
        return name

    def _create(self, asked: Asked, sent: dict[str, Any], me: str) -> Reply:
        if wrong := unknown(sent, MEMBERS):
            raise Refusal(422, {"detail": f"Unknown: {wrong}"})
        if asked.headers.get("idempotency-key") != sent["key"]:
            raise Refusal(422, {"detail": "Idempotency-Key and key differ"})
        mark = hashlib.sha256(asked.body).hexdigest()
        for one in self._with(sent["key"], me):
            if one["mark"] != mark:
                raise Refusal(409, {"detail": "This key has made another ticket"})
            return Reply(200, self._told(one))
        files = [(one["name"], base64.b64decode(one["data"], validate=True)) for one in sent["attachments"]]
        for one, (_, data) in zip(sent["attachments"], files, strict=True):
            assert one["sha256"] == hashlib.sha256(data).hexdigest()
        self.tickets.append({**sent, "id": str(len(self.tickets) + 1), "owner": me, "mark": mark, "files": files})
        return Reply(201, self._told(self.tickets[-1]))

    def _with(self, key: str, me: str) -> list[dict[str, Any]]:
        return [one for one in self.tickets if (one["key"], one["owner"]) == (key, me)]

    def _told(self, one: dict[str, Any]) -> dict[str, Any]:
        stored = [{"name": name, "sha256": hashlib.sha256(data).hexdigest()} for name, data in one["files"]]
        return {"id": one["id"], "key": one["key"], "ref": f"T-{one['id']}", "attachments": stored}
