"""What the probe's network side says, against real sockets on loopback: TCP, DNS, time, pings."""

import asyncio
import errno
import socket
import struct

import dns.message
import dns.rcode
import dns.rrset
import pytest
from loopback_server import HERE, closed_port, says, serving

from diagnostics.probe import Ran
from diagnostics.wire.connect import Reach, connect_once, reach_of
from diagnostics.wire.echo import checksum, echo, ping_arguments, ping_times, walk
from diagnostics.wire.lookup import ask
from diagnostics.wire.sntp import NTP_EPOCH_OFFSET_S, ask_time, offset_of
from diagnostics.wire.visit import race

# --- TCP


def test_a_closed_port_is_refused():
    attempt = asyncio.run(connect_once(HERE, closed_port(), within=1.0))
    assert (attempt.reach, attempt.detail) == (Reach.REFUSED, "ECONNREFUSED")


@pytest.mark.parametrize(
    ("number", "reach"),
    [
        (errno.ECONNREFUSED, Reach.REFUSED),
        (errno.EHOSTUNREACH, Reach.UNREACHABLE),
        (errno.ENETUNREACH, Reach.NO_ROUTE),
        (errno.EPERM, Reach.NOT_PERMITTED),
        (errno.ECONNRESET, Reach.RESET),
        (errno.ETIMEDOUT, Reach.SILENT),
        (errno.EMFILE, Reach.ERROR),
    ],
)
def test_every_error_of_the_system_has_a_meaning(number, reach):
    assert reach_of(OSError(number, "")) is reach


def test_an_unknown_device_is_no_way():
    assert asyncio.run(connect_once(HERE, 9, within=1.0, device="nosuch0")).reach is Reach.NO_ROUTE


def test_a_full_backlog_is_silence():
    with socket.socket() as sock:
        sock.bind((HERE, 0))
        sock.listen(0)
        port = sock.getsockname()[1]
        fillers = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex((HERE, port))
            fillers.append(one)
        attempt = asyncio.run(connect_once(HERE, port, within=0.3))
        for one in fillers:
            one.close()
    assert (attempt.reach, attempt.connect_ms) == (Reach.SILENT, None)


def test_the_second_address_is_used_when_the_first_refuses():
    async def work():
        async with serving(says(b"")) as port:
            attempts, sock = await race(("127.0.0.9", HERE), port, within=1.0)
            sock.close()
            return attempts

    assert [(one.address, one.reach) for one in asyncio.run(work())] == [
        ("127.0.0.9", Reach.REFUSED),
        (HERE, Reach.CONNECTED),
    ]


# --- DNS


class Zone(asyncio.DatagramProtocol):
    def __init__(self, answer):
        self.answer, self.asked = answer, 0

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, raw, sender):
        self.asked += 1
        for reply in self.answer(dns.message.from_wire(raw), self.asked) or ():
            self.transport.sendto(reply if isinstance(reply, bytes) else reply.to_wire(), sender)


def dns_says(answer, *, within=1.0, kind="A"):
    async def work():
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Zone(answer), local_addr=(HERE, 0)
        )
        try:
            return await ask(
                HERE, "www.example.test", kind, within=within, port=transport.get_extra_info("sockname")[1]
            )
        finally:
            transport.close()

    return asyncio.run(work())


def reply_with(*records, rcode="NOERROR", flags=0):
    def answer(query, _):
        reply = dns.message.make_response(query)
        reply.set_rcode(dns.rcode.from_text(rcode))
        reply.flags |= flags
        for kind, value in records:
            reply.answer.append(dns.rrset.from_text("www.example.test.", 60, "IN", kind, value))
        return [reply]

    return answer


def test_addresses_and_aliases_are_read():
    answer = dns_says(reply_with(("CNAME", "web.example.test."), ("A", "203.0.113.7")))
    assert (answer.rcode, answer.addresses, answer.alias) == ("NOERROR", ("203.0.113.7",), "web.example.test")
    assert answer.answered
    assert answer.server_ms is not None


@pytest.mark.parametrize("rcode", ["REFUSED", "SERVFAIL", "NXDOMAIN"])
def test_every_word_of_a_server_is_an_answer(rcode):
    assert dns_says(reply_with(rcode=rcode)).rcode == rcode


def test_a_silent_server_is_asked_again_and_then_called_silent():
    answer = dns_says(lambda *_: None, within=1.3)
    assert (answer.reach, answer.sent, answer.answered) == (Reach.SILENT, 2, False)


def test_a_lost_packet_is_not_the_servers_slowness():
    answer = dns_says(
        lambda query, asked: reply_with(("A", "203.0.113.7"))(query, asked) if asked == 2 else None, within=2.0
    )
    assert answer.sent == 2
    assert answer.ms > 900
    assert answer.server_ms < 500


def test_an_answer_to_another_question_is_passed_over():
    def answer(query, _):
        stranger = dns.message.make_response(query)
        stranger.id = (query.id + 1) % 65536
        return [stranger.to_wire(), b"xx", reply_with(("A", "203.0.113.7"))(query, 1)[0]]

    assert dns_says(answer).addresses == ("203.0.113.7",)


def test_a_garbled_answer_is_an_answer_without_sense():
    assert dns_says(lambda query, _: [struct.pack("!H", query.id) + b"\xff" * 40]).rcode == "FORMERR"


def test_a_closed_resolver_refuses():
    answer = asyncio.run(ask(HERE, "www.example.test", within=1.0, port=closed_port()))
    assert (answer.reach, answer.answered) == (Reach.REFUSED, False)


def test_an_impossible_name_is_no_crash():
    assert asyncio.run(ask(HERE, "a" * 70 + ".test", within=0.1)).rcode == "BADNAME"


# --- time, pings


def test_a_time_server_is_compared_with_this_clock():
    class Server(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, _, sender):
            import time

            stamp = struct.pack("!II", int(time.time()) - 3600 + NTP_EPOCH_OFFSET_S, 0)
            self.transport.sendto(bytes([0x24, 2]) + bytes(30) + stamp + stamp, sender)

    async def work():
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Server, local_addr=(HERE, 0))
        try:
            return await ask_time(HERE, within=1.0, port=transport.get_extra_info("sockname")[1])
        finally:
            transport.close()

    assert asyncio.run(work()) == pytest.approx(3600, abs=2)


def test_a_closed_time_server_says_nothing():
    assert asyncio.run(ask_time(HERE, within=0.5, port=closed_port())) is None


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        bytes(47),
        bytes(48),
        bytes([0x24, 0]) + b"\x01" * 46,
        bytes([0x23, 1]) + b"\x01" * 46,
        bytes([0x24, 1]) + bytes(46),
    ],
)
def test_a_reply_that_says_nothing_is_no_time(reply):
    assert offset_of(reply, sent_at=0.0, received_at=0.0) is None


def test_this_computer_answers_its_own_pings():
    async def ping(argv, **_):  # where this user may open no socket for it, the system's program is asked
        assert argv[0] == "ping"
        return Ran(code=0, out="64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.05 ms\n" * 3)

    found = asyncio.run(echo(HERE, count=3, interval=0.01, wait=0.5, size=56, device="", run=ping))
    assert (found.sent, found.received, found.loss_percent) == (3, 3, 0.0)


@pytest.mark.parametrize(
    "ran",
    [Ran(code=None, missing=True), Ran(code=2, err="ping: socket: Operation not permitted")],
    ids=["missing", "forbidden"],
)
def test_where_nobody_may_ping_nothing_was_seen(ran, monkeypatch):
    async def ping(*_, **__):
        return ran

    monkeypatch.setattr("diagnostics.wire.echo._echo_socket", lambda *_: None)
    found = asyncio.run(echo(HERE, count=3, interval=0.01, wait=0.1, size=56, device="", run=ping))
    assert (found.allowed, found.loss_percent, found.median_ms) == (False, None, None)


def test_the_walk_to_this_computer_is_one_step():
    hops = asyncio.run(walk(HERE, hops=3, wait=0.5))
    assert hops[0].sender == HERE
    assert hops[0].icmp == (3, 3)


def test_the_checksum_is_that_of_the_standard():
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D  # the example of RFC 1071


PINGS = {
    "Linux": (
        "64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.405 ms\nrtt min/avg/max/mdev = 0.405/0.405/0.405/0.000 ms",
        (0.405,),
    ),
    "Windows": (
        "Reply from 192.0.2.1: bytes=32 time=14ms TTL=117\nReply from 192.0.2.1: bytes=32 time<1ms TTL=117",
        (14.0, 1.0),
    ),
    "Windows, German": (
        "Antwort von 192.0.2.1: Bytes=32 Zeit=14ms TTL=117\n    Minimum = 14ms, Maximum = 14ms, Mittelwert = 14ms",
        (14.0,),
    ),
    "Windows, French": (
        "Réponse de 192.0.2.1 : octets=32 temps=7 ms TTL=64\n    Minimum = 7ms, Maximum = 7ms, Moyenne = 7ms",
        (7.0,),
    ),
    "macOS": (
        "64 bytes from 192.0.2.1: icmp_seq=0 ttl=57 time=12.345 ms\nround-trip min/avg/max/stddev = 12.3/12.3/12.3/0.0 ms",
        (12.345,),
    ),
    "nobody": (
        "PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.\n\n--- 192.0.2.1 ping statistics ---\n3 packets transmitted, 0 received",
        (),
    ),
}


@pytest.mark.parametrize("row", PINGS)
def test_the_times_of_ping_are_read_in_every_language(row):
    text, times = PINGS[row]
    assert ping_times(text) == times


@pytest.mark.parametrize(("platform", "word"), [("linux", "-M"), ("darwin", "-D"), ("win32", "-f")])
def test_a_large_ping_may_not_be_cut_up(platform, word):
    assert word in ping_arguments(platform, "192.0.2.1", count=1, interval=0.1, wait=1.0, size=1472)
