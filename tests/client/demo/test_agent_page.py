"""What an agent reads: the ticket's page of the embedded desk in a real Chromium."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import httpx
import pytest

from client.demo.launch import DemoDesk
from tests.browser import Browser

BODY = """Cause: dns.unreachable (10.0.0.53), high, sure to 97 %
The computer asks 10.0.0.53 for names, and it is silent. Websites fail because of it.

Evidence
- dns.resolvers failed: 2 of 2 name servers were silent for 1.5 s
- internet.https skipped: it needs names
- gateway.ping ok: 192.168.1.1 answers in 2 ms

What was tried
- Flush the DNS cache: no change (09:12)
- Reconnect the network: no change (09:14)

Changed since it last worked (yesterday, 17:40)
- name server: 10.0.0.1 -> 10.0.0.53

In the employee's words
I cannot open any website, <b>but</b> the phone in the same Wi-Fi works & so does my colleague's.
It is urgent: the offer must go out before noon.

Computer: pc-0815, Linux 6.1, wired and Wi-Fi, 16 GB, up 3 days"""
REPORT = b"""<!doctype html><html><head><title>Report</title><style>h1 { color: rgb(1, 2, 3) }</style></head>
<body><h1>All checks</h1><script>document.querySelector('h1').textContent = 'changed'</script>
<img src="http://127.0.0.2:9/pixel.png" alt=""></body></html>"""
FILES = {
    "report.json": (b'{"schema": 1}', "application/json"),
    "report.html": (REPORT, "text/html"),
    "summary.txt": ("Kurz: äöü\n".encode(), "text/plain"),
    "screenshot.png": (b"\x89PNG\r\n\x1a\n", "image/png"),
    "log.gz": (b"\x1f\x8b", "application/gzip"),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def page(demo_desk: DemoDesk, browser: Browser) -> str:
    """The address of a fresh ticket, opened by the signed-in agent."""
    new = {
        "subject": "The name server does not answer",
        "body": BODY,
        "fields": {
            "cause": "dns.unreachable",
            "subject": "10.0.0.53",
            "severity": "high",
            "tier": "L2",
            "device": "pc-0815",
        },
    }
    made = httpx.post(
        f"{demo_desk.api}/tickets",
        headers={"Authorization": f"Bearer {demo_desk.token}", "Idempotency-Key": str(uuid.uuid4())},
        files=[
            ("ticket", (None, json.dumps(new).encode(), "application/json")),
            *(("files", (name, data, kind)) for name, (data, kind) in FILES.items()),
        ],
        trust_env=False,
    ).json()
    browser.open(made["ticket"]["url"])
    if "/login/" in browser.url:
        browser.type("#username", demo_desk.agent_user)
        browser.type("#password", demo_desk.agent_password)
        browser.click("button[type=submit]")
        browser.left("/login/")
        browser.open(made["ticket"]["url"])
    return str(made["ticket"]["url"])


def test_the_ticket_reads_as_it_was_written(browser: Browser, page: str) -> None:
    shown = browser.text()
    wanted = [line for line in BODY.splitlines() if line]
    places = [shown.find(line) for line in wanted]
    assert -1 not in places, [line for line, place in zip(wanted, places, strict=True) if place == -1]
    assert places == sorted(places), "every line, on a line of its own, in order"
    assert "\n".join(wanted[2:6]) in shown
    assert shown.index("The name server does not answer") < places[0]
    assert "2. High" in shown


def test_what_deskside_found_is_shown_in_a_table(browser: Browser, page: str) -> None:
    rows = browser.text("#deskside-fields").splitlines()
    shown = dict(zip(rows[::2], rows[1::2], strict=True))
    assert shown.pop("Deskside key")
    assert shown == {
        "Cause": "dns.unreachable",
        "Concerns": "10.0.0.53",
        "Severity": "high",
        "Tier": "L2",
        "Device": "pc-0815",
    }


def test_every_file_is_linked_and_opens(browser: Browser, page: str) -> None:
    links = browser.run(
        "return [...document.querySelectorAll('#deskside-files a')].map(one => [one.textContent, one.href])"
    )
    assert [name for name, _ in links] == list(FILES)
    fetch = "const answer = await fetch(arguments[0]); return [...new Uint8Array(await answer.arrayBuffer())]"
    for name, href in links:
        assert bytes(browser.run(fetch, href)) == FILES[name][0]


def test_a_report_opens_with_its_style_but_runs_and_loads_nothing(browser: Browser, page: str) -> None:
    href = browser.run("return document.querySelector('#deskside-files a[data-file=\"report.html\"]').href")
    browser.requested_hosts()
    browser.open(href)
    assert browser.text("h1") == "All checks"
    assert browser.requested_hosts() == {"127.0.0.1"}


def test_the_page_asks_nobody_else_for_anything(browser: Browser, page: str) -> None:
    browser.requested_hosts()
    browser.open(page)
    assert browser.requested_hosts() == {"127.0.0.1"}


def test_an_answer_typed_by_the_agent_reaches_the_employee(browser: Browser, page: str, demo_desk: DemoDesk) -> None:
    browser.click("#respond-tab")
    browser.type("#commentBox", "Please look at the cable.")
    browser.click("#ticket-respond-form button.btn-success")
    browser.shows("Please look at the cable.")
    ticket_id = page.rstrip("/").rpartition("/")[2]
    talk = httpx.get(
        f"{demo_desk.api}/tickets/{ticket_id}", headers={"Authorization": f"Bearer {demo_desk.token}"}
    ).json()
    assert (talk["comments"][-1]["text"], talk["comments"][-1]["from_agent"]) == ("Please look at the cable.", True)
    assert talk["ticket"]["subject"] == "The name server does not answer"
