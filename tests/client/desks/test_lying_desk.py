"""What the employee desk's adapter makes of every lie and accident: a true sentence, and never a second ticket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.desks import http, open_desk
from client.desks.base import Desk
from client.errors import (
    DeskBroken,
    DeskFault,
    DeskRefused,
    DeskUnreachable,
    NotFound,
    OutcomeUnknown,
    SignInNeeded,
    TooBusy,
    TooLarge,
)
from client.model import Attachment, Created, Payload, Ticket
from tests import faulty_server as lies
from tests.faulty_server import FaultyServer

SECRET = "a-token-that-nobody-may-see"
NETWORK = SimpleNamespace(proxy="none", no_proxy=(), ca_file="")
TICKET = Payload(
    key="0b8a2c1e-key",
    subject="It does not work",
    body="Nothing works",
    attachments=(Attachment(name="large.zip", media_type="application/zip", data=bytes(300_000)),),
)


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        yield server


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_S", 0.3)
    monkeypatch.setattr(http, "CONNECT_S", 0.3)
    monkeypatch.setattr(http, "ANSWER_S", 0.8)
    monkeypatch.setattr(http, "SLOWEST_BYTES_PER_S", 10**9)


def desk_at(url: str) -> Desk:
    return open_desk(SimpleNamespace(kind="employee", url=url), network=NETWORK, secret=SECRET, version="1.2.3")


def fault_of(url: str, what: str) -> DeskFault:
    async def whole() -> None:
        desk = desk_at(url)
        try:
            if what == "create":
                await desk.create(TICKET)
            elif what == "comment":
                await desk.comment("7", TICKET)
            elif what == "find":
                await desk.find(TICKET.key)
            else:
                await desk.tickets()
        finally:
            await desk.close()

    with pytest.raises(DeskFault) as caught:
        asyncio.run(whole())
    fault = caught.value
    shown = f"{fault!r} {fault.message} {fault.hint} {getattr(fault, 'words', '')}"
    assert SECRET not in shown
    assert "<" not in fault.message
    assert len(fault.message) < 400
    assert fault.message.endswith((".", "…")) or fault.message
    return fault


# What the server does, what it means for a new ticket or a reply, and what it means for a question.
LIES = [
    ("500 after all", lies.status(500), DeskBroken, DeskBroken),
    ("502 of a gateway", lies.raw(502, b"<html>Bad gateway</html>", Content_Type="text/html"), DeskBroken, DeskBroken),
    ("503 without a time", lies.status(503), DeskBroken, DeskBroken),
    ("503 with a time", lies.status(503, Retry_After="120"), TooBusy, TooBusy),
    ("429 with a time", lies.status(429, Retry_After="30"), TooBusy, TooBusy),
    ("429 without a time", lies.status(429), TooBusy, TooBusy),
    ("the line breaks after reading", lies.reset_after_reading(), OutcomeUnknown, DeskUnreachable),
    ("the line ends without an answer", lies.close_after_reading(), OutcomeUnknown, DeskUnreachable),
    ("half an answer", lies.break_in_answer(), OutcomeUnknown, DeskUnreachable),
    ("something that is no HTTP", lies.not_http(), OutcomeUnknown, DeskUnreachable),
    ("an endless answer", lies.endless_body(), DeskBroken, DeskBroken),
    ("a gzip bomb", lies.gzip_bomb(), DeskBroken, DeskBroken),
    ("a damaged gzip", lies.raw(200, b"not gzip", Content_Encoding="gzip"), DeskBroken, DeskBroken),
    ("an encoding nobody asked for", lies.raw(200, b"x", Content_Encoding="br"), DeskBroken, DeskBroken),
    ("a sign-in page", lies.login_page(), DeskBroken, DeskBroken),
    ("an empty 200", lies.status(200), DeskBroken, DeskBroken),
    ("JSON of another shape", lies.json_answer(200, {"id": 5}), DeskBroken, DeskBroken),
    ("JSON without a number", lies.json_answer(200, {"ticket": {"id": None}}), DeskBroken, DeskBroken),
    (
        "JSON that nests too deep",
        lies.raw(200, b"[" * 200_000, Content_Type="application/json"),
        DeskBroken,
        DeskBroken,
    ),
    ("a redirection to another host", lies.redirect("https://evil.example.net/login"), DeskBroken, DeskBroken),
    ("a redirection to the same host", lies.redirect("/elsewhere", 308), DeskBroken, DeskBroken),
    ("401", lies.problem(401, "Unknown token."), SignInNeeded, SignInNeeded),
    ("403", lies.problem(403, "Not you."), DeskRefused, DeskRefused),
    ("404", lies.problem(404, "No such ticket."), NotFound, NotFound),
    ("407 of a proxy", lies.status(407), DeskUnreachable, DeskUnreachable),
    ("408", lies.status(408), DeskUnreachable, DeskUnreachable),
    ("409", lies.problem(409, "This key is taken."), DeskRefused, DeskRefused),
    ("413", lies.problem(413, "Too much."), TooLarge, TooLarge),
    ("422", lies.problem(422, "A queue is missing."), DeskRefused, DeskRefused),
    ("418", lies.status(418), DeskRefused, DeskRefused),
    ("204", lies.status(204), DeskBroken, DeskBroken),
]


@pytest.mark.parametrize(("act", "writing", "asking"), [one[1:] for one in LIES], ids=[one[0] for one in LIES])
@pytest.mark.parametrize("what", ["create", "comment", "find", "tickets"])
def test_every_lie_ends_in_a_true_sentence(
    server: FaultyServer, act: lies.Act, writing: type, asking: type, what: str
) -> None:
    server.script(act)
    assert type(fault_of(server.url, what)) is (writing if what in {"create", "comment"} else asking)
    assert len(server.requests) == 1, "an adapter repeats nothing"


@pytest.mark.parametrize("act", [lies.bare_number(), lies.status(201), lies.login_page(201), lies.gzip_bomb(201)])
def test_a_yes_that_cannot_be_read_may_have_made_a_ticket(server: FaultyServer, act: lies.Act) -> None:
    server.script(act)
    fault = fault_of(server.url, "create")
    assert isinstance(fault, (OutcomeUnknown, DeskBroken))


def test_a_bare_number_is_not_taken_for_a_ticket(server: FaultyServer) -> None:
    server.script(lies.bare_number())
    assert type(fault_of(server.url, "create")) is OutcomeUnknown


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize("act", [lies.silence(), lies.slow_drip(), lies.slow_head()], ids=["silence", "drip", "head"])
def test_an_answer_that_does_not_come_is_not_waited_for_without_end(server: FaultyServer, act: lies.Act) -> None:
    server.script(act)
    assert type(fault_of(server.url, "create")) is OutcomeUnknown
    assert type(fault_of(server.url, "tickets")) is DeskUnreachable


def test_a_line_that_breaks_while_sending_is_unclear(server: FaultyServer) -> None:
    server.script(lies.reset_while_reading())
    assert type(fault_of(server.url, "create")) is OutcomeUnknown
    assert server.requests == []


def test_a_refusal_before_the_body_was_read_is_heard(server: FaultyServer) -> None:
    server.script(lies.refuse_early(413, "The body is too long."))
    fault = fault_of(server.url, "create")
    assert isinstance(fault, TooLarge)
    assert fault.name == "large.zip"


def test_what_no_desk_of_this_kind_takes_is_not_even_sent(server: FaultyServer) -> None:
    files = (
        Attachment(name=f"{size}.zip", media_type="application/zip", data=bytes(size)) for size in (20 << 20, 6 << 20)
    )
    with pytest.raises(TooLarge) as caught:
        asyncio.run(
            desk_at(server.url).create(Payload(key="a-long-key", subject="s", body="b", attachments=tuple(files)))
        )
    assert caught.value.name == f"{20 << 20}.zip"
    assert server.connections == 0


def test_a_closed_port_received_nothing() -> None:
    with FaultyServer() as server:
        url = server.url
    assert type(fault_of(url, "create")) is DeskUnreachable


def test_what_the_desk_says_is_passed_on_as_plain_text(server: FaultyServer) -> None:
    server.script(
        lies.problem(422, f"<b>Queue</b> &lt;script&gt;x&lt;/script&gt; {SECRET} is\n\u202emissing " + "x" * 900)
    )
    fault = fault_of(server.url, "create")
    assert isinstance(fault, DeskRefused)
    assert fault.words.startswith("Queue x … is missing xxx")
    assert len(fault.words) == 300
    assert fault.words in fault.message
    assert fault.hint == "Do it differently."


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "30"}, 30),
        ({"Retry_After": "0"}, 0),
        ({"Retry_After": "99999999"}, 86_400),
        ({"Retry_After": "Sat, 31 Jan 2026 09:02:00 GMT", "Date": "Sat, 31 Jan 2026 09:00:00 GMT"}, 120),
        ({"Retry_After": "Sat, 31 Jan 2026 08:00:00 GMT", "Date": "Sat, 31 Jan 2026 09:00:00 GMT"}, 0),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "-5"}, None),
        ({"Retry_After": "1e9"}, None),
    ],
)
def test_the_time_to_wait_is_understood(server: FaultyServer, headers: dict[str, str], seconds: float | None) -> None:
    server.script(lies.status(429, **headers))
    fault = fault_of(server.url, "create")
    assert isinstance(fault, TooBusy)
    assert fault.retry_after_s == seconds


def test_a_redirection_never_carries_the_token_away(server: FaultyServer) -> None:
    with FaultyServer() as thief:
        server.script(lies.redirect(f"{thief.url}/api/employee/v1/tickets", 307))
        fault = fault_of(server.url, "create")
        assert thief.connections == 0
    assert "sends us on" in fault.message


def test_only_files_that_the_desk_has_byte_for_byte_count_as_attached(server: FaultyServer) -> None:
    server.script(lies.created(attachments=[{"name": "large.zip", "sha256": "0" * 64}]))

    async def create() -> tuple[str, ...]:
        desk = desk_at(server.url)
        made = await desk.create(TICKET)
        await desk.close()
        return made.attached

    assert asyncio.run(create()) == ()


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://help.example.com/7", True),
        ("http://127.0.0.1:8000/tickets/7/", True),
        ("javascript:alert(1)", False),
        ("file:///etc/passwd", False),
        ("https://", False),
        ("https://good.example@evil.example/", False),
        ("https://help.example.com/\u202e", False),
        ("https://[", False),
        ("\\\\server\\share", False),
    ],
)
def test_only_links_that_lead_to_a_web_page_are_kept(server: FaultyServer, url: str, kept: bool) -> None:  # noqa: FBT001
    server.script(lies.created(ticket={**lies.CREATED["ticket"], "url": url, "ref": "IT-7\u202e\n"}))
    made = asyncio.run(created_by(server.url))
    assert made.url == (url if kept else "")
    assert made.ref == "IT-7  "


async def created_by(url: str) -> Created:
    desk = desk_at(url)
    try:
        return await desk.create(TICKET)
    finally:
        await desk.close()


@pytest.mark.parametrize("ticket_id", ["", "../me", "7/comments", "x" * 65, "7\n", "7?x"])
def test_a_number_that_cannot_stand_in_an_address_is_no_ticket(server: FaultyServer, ticket_id: str) -> None:
    server.script(lies.created(ticket={**lies.CREATED["ticket"], "id": ticket_id}))
    assert type(fault_of(server.url, "create")) is OutcomeUnknown


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "ref", "ticket", "open"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    code=st.sampled_from([200, 201, 202, 204, 206, 299, 301, 304, 400, 404, 409, 418, 429, 499, 500, 503, 599]),
    body=st.binary(max_size=200)
    | json_values.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(st.sampled_from([*lies.CREATED["ticket"]]), json_values).map(
        lambda changes: json.dumps({"ticket": {**lies.CREATED["ticket"], **changes}, "attachments": []}).encode()
    ),
    cut=st.just(0) | st.integers(1, 40),
    kind=st.sampled_from(["application/json", "text/html", "text/plain", "", "a;b"]),
    encoding=st.sampled_from(["", "gzip", "deflate", "br", "identity, gzip"]),
)
def test_whatever_is_answered_nothing_is_claimed_that_the_desk_did_not_say(
    code: int, body: bytes, cut: int, kind: str, encoding: str
) -> None:
    headers = {"Content_Type": kind, "Connection": "close"} | ({"Content_Encoding": encoding} if encoding else {})
    whole = lies.answer(code, body, **headers)
    with FaultyServer() as server:
        server.script(lies.Act(lambda exchange: exchange.send_and_close(whole[: len(whole) - cut])))
        made: Created | DeskFault
        try:
            made = asyncio.run(created_by(server.url))
        except DeskFault as fault:
            made = fault
    if isinstance(made, Created):
        assert code in {200, 201}
        assert cut == 0
        assert made.id == json.loads(body)["ticket"]["id"]
    else:
        assert made.message
        assert SECRET not in f"{made!r} {made.hint}"


def test_every_request_says_who_we_are_and_carries_its_key(server: FaultyServer) -> None:
    server.script(lies.created())
    desk = desk_at(server.url)

    async def create() -> None:
        await desk.create(TICKET)
        await desk.close()

    asyncio.run(create())
    heard = server.requests[0]
    assert (heard.method, heard.path) == ("POST", "/api/employee/v1/tickets")
    assert heard.headers["user-agent"] == "deskside/1.2.3"
    assert heard.headers["authorization"] == f"Bearer {SECRET}"
    assert heard.headers["idempotency-key"] == TICKET.key
    assert TICKET.attachments[0].data in heard.body


def test_a_list_without_an_end_is_left_at_some_point(server: FaultyServer) -> None:
    server.script(lies.json_answer(200, {"tickets": [lies.CREATED["ticket"]], "next_before": "7"}))

    async def tickets() -> int:
        desk = desk_at(server.url)
        found = await desk.tickets()
        await desk.close()
        return len(found)

    assert asyncio.run(tickets()) == 10


def test_a_list_that_has_not_changed_is_not_sent_again(server: FaultyServer) -> None:
    page = lies.json_answer(200, {"tickets": [lies.CREATED["ticket"]], "next_before": None}, ETag='"one"')
    server.script(page, lies.status(304, ETag='"one"'))

    async def twice() -> bool:
        desk = desk_at(server.url)
        same = await desk.tickets() == await desk.tickets()
        await desk.close()
        return same

    assert asyncio.run(twice())
    assert [one.headers.get("if-none-match") for one in server.requests] == [None, '"one"']


def test_what_an_earlier_process_knew_is_asked_for_with_its_etag(server: FaultyServer) -> None:
    page = lies.json_answer(200, {"tickets": [lies.CREATED["ticket"]], "next_before": None}, ETag='"one"')
    server.script(page, lies.status(304, ETag='"one"'))

    async def once(known: dict[str, tuple[str, bytes]]) -> tuple[tuple[Ticket, ...], dict[str, tuple[str, bytes]]]:
        desk = desk_at(server.url)
        desk.recall(known)
        tickets = await desk.tickets()
        await desk.close()
        return tickets, desk.answers()

    tickets, known = asyncio.run(once({}))
    assert asyncio.run(once(known)) == (tickets, known)
    assert [one.headers.get("if-none-match") for one in server.requests] == [None, '"one"']


def test_a_304_that_nobody_asked_for_is_a_fault(server: FaultyServer) -> None:
    server.script(lies.status(304))
    assert type(fault_of(server.url, "tickets")) is DeskBroken


def test_one_adapter_serves_one_loop_after_another(server: FaultyServer) -> None:
    server.script(lies.json_answer(200, {"name": "Robin", "email": ""}))
    desk = desk_at(server.url)

    async def ask() -> str:
        name = (await desk.whoami()).name
        await desk.close()
        return name

    assert [asyncio.run(ask()) for _ in range(3)] == ["Robin"] * 3
