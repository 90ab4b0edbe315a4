"""Tickets of the employee API: their files, their lists, and what is said in them."""

from __future__ import annotations

import sqlite3
import uuid
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from client.demo import launch
from client.demo.launch import DemoDesk
from tests.client.demo.calls import NEW, File, assert_problem, send, ticket


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

    def test_a_ticket_on_hold_is_open_and_says_so(self, api: httpx.Client, demo_desk: DemoDesk) -> None:
        made = ticket(api)
        with demo_desk.agent() as seat:
            page = seat._get(f"/tickets/{made['id']}/")
            form = next(form for form in page.forms if "csrfmiddlewaretoken" in form)
            assert (
                seat._send(f"/tickets/{made['id']}/hold/", {"csrfmiddlewaretoken": form["csrfmiddlewaretoken"]}) == 302
            )
        now = api.get(f"/tickets/{made['id']}").json()["ticket"]
        assert (now["status"], now["open"]) == ("Open, on hold", True)

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
