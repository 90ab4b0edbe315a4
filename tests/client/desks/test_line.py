"""The one HTTP client: whom it trusts, which way it goes, and what it never sends where."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import trustme

from client.desks import http, open_desk
from client.desks.http import Line, proxy_for
from client.errors import DeskFault, DeskUnreachable, SettingsFault, SignInNeeded
from client.model import Identity
from tests import faulty_server as lies
from tests.faulty_server import FaultyServer

SECRET = "a-token-that-nobody-may-see"
ME = b'{"name": "Robin", "email": ""}'


def network(proxy: str = "none", no_proxy: tuple[str, ...] = (), ca_file: str = "") -> SimpleNamespace:
    return SimpleNamespace(proxy=proxy, no_proxy=no_proxy, ca_file=ca_file)


def whoami(url: str, settings: SimpleNamespace) -> Identity:
    async def ask() -> Identity:
        desk = open_desk(SimpleNamespace(kind="employee", url=url), network=settings, secret=SECRET, version="1.2.3")
        try:
            return await desk.whoami()
        finally:
            await desk.close()

    return asyncio.run(ask())


def fault_of(url: str, settings: SimpleNamespace) -> DeskFault:
    with pytest.raises(DeskFault) as caught:
        whoami(url, settings)
    assert SECRET not in f"{caught.value!r} {caught.value.hint}"
    return caught.value


@pytest.fixture(scope="module")
def company() -> trustme.CA:
    return trustme.CA(organization_name="A company's own authority")


@pytest.fixture
def tls_desk(company: trustme.CA) -> Iterator[int]:
    """The port of a desk on "localhost" with the company's certificate; the server it is before ends the encryption."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    company.issue_cert("localhost").configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as line:
                    if line.recv(65536):
                        line.sendall(lies.answer(200, ME, Content_Type="application/json", Connection="close"))
                        line.unwrap()
            except OSError:
                plain.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


class TestTrust:
    def test_an_unknown_authority_is_not_trusted_and_nothing_is_sent(self, tls_desk: int) -> None:
        fault = fault_of(f"https://localhost:{tls_desk}", network())
        assert isinstance(fault, DeskUnreachable)
        assert "certificate of localhost is not trusted" in fault.message

    def test_the_file_of_authorities_adds_the_companys(
        self, tls_desk: int, company: trustme.CA, tmp_path: Path
    ) -> None:
        company.cert_pem.write_to_path(tmp_path / "company.pem")
        settings = network(ca_file=str(tmp_path / "company.pem"))
        assert whoami(f"https://localhost:{tls_desk}", settings).name == "Robin"

    def test_another_name_than_the_certificates_is_not_trusted(
        self, tls_desk: int, company: trustme.CA, tmp_path: Path
    ) -> None:
        company.cert_pem.write_to_path(tmp_path / "company.pem")
        fault = fault_of(f"https://127.0.0.1:{tls_desk}", network(ca_file=str(tmp_path / "company.pem")))
        assert isinstance(fault, DeskUnreachable)

    def test_a_server_without_encryption_is_said_plainly(self) -> None:
        with FaultyServer() as server:
            fault = fault_of(f"https://localhost:{server.port}", network())
        assert isinstance(fault, DeskUnreachable)
        assert "No encrypted connection" in fault.message

    @pytest.mark.parametrize("content", [None, "", "no certificate"])
    def test_a_file_of_authorities_that_is_none_is_a_fault_of_the_settings(
        self, tmp_path: Path, content: str | None
    ) -> None:
        file = tmp_path / "ca.pem"
        if content is not None:
            file.write_text(content)
        with pytest.raises(SettingsFault) as caught:
            whoami("https://localhost:1", network(ca_file=str(file)))
        assert str(file) in caught.value.message
        assert caught.value.problems[0].startswith("network.ca_file")


class TestAddress:
    @pytest.mark.parametrize(
        "url",
        [
            "",
            "help.example.com",
            "ftp://help.example.com",
            "https://",
            "http://help.example.com",
            "http://10.0.0.5:8000",
            "http://localhost.example.com",
            "https://robin:geheim@help.example.com",
            "https://help.example.com/?token=geheim",
            "https://help.example.com/#geheim",
            "https://[::1",
            "https://help.example.com:port",
        ],
    )
    def test_an_address_that_no_secret_may_go_to_is_refused(self, url: str) -> None:
        with pytest.raises(SettingsFault) as caught:
            open_desk(SimpleNamespace(kind="employee", url=url), network=network(), secret=SECRET, version="1")
        shown = f"{caught.value!r} {caught.value.hint} {caught.value.problems}"
        assert "geheim" not in shown
        assert caught.value.problems[0].startswith("desk.url")

    @pytest.mark.parametrize(
        ("url", "api"),
        [
            ("https://help.example.com", "https://help.example.com/api/employee/v1"),
            (" https://help.example.com/ ", "https://help.example.com/api/employee/v1"),
            ("https://example.com/desk", "https://example.com/desk/api/employee/v1"),
            ("https://help.example.com/api/employee/v1/", "https://help.example.com/api/employee/v1"),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000/api/employee/v1"),
            ("http://[::1]:8000", "http://[::1]:8000/api/employee/v1"),
            ("http://localhost:8000", "http://localhost:8000/api/employee/v1"),
        ],
    )
    def test_the_desks_address_leads_to_its_api(self, url: str, api: str) -> None:
        desk = open_desk(SimpleNamespace(kind="employee", url=url), network=network(), secret=SECRET, version="1")
        assert str(desk._line.base) == api  # type: ignore[attr-defined]

    def test_a_path_in_front_of_the_api_is_kept(self) -> None:
        with FaultyServer() as server:
            server.script(lies.raw(200, ME, Content_Type="application/json"))
            whoami(f"{server.url}/help/desk", network())
            assert server.requests[0].path == "/help/desk/api/employee/v1/me"


class TestProxy:
    @pytest.mark.parametrize(
        ("host", "no_proxy", "direct"),
        [
            ("help.example.com", (), False),
            ("help.example.com", (".example.com",), True),
            ("help.example.com", ("example.com",), True),
            ("HELP.example.com.", (".EXAMPLE.com",), True),
            ("example.com", (".example.com",), True),
            ("badexample.com", (".example.com",), False),
            ("help.example.com", ("help.example.com",), True),
            ("10.1.2.3", ("10.0.0.0/8",), True),
            ("11.1.2.3", ("10.0.0.0/8",), False),
            ("10.1.2.3", ("10.1.2.3",), True),
            ("help.example.com", ("*",), True),
            ("help.example.com", ("", "."), False),
            ("127.0.0.1", (), True),
            ("localhost", (), True),
        ],
    )
    def test_exceptions_are_reached_directly(self, host: str, no_proxy: tuple[str, ...], direct: bool) -> None:  # noqa: FBT001
        settings = network("http://proxy.example.com:8080", no_proxy)
        expected = None if direct else "http://proxy.example.com:8080"
        assert proxy_for(httpx.URL(f"https://{host}"), settings) == expected

    @pytest.mark.parametrize(
        ("environment", "found"),
        [
            ({}, None),
            ({"HTTPS_PROXY": "http://proxy:8080"}, "http://proxy:8080"),
            ({"https_proxy": "proxy:8080"}, "http://proxy:8080"),
            ({"ALL_PROXY": "http://proxy:8080"}, "http://proxy:8080"),
            ({"HTTP_PROXY": "http://proxy:8080"}, None),
            ({"HTTPS_PROXY": "http://proxy:8080", "NO_PROXY": ".example.com"}, None),
            ({"HTTPS_PROXY": "http://proxy:8080", "NO_PROXY": "example.net"}, "http://proxy:8080"),
        ],
    )
    def test_the_systems_proxy_is_what_the_environment_says(
        self, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], found: str | None
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert proxy_for(httpx.URL("https://help.example.com"), network("system")) == found
        assert proxy_for(httpx.URL("https://help.example.com"), network("none")) is None

    def ask_through(self, proxy: str) -> DeskFault:
        return fault_of("https://help.example.com", network(proxy))

    def test_the_proxy_is_asked_for_a_tunnel_and_never_sees_the_token(self) -> None:
        with FaultyServer() as proxy:
            proxy.script(lies.status(403))
            fault = self.ask_through(proxy.url)
            assert proxy.requests[0].method == "CONNECT"
            assert proxy.requests[0].path == "help.example.com:443"
            assert "authorization" not in proxy.requests[0].headers
        assert isinstance(fault, DeskUnreachable)
        assert "proxy" in fault.message

    def test_a_dead_proxy_received_nothing(self) -> None:
        with FaultyServer() as gone:
            url = gone.url
        assert isinstance(self.ask_through(url), DeskUnreachable)

    def test_a_proxys_password_is_never_shown(self) -> None:
        with FaultyServer() as proxy:
            proxy.script(lies.status(407))
            fault = self.ask_through(f"http://robin:geheim@127.0.0.1:{proxy.port}")
        assert isinstance(fault, DeskUnreachable)
        assert "geheim" not in f"{fault!r} {fault.hint} {fault.__cause__!r}"

    @pytest.mark.parametrize("proxy", ["http://robin:geheim@proxy:port", "socks9://robin:geheim@proxy:1"])
    def test_a_proxy_that_is_none_is_a_fault_of_the_settings(self, proxy: str) -> None:
        with pytest.raises(SettingsFault) as caught:
            whoami("https://help.example.com", network(proxy))
        assert "geheim" not in f"{caught.value!r} {caught.value.problems} {caught.value.hint}"

    def test_another_network_is_noticed_without_a_restart(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with FaultyServer() as proxy:
            proxy.script(lies.status(403))

            async def roam() -> None:
                line = Line("https://help.example.invalid", network=network("system"), version="1", secret=SECRET)
                for address in (proxy.url, f"http://127.0.0.1:{proxy.port}/"):
                    monkeypatch.setenv("HTTPS_PROXY", address)
                    with pytest.raises(DeskUnreachable, match="proxy"):
                        await line.ask("GET", "/me", act=http.Act.READ, expect=frozenset({200}))
                await line.close()

            asyncio.run(roam())
            assert len(proxy.requests) == 2


def test_without_a_secret_nothing_is_sent() -> None:
    with FaultyServer() as server:
        desk = open_desk(SimpleNamespace(kind="employee", url=server.url), network=network(), secret=None, version="1")
        with pytest.raises(SignInNeeded):
            asyncio.run(desk.whoami())
        assert server.connections == 0


def test_a_gzipped_answer_is_understood() -> None:
    import gzip

    with FaultyServer() as server:
        server.script(lies.raw(200, gzip.compress(ME), Content_Type="application/json", Content_Encoding="gzip"))
        assert whoami(server.url, network()).name == "Robin"
        assert server.requests[0].headers["accept-encoding"] == "gzip"


def test_a_secret_is_in_no_repr() -> None:
    assert SECRET not in repr(Line("https://help.example.com", network=network(), version="1", secret=SECRET))
