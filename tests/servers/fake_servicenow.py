"""A ServiceNow as its Table and Attachment APIs show it to employees, strict about parameters, and forgiving where it forgives."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from uuid import uuid4

from tests.servers.small_server import Asked, Refusal, Reply, SmallServer, unknown

AT = "2026-01-31 09:00:00"
LOCAL = "2026-01-31 10:00:00"  # in the zone of everybody's profile
COLUMNS = {"caller_id", "short_description", "description", "correlation_id", "correlation_display", "urgency"}
COLUMNS |= {"assignment_group", "category", "u_cause", "u_device"}
TABLE = {"sysparm_query", "sysparm_fields", "sysparm_limit", "sysparm_offset", "sysparm_display_value"}
TABLE |= {"sysparm_exclude_reference_link"}
STATES = {"1": "New", "2": "In Progress", "3": "On Hold", "6": "Resolved", "7": "Closed", "8": "Canceled"}
MAX_DESCRIPTION = 4000
ARTICLES = [
    {"id": "kb_knowledge:1", "title": "Order a new computer", "snippet": "<p>In the <b>shop</b></p>", "number": "KB1"}
]


def no(status: int, message: str, detail: str | None = None, **headers: str) -> Refusal:
    return Refusal(status, {"error": {"message": message, "detail": detail}, "status": "failure"}, **headers)


class FakeServiceNow(SmallServer):
    """Two employees, who see their own incidents. `agents` are shown everybody's.

    `no_scripts`: the part of a query that holds a script is left out. `no_correlation`: employees may not write that column.
    """

    def __init__(self) -> None:
        super().__init__()
        self.people = {"robin": ("a" * 32, "Robin Example"), "kim": ("b" * 32, "Kim Example")}
        self.incidents: dict[str, dict[str, Any]] = {}
        self.files: list[dict[str, Any]] = []
        self.no_scripts = self.no_correlation = self.agents = False
        self.no_articles = False

    # --- the agent's side

    def agent_says(self, number: str, text: str, *, public: bool) -> None:
        with self.lock:
            self.incidents[number]["journal"].append(("comments" if public else "work_notes", "Ada Agent", text))

    # --- the API

    def answer(self, asked: Asked) -> Reply:  # noqa: C901, PLR0911 -- a table of addresses
        me = self._who(asked)
        if asked.method in {"POST", "PATCH"} and not asked.path.startswith("/api/now/attachment") and not asked.json():
            raise no(400, "Exception while reading request", "The payload is not valid JSON.")
        match asked.method, asked.path.removeprefix("/api/").split("/"):
            case "GET", ["now", "table", "sys_user"]:
                rows = [{"sys_id": key, "user_name": user, "name": name, "email": f"{user}@example.com"}
                        for user, (key, name) in self.people.items()]  # fmt: skip
                return self._rows(asked, rows, me)
            case "GET", ["now", "table", "incident"]:
                return self._rows(asked, list(reversed(self._visible(me))), me)
            case "POST", ["now", "table", "incident"]:
                return self._create(asked, me)
            case "GET", ["now", "table", "incident", number]:
                return Reply(200, {"result": self._shown(asked, self._mine(number, me))})
            case "PATCH", ["now", "table", "incident", number]:
                return self._say(asked, self._mine(number, me), me)
            case "GET", ["now", "attachment"]:
                if wrong := unknown(asked.query, {"sysparm_query", "sysparm_limit", "sysparm_offset"}):
                    raise no(400, f"Unknown parameter {wrong}")
                rows = [one for one in self.files if self._matches(one, asked.query["sysparm_query"], me)]
                return Reply(200, {"result": [{key: one[key] for key in one if key != "data"} for one in rows]})
            case "POST", ["now", "attachment", "file"]:
                return self._attach(asked, me)
            case "GET", ["sn_km_api", "knowledge", "articles"] if not self.no_articles:
                words = set(asked.query["query"].lower().split())
                hits = [one for one in ARTICLES if words & set(one["title"].lower().split())]
                return Reply(200, {"result": {"meta": {"count": len(hits)}, "articles": hits}})
        raise no(400, "Requested URI does not represent any resource")

    def _who(self, asked: Asked) -> str:
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        user, _, password = base64.b64decode(token).decode().partition(":") if scheme == "Basic" else ("", "", "")
        if scheme == "Bearer" and token == "oauth-token-of-robin-0123456789":
            return "robin"
        if user not in self.people or password != "Geheim-0123456789":
            raise no(401, "User Not Authenticated", "Required to provide Auth information")
        return user

    def _visible(self, me: str) -> list[dict[str, Any]]:
        return [one for one in self.incidents.values() if self.agents or one["caller_id"] == self.people[me][0]]

    def _mine(self, number: str, me: str) -> dict[str, Any]:
        found = self.incidents.get(number)
        if found is None or found not in self._visible(me):
            raise no(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
        return found

    def _create(self, asked: Asked, me: str) -> Reply:
        sent = {
            key: value for key, value in asked.json().items() if key in COLUMNS
        }  # others are left out without a word
        if len(sent.get("short_description", "")) > 160:
            raise AssertionError("it would be cut")
        if self.no_correlation:
            sent.pop("correlation_id", None)
        number = uuid4().hex
        self.incidents[number] = {
            "sys_id": number,
            "number": f"INC001{len(self.incidents):04}",
            "state": "1",
            "active": "true",
            "correlation_id": "",
            "sys_created_on": AT,
            "sys_updated_on": AT,
            "journal": [],
            **sent,
            "description": sent["description"][:MAX_DESCRIPTION],
            "caller_id": self.people[me][0],
        }
        return Reply(201, {"result": self._shown(asked, self.incidents[number])})

    def _say(self, asked: Asked, incident: dict[str, Any], me: str) -> Reply:
        if wrong := unknown(asked.json(), {"comments"}):
            raise no(403, "Operation Failed", f"ACL Exception Update Failed due to security constraints: {wrong}")
        incident["journal"].append(("comments", self.people[me][1], asked.json()["comments"]))
        return Reply(200, {"result": self._shown(asked, incident)})

    def _attach(self, asked: Asked, me: str) -> Reply:
        if wrong := unknown(asked.query, {"table_name", "table_sys_id", "file_name"}):
            raise no(400, f"Unknown parameter {wrong}")
        if asked.query["table_name"] != "incident" or "content-type" not in asked.headers:
            raise no(400, "Missing table_name or Content-Type")
        self._mine(asked.query["table_sys_id"], me)
        if not asked.body:
            raise no(400, "Cannot process an empty file")
        file = {
            **asked.query,
            "sys_id": uuid4().hex,
            "content_type": asked.headers["content-type"],
            "size_bytes": str(len(asked.body)),
            "hash": hashlib.sha256(asked.body).hexdigest(),
            "state": "pending",
            "sys_created_on": AT,
            "sys_created_by": me,
        }
        self.files.append({**file, "data": asked.body})
        return Reply(201, {"result": file})

    # --- queries

    def _rows(self, asked: Asked, rows: list[dict[str, Any]], me: str) -> Reply:
        hits = [one for one in rows if self._matches(one, asked.query.get("sysparm_query", ""), me)]
        start = int(asked.query.get("sysparm_offset", "0"))
        limit = int(asked.query.get("sysparm_limit", "10000"))
        return Reply(200, {"result": [self._shown(asked, one) for one in hits[start : start + limit]]})

    def _matches(self, row: dict[str, Any], query: str, me: str) -> bool:
        """As an encoded query is read: parts that make no sense are left out."""
        groups: list[list[bool]] = []
        for part in query.split("^"):
            if part.startswith("ORDERBY"):
                continue
            joined = part.startswith("OR")
            found = re.fullmatch(r"([a-z_]+)(=|LIKE)(.*)", part[2:] if joined else part)
            if not found or found[1] not in row or (self.no_scripts and "javascript:" in found[3]):
                continue
            wanted = self.people[me][0] if found[3] == "javascript:gs.getUserID()" else found[3]
            value = str(row[found[1]])
            hit = wanted in value if found[2] == "LIKE" else wanted == value
            if joined and groups:
                groups[-1].append(hit)
            else:
                groups.append([hit])
        return all(any(one) for one in groups)

    def _shown(self, asked: Asked, row: dict[str, Any]) -> dict[str, Any]:
        if wrong := unknown(asked.query, TABLE):
            raise no(400, f"Unknown parameter {wrong}")
        told = dict(row)
        if "journal" in told:
            said = [one for one in reversed(told.pop("journal")) if one[0] == "comments"]
            told["comments"] = "".join(f"{LOCAL} - {who} (Additional comments)\n{text}\n\n" for _, who, text in said)
        fields = [one for one in asked.query.get("sysparm_fields", "").split(",") if one]
        told = {key: told.get(key, "") for key in fields} if fields else told
        assert asked.query.get("sysparm_display_value") == "all"
        return {key: {"value": "" if key == "comments" else value, "display_value": self._display(key, value)}
                for key, value in told.items()}  # fmt: skip

    def _display(self, key: str, value: str) -> str:
        if key == "caller_id":
            return next(name for number, name in self.people.values() if number == value)
        return STATES[value] if key == "state" else LOCAL if key.endswith("_on") else value
