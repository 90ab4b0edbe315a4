"""A real browser without a window, driven by the W3C WebDriver protocol over plain HTTP. For looking at the help desk's pages."""

from __future__ import annotations

import base64
import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
from desktop import Desktop, DesktopFault, wait_until

ELEMENT: Final = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element's id, from the WebDriver specification


class Browser:
    """One browser session."""

    def __init__(self, client: httpx.Client, session: str) -> None:
        self._client = client
        self._session = session

    def open(self, address: str) -> None:
        """Loads a page."""
        self._do("POST", "/url", {"url": address})

    @property
    def address(self) -> str:
        """Where the browser is, after redirects."""
        return str(self._do("GET", "/url"))

    def fill(self, selector: str, words: str) -> None:
        """Types into the first field that the CSS selector names."""
        self._do("POST", f"/element/{self._find(selector)}/value", {"text": words})

    def press(self, selector: str) -> None:
        """Clicks the first element that the CSS selector names."""
        self._do("POST", f"/element/{self._find(selector)}/click", {})

    def text(self) -> str:
        """What the page says, as it is rendered."""
        return str(self.run("return document.body.innerText"))

    def run(self, script: str) -> Any:
        """Runs JavaScript in the page and gives what it returns."""
        return self._do("POST", "/execute/sync", {"script": script, "args": []})

    def picture(self, file: Path) -> Path:
        """Writes what the page looks like as PNG."""
        file.write_bytes(base64.b64decode(self._do("GET", "/screenshot")))
        return file

    def _find(self, selector: str) -> str:
        return str(self._do("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT])

    def _do(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._client.request(method, f"/session/{self._session}{path}", json=body)
        if answer.is_error:
            raise DesktopFault(f"the browser: {answer.json()['value']['message']}")
        return answer.json()["value"]


@contextlib.contextmanager
def browser(desktop: Desktop) -> Iterator[Browser]:
    """A headless Chromium for as long as the block runs."""
    driver = desktop.spawn("chromedriver", ["chromedriver", "--port=0"])
    port = wait_until(
        "chromedriver", lambda: re.search(r"started successfully on port (\d+)", desktop.log("chromedriver"))
    )[1]
    switches = [
        "--headless=new",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1280,1000",
        f"--user-data-dir={desktop.folder}/chromium",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        switches.append("--no-sandbox")  # Chromium refuses to run as root otherwise
    wanted = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": {"args": switches}}}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
        answer = client.post("/session", json={"capabilities": wanted})
        if answer.is_error:
            raise DesktopFault(f"no browser: {answer.json()['value']['message']}")
        session = answer.json()["value"]["sessionId"]
        try:
            yield Browser(client, session)
        finally:
            client.delete(f"/session/{session}")
            desktop.end(driver)
