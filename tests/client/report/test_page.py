"""report.html in a real browser: it asks for nothing, fits a phone, and looks different in the dark."""

from __future__ import annotations

import html
import json
import re
import shutil
import struct
import subprocess
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest

from client.report.compose import HTML, compose

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
OUTSIDE = re.compile(r"(?:https?:)?//[\w.-]+|url\(|@import|\bjavascript:", re.IGNORECASE)


@pytest.fixture
def page(draft, who) -> str:
    changed = ("The name server was 10.0.0.2, now it is 10.0.0.53.",)
    found = compose(draft, who=who, home="/home/anna.berg", changed=changed)
    return next(one.data for one in found.payload.attachments if one.name == HTML).decode()


class Markup(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in {"meta", "br", "img", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_names_nothing_that_a_browser_would_fetch(page):
    markup = Markup(page)
    assert not {"script", "img", "link", "iframe", "object", "embed", "form", "base", "video", "audio"} & set(
        markup.tags
    )
    assert not {"src", "href", "srcset", "action", "background", "style"} & {name for name, _ in markup.attributes}
    assert not [name for name, _ in markup.attributes if name.startswith("on")]
    style = page[page.index("<style>") : page.index("</style>")]
    assert OUTSIDE.findall(style) == []
    assert "default-src 'none'; style-src 'unsafe-inline'" in page


def test_every_tag_is_closed_and_the_outline_has_one_heading(page):
    markup = Markup(page)
    assert markup.open == []
    assert markup.tags.count("h1") == 1
    assert ("lang", "en") in markup.attributes


# --- in a real browser


@pytest.fixture(scope="module")
def browser() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on this computer")
    return found


def run(browser: str, folder: Path, *options: str) -> bytes:
    command = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--hide-scrollbars",
    ]
    command += [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
    ]
    command += [f"--user-data-dir={folder / 'profile'}", *options]
    return subprocess.run(command, capture_output=True, timeout=90, check=True).stdout


def picture(browser: str, folder: Path, page: str, *, width: int, height: int, dark: bool) -> bytes:
    source, target = folder / "report.html", folder / f"{width}-{'dark' if dark else 'light'}.png"
    source.write_text(page, encoding="utf-8")
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    run(browser, folder, *scheme, f"--window-size={width},{height}", f"--screenshot={target}", source.as_uri())
    return target.read_bytes()


def corner(png: bytes) -> tuple[int, ...]:
    """The colour of the first pixel of a PNG whose first row has no filter but "none", "sub" or "up" (all the same for it)."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    data, place = b"", 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            data += png[place + 8 : place + 8 + length]
        place += 12 + length
    return tuple(zlib.decompress(data)[1:4])


@pytest.mark.slow
def test_it_is_light_by_day_and_dark_by_night(browser, page, tmp_path):
    day, night = (picture(browser, tmp_path, page, width=390, height=800, dark=dark) for dark in (False, True))
    assert min(corner(day)) > 200
    assert max(corner(night)) < 60


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen(browser, page, tmp_path, width):
    frame = tmp_path / "frame.html"
    long = "x" * 300  # a word without an end, in the places where foreign words stand
    page = page.replace("Since this morning", long).replace("ThinkPad T14 Gen 4", long).replace("LibreOffice", long)
    frame.write_text(
        f'<meta charset=utf-8><iframe srcdoc="{html.escape(page)}" style="width:{width}px;height:900px;border:0"></iframe>'
        "<pre></pre><script>document.querySelector('iframe').onload = event => {"
        "const seen = event.target.contentDocument;"
        "for (const one of seen.querySelectorAll('details')) one.open = true;"
        "document.querySelector('pre').textContent = JSON.stringify({"
        "wide: seen.documentElement.scrollWidth, high: seen.documentElement.scrollHeight,"
        "policy: seen.querySelectorAll('[http-equiv]').length}) }</script>",
        encoding="utf-8",
    )
    dom = run(browser, tmp_path, "--dump-dom", "--virtual-time-budget=3000", frame.as_uri()).decode()
    found = json.loads(html.unescape(dom.rpartition("<pre>")[2].partition("</pre>")[0]))
    assert found["policy"] == 1
    assert found["high"] > 1000
    assert found["wide"] <= width


@pytest.mark.slow
def test_the_browser_asks_nobody_for_anything(browser, page, tmp_path):
    log = tmp_path / "net.json"
    source = tmp_path / "report.html"
    source.write_text(page, encoding="utf-8")
    run(browser, tmp_path, f"--log-net-log={log}", f"--screenshot={tmp_path / 'x.png'}", source.as_uri())
    asked = set(re.findall(r'"url":"((?:https?|wss?|ftp):[^"]+)"', log.read_text(errors="replace")))
    # The browser itself asks its maker for news (and gets no answer here); the page must not be the reason of any request.
    assert {
        one for one in asked if not re.match(r"https?://[\w.-]+\.(?:google|googleapis|gstatic|gvt1)\.com/", one)
    } == set()


@pytest.mark.slow
def test_it_prints_with_its_details_open(browser, page, tmp_path):
    source, target = tmp_path / "report.html", tmp_path / "report.pdf"
    source.write_text(page, encoding="utf-8")
    run(browser, tmp_path, f"--print-to-pdf={target}", "--no-pdf-header-footer", source.as_uri())
    pages = len(re.findall(rb"/Type\s*/Page\b", target.read_bytes()))
    assert 2 <= pages <= 6
