"""A help desk on the far side: the receiver of signed tickets behind HTTPS, with a line on standard output for each ticket.

`python far_desk.py CERTIFICATE PORT` serves until it is ended. A line is the moment (seconds since 1970) and the subject.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.servers.small_server import Asked, Reply
from tests.servers.webhook_receiver import WebhookReceiver


class Telling(WebhookReceiver):
    def answer(self, asked: Asked) -> Reply:
        before = len(self.tickets)
        reply = super().answer(asked)
        for one in self.tickets[before:]:
            tell(f"{time.time():.3f} {one['subject']}")
        return reply


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    """Carries bytes one way until there are no more."""
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.close()


def main() -> None:
    """Ends the encryption before the receiver, which knows none."""
    certificate, port = sys.argv[1], int(sys.argv[2])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Telling() as desk, socket.create_server(("", port)) as listener:
        inner = int(desk.url.rsplit(":", 1)[1])
        tell("ready")
        while True:
            plain, _ = listener.accept()
            try:
                outside = context.wrap_socket(plain, server_side=True)
            except OSError:
                continue
            inside = socket.create_connection(("127.0.0.1", inner))
            for ends in ((outside, inside), (inside, outside)):
                threading.Thread(target=pass_on, args=ends, daemon=True).start()


if __name__ == "__main__":
    main()
