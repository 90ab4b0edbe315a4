"""Where IT's rules send a ticket, as each help desk's own request says it; what such a desk cannot have is passed over."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest

from client.desks import open_desk
from client.model import Payload
from tests.contract.desk_contract import payload
from tests.servers.fake_freshservice import FakeFreshservice
from tests.servers.fake_jira import FakeJira
from tests.servers.fake_osticket import FakeOsTicket
from tests.servers.fake_service_desk_plus import FakeServiceDeskPlus
from tests.servers.fake_servicenow import FakeServiceNow
from tests.servers.fake_zammad import FakeZammad
from tests.servers.fake_zendesk import FakeZendesk
from tests.servers.mailbox import Mailbox
from tests.servers.request_tracker import RequestTracker
from tests.servers.roundup import Roundup
from tests.servers.small_server import Asked, Reply, SmallServer

ROBIN = "robin@example.com:password-of-robin"
SYS_ID = "0123456789abcdef0123456789abcdef"


def routed(**fields: str) -> Payload:
    made = payload()
    own = {name.replace("desk_", "desk:", 1) if name.startswith("desk_") else name: one for name, one in fields.items()}
    return msgspec.structs.replace(made, fields={**made.fields, **own})


def create(server_url: str, secret: str, sent: Payload, *, ca_file: str = "", **settings: Any) -> Any:
    async def work() -> Any:
        network = SimpleNamespace(proxy="none", no_proxy=(), ca_file=ca_file)
        desk = open_desk(SimpleNamespace(url=server_url, **settings), network=network, secret=secret, version="0.1.0")
        try:
            return await desk.create(sent)
        finally:
            await desk.close()

    return asyncio.run(work())


def listening(kind: type[SmallServer]) -> tuple[type[SmallServer], list[Asked]]:
    """A fake that also remembers what it was asked."""
    heard: list[Asked] = []

    class Listening(kind):  # type: ignore[valid-type, misc]
        def answer(self, asked: Asked) -> Reply:
            heard.append(asked)
            return super().answer(asked)

    return Listening, heard


def form(asked: Asked) -> dict[str, str]:
    return {one.name: one.data.decode() for one in asked.parts() if one.filename is None}


def secret_in(server: SmallServer, given: str) -> str:
    """The secret that the fake takes: for some its keys, for an address."""
    keys = getattr(server, "keys", None)
    return f"robin@example.com:{next(iter(keys))}" if keys else given


CASES = {
    "zammad": (
        FakeZammad,
        {"queue": "IT", "fields": ()},
        "token-robin",
        {"queue": "Network", "priority": "3", "desk_deskside_cause": "by a rule"},
        lambda asked: asked.json(),
        {"group": "Network", "priority_id": 3, "deskside_cause": "by a rule"},
        {"priority": "high"},
        {"group": "IT"},
    ),
    "freshservice": (
        FakeFreshservice,
        {"queue": "", "fields": (), "personal_key": True},
        "key-robin-0123456789",
        {"queue": "21000", "priority": "4", "category": "Network"},
        form,
        {"group_id": "21000", "priority": "4", "category": "Network"},
        {"queue": "Network", "priority": "urgent"},
        {"priority": "3"},
    ),
    "servicenow": (
        FakeServiceNow,
        {"queue": "", "fields": ()},
        "oauth-token-of-robin-0123456789",
        {"queue": SYS_ID, "priority": "2", "category": "network"},
        lambda asked: asked.json(),
        {"assignment_group": SYS_ID, "urgency": "2", "category": "network"},
        {"queue": "Network", "priority": "9"},
        {"urgency": "1"},
    ),
    "service_desk_plus": (
        FakeServiceDeskPlus,
        {"queue": "", "request_type": "", "fields": (), "personal_key": True},
        "robin@example.com:KEY",
        {"queue": "Network", "request_type": "Incident", "priority": "High", "category": "Net"},
        lambda asked: json.loads(parse_qs(asked.body.decode())["input_data"][0])["request"],
        {
            "group": {"name": "Network"},
            "request_type": {"name": "Incident"},
            "priority": {"name": "High"},
            "category": {"name": "Net"},
        },
        {},
        {},
    ),
    "osticket": (
        FakeOsTicket,
        {"request_type": "1", "fields": (), "personal_key": True},
        "robin@example.com:KEY",
        {"request_type": "7", "priority": "4"},
        lambda asked: json.loads(asked.body),
        {"topicId": "7", "priority": "4"},
        {"request_type": "Network", "priority": "high"},
        {"topicId": "1"},
    ),
    "jira_service_management": (
        FakeJira,
        {"queue": "4", "request_type": "99", "fields": ()},
        "robin@example.com:token-robin",
        {"request_type": "17"},
        lambda asked: asked.json(),
        {"requestTypeId": "17"},
        None,
        None,
    ),
    "zendesk": (
        FakeZendesk,
        {"request_type": "", "fields": ()},
        "oauth-robin",
        {"request_type": "360009", "priority": "urgent", "desk_360001": "by a rule"},
        lambda asked: asked.json()["request"],
        {"ticket_form_id": 360009, "priority": "urgent", "custom_fields": [{"id": 360001, "value": "by a rule"}]},
        {"request_type": "Network", "priority": "4"},
        {},
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_the_rules_values_are_in_the_request(kind: str) -> None:
    fake, settings, secret, fields, read, wanted, _, _ = CASES[kind]
    listener, heard = listening(fake)
    with listener() as server:
        create(server.url, secret_in(server, secret), routed(**fields), kind=kind, **settings)
    sent = read(next(one for one in heard if one.method == "POST"))
    assert {name: sent.get(name) for name in wanted} == wanted


@pytest.mark.parametrize("kind", [kind for kind, case in CASES.items() if case[6]])
def test_what_such_a_desk_cannot_have_is_passed_over(kind: str) -> None:
    fake, settings, secret, _, read, _, wrong, kept = CASES[kind]
    listener, heard = listening(fake)
    with listener() as server:
        create(server.url, secret_in(server, secret), routed(severity="high", **wrong), kind=kind, **settings)
    sent = read(next(one for one in heard if one.method == "POST"))
    assert {name: sent.get(name) for name in kept} == kept
    assert not set(wrong.values()) & set(map(str, sent.values()))


def test_request_tracker_takes_a_priority_and_another_queue(request_tracker: RequestTracker) -> None:
    settings = {"kind": "request_tracker", "queue": "Nowhere", "fields": ("cause=Deskside Cause",)}
    secret = request_tracker.tokens["robin"]
    made = create(request_tracker.url, secret, routed(queue="General", priority="42"), **settings)
    ticket = request_tracker.as_root("GET", f"/ticket/{made.id}").json()
    queue = request_tracker.as_root("GET", f"/queue/{ticket['Queue']['id']}").json()
    assert (queue["Name"], str(ticket["Priority"])) == ("General", "42")


def test_roundup_takes_a_priority(roundup: Roundup) -> None:
    made = create(roundup.url, roundup.secrets["robin"], routed(priority="urgent"), kind="roundup", fields=())
    issue = roundup.as_agent("GET", f"/issue/{made.id}")["attributes"]
    assert roundup.as_agent("GET", f"/priority/{issue['priority']['id']}")["attributes"]["name"] == "urgent"


def test_a_rule_sends_mail_to_another_mailbox_and_to_nothing_else(mailbox: Mailbox) -> None:
    settings = {"kind": "email", "queue": "help@example.com", "ca_file": mailbox.ca_file}
    url = f"smtp://localhost:{mailbox.port}"
    create(url, ROBIN, routed(queue="network@example.com", category="Net"), **settings)
    create(url, ROBIN, routed(queue="network@example.com\r\nBcc: x@example.com"), **settings)
    first, second = mailbox.messages
    assert (first["To"], first["X-Deskside-Category"]) == ("network@example.com", "Net")
    assert (second["To"], second["Bcc"]) == ("help@example.com", None)
