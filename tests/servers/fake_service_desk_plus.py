"""A ServiceDesk Plus as its API v3 shows it, strict about the form, its members and its header."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qs

from tests.servers.small_server import Asked, Refusal, Reply, SmallServer, unknown

NOW_S = int(time.time())  # what is older than some weeks is not looked through
AT = {"display_value": "just now", "value": str(NOW_S * 1000)}
ACCEPT = "application/vnd.manageengine.sdp.v3+json"
REQUEST = {"subject", "description", "requester", "group", "request_type", "category", "priority", "udf_fields"}
UDF = {"udf_sline_1", "udf_sline_2"}
NOTE = {"description", "show_to_requester", "notify_technician"}
LIST = {"row_count", "start_index", "sort_field", "sort_order", "search_criteria"}
GOOD = {"status_code": 2000, "status": "success"}


def no(status: int, code: int, message: str, field: str = "") -> Refusal:
    told = {"status_code": code, "type": "failed", "message": message, **({"field": field} if field else {})}
    return Refusal(status, {"response_status": {"status_code": 4000, "messages": [told], "status": "failed"}})


class FakeServiceDeskPlus(SmallServer):
    """Keys of technicians, who see everybody's requests.

    `knows_criteria`: lists are narrowed down as asked. `tells_texts`: lists of notes have texts. `says_200`: refusals come as 200.
    """

    def __init__(self) -> None:
        super().__init__()
        self.keys = {"KEY-ROBIN-0123456789", "KEY-KIM-0123456789"}
        self.tokens = {"1000.0123456789abcdef.0123456789abcdef"}
        self.requests: dict[int, dict[str, Any]] = {}
        self.notes: list[dict[str, Any]] = []
        self.knows_criteria = True
        self.tells_texts = self.says_200 = False

    # --- the agent's side

    def agent_says(self, request: int, text: str, *, public: bool) -> None:
        markup = "".join(f"<div>{one or '<br>'}</div>" for one in text.split("\n"))
        with self.lock:
            self._note(request, markup, "ada@example.com", public=public)

    # --- the API

    def answer(self, asked: Asked) -> Reply:
        try:
            return self._answer(asked)
        except Refusal as refusal:
            if self.says_200 and refusal.reply.status == 400:
                return Reply(200, refusal.reply.body)
            raise

    def _answer(self, asked: Asked) -> Reply:  # noqa: PLR0911 -- a table of addresses
        self._who(asked)
        if asked.headers.get("accept") != ACCEPT:
            raise no(415, 4015, "Unsupported media type")
        match asked.method, asked.path.removeprefix("/api/v3/").split("/"):
            case "GET", ["requests"]:
                return self._list(asked)
            case "POST", ["requests"]:
                return self._create(asked)
            case "GET", ["requests", number]:
                return Reply(200, {"request": self._whole(self._request(number)), "response_status": GOOD})
            case "PUT", ["requests", number, "upload"]:
                return self._upload(asked, self._request(number))
            case "GET", ["requests", number, "notes"]:
                own = [one for one in self.notes if one["request"] == self._request(number)["id"]]
                told = [self._noted(one, text=self.tells_texts) for one in own]
                return self._page(asked, "notes", told)
            case "POST", ["requests", number, "notes"]:
                sent = self._sent(asked, "note", NOTE)
                me = self.requests[self._request(number)["id"]]["requester"]
                note = self._note(int(number), sent["description"], me, public=sent.get("show_to_requester", False))
                return Reply(201, {"note": self._noted(note, text=True), "response_status": GOOD})
            case "GET", ["requests", number, "notes", note]:
                found = next(one for one in self.notes if one["id"] == int(note) and one["request"] == int(number))
                return Reply(200, {"note": self._noted(found, text=True), "response_status": GOOD})
        raise no(404, 4007, "Invalid URL")

    def _who(self, asked: Asked) -> None:
        token = asked.headers.get("authorization", "").removeprefix("Zoho-oauthtoken ")
        if asked.headers.get("authtoken") not in self.keys and token not in self.tokens:
            raise no(401, 401, "Authentication failed")

    def _request(self, number: str) -> dict[str, Any]:
        if int(number) not in self.requests:
            raise no(404, 4007, "No such request")
        return self.requests[int(number)]

    @staticmethod
    def _sent(asked: Asked, name: str, allowed: set[str]) -> dict[str, Any]:
        if asked.headers.get("content-type") != "application/x-www-form-urlencoded":
            raise no(415, 4015, "Unsupported media type")
        form = parse_qs(asked.body.decode(), strict_parsing=True)
        data = json.loads(form["input_data"][0])
        if set(form) != {"input_data"} or set(data) != {name}:
            raise no(400, 4000, "Malformed input_data")
        if wrong := unknown(data[name], allowed):
            raise no(400, 4001, "EXTRA_KEY_FOUND_IN_JSON", wrong[0])
        return data[name]

    def _create(self, asked: Asked) -> Reply:
        sent = self._sent(asked, "request", REQUEST)
        if not sent.get("subject") or "\n" in sent["subject"] or len(sent["subject"]) > 250:
            raise no(400, 4012, "Subject is mandatory", "subject")
        if wrong := unknown(sent.get("udf_fields", {}), UDF):
            raise no(400, 4001, "Unknown field", f"udf_fields.{wrong[0]}")
        if sent.get("group", {}).get("name", "Network") != "Network":
            raise no(400, 4001, "Value not found", "group")
        number = 100000000000033000 + len(self.requests)
        self.requests[number] = {
            "id": number,
            "display_id": str(len(self.requests) + 1),
            "status": "Open",
            "files": [],
            "udf_fields": {},
            **sent,
            "requester": sent["requester"]["email_id"],
            "description": f"<div>{sent['description']}</div>",
        }
        return Reply(201, {"request": self._whole(self.requests[number]), "response_status": GOOD})

    def _upload(self, asked: Asked, request: dict[str, Any]) -> Reply:
        (part,) = asked.parts() or [None]
        if part is None or part.name != "input_file" or part.filename is None:
            raise no(400, 4000, "input_file is missing")
        name = part.filename.replace('\\"', '"').replace("\\\\", "\\")
        request["files"].append((name, part.data))
        return Reply(200, {"attachment": self._file(name, part.data), "response_status": GOOD})

    def _list(self, asked: Asked) -> Reply:
        wanted = self._wanted(asked)
        (criterion,) = wanted["search_criteria"]
        assert (criterion["field"], criterion["condition"]) == ("requester.email_id", "is")
        hits = [
            one
            for one in reversed(self.requests.values())
            if not self.knows_criteria or one["requester"].lower() == criterion["value"].lower()
        ]
        told = [{key: value for key, value in self._whole(one).items() if key not in {"description", "attachments"}}
                for one in hits]  # fmt: skip
        return self._page(asked, "requests", told)

    @staticmethod
    def _wanted(asked: Asked) -> dict[str, Any]:
        wanted = json.loads(asked.query["input_data"])["list_info"]
        if wrong := unknown(wanted, LIST):
            raise no(400, 4001, "EXTRA_KEY_FOUND_IN_JSON", wrong[0])
        assert 0 < wanted["row_count"] <= 100
        return wanted

    def _page(self, asked: Asked, name: str, rows: list[dict[str, Any]]) -> Reply:
        wanted = self._wanted(asked)
        start = wanted["start_index"] - 1
        page = rows[start : start + wanted["row_count"]]
        info = {"has_more_rows": start + len(page) < len(rows), "row_count": len(page)}
        return Reply(200, {name: page, "list_info": info, "response_status": [GOOD]})

    def _note(self, request: int, markup: str, who: str, *, public: bool) -> dict[str, Any]:
        note = {"id": len(self.notes) + 1, "request": request, "text": markup, "who": who, "public": public}
        self.notes.append(note)
        return note

    @staticmethod
    def _noted(one: dict[str, Any], *, text: bool) -> dict[str, Any]:
        who = {"name": one["who"].split("@")[0].title(), "email_id": one["who"], "id": "4"}
        told = {"id": str(one["id"]), "show_to_requester": one["public"], "added_by": who, "added_time": AT}
        return {**told, **({"description": one["text"]} if text else {})}

    @staticmethod
    def _file(name: str, data: bytes) -> dict[str, Any]:
        return {"name": name, "id": "9", "size": {"value": len(data), "display_value": f"{len(data)} B"}}

    def _whole(self, one: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": str(one["id"]),
            "display_id": one["display_id"],
            "subject": one["subject"],
            "description": one["description"],
            "requester": {"name": one["requester"].split("@")[0].title(), "email_id": one["requester"], "id": "5"},
            "status": {"name": one["status"], "id": "1"},
            "created_time": AT,
            "last_updated_time": None,
            "attachments": [self._file(*file) for file in one["files"]],
        }
