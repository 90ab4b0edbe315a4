"""The employee API over the wire, byte by byte where it matters."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from client.demo import launch
from client.demo.launch import DemoDesk

NEW = {"subject": "No network", "body": "Nothing works"}
File = tuple[str, bytes, str]


def send(
    api: httpx.Client, *files: File, key: str = "", path: str = "/tickets", part: str = "ticket", new: Any = None
) -> httpx.Response:
    raw = json.dumps(NEW if new is None else new).encode()
    parts = [(part, (None, raw, "application/json")), *(("files", one) for one in files)]
    return api.post(path, headers={"Idempotency-Key": key or str(uuid.uuid4())}, files=parts)


def ticket(api: httpx.Client, *files: File, **new: Any) -> dict[str, Any]:
    answer = send(api, *files, new={**NEW, **new})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()["ticket"]
    return found


def assert_problem(answer: httpx.Response, status: int, words: str = "") -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["title"]
    assert body["detail"]
    assert body["hint"]
    assert body["status"] == status
    assert words in body["detail"]
    return body


class TestOnce:
    def test_the_same_again_is_the_same_ticket(self, api: httpx.Client) -> None:
        key = str(uuid.uuid4())
        first, second = (send(api, ("a.txt", b"one", "text/plain"), key=key) for _ in range(2))
        assert (first.status_code, second.status_code) == (201, 200)
        assert "Idempotent-Replay" not in first.headers
        assert second.headers["Idempotent-Replay"] == "true"
        assert first.json() == second.json()
        assert first.headers["Location"] == f"/api/employee/v1/tickets/{first.json()['ticket']['id']}"

    @pytest.mark.parametrize(
        ("files", "changes"),
        [
            ((("a.txt", b"two", "text/plain"),), {}),
            ((("b.txt", b"one", "text/plain"),), {}),
            ((("a.txt", b"one", "text/html"),), {}),
            ((), {}),
            ((("a.txt", b"one", "text/plain"),) * 2, {}),
            ((("a.txt", b"one", "text/plain"),), {"body": "Something else"}),
            ((("a.txt", b"one", "text/plain"),), {"fields": {"device": "pc-1"}}),
        ],
    )
    def test_other_content_under_a_used_key_is_refused(
        self, api: httpx.Client, files: tuple[File, ...], changes: dict[str, Any]
    ) -> None:
        key = str(uuid.uuid4())
        assert send(api, ("a.txt", b"one", "text/plain"), key=key).status_code == 201
        assert_problem(send(api, *files, key=key, new={**NEW, **changes}), 409)
        assert len(api.get("/tickets", params={"key": key}).json()["tickets"]) == 1

    def test_a_used_key_cannot_be_used_for_a_reply_either(self, api: httpx.Client) -> None:
        key = str(uuid.uuid4())
        made = send(api, key=key).json()["ticket"]
        path = f"/tickets/{made['id']}/comments"
        assert_problem(send(api, key=key, path=path, part="comment", new={"body": "Nothing works"}), 409)

    def test_two_employees_may_have_made_the_same_key(self, api: httpx.Client, demo_desk: DemoDesk) -> None:
        key = str(uuid.uuid4())
        mine = send(api, key=key).json()["ticket"]
        with httpx.Client(
            base_url=demo_desk.api, headers={"Authorization": f"Bearer {demo_desk.colleague_token}"}
        ) as other:
            theirs = send(other, key=key)
            assert theirs.status_code == 201
            assert theirs.json()["ticket"]["id"] != mine["id"]

    def test_eight_at_the_same_time_make_one(self, api: httpx.Client, demo_desk: DemoDesk) -> None:
        key = str(uuid.uuid4())
        with ThreadPoolExecutor(8) as pool:
            answers = list(
                pool.map(lambda _: send(api, ("a.zip", bytes(3_000_000), "application/zip"), key=key), range(8))
            )
        assert sorted(one.status_code for one in answers) == [200] * 7 + [201]
        assert len({one.json()["ticket"]["id"] for one in answers}) == 1
        with demo_desk.agent() as seat:
            assert len(seat.tickets(key=key)) == 1

    def test_what_an_agent_deleted_does_not_come_back(self, api: httpx.Client, demo_desk: DemoDesk) -> None:
        key = str(uuid.uuid4())
        made = send(api, key=key).json()["ticket"]
        with sqlite3.connect(demo_desk.folder / "desk.sqlite3", timeout=20) as database:
            database.execute("UPDATE deskside_sent SET ticket_id = NULL, followup_id = NULL WHERE key = ?", (key,))
        assert_problem(send(api, key=key), 404, "deleted")
        assert made["id"]

    @pytest.mark.parametrize("key", ["", "short", "x" * 129, "has space in it", "ümlaut-in-key", "semi;colon-key"])
    def test_a_key_must_look_like_one(self, api: httpx.Client, key: str) -> None:
        parts = [("ticket", (None, json.dumps(NEW).encode(), "application/json"))]
        answer = api.post("/tickets", headers=[("Idempotency-Key", key.encode())], files=parts)
        assert_problem(answer, 400, "Idempotency-Key")


class TestStrict:
    @pytest.mark.parametrize(
        "new",
        [
            {},
            [],
            "text",
            None,
            {"subject": "s"},
            {"subject": "", "body": "b"},
            {"subject": "   ", "body": "b"},
            {"subject": "two\nlines", "body": "b"},
            {"subject": "x" * 201, "body": "b"},
            {"subject": 5, "body": "b"},
            {"subject": "s", "body": ""},
            {"subject": "s", "body": "nul\x00"},
            {"subject": "s", "body": "x" * 65_537},
            {"subject": "s", "body": "b", "priority": 1},
            {"subject": "s", "body": "b", "fields": {"queue": "hr"}},
            {"subject": "s", "body": "b", "fields": {"severity": "awful"}},
            {"subject": "s", "body": "b", "fields": {"device": "x" * 201}},
            {"subject": "s", "body": "b", "fields": {"device": ["a"]}},
            {"subject": "s", "body": "b", "file_names": ["a.txt"]},
        ],
    )
    def test_json_of_another_shape_is_not_accepted(self, api: httpx.Client, new: Any) -> None:
        parts = [("ticket", (None, json.dumps(new).encode(), "application/json"))]
        assert_problem(api.post("/tickets", headers={"Idempotency-Key": str(uuid.uuid4())}, files=parts), 422)

    @pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b'{"subject": "\\ud800", "body": "b"}'])
    def test_what_is_no_json_is_not_understood(self, api: httpx.Client, raw: bytes) -> None:
        parts = [("ticket", (None, raw, "application/json"))]
        assert_problem(api.post("/tickets", headers={"Idempotency-Key": str(uuid.uuid4())}, files=parts), 400)

    @pytest.mark.parametrize(
        "parts",
        [
            [("files", ("a.txt", b"x", "text/plain"))],
            [("ticket", (None, b"{}", "application/json"))] * 2,
            [("ticket", (None, json.dumps(NEW).encode(), "application/json")), ("file", ("a.txt", b"x", "text/plain"))],
            [("ticket", (None, json.dumps(NEW).encode(), "application/json")), ("files", (None, b"x", "text/plain"))],
        ],
    )
    def test_missing_doubled_and_unknown_parts_are_refused(self, api: httpx.Client, parts: Any) -> None:
        assert_problem(api.post("/tickets", headers={"Idempotency-Key": str(uuid.uuid4())}, files=parts), 400)

    @pytest.mark.parametrize(
        "kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/mixed; boundary=x"]
    )
    def test_another_content_type_is_refused(self, api: httpx.Client, kind: str) -> None:
        headers = {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": kind}
        assert_problem(api.post("/tickets", headers=headers, content=json.dumps(NEW).encode()), 415)

    def test_a_broken_multipart_body_is_not_understood(self, api: httpx.Client) -> None:
        headers = {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "multipart/form-data"}
        assert_problem(api.post("/tickets", headers=headers, content=b"--x\r\nnothing"), 400)

    @pytest.mark.parametrize(
        "query",
        [
            "owner=agent",
            "key=short",
            "limit=0",
            "limit=101",
            "limit=x",
            "limit=5&limit=6",
            "before=0",
            "before=x",
            "ref=",
            "a",
        ]
        + [
            f"updated_since={moment}"
            for moment in ("yesterday", "2026-01-31", "2026-13-31T00:00:00Z", "2026-01-31T00:00:00")
        ],
    )
    def test_an_unknown_or_malformed_filter_is_refused_and_not_ignored(self, api: httpx.Client, query: str) -> None:
        assert_problem(api.get(f"/tickets?{query}"), 400)

    @pytest.mark.parametrize(
        "path", ["", "/", "/tickets/", "/ticket", "/me/", "/tickets/1/notes", "/tickets/1/comments/2"]
    )
    def test_other_addresses_do_not_exist(self, api: httpx.Client, path: str) -> None:
        assert_problem(api.get(path), 404)

    @pytest.mark.parametrize(
        ("method", "path", "allow"),
        [
            ("DELETE", "/tickets", "GET, POST"),
            ("PUT", "/tickets/1", "GET"),
            ("GET", "/tickets/1/comments", "POST"),
            ("POST", "/me", "GET"),
        ],
    )
    def test_other_methods_are_refused(self, api: httpx.Client, method: str, path: str, allow: str) -> None:
        answer = api.request(method, path)
        assert_problem(answer, 405)
        assert answer.headers["Allow"] == allow


class TestFiles:
    @pytest.mark.parametrize(
        "name", ["setup.exe", "run.sh", "page.htm", "noending", ".json.exe", "a.json.exe", "macro.docm", "x.svg"]
    )
    def test_a_kind_that_is_not_accepted_is_a_400_that_names_the_file(self, api: httpx.Client, name: str) -> None:
        key = str(uuid.uuid4())
        answer = send(api, ("fine.txt", b"x", "text/plain"), (name, b"x", "text/plain"), key=key)
        assert assert_problem(answer, 400, name)["file"] == name
        assert api.get("/tickets", params={"key": key}).json()["tickets"] == []

    @pytest.mark.parametrize(
        "name", ["../../x.txt", "a/b.txt", "a\\b.txt", "new\nline.txt", "x" * 150 + ".txt", "\u202etxt.exe.txt"]
    )
    def test_a_name_that_no_disk_likes_is_refused(self, api: httpx.Client, name: str) -> None:
        answer = send(api, ("a.txt", b"x", "text/plain"), new={**NEW, "file_names": [name]})
        assert answer.status_code in {400, 422}
        assert_problem(answer, answer.status_code)

    @pytest.mark.parametrize(
        "name", ["a.json", "a.txt", "a.html", "a.log", "a.gz", "a.zip", "a.png", "a.jpg", "a.jpeg", "a.pdf", "A.PDF"]
    )
    def test_the_kinds_that_deskside_sends_are_accepted(self, api: httpx.Client, name: str) -> None:
        assert send(api, (name, b"x", "application/octet-stream")).status_code == 201

    def test_twenty_five_megabytes_are_taken_and_more_are_not(self, api: httpx.Client) -> None:
        most = 25 * 1024 * 1024
        assert send(api, ("a.zip", bytes(most), "application/zip")).status_code == 201
        body = assert_problem(send(api, ("a.zip", bytes(most), "application/zip"), ("b.txt", b"x", "text/plain")), 413)
        assert body["file"] == "a.zip"

    def test_far_too_much_is_refused_before_it_is_read_and_the_refusal_is_heard(self, api: httpx.Client) -> None:
        assert_problem(send(api, ("a.zip", bytes(40 * 1024 * 1024), "application/zip")), 413)
        assert api.get("/me").status_code == 200

    @pytest.mark.parametrize("count", [21, 40])
    def test_more_than_twenty_files_are_refused(self, api: httpx.Client, count: int) -> None:
        assert_problem(send(api, *([("a.txt", b"x", "text/plain")] * count)), 422, "20 files")
        assert send(api, *([("a.txt", b"x", "text/plain")] * 20)).status_code == 201

    def test_a_failed_ticket_leaves_no_file_behind(self, api: httpx.Client, demo_desk: DemoDesk) -> None:
        before = {*(demo_desk.folder / "files").rglob("*.txt"), *(demo_desk.folder / "uploads").iterdir()}
        database = sqlite3.connect(demo_desk.folder / "desk.sqlite3", timeout=20, isolation_level=None)
        with_trigger = (
            "CREATE TRIGGER broken BEFORE INSERT ON deskside_sent BEGIN SELECT RAISE(ABORT, 'disk on fire'); END"
        )
        database.execute(with_trigger)
        try:
            assert_problem(send(api, ("a.txt", b"x" * 3_000_000, "text/plain")), 500)
        finally:
            database.execute("DROP TRIGGER broken")
            database.close()
        assert {*(demo_desk.folder / "files").rglob("*.txt"), *(demo_desk.folder / "uploads").iterdir()} == before
        assert "disk on fire" in (demo_desk.folder / launch.LOG_NAME).read_text()

    def test_files_are_for_signed_in_agents_only(self, api: httpx.Client, demo_desk: DemoDesk) -> None:
        made = ticket(
            api, ("log.gz", b"\x1f\x8b\x08 packed", "application/gzip"), ("r.html", b"<b>hi</b>", "text/html")
        )
        with httpx.Client(base_url=demo_desk.url, trust_env=False) as browser, demo_desk.agent() as seat:
            page = seat._get(f"/tickets/{made['id']}/")
            assert len(page.files) == 2
            for _, href in page.files:
                away = browser.get(href)
                assert away.status_code == 302
                assert away.headers["Location"].startswith("/login/")
                assert browser.get(href, headers={"Authorization": f"Bearer {demo_desk.token}"}).status_code == 302
                inside = seat._ask("GET", href)
                assert inside.status_code == 200
                assert "Content-Encoding" not in inside.headers
                assert inside.headers["X-Content-Type-Options"] == "nosniff"
                assert "sandbox" in inside.headers["Content-Security-Policy"]
            assert seat._ask("GET", page.files[0][1]).headers["Content-Disposition"] == 'attachment; filename="log.gz"'
            for path in ("../desk.json", "..%2fdesk.json", "helpdesk/attachments/../../../desk.json", "x.txt"):
                assert seat._ask("GET", f"/media/{path}").status_code == 404


class TestWho:
    @pytest.mark.parametrize(
        "value", [None, "", "Bearer", "Bearer wrong", "Basic cm9iaW46eA==", "Token {token}", "bearer{token}"]
    )
    def test_without_a_known_token_there_is_nothing(self, demo_desk: DemoDesk, value: str | None) -> None:
        headers = {} if value is None else {"Authorization": value.format(token=demo_desk.token)}
        for path in ("/me", "/tickets", "/tickets/1", "/kb?q=x"):
            answer = httpx.get(f"{demo_desk.api}{path}", headers=headers)
            assert_problem(answer, 401)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    def test_an_account_that_was_closed_is_told_so(self, api: httpx.Client, demo_desk: DemoDesk) -> None:
        with sqlite3.connect(demo_desk.folder / "desk.sqlite3", timeout=20) as database:
            database.execute("UPDATE auth_user SET is_active = 0 WHERE username = 'robin'")
            database.commit()
            try:
                assert_problem(api.get("/me"), 403)
            finally:
                database.execute("UPDATE auth_user SET is_active = 1 WHERE username = 'robin'")
        assert api.get("/me").json() == {"name": "Robin Berg", "email": "robin.berg@example.com"}

    def test_the_database_does_not_hold_the_token(self, demo_desk: DemoDesk) -> None:
        with sqlite3.connect(demo_desk.folder / "desk.sqlite3", timeout=20) as database:
            assert demo_desk.token not in "\n".join(database.iterdump())

    def test_an_employee_cannot_enter_the_agents_pages(self, demo_desk: DemoDesk) -> None:
        for path in ("/tickets/", "/tickets/1/", "/admin/", "/kanban/", "/"):
            answer = httpx.get(f"{demo_desk.url}{path}", headers={"Authorization": f"Bearer {demo_desk.token}"})
            assert answer.status_code == 302
            assert "login" in answer.headers["Location"]

    def test_another_host_name_is_not_served(self, demo_desk: DemoDesk) -> None:
        headers = {"Host": "evil.example.net", "Authorization": f"Bearer {demo_desk.token}"}
        assert_problem(httpx.get(f"{demo_desk.api}/me", headers=headers), 400)


class TestReading:
    def test_pages_go_through_all_tickets_newest_first(self, api: httpx.Client) -> None:
        made = [ticket(api)["id"] for _ in range(3)]
        seen: list[str] = []
        params = {"limit": "2"}
        while True:
            page = api.get("/tickets", params=params).json()
            assert len(page["tickets"]) <= 2
            seen += [one["id"] for one in page["tickets"]]
            if page["next_before"] is None:
                break
            params["before"] = page["next_before"]
        assert seen[:3] == made[::-1]
        assert len(seen) == len({*seen})
        assert seen == sorted(seen, key=int, reverse=True)

    def test_a_ticket_is_found_by_its_number_and_by_its_key(self, api: httpx.Client) -> None:
        key = str(uuid.uuid4())
        made = send(api, key=key).json()["ticket"]
        assert made["key"] == key
        for params in ({"ref": made["ref"]}, {"ref": f"[{made['ref'].lower()}]"}, {"key": key}):
            assert [one["id"] for one in api.get("/tickets", params=params).json()["tickets"]] == [made["id"]]
        for ref in ("IT-999999999999", "HR-1", "nonsense", "IT-", "-1", "٣"):
            assert api.get("/tickets", params={"ref": ref}).json()["tickets"] == []

    def test_only_what_changed_since_then_is_listed(self, api: httpx.Client, demo_desk: DemoDesk) -> None:
        old, new = ticket(api), ticket(api)
        since = new["updated_at"]
        ids = [one["id"] for one in api.get("/tickets", params={"updated_since": since}).json()["tickets"]]
        assert new["id"] in ids
        assert old["id"] not in ids
        demo_desk.agent_reply(old["id"], "Now it has changed")
        ids = [one["id"] for one in api.get("/tickets", params={"updated_since": since}).json()["tickets"]]
        assert old["id"] in ids
        later = (datetime.fromisoformat(since) + timedelta(days=1)).isoformat()
        assert api.get("/tickets", params={"updated_since": later}).json()["tickets"] == []

    @pytest.mark.parametrize("path", ["/tickets", "/tickets/{id}", "/me", "/kb?q=computer"])
    def test_what_has_not_changed_is_not_sent_again(self, api: httpx.Client, path: str) -> None:
        path = path.format(id=ticket(api)["id"])
        first = api.get(path)
        again = api.get(path, headers={"If-None-Match": f'"other", W/{first.headers["ETag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert api.get(path, headers={"If-None-Match": '"other"'}).status_code == 200

    def test_a_change_changes_the_etag(self, api: httpx.Client, demo_desk: DemoDesk) -> None:
        path = f"/tickets/{ticket(api)['id']}"
        before = api.get(path).headers["ETag"]
        demo_desk.agent_reply(path.rpartition("/")[2], "Hello")
        assert api.get(path, headers={"If-None-Match": before}).status_code == 200

    def test_a_question_to_the_articles_puts_the_best_first(self, api: httpx.Client) -> None:
        found = api.get("/kb", params={"q": "How do I get access to the folder of my team?"}).json()["articles"]
        assert found[0]["title"] == "Get access to a shared folder"
        assert api.get("/kb", params={"q": "% _ ' \" \\ ; --"}).json()["articles"] == []
        assert_problem(api.get("/kb"), 400)
        assert_problem(api.get("/kb", params={"q": "x" * 201}), 400)


class TestTalking:
    def reply(self, api: httpx.Client, ticket_id: str, body: str, *files: File) -> dict[str, Any]:
        answer = send(api, *files, path=f"/tickets/{ticket_id}/comments", part="comment", new={"body": body})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def test_a_reply_opens_a_closed_ticket_again(self, api: httpx.Client, demo_desk: DemoDesk) -> None:
        made = ticket(api)
        demo_desk.agent_reply(made["id"], "Solved, I think.", close=True)
        assert api.get(f"/tickets/{made['id']}").json()["ticket"] | {"updated_at": ""} == {
            **made,
            "status": "Resolved",
            "open": False,
            "updated_at": "",
        }
        self.reply(api, made["id"], "No, it is not.")
        after = api.get(f"/tickets/{made['id']}").json()
        assert (after["ticket"]["status"], after["ticket"]["open"]) == ("Reopened", True)
        assert [one["text"] for one in after["comments"]] == ["Nothing works", "Solved, I think.", "No, it is not."]
        assert [one["from_agent"] for one in after["comments"]] == [False, True, False]
        assert [one["author"] for one in after["comments"]] == ["Robin Berg", "Alex Agent", "Robin Berg"]

    def test_closing_and_opening_twice_changes_nothing_the_second_time(self, api: httpx.Client) -> None:
        made = ticket(api)
        for what, status, is_open in (("close", "Closed", False), ("reopen", "Reopened", True)):
            first, second = (api.post(f"/tickets/{made['id']}/{what}") for _ in range(2))
            assert first.json() == second.json()
            assert (first.json()["status"], first.json()["open"]) == (status, is_open)
        talk = [one["text"] for one in api.get(f"/tickets/{made['id']}").json()["comments"]]
        assert talk == ["Nothing works", "The status is now: Closed.", "The status is now: Reopened."]
        assert_problem(api.post(f"/tickets/{made['id']}/close", json={}), 415)

    def test_a_reply_with_a_file_and_text_that_looks_like_a_template(
        self, api: httpx.Client, demo_desk: DemoDesk
    ) -> None:
        made = ticket(api, body="{{ ticket.secret_key }} {% debug %}")
        text = "{{ ticket.submitter_email }} {% include 'x' %} <script>alert(1)</script> [x](javascript:alert(1))"
        said = self.reply(api, made["id"], text, ("a.log", b"line", "text/plain"))
        assert said["comment"]["text"] == text
        seen = demo_desk.agent_ticket(made["id"])
        assert seen.title == "No network"
        assert seen.body == "{{ ticket.secret_key }} {% debug %}"
        assert "{{ ticket.submitter_email }} {% include 'x' %}" in seen.text
        assert [(one.name, one.data) for one in seen.attachments] == [("a.log", b"line")]

    def test_fields_survive_everything_an_agent_does(self, api: httpx.Client, demo_desk: DemoDesk) -> None:
        fields = {
            "cause": "dns.unreachable",
            "subject": "10.0.0.53",
            "severity": "critical",
            "tier": "L3",
            "device": "pc-1",
        }
        made = ticket(api, fields=fields)
        before = demo_desk.agent_ticket(made["id"])
        assert before.fields == {
            "cause": "dns.unreachable",
            "cause_subject": "10.0.0.53",
            "severity": "critical",
            "tier": "L3",
            "device": "pc-1",
            "key": made["key"],
        }
        assert "1. Critical" in before.text
        with demo_desk.agent() as seat:
            seat.assign(made["id"])
            # The page's own "Assigned to" box posts without the custom fields.
            box = next(
                form for form in seat._get(f"/tickets/{made['id']}/").forms if "owner" in form and "comment" not in form
            )
            assert seat._send(f"/tickets/{made['id']}/update/", {**box, "owner": "0"}) == 302
            seat.reply(made["id"], "An answer", status="closed")
            assert seat.ticket(made["id"]).fields == before.fields
            assert seat.ticket(made["id"]).title == "No network"

    def test_a_ticket_that_an_agent_wrote_down_is_listed_too(self, api: httpx.Client, demo_desk: DemoDesk) -> None:
        subject = f"By telephone {uuid.uuid4()}"
        with demo_desk.agent() as seat:
            form = next(form for form in seat._get("/tickets/submit/").forms if "submitter_email" in form)
            form |= {"title": subject, "body": "Robin called.", "submitter_email": "Robin.Berg@example.com"}
            assert seat._send("/tickets/submit/", form) == 302
        found = next(one for one in api.get("/tickets").json()["tickets"] if one["subject"] == subject)
        assert found["key"] is None
        talk = api.get(f"/tickets/{found['id']}").json()["comments"]
        assert [one["text"] for one in talk] == ["Robin called."]


class TestLine:
    def raw(self, desk: DemoDesk, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", desk.port), timeout=20) as line:
            line.sendall(request)
            whole = b""
            while more := line.recv(65536):
                whole += more
            return whole

    def test_a_body_without_a_length_is_refused(self, demo_desk: DemoDesk) -> None:
        head = b"POST /api/employee/v1/tickets HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert self.raw(demo_desk, head + b"3\r\nabc\r\n0\r\n\r\n").startswith(b"HTTP/1.1 411 ")

    @pytest.mark.parametrize("length", [b"-1", b"x", b"5, 5", b"1" * 20, b"+5"])
    def test_a_length_that_is_none_is_refused(self, demo_desk: DemoDesk, length: bytes) -> None:
        head = b"POST /api/employee/v1/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length + b"\r\n\r\n"
        assert self.raw(demo_desk, head).startswith(b"HTTP/1.1 400 ")

    def test_a_body_that_breaks_off_makes_no_ticket(self, api: httpx.Client, demo_desk: DemoDesk) -> None:
        key = str(uuid.uuid4())
        parts = [
            ("ticket", (None, json.dumps(NEW).encode(), "application/json")),
            ("files", ("a.txt", b"x" * 9000, "text/plain")),
        ]
        request = api.build_request("POST", "/tickets", headers={"Idempotency-Key": key}, files=parts)
        body = request.read()
        head = f"POST {request.url.path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in request.headers.items())
        for end in (len(body) - 1, len(body) // 2, 10):
            with socket.create_connection(("127.0.0.1", demo_desk.port), timeout=20) as line:
                line.sendall(head.encode() + b"\r\n" + body[:end])
                line.shutdown(socket.SHUT_WR)
                while line.recv(65536):
                    pass
        assert api.get("/tickets", params={"key": key}).json()["tickets"] == []

    def test_a_caller_who_asks_too_often_is_told_to_wait(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        with launch.start(tmp_path_factory.mktemp("slow"), rate=30) as desk:
            headers = {"Authorization": f"Bearer {desk.token}"}
            answers = [httpx.get(f"{desk.api}/me", headers=headers) for _ in range(7)]
            assert [one.status_code for one in answers[:5]] == [200] * 5
            assert_problem(answers[-1], 429)
            assert 1 <= int(answers[-1].headers["Retry-After"]) <= 2
            other = {"Authorization": f"Bearer {desk.colleague_token}"}
            assert httpx.get(f"{desk.api}/me", headers=other).status_code == 200

    def test_a_busy_database_asks_to_come_back(self, api: httpx.Client, demo_desk: DemoDesk) -> None:
        # Reading goes on while somebody writes; that is what the write-ahead log is for.
        writer = sqlite3.connect(demo_desk.folder / "desk.sqlite3", isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        try:
            began = time.monotonic()
            assert api.get("/tickets").status_code == 200
            assert time.monotonic() - began < 5
        finally:
            writer.execute("ROLLBACK")
            writer.close()
        assert send(api).status_code == 201
