"""Visits to pages over real sockets on loopback: phases, broken answers, proxies, certificates."""

import asyncio
import ssl

import pytest
import trustme
from loopback_server import DAY, HERE, NOW, closed_port, go, says, serving

from diagnostics.wire.certificate import CertificateError, read
from diagnostics.wire.connect import Reach
from diagnostics.wire.request import Request, host_port
from diagnostics.wire.visit import asks_to_sign_in, problem_of, visit

# --- HTTP

OK = b"HTTP/1.1 200 OK\r\nDate: Sat, 31 Jan 2026 09:00:00 GMT\r\nAge: 7\r\nServer: s\r\nContent-Length: 5\r\n\r\nhello"


def test_a_page_is_read_with_its_phases():
    found = go(says(OK), keep_page=True)
    assert (found.outcome, found.status, found.body_bytes, found.page) == ("answered", 200, 5, "hello")
    assert (found.date, found.age_s, found.server) == ("Sat, 31 Jan 2026 09:00:00 GMT", 7, "s")
    assert found.connect_ms <= found.total_ms
    assert found.attempts[-1].reach is Reach.CONNECTED


ANSWERS = {
    "nothing at all": (says(b"", then_wait=True), "no_answer"),
    "hanging up": (says(b""), "closed"),
    "no http": (says(b"SSH-2.0-OpenSSH_9\r\n\r\n", then_wait=True), "garbled"),
    "half a page": (says(OK[:-3], then_wait=True), "stalled"),
    "half a page, then hanging up": (says(OK[:-3]), "answered"),
    "100 first": (says(b"HTTP/1.1 100 Continue\r\n\r\n" + OK), "answered"),
    "a broken length": (says(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"), "garbled"),
}


@pytest.mark.parametrize("row", ANSWERS)
def test_every_way_to_answer_badly_has_a_name(row):
    handle, outcome = ANSWERS[row]
    assert go(handle).outcome == outcome


def test_a_refused_visit_names_what_happened():
    found = asyncio.run(visit(Request(url=f"http://localhost:{closed_port()}/", addresses=(HERE,))))
    assert (found.outcome, found.at_proxy) == ("refused", False)


def test_a_name_without_an_address_is_an_outcome():
    assert asyncio.run(visit(Request(url="http://nowhere.test/", addresses=()))).outcome == "name"


def test_an_endless_page_is_cut():
    async def endless(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 10_000)
            await writer.drain()

    found = go(endless, body_limit_bytes=50_000)
    assert found.outcome == "answered"
    assert 50_000 <= found.body_bytes < 200_000


def test_a_padded_request_is_that_much_larger():
    sizes = []

    async def measure(reader, writer):
        sizes.append(len(await reader.readuntil(b"\r\n\r\n")))
        writer.write(OK)

    go(measure, pad_bytes=4000)
    assert sizes[0] > 4000


# --- proxies


def test_a_plain_page_is_asked_of_the_proxy_by_its_whole_address():
    lines = []

    async def note(reader, writer):
        lines.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0])
        writer.write(OK)

    found = go(note, by_proxy=True, url="http://www.example.test/page")
    assert lines == [b"GET http://www.example.test/page HTTP/1.1"]
    assert found.via.startswith("http://127.0.0.1:")
    assert found.outcome == "answered"


@pytest.mark.parametrize(("status", "scheme"), [(407, "http"), (407, "https"), (502, "https"), (403, "https")])
def test_a_proxy_that_says_no_is_not_the_targets_fault(status, scheme):
    found = go(
        says(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status),
        by_proxy=True,
        url=f"{scheme}://www.example.test/",
    )
    assert (found.outcome, found.at_proxy, found.proxy_status) == ("proxy", True, status)


def test_what_is_no_proxy_is_garbled():
    assert go(says(b"220 mail ready\r\n\r\n"), by_proxy=True, url="https://www.example.test/").outcome == "garbled"


def test_the_password_of_a_proxy_is_sent_and_never_shown():
    heads = []

    async def note(reader, writer):
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 407 No\r\n\r\n")

    async def work():
        async with serving(note) as port:
            proxy = f"http://nell:s%65cret@{HERE}:{port}"
            return await visit(Request(url="https://www.example.test/", addresses=(HERE,), proxy=proxy))

    found = asyncio.run(work())
    assert b"Proxy-Authorization: Basic bmVsbDpzZWNyZXQ=" in heads[0]
    assert "secret" not in str(found)


# --- TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    made = trustme.CA(organization_name="Our authority")
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    made.cert_pem.write_to_path(path)
    return made, str(path)


def context_of(certificate):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(made)
    return made


def test_a_trusted_certificate_is_kept_as_evidence(authority):
    made, path = authority
    found = go(says(OK), scheme="https", ca_file=path, context=context_of(made.issue_cert("localhost")))
    assert found.outcome == "answered"
    assert found.certificate.problem is None
    assert "localhost" in found.certificate.names
    assert found.tls_ms > 0


CERTIFICATES = {
    "expired": ("expired", {"not_before": NOW - 9 * DAY, "not_after": NOW - 2 * DAY}, "localhost", True),
    "not yet": ("not_yet", {"not_before": NOW + 2 * DAY, "not_after": NOW + 9 * DAY}, "localhost", True),
    "for another": ("wrong_host", {}, "other.test", True),
    "of a stranger": ("untrusted", {}, "localhost", False),
}


@pytest.mark.parametrize("row", CERTIFICATES)
def test_a_refused_certificate_is_shown_with_its_reason(row, authority):
    problem, dates, name, ours = CERTIFICATES[row]
    made, path = authority
    issuer = made if ours else trustme.CA(organization_name="A stranger")
    heads = []

    async def note(reader, writer):
        heads.append(await reader.read(100))

    found = go(note, scheme="https", ca_file=path, context=context_of(issuer.issue_cert(name, **dates)))
    assert (found.outcome, found.certificate.problem) == ("certificate", problem)
    assert found.certificate.root.startswith("Our authority" if ours else "A stranger") or found.certificate.issuer
    assert all(not head for head in heads)  # nothing was asked of a server that is not trusted


def test_a_server_that_speaks_no_tls_is_told_from_a_silent_one():
    async def plain(reader, writer):
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad\r\n\r\n")

    async def silent(reader, _):
        await reader.read()

    assert go(plain, scheme="https").outcome == "tls"
    assert go(silent, scheme="https").outcome == "tls_silent"


def test_a_certificate_is_read_as_the_cryptography_library_reads_it(authority):
    from cryptography import x509

    made, _ = authority
    leaf = made.issue_cert("www.example.test", "*.example.test", "192.0.2.7", common_name="www.example.test")
    pem = leaf.cert_chain_pems[0].bytes()
    theirs, ours = x509.load_pem_x509_certificate(pem), read(ssl.PEM_cert_to_DER_cert(pem.decode()))
    assert ours.not_before == theirs.not_valid_before_utc
    assert ours.not_after == theirs.not_valid_after_utc
    assert ours.names == ("www.example.test", "*.example.test", "192.0.2.7")
    assert ours.subject == "www.example.test"
    assert ours.covers("www.example.test")
    assert ours.covers("a.example.test")
    assert ours.covers("192.0.2.7")
    assert not ours.covers("a.b.example.test")
    assert not ours.covers("example.test")


@pytest.mark.parametrize(
    "raw", [b"", b"\x30", b"\x30\x82\xff\xff", b"not a certificate", bytes(200), b"\x30\x03\x30\x01\x30"]
)
def test_rubbish_is_no_certificate(raw):
    with pytest.raises(CertificateError):
        read(raw)


def test_a_verifier_that_names_no_reason_is_helped_by_the_certificate(authority):
    made, _ = authority
    pem = made.issue_cert("localhost", not_before=NOW - 9 * DAY, not_after=NOW + 9 * DAY).cert_chain_pems[0].bytes()
    one = read(ssl.PEM_cert_to_DER_cert(pem.decode()))
    now = NOW.timestamp()
    assert problem_of(one, "localhost", code=0, now=now) == "untrusted"
    assert problem_of(one, "other.test", code=0, now=now) == "wrong_host"
    assert problem_of(one, "localhost", code=0, now=now + 30 * 86400) == "expired"
    assert problem_of(one, "localhost", code=0, now=now - 30 * 86400) == "not_yet"


SIGN_IN = {
    b"<html><form action=/login><input></form></html>": True,
    b'<html><head><meta http-equiv="refresh" content="0; url=http://portal/">': True,
    b"<html><script>window.location='http://x'</script></html>": True,
    b"<html><body>Hello</body></html>": False,
    b"sign in": False,
    b"": False,
}


@pytest.mark.parametrize("page", SIGN_IN)
def test_sign_in_pages_look_like_sign_in_pages(page):
    assert asks_to_sign_in(page) is SIGN_IN[page]


def test_a_url_without_a_host_is_an_error():
    with pytest.raises(ValueError, match="names no host"):
        host_port("https:///page")
