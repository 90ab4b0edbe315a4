"""The employee API over the wire: once per key, strict, for its employee only, on a line that breaks."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from client.demo import launch
from client.demo.launch import DemoDesk
from tests.client.demo.calls import NEW, File, assert_problem, send


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

    @pytest.mark.slow
    def test_a_database_that_stays_locked_asks_to_come_back(self, api: httpx.Client, demo_desk: DemoDesk) -> None:
        key = str(uuid.uuid4())
        writer = sqlite3.connect(demo_desk.folder / "desk.sqlite3", isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        try:
            answer = send(api, key=key)
        finally:
            writer.execute("ROLLBACK")
            writer.close()
        assert_problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
        assert send(api, key=key).status_code == 201

    def test_reading_goes_on_while_somebody_writes(self, api: httpx.Client, demo_desk: DemoDesk) -> None:
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
