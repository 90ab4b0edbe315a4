"""A real headless Chromium for tests, steered through chromedriver's own HTTP interface (W3C WebDriver); no further library."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import httpx

OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-proxy-server",
    "--hide-scrollbars",
)
START_S = 30.0


class Browser:
    """One browser with a fresh profile. Use it in a `with` block."""

    def __init__(self, *, width: int = 1280, height: int = 1600) -> None:
        self._size = f"--window-size={width},{height}"

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        self._driver = subprocess.Popen(
            ["chromedriver", "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "HOME": self._folder.name, "TMPDIR": self._folder.name},
        )
        try:
            self._line = httpx.Client(base_url=f"http://127.0.0.1:{self._port()}", timeout=START_S, trust_env=False)
            options = {"args": [*OPTIONS, self._size, f"--user-data-dir={self._folder.name}/profile"]}
            self._session = self._ask(
                "POST",
                "/session",
                {
                    "capabilities": {
                        "alwaysMatch": {"goog:chromeOptions": options, "goog:loggingPrefs": {"performance": "ALL"}}
                    }
                },
            )["sessionId"]
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._ask("DELETE", f"/session/{self._session}")
        finally:
            self._line.close()
            self._end()

    def _end(self) -> None:
        self._driver.terminate()
        self._driver.wait(10)
        if self._driver.stdout is not None:
            self._driver.stdout.close()
        self._folder.cleanup()

    def _port(self) -> str:
        assert self._driver.stdout is not None
        for line in self._driver.stdout:
            if found := re.search(r"successfully on port (\d+)", line):
                return found[1]
        raise AssertionError("chromedriver did not start")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._line.request(method, path, json=body if method == "POST" else None)
        value = answer.json()["value"]
        assert answer.status_code == httpx.codes.OK, value
        return value

    def _do(self, what: str, body: dict[str, Any]) -> Any:
        return self._ask("POST", f"/session/{self._session}/{what}", body)

    def open(self, url: str) -> None:
        """Goes to the page and waits until it has loaded."""
        self._do("url", {"url": url})

    def run(self, script: str, *arguments: object) -> Any:
        """The value of a function body run in the page."""
        return self._do("execute/sync", {"script": script, "args": list(arguments)})

    def element(self, css: str) -> str:
        """The element's id for WebDriver."""
        return str(next(iter(self._do("element", {"using": "css selector", "value": css}).values())))

    def type(self, css: str, text: str) -> None:
        self._do(f"element/{self.element(css)}/value", {"text": text})

    def click(self, css: str) -> None:
        self.run("document.querySelector(arguments[0]).scrollIntoView({block: 'center', behavior: 'instant'})", css)
        self._do(f"element/{self.element(css)}/click", {})

    def text(self, css: str = "body") -> str:
        """What a person can read there."""
        return str(self._ask("GET", f"/session/{self._session}/element/{self.element(css)}/text"))

    def shows(self, words: str, *, wait: float = START_S) -> None:
        """Waits until the page shows the words; a click that sends a form comes back before the next page is there."""
        ends, seen = time.monotonic() + wait, ""
        while time.monotonic() < ends:
            with contextlib.suppress(AssertionError):  # the page may change between finding an element and reading it
                seen = self.text()
                if words in seen:
                    return
            time.sleep(0.05)
        raise AssertionError(f"{words!r} is not on the page:\n{seen}")

    def left(self, part: str, *, wait: float = START_S) -> None:
        """Waits until the address of the page has not this part any more."""
        ends = time.monotonic() + wait
        while part in self.url:
            assert time.monotonic() < ends, f"still at {self.url}"
            time.sleep(0.05)

    @property
    def url(self) -> str:
        return str(self._ask("GET", f"/session/{self._session}/url"))

    def screenshot(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self._ask("GET", f"/session/{self._session}/screenshot")))

    def requested_hosts(self) -> set[str]:
        """The hosts that pages have asked since the last call; what a page's own policy stopped was never asked for."""
        asked: dict[str, str] = {}
        for entry in self._do("se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            about = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                url = httpx.URL(about["request"]["url"])
                if url.scheme in {"http", "https", "ws", "wss"}:
                    asked[about["requestId"]] = url.host
            elif message["method"] == "Network.loadingFailed" and about.get("blockedReason") == "csp":
                asked.pop(about["requestId"], None)
        return {*asked.values()}
