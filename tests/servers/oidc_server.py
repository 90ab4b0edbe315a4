"""A real OpenID provider on loopback (npm's oidc-provider), and a help desk that takes its tokens.

    with OidcServer() as provider, TokenDesk(provider) as desk:
        provider.issuer, desk.url

Run as a program it is the person in front of the browser: `python oidc_server.py ADDRESS LOGIN` follows the pages of a sign-in.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self

import httpx

sys.path[:0] = [str(Path(__file__).parents[2])]

from tests.servers.small_server import Asked, Reply, SmallServer  # noqa: E402 -- after the path is set

FOLDER = Path(__file__).parent / "oidc"
PEOPLE = {
    "robin": {"email": "robin@example.com", "name": "Robin Berg"},
    "kim": {"email": "kim@example.com", "name": "Kim Lund"},
}
MOST_PAGES = 12


class OidcServer:
    """The provider. `events` are what it has said, one dictionary an event.

    Args:
        access_s: how long access tokens last.
        device_s: how long a code lasts.
    """

    def __init__(self, *, access_s: int = 600, device_s: int = 600) -> None:
        self._want = {"resource": "", "access_s": access_s, "device_s": device_s, "people": PEOPLE}
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        node = shutil.which("node")
        assert node, "Node.js is missing: installers/linux/prepare test"
        self._process = subprocess.Popen(
            [node, "server.js", json.dumps(self._want)],
            cwd=FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        while not line.startswith("{"):
            assert line, "the provider did not start"
            line = self._process.stdout.readline()
        ready = json.loads(line)
        self.issuer, self.client_id = ready["issuer"], ready["client_id"]
        self._desk = (ready["desk_id"], ready["desk_secret"])
        self._ear = threading.Thread(target=self._listen, daemon=True)
        self._ear.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._ear.join(20)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def who(self, token: str) -> dict[str, Any]:
        """What the provider says of an access token, asked as the help desk does (RFC 7662)."""
        found = httpx.post(
            f"{self.issuer}/token/introspection", data={"token": token}, auth=self._desk, timeout=30, trust_env=False
        )
        return found.json()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):  # the provider has remarks of its own
                self.events.append(json.loads(line))


class TokenDesk(SmallServer):
    """A help desk with the employee API's `me` alone, which asks the provider whose token it is given."""

    def __init__(self, provider: OidcServer) -> None:
        super().__init__()
        self._provider = provider
        self.asked: list[str] = []

    def answer(self, asked: Asked) -> Reply:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        self.asked.append(token)
        person = self._provider.who(token) if token else {}
        if not person.get("active"):
            return Reply(401, {"title": "Sign in", "status": 401, "detail": "Not known.", "hint": "Sign in."})
        if asked.path.endswith("/me"):
            return Reply(200, {"name": PEOPLE[person["sub"]]["name"], "email": PEOPLE[person["sub"]]["email"]})
        return Reply(404, {"title": "Nothing", "status": 404, "detail": "Not here.", "hint": ""})


def walk(address: str, login: str, *, no: bool = False) -> httpx.Response:
    """Follows the pages of a sign-in as a person does: name, password, consent. Gives the page it ends at.

    Args:
        address: what the browser was sent to.
        login: who it is.
        no: whether the person declines.
    """
    with httpx.Client(follow_redirects=True, timeout=60, trust_env=False) as browser:
        page = browser.get(address)
        for _ in range(MOST_PAGES):
            if no and (link := re.search(r'id="abort" href="([^"]+)"', page.text)):
                return browser.get(str(page.url.join(link[1])))
            form = re.search(r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', page.text, re.DOTALL)
            if form is None:
                return page
            fields = dict(re.findall(r'<input[^>]*name="([^"]+)"(?:[^>]*value="([^"]*)")?', form[2]))
            fields |= {name: value for name, value in (("login", login), ("password", "x")) if name in fields}
            page = browser.post(str(page.url.join(form[1])), data=fields)
        raise AssertionError("the sign-in does not end")


if __name__ == "__main__":
    walk(sys.argv[1], sys.argv[2])
