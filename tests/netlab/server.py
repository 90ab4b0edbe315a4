"""Every server of the lab in one process per namespace: DNS, web (plain, secure, portal), proxy, time, plain TCP.

How they behave is read from a JSON file at each request, so that a scenario changes it by writing the file.
Started as `python server.py CONFIG.json`; prints "ready" when everything listens.
"""

import asyncio
import contextlib
import json
import ssl
import struct
import sys
import time
from email.utils import formatdate
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

NTP_EPOCH = 2_208_988_800
PORTAL_PAGE = (
    b"<html><title>Guest network</title><body><form action=/login>Sign in <input name=room></form></body></html>"
)
PAGE = b"<html><body><h1>A page</h1>" + b"<p>words words words words</p>" * 120 + b"</body></html>"
BLOB = bytes(400_000)


class Lab:
    def __init__(self, path):
        self.config = json.loads(Path(path).read_text())
        self.knobs_path = Path(self.config["knobs"])

    @property
    def knobs(self):
        return json.loads(self.knobs_path.read_text())

    def now(self):
        return time.time() + self.knobs.get("clock_s", 0)


class NameServer(asyncio.DatagramProtocol):
    def __init__(self, lab, name):
        self.lab, self.name = lab, name

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, raw, sender):
        knobs = self.lab.knobs.get("dns", {}).get(self.name, {})
        if knobs.get("mode") == "silent":
            return
        reply = answer(raw, self.lab.config["zone"], knobs)
        asyncio.get_running_loop().call_later(knobs.get("delay_s", 0), self.transport.sendto, reply, sender)


def answer(raw, zone, knobs):
    query = dns.message.from_wire(raw)
    reply = dns.message.make_response(query, recursion_available=True)
    question = query.question[0]
    name = question.name.to_text(omit_final_dot=True).lower()
    mode = knobs.get("mode", "ok")
    if mode in {"refused", "servfail"}:
        reply.set_rcode(dns.rcode.from_text(mode))
        return reply.to_wire()
    found = knobs.get("names", {}).get(name, zone.get(name))
    for dead in knobs.get("dead_zones", ()):
        if name == dead or name.endswith(f".{dead}"):
            found = knobs.get("dead_with", "NXDOMAIN")
    if mode == "hijack":
        found = [knobs["address"]]
    if name == "" and mode != "hijack":
        reply.answer.append(dns.rrset.from_text(question.name, 300, "IN", "NS", "a.root.test."))
    elif found is None:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    elif isinstance(found, str):
        reply.set_rcode(dns.rcode.from_text(found))
    else:
        wanted = dns.rdatatype.to_text(question.rdtype)
        records = [one for one in found if (":" in one) == (wanted == "AAAA")] if wanted in {"A", "AAAA"} else []
        if records:
            reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", wanted, *records))
    return reply.to_wire()


class TimeServer(asyncio.DatagramProtocol):
    def __init__(self, lab):
        self.lab = lab

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, raw, sender):
        now = self.lab.now() + NTP_EPOCH
        stamp = struct.pack("!II", int(now), int(now % 1 * 2**32))
        self.transport.sendto(bytes([0x24, 1, 0, 0]) + bytes(20) + raw[40:48] + stamp + stamp, sender)


async def read_head(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if ": " in line)
    return first.split(), {name.lower(): value for name, value in headers.items()}


def page_for(lab, site, path):  # noqa: PLR0911 -- one return for each kind of page
    """Status, headers and body of a page, or None for silence."""
    knobs = {**lab.knobs.get("web", {}).get("*", {}), **lab.knobs.get("web", {}).get(site, {})}
    if knobs.get("mute"):
        return None, knobs
    if site == "portal":
        style = lab.knobs.get("portal", "redirect")
        if style == "redirect" and path != "/welcome":
            return (302, {"Location": "http://portal.guest.test/welcome"}, b""), knobs
        return (511 if style == "511" else 200, {"Content-Type": "text/html"}, PORTAL_PAGE), knobs
    if "status" in knobs:
        return (knobs["status"], knobs.get("headers", {}), knobs.get("body", "out of order").encode()), knobs
    if path.startswith("/generate_204"):
        return (204, {}, b""), knobs
    if path.startswith("/blob"):
        return (200, {"Content-Type": "application/octet-stream"}, BLOB), knobs
    if path.startswith("/wpad.dat"):
        script = 'function FindProxyForURL(url, host) { return "PROXY 10.88.0.31:3128"; }'
        return (200, {"Content-Type": "application/x-ns-proxy-autoconfig"}, script.encode()), knobs
    return (200, {"Content-Type": "text/html"}, PAGE), knobs


def web_server(lab, site):
    async def serve(reader, writer):
        try:
            words, _ = await read_head(reader)
            path = words[1].split("://", 1)[-1]
            path = "/" + path.split("/", 1)[1] if "/" in path else "/"
            made, knobs = page_for(lab, site, path)
            if made is None:
                await reader.read()
                return
            await asyncio.sleep(knobs.get("delay_s", 0))
            status, headers, body = made
            lines = [
                f"HTTP/1.1 {status} Status",
                f"Date: {formatdate(lab.now(), usegmt=True)}",
                "Server: lab",
                "Connection: close",
            ]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            lines += [] if status == 204 else [f"Content-Length: {len(body)}"]
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, ValueError, IndexError):
            pass
        finally:
            writer.close()

    return serve


def proxy_server(lab):
    async def serve(reader, writer):
        try:
            words, headers = await read_head(reader)
            knobs = lab.knobs.get("proxy", {})
            if knobs.get("mute"):
                await reader.read()
                return
            if knobs.get("auth") and headers.get("proxy-authorization") != "Basic bmVsbDpzZWNyZXQ=":
                writer.write(
                    b'HTTP/1.1 407 Authentication\r\nProxy-Authenticate: Basic realm="lab"\r\nContent-Length: 0\r\n\r\n'
                )
                await writer.drain()
                return
            await carry(lab, words, reader, writer)
        except (OSError, asyncio.IncompleteReadError, ValueError, IndexError):
            pass
        finally:
            writer.close()

    return serve


async def carry(lab, words, reader, writer):
    tunnel = words[0] == "CONNECT"
    place = words[1] if tunnel else words[1].split("://", 1)[1].split("/", 1)[0]
    host, _, port = place.partition(":")
    address = next((one for one in lab.config["zone"].get(host, [host]) if ":" not in one), host)
    try:
        async with asyncio.timeout(2):
            far_reader, far_writer = await asyncio.open_connection(address, int(port or 80))
    except (OSError, TimeoutError):
        writer.write(b"HTTP/1.1 502 Bad gateway\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        return
    if tunnel:
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
    else:
        path = "/" + words[1].split("://", 1)[1].partition("/")[2]
        far_writer.write(f"{words[0]} {path} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n".encode())

    async def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer), return_exceptions=True)


async def quiet(reader, writer):
    await reader.read(100)
    writer.close()


def secure_context(lab, site):
    """A context that picks the certificate by the knob of the site when a client says hello."""
    contexts = {}

    def load(kind):
        path = lab.config["certificates"][site].get(kind) or lab.config["certificates"][site]["good"]
        if path not in contexts:
            contexts[path] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            contexts[path].load_cert_chain(path)
        return contexts[path]

    def choose(socket, _name, _context):
        knobs = lab.knobs.get("web", {})
        socket.context = load({**knobs.get("*", {}), **knobs.get(site, {})}.get("certificate", "good"))

    context = load("good")
    context.sni_callback = choose
    return context


async def start(lab, one):
    loop = asyncio.get_running_loop()
    kind, address, port = one["kind"], one["address"], one["port"]
    if kind == "dns":
        await loop.create_datagram_endpoint(lambda: NameServer(lab, one["name"]), local_addr=(address, port))
    elif kind == "time":
        await loop.create_datagram_endpoint(lambda: TimeServer(lab), local_addr=(address, port))
    elif kind == "web":
        await asyncio.start_server(web_server(lab, one["name"]), address, port)
    elif kind == "secure":
        await asyncio.start_server(web_server(lab, one["name"]), address, port, ssl=secure_context(lab, one["name"]))
    elif kind == "proxy":
        await asyncio.start_server(proxy_server(lab), address, port)
    else:
        await asyncio.start_server(quiet, address, port)


async def main():
    lab = Lab(sys.argv[1])
    for one in lab.config["servers"]:
        await start(lab, one)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


asyncio.run(main())
