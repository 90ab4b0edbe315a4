"""A service desk of Jira as a customer sees it, strict about headers, members and parts."""

from __future__ import annotations

import base64
import re
from typing import Any

from tests.servers.small_server import Asked, Refusal, Reply, SmallServer, unknown

API = "/rest/servicedeskapi"
MILLIS = 1769850000000
DATE = {"iso8601": "2026-01-31T09:00:00+0000", "jira": "2026-01-31T09:00:00.000+0000", "epochMillis": MILLIS}
FIELDS = {"summary", "description", "customfield_10001", "customfield_10002"}
ARTICLES = [
    {
        "title": "Order a new computer",
        "excerpt": "Ask in the shop",
        "source": {"type": "confluence", "pageId": "87", "spaceKey": "IT"},
        "content": {"iframeSrc": "https://jira.example.com/view/87"},
    }
]


def no(status: int, words: str) -> Refusal:
    return Refusal(status, {"errorMessage": words, "i18nErrorMessage": {"i18nKey": "k", "parameters": []}})


class FakeJira(SmallServer):
    """Two customers with API tokens, one service desk "4" with one request type "17".

    `data_center`: people have names and access tokens, and statuses no category.
    """

    def __init__(self, *, data_center: bool = False) -> None:
        super().__init__()
        self.data_center = data_center
        self.people = {"robin@example.com:token-robin": "Robin", "kim@example.com:token-kim": "Kim"}
        if data_center:
            self.people = {"pat-robin": "Robin", "pat-kim": "Kim"}
        self.temporary: dict[str, tuple[str, bytes]] = {}
        self.requests: dict[str, dict[str, Any]] = {}
        self.comments: list[dict[str, Any]] = []
        self._made = 0

    # --- the agent's side

    def agent_says(self, key: str, text: str, *, public: bool) -> None:
        with self.lock:
            self._say(key, "Ada Agent", text, [], public=public)

    # --- the API

    def answer(self, asked: Asked) -> Reply:  # noqa: C901, PLR0911, PLR0912 -- a table of addresses
        me = self._who(asked)
        if (asked.method, asked.path) == ("GET", "/rest/api/2/myself"):
            return Reply(200, self._person(me))
        if not asked.path.startswith(API):
            raise no(404, "No such address")
        match asked.method, asked.path.removeprefix(API).strip("/").split("/"):
            case "POST", ["request"]:
                return self._create(asked, me)
            case "GET", ["request"]:
                return self._list(asked, me)
            case "GET", ["request", key]:
                return Reply(200, self._told(self._mine(key, me)))
            case "GET", ["request", key, "comment"]:
                return self._conversation(asked, self._mine(key, me)["issueKey"])
            case "GET", ["request", key, "attachment"]:
                return self._page(
                    asked, [{"filename": name} for name, _ in self._files(self._mine(key, me)["issueKey"])]
                )
            case "POST", ["request", key, "comment"]:
                sent = self._object(asked, {"body", "public"}, {"body"})
                comment = self._say(
                    self._mine(key, me)["issueKey"], me, sent["body"], [], public=sent.get("public", True)
                )
                return Reply(201, self._comment(comment, files=False))
            case "POST", ["request", key, "feedback"]:
                self._opted_in(asked)
                sent = self._object(asked, {"type", "rating", "comment"}, {"type", "rating"})
                if sent["type"] != "csat" or sent["rating"] not in range(1, 6):
                    raise no(400, "The feedback is not valid")
                self._mine(key, me)["feedback"] = sent
                return Reply(201, sent)
            case "POST", ["request", key, "attachment"]:
                return self._attach(asked, self._mine(key, me)["issueKey"], me)
            case "POST", ["servicedesk", "4", "attachTemporaryFile"]:
                return self._keep(asked)
            case "GET", ["servicedesk", "4", "knowledgebase", "article"]:
                self._opted_in(asked)
                words = asked.query["query"].lower().split()
                return self._page(asked, [one for one in ARTICLES if set(words) & set(one["title"].lower().split())])
        raise no(404, "No such address")

    def _who(self, asked: Asked) -> str:
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if scheme == "Basic" and not self.data_center:
            token = base64.b64decode(token).decode()
        elif scheme != "Bearer" or not self.data_center:
            token = ""
        if token not in self.people:
            raise Refusal(
                401, {"errorMessages": ["Client must be authenticated to access this resource."], "errors": {}}
            )
        return self.people[token]

    def _person(self, name: str) -> dict[str, Any]:
        known = {"name": name.lower()} if self.data_center else {"accountId": f"acc-{name.lower()}"}
        return {
            "displayName": name,
            "emailAddress": f"{name.lower().replace(' ', '.')}@example.com",
            "active": True,
            **known,
        }

    def _object(self, asked: Asked, allowed: set[str], needed: set[str]) -> dict[str, Any]:
        sent = asked.json()
        if sent is None:
            raise no(415, "Content-Type: application/json is needed")
        if wrong := unknown(sent, allowed) or needed - set(sent):
            raise no(400, f"Unknown or missing: {wrong}")
        return sent

    def _opted_in(self, asked: Asked) -> None:
        if asked.headers.get("x-experimentalapi") != "opt-in":
            raise no(412, "This method is experimental; opt in")

    def _create(self, asked: Asked, me: str) -> Reply:
        names = {"serviceDeskId", "requestTypeId", "requestFieldValues"}
        sent = self._object(asked, names, names)
        if (sent["serviceDeskId"], sent["requestTypeId"]) != ("4", "17"):
            raise no(400, "The request type is not one of this service desk")
        values = sent["requestFieldValues"]
        if wrong := unknown(values, FIELDS):
            raise Refusal(400, {"errorMessages": [], "errors": dict.fromkeys(wrong, "Field cannot be set.")})
        if not values.get("summary"):
            raise Refusal(400, {"errorMessages": [], "errors": {"summary": "You must specify a summary."}})
        key = f"IT-{len(self.requests) + 1}"
        self.requests[key] = {
            "issueId": str(10000 + len(self.requests)),
            "issueKey": key,
            "owner": me,
            "values": values,
            "status": "Waiting for support",
            "category": "INDETERMINATE",
            "made": MILLIS + len(self.requests),
        }
        return Reply(201, self._told(self.requests[key]))

    def _told(self, one: dict[str, Any]) -> dict[str, Any]:
        category = {} if self.data_center else {"statusCategory": one["category"]}
        return {
            "issueId": one["issueId"],
            "issueKey": one["issueKey"],
            "requestTypeId": "17",
            "serviceDeskId": "4",
            "createdDate": {**DATE, "epochMillis": one["made"]},
            "reporter": self._person(one["owner"]),
            "requestFieldValues": [
                {"fieldId": name, "label": name.title(), "value": value} for name, value in one["values"].items()
            ],
            "currentStatus": {"status": one["status"], **category, "statusDate": DATE},
            "_links": {
                "self": f"{self.url}{API}/request/{one['issueId']}",
                "web": f"{self.url}/portal/4/{one['issueKey']}",
            },
        }

    def _mine(self, key: str, me: str) -> dict[str, Any]:
        request = self.requests.get(key)
        if request is None:
            raise no(404, "The request does not exist")
        if request["owner"] != me:
            raise no(403, "You do not have permission to view this request")
        return request

    def _list(self, asked: Asked, me: str) -> Reply:
        known = {"requestOwnership", "requestStatus", "searchTerm", "serviceDeskId", "start", "limit"}
        if unknown(asked.query, known) or asked.query.get("serviceDeskId") != "4":
            raise no(400, "Unknown parameter")
        everyone = asked.query.get("requestOwnership") != "OWNED_REQUESTS"  # then requests one takes part in come too
        found = [self._told(one) for one in self.requests.values() if everyone or one["owner"] == me]
        term = asked.query.get("searchTerm", "")
        return self._page(asked, [one for one in found if term in one["requestFieldValues"][0]["value"]])

    def _page(self, asked: Asked, found: list[Any]) -> Reply:
        start, limit = int(asked.query.get("start", 0)), min(int(asked.query.get("limit", 50)), 50)
        shown = found[start : start + limit]
        last = start + limit >= len(found)
        return Reply(200, {"size": len(shown), "start": start, "limit": limit, "isLastPage": last, "values": shown})

    def _keep(self, asked: Asked) -> Reply:
        self._opted_in(asked)
        if asked.headers.get("x-atlassian-token") != "no-check":
            raise no(403, "XSRF check failed")
        parts = asked.parts()
        if not parts or any(one.name != "file" or one.filename is None for one in parts):
            raise no(400, "The files are to be in parts called file")
        made = []
        for one in parts:
            self._made += 1
            name = re.sub(r"\\(.)", r"\1", one.filename or "")
            self.temporary[f"temp-{self._made}"] = (name, one.data)
            made.append({"temporaryAttachmentId": f"temp-{self._made}", "fileName": name})
        return Reply(201, {"temporaryAttachments": made})

    def _attach(self, asked: Asked, key: str, me: str) -> Reply:
        self._opted_in(asked)
        names = {"temporaryAttachmentIds", "public"}
        sent = self._object(asked, {*names, "additionalComment"}, names)
        if unknown(sent.get("additionalComment", {}), {"body"}):
            raise no(400, "Unknown members of the comment")
        if lost := [one for one in sent["temporaryAttachmentIds"] if one not in self.temporary]:
            raise no(400, f"The temporary attachments {lost} do not exist")
        files = [self.temporary.pop(one) for one in sent["temporaryAttachmentIds"]]
        marks = "\n".join(f"[^{name}] _({len(data) / 1024:.1f} kB)_" for name, data in files)
        words = sent.get("additionalComment", {}).get("body", "")
        comment = self._say(key, me, f"{words}\n\n{marks}", files, public=sent["public"])
        told = [{"filename": name, "size": len(data)} for name, data in files]
        whole = {"size": len(told), "start": 0, "limit": 50, "isLastPage": True, "values": told}
        return Reply(201, {"comment": self._comment(comment, files=False), "attachments": whole})

    def _say(self, key: str, author: str, body: str, files: list[tuple[str, bytes]], *, public: bool) -> dict[str, Any]:
        comment = {"id": str(1000 + len(self.comments)), "key": key, "author": author, "body": body}
        self.comments.append({**comment, "files": files, "public": public})
        return self.comments[-1]

    def _comment(self, one: dict[str, Any], *, files: bool) -> dict[str, Any]:
        told = {"id": one["id"], "body": one["body"], "public": one["public"], "created": DATE}
        told["author"] = self._person(one["author"])
        if files:
            values = [{"filename": name} for name, _ in one["files"]]
            told["attachments"] = {"size": len(values), "start": 0, "limit": 50, "isLastPage": True, "values": values}
        return told

    def _conversation(self, asked: Asked, key: str) -> Reply:
        shown = [one for one in self.comments if one["key"] == key and one["public"]]
        return self._page(asked, [self._comment(one, files=asked.query.get("expand") == "attachment") for one in shown])

    def _files(self, key: str) -> list[tuple[str, bytes]]:
        return [file for one in self.comments if one["key"] == key for file in one["files"]]
