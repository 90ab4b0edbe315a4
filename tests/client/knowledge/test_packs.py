"""Packs over a real HTTPS server: fetched once, kept offline, replaced as a whole, and never by something worse."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import shutil
import signal
import time
from pathlib import Path

import msgspec
import pytest
from pack_making import FIXES, IT, STRANGER, article, members, pack, signed, zipped

from client.desks.download import Got, download
from client.guidance import PackSource
from client.knowledge import packs as module
from client.knowledge.library import Library
from client.knowledge.pack import LARGEST_PACK, write
from client.knowledge.packs import Packs, State
from diagnostics.targets import Network
from tests.servers.static_https import Exchange, StaticServer

PATH = "/it.pack"


class Bench:
    """One computer with one pack (more with `also`)."""

    def __init__(self, server: StaticServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.keys = (IT.public,)
        self.network = Network(ca_file=str(server.ca_file))
        server.files.clear()
        server.answers.clear()
        server.asked.clear()

    @property
    def packs(self) -> Packs:
        return Packs(self.folder, (PackSource(self.server.url + PATH, self.keys),))

    @property
    def library(self) -> Library:
        return Library((), language="en", platform="linux", packs=self.packs.folders)

    def publish(self, data: bytes) -> None:
        self.server.files[PATH] = data

    async def fetch(self, url: str, *, etag: str, largest: int) -> Got:
        return await download(url, network=self.network, version="1", etag=etag, largest=largest)

    def refresh(self, *, judge: str = "1") -> State:
        return asyncio.run(self.packs.refresh(self.fetch, known_fixes=FIXES, judge=judge))[0]

    def titles(self) -> list[str]:
        return [one.title for one in self.library.all()]

    def asked(self) -> int:
        return len(self.server.asked)


@pytest.fixture
def bench(static_server: StaticServer, tmp_path: Path) -> Bench:
    return Bench(static_server, tmp_path / "packs")


def floor(number: int) -> dict[str, bytes]:
    return {"en/printer.md": article(title=f"Floor {number}")}


def test_a_pack_is_fetched_checked_and_read(bench: Bench) -> None:
    assert bench.packs.folders() == ()
    assert bench.packs.states() == (State(url=bench.server.url + PATH),)
    bench.publish(signed())
    state = bench.refresh()
    assert (state.trouble, state.id, state.title, state.version, state.articles) == (
        "",
        "example-it",
        "Example IT",
        1,
        1,
    )
    assert [(one.id, one.title, one.source) for one in bench.library.all()] == [
        ("printer", "Printing at Example", "Example IT")
    ]
    assert oct(bench.folder.stat().st_mode & 0o077) == "0o0"


def test_what_has_not_changed_is_not_sent_again(bench: Bench) -> None:
    bench.publish(signed())
    bench.refresh()
    before = bench.refresh()
    assert before.trouble == ""
    (_, first), (_, second) = bench.server.asked
    assert "if-none-match" not in first
    assert second["if-none-match"].startswith('"')
    assert second["accept-encoding"] == "identity"
    assert bench.titles() == ["Printing at Example"]


def test_a_newer_pack_replaces_an_older_one_at_once_and_as_a_whole(bench: Bench) -> None:
    bench.publish(signed(version=1, files={**floor(1), "en/old.md": article("old", title="Old")}))
    bench.refresh()
    library = bench.library
    assert [one.title for one in library.all()] == ["Floor 1", "Old"]
    bench.publish(signed(version=2, files=floor(2)))
    assert bench.refresh().version == 2
    assert [one.title for one in library.all()] == ["Floor 2"]
    assert library.get("old") is None


def test_without_a_network_the_last_good_one_stays(bench: Bench) -> None:
    bench.publish(signed())
    bench.refresh()
    bench.server.answers[PATH] = Exchange.hang_up
    state = bench.refresh()
    assert "127.0.0.1 could not be asked" in state.trouble
    assert state.version == 1
    assert bench.titles() == ["Printing at Example"]
    del bench.server.answers[PATH]
    assert bench.refresh().trouble == ""


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (lambda: signed(version=1, files=floor(1)), "older (version 1) than the one kept (version 5)"),
        (lambda: signed(version=5, files=floor(9)), "other content under the same version"),
        (lambda: signed(version=6, id="another"), "another pack (another)"),
        (lambda: signed(STRANGER, version=6), "does not trust"),
        (lambda: write(pack(version=6)), "not signed"),
        (lambda: signed(version=6)[:-30], "not whole"),
        (lambda: zipped(members(signed(version=6)), compression=8), "compressed"),
        (lambda: b"PK\3\4" + bytes(LARGEST_PACK + 10), "larger than 16 MB"),
        (lambda: b"<html>Please sign in</html>", "not a pack"),
        (lambda: signed(version=6, files={"en/a.md": article("a", more='fixes = ["disk.format"]')}), "no fix"),
    ],
)
def test_what_is_worse_is_refused_and_the_last_good_one_stays(bench: Bench, bad, said: str) -> None:
    bench.publish(signed(version=5, files=floor(5)))
    bench.refresh()
    bench.publish(bad())
    state = bench.refresh()
    assert said in state.trouble
    assert state.version == 5
    assert bench.titles() == ["Floor 5"]
    count = bench.asked()
    assert bench.refresh().trouble == state.trouble  # 304: not fetched again, and still said
    assert bench.asked() == count + 1
    bench.publish(signed(version=7, files=floor(7)))
    assert bench.refresh().trouble == ""
    assert bench.titles() == ["Floor 7"]


def test_a_refused_pack_is_looked_at_again_by_a_newer_program(bench: Bench) -> None:
    bench.publish(signed(version=6, files={"en/a.md": article("a", more='fixes = ["disk.format"]')}))
    assert "no fix" in bench.refresh().trouble
    bench.refresh()
    assert "if-none-match" in bench.server.asked[-1][1]
    bench.refresh(judge="2")
    assert "if-none-match" not in bench.server.asked[-1][1]


@pytest.mark.parametrize("status", [301, 403, 404, 500])
def test_other_answers_are_told_and_harm_nothing(bench: Bench, status: int) -> None:
    bench.publish(signed())
    bench.refresh()
    bench.server.answers[PATH] = lambda exchange: exchange.give(status, b"x", Location="https://elsewhere.example/")
    assert f"answered {status}" in bench.refresh().trouble
    assert bench.titles() == ["Printing at Example"]


def test_an_answer_that_breaks_off_and_one_without_an_end(bench: Bench) -> None:
    bench.publish(signed())
    bench.refresh()

    def breaks_off(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.send_header("Content-Length", "100000")
        exchange.end_headers()
        exchange.wfile.write(signed(version=2)[:200])
        exchange.close_connection = True

    bench.server.answers[PATH] = breaks_off
    assert "broke off" in bench.refresh().trouble

    def endless(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.end_headers()
        while True:  # until the client goes away, because it has seen enough
            exchange.wfile.write(bytes(1 << 20))

    bench.server.answers[PATH] = endless
    assert "larger than 16 MB" in bench.refresh().trouble
    assert bench.titles() == ["Printing at Example"]


def test_a_compressed_answer_is_not_unpacked(bench: Bench) -> None:
    bench.server.answers[PATH] = lambda exchange: exchange.give(200, b"\x1f\x8b" + bytes(50), Content_Encoding="gzip")
    assert "compressed answer" in bench.refresh().trouble


def test_a_server_with_a_certificate_that_nobody_knows_is_not_asked(bench: Bench) -> None:
    bench.publish(signed())
    bench.network = Network()
    assert "certificate is not trusted" in bench.refresh().trouble
    assert bench.server.asked == []


def test_a_key_that_it_takes_back_takes_its_pack_along(bench: Bench) -> None:
    bench.publish(signed(version=900))
    bench.refresh()
    bench.keys = (STRANGER.public,)
    assert bench.packs.folders() == ()
    assert bench.packs.states()[0].version == 0
    assert "does not trust" in bench.refresh().trouble
    bench.publish(signed(STRANGER, version=3, files=floor(3)))  # who had the old key must not hold up the new one
    assert bench.refresh().version == 3
    assert bench.titles() == ["Floor 3"]


def test_keys_are_exchanged_without_a_gap(bench: Bench) -> None:
    bench.publish(signed(version=1, files=floor(1)))
    bench.refresh()
    bench.keys = (IT.public, STRANGER.public)
    assert bench.titles() == ["Floor 1"]
    bench.publish(signed(STRANGER, version=1, files=floor(1)))  # the same content, signed anew
    assert bench.refresh().trouble == ""
    bench.keys = (STRANGER.public,)
    assert bench.titles() == ["Floor 1"]


@pytest.mark.parametrize("damage", ["lost", "changed", "state", "folder"])
def test_what_was_damaged_on_the_disk_is_fetched_again(bench: Bench, damage: str) -> None:
    bench.publish(signed())
    bench.refresh()
    (folder, _), (place,) = bench.packs.folders()[0], bench.folder.iterdir()
    if damage == "lost":
        (folder / "en/printer.md").unlink()
    elif damage == "changed":
        (folder / "en/printer.md").write_bytes(article(title="Changed"))
    elif damage == "folder":
        shutil.rmtree(folder)
    else:
        (place / module.STATE).write_bytes(b"\0" * 100)
    assert bench.refresh().trouble == ""
    assert bench.titles() == ["Printing at Example"]


def test_a_full_disk_keeps_the_last_good_one_and_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.publish(signed(version=1, files=floor(1)))
    bench.refresh()
    bench.publish(signed(version=2, files=floor(2)))
    real = module._write_whole

    def full(path: Path, content: bytes) -> None:
        if path.suffix == ".md":
            raise OSError(28, "No space left on device")
        real(path, content)

    monkeypatch.setattr(module, "_write_whole", full)
    assert "no space left" in bench.refresh().trouble
    assert bench.titles() == ["Floor 1"]
    assert not list(bench.folder.glob("*/.new-*"))
    monkeypatch.undo()
    assert bench.refresh().version == 2


def test_the_first_pack_wins_over_the_second_and_both_over_ours(bench: Bench, tmp_path: Path) -> None:
    ours = tmp_path / "ours/en"
    ours.mkdir(parents=True)
    for id in ("printer", "vpn", "mine"):
        (ours / f"{id}.md").write_bytes(article(id, title=f"Ours {id}"))
    bench.publish(signed(files=floor(1)))
    second = {"en/printer.md": article(title="Second"), "en/vpn.md": article("vpn", title="Second vpn")}
    bench.server.files["/second.pack"] = signed(files=second, id="second")
    both = Packs(
        bench.folder, tuple(PackSource(bench.server.url + path, bench.keys) for path in (PATH, "/second.pack"))
    )
    asyncio.run(both.refresh(bench.fetch, known_fixes=FIXES, judge="1"))
    library = Library((tmp_path / "ours",), language="de", platform="linux", packs=both.folders)
    assert {one.id: one.title for one in library.all()} == {
        "printer": "Floor 1",
        "vpn": "Second vpn",
        "mine": "Ours mine",
    }
    assert library.replaced() == {"printer", "vpn"}


def test_an_article_for_another_system_does_not_take_ours_away(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "ours/en").mkdir(parents=True)
    (tmp_path / "ours/en/printer.md").write_bytes(article(title="Ours"))
    bench.publish(signed(files={"en/printer.md": article(title="Windows", more='platforms = ["windows"]')}))
    bench.refresh()
    library = Library((tmp_path / "ours",), language="en", platform="linux", packs=bench.packs.folders)
    assert [one.title for one in library.all()] == ["Ours"]
    assert library.get("printer").title == "Ours"


def test_what_nobody_needs_any_more_is_taken_away(bench: Bench) -> None:
    bench.publish(signed(version=1, files=floor(1)))
    bench.refresh()
    ((old, _),) = bench.packs.folders()
    half = old.parent / ".new-half"
    half.mkdir()
    forgotten = bench.folder / ("f" * 24)
    forgotten.mkdir()
    (forgotten / module.STATE).write_bytes(b"{}")
    bench.publish(signed(version=2, files=floor(2)))
    bench.refresh()
    assert old.exists()  # somebody may be reading it
    past = time.time() - 40 * 86400
    for one in (old, half, forgotten / module.STATE):
        os.utime(one, (past, past))
    bench.refresh()
    assert not old.exists()
    assert not half.exists()
    assert not forgotten.exists()
    assert bench.titles() == ["Floor 2"]


def _keep_refreshing(folder: str, url: str, key: str, data: list[bytes]) -> None:
    """A process that takes one pack after the other, until it is killed."""
    packs = Packs(Path(folder), (PackSource(url, (key,)),))
    number = 0

    async def fetch(_url: str, *, etag: str, largest: int) -> Got:
        del etag, largest
        return Got(status=200, body=data[number % len(data)])

    while True:
        asyncio.run(packs.refresh(fetch, known_fixes=FIXES, judge="1"))
        number += 1


def test_whoever_is_killed_while_writing_leaves_one_whole_pack(tmp_path: Path) -> None:
    url, count = "https://kb.example.com/it.pack", 12
    data = []
    for version in range(1, 60):
        files = {f"en/a{number}.md": article(f"a{number}", title=f"Version {version}") for number in range(count)}
        data.append(signed(version=version, files=files))
    packs = Packs(tmp_path, (PackSource(url, (IT.public,)),))
    context = multiprocessing.get_context("fork")
    seen = set()
    for round in range(12):
        process = context.Process(target=_keep_refreshing, args=(str(tmp_path), url, IT.public, data), daemon=True)
        process.start()
        until = time.monotonic() + 10
        while not packs.folders() and time.monotonic() < until:
            time.sleep(0.002)
        time.sleep(0.01 + 0.007 * round)  # a different moment each time
        os.kill(process.pid, signal.SIGKILL)
        process.join(5)
        (state,) = packs.states()
        library = Library((), language="en", platform="linux", packs=packs.folders)
        titles = [one.title for one in library.all()]
        assert titles == [f"Version {state.version}"] * count
        assert library.problems == ()
        seen.add(state.version)
    assert seen


def test_a_state_file_that_names_another_place_is_nothing(bench: Bench) -> None:
    bench.publish(signed())
    bench.refresh()
    (place,) = bench.folder.iterdir()
    state = msgspec.json.decode((place / module.STATE).read_bytes())
    (place / module.STATE).write_bytes(msgspec.json.encode(state | {"folder": "../../elsewhere"}))
    assert bench.packs.folders() == ()
