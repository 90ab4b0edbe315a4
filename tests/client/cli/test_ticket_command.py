"""`deskside login`, `ticket` and `outbox` as real processes against the real embedded help desk."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from client.demo.launch import DemoDesk, start
from client.platform.single_instance import SIGN_IN, SingleInstance, instance_folder
from client.receipt import hash_in, without_ref

Run = Callable[..., Any]
WORDS = "The printer prints blank pages. Größe 日本語 🙂"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoDesk]:
    with start(tmp_path_factory.mktemp("desk")) as running:
        yield running


@pytest.fixture
def settings(desk: DemoDesk, tmp_path: Path) -> Path:
    return write_settings(tmp_path, desk.url)


def write_settings(tmp_path: Path, url: str) -> Path:
    file = tmp_path / "config" / "deskside" / "settings.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f'[desk]\nkind = "demo"\nurl = "{url}"\n')
    return file


@pytest.fixture
def signed_in(process: Run, settings: Path, keyring_file: Path, desk: DemoDesk) -> Run:
    said = process("login", "--token-stdin", "--json", stdin=f"{desk.token}\n")
    assert said.code == 0, said.err
    return process


def create(process: Run, *more: object) -> Any:
    return process("ticket", "create", "--words", WORDS, "--no-check", "--yes", "--json", *more)


# --- signing in


def test_signing_in_and_out(process: Run, settings: Path, keyring_file: Path, desk: DemoDesk) -> None:
    said = process("whoami")
    assert said.code == 3
    assert said.err.startswith("Please sign in to the help desk: ")
    said = process("login", "--token-stdin", stdin=f"{desk.token}\n")
    assert (said.code, said.out) == (0, f"You are signed in as {desk.employee}.\n")
    assert process("whoami", "--json").json["identity"]["name"] == desk.employee
    assert desk.token in keyring_file.read_text()
    assert process("logout").code == 0
    assert process("whoami").code == 3
    assert desk.token not in keyring_file.read_text()


def test_the_doctor_finds_a_signed_in_deskside_well(signed_in: Run) -> None:
    said = signed_in("doctor", "--json")
    found = {one["name"]: one for one in said.json["parts"]}
    assert (said.code, said.json["well"]) == (0, True), said.out
    assert found["keyring"]["health"] == found["desk"]["health"] == "well"
    assert "answers and knows" in found["desk"]["sentence"]


def test_the_running_deskside_hears_of_a_sign_in(
    process: Run, settings: Path, keyring_file: Path, desk: DemoDesk, tmp_path: Path
) -> None:
    heard = []

    def listen(first: SingleInstance) -> None:
        while select.select([first.fileno], [], [], 60)[0] and (word := first.receive()) is not None:
            heard.append(word)
            if len(heard) == 2:
                return

    with SingleInstance(instance_folder(tmp_path / "state" / "deskside")) as first:
        assert first.claim()
        ear = threading.Thread(target=listen, args=(first,), daemon=True)
        ear.start()
        assert process("login", "--token-stdin", stdin="wrong-token-of-somebody\n").code == 3
        assert process("login", "--token-stdin", stdin=f"{desk.token}\n").code == 0
        assert process("logout").code == 0
        ear.join(60)
    assert heard == [SIGN_IN, SIGN_IN]


def test_a_damaged_outbox_is_told_once(process: Run, settings: Path, tmp_path: Path) -> None:
    file = tmp_path / "data" / "deskside" / "outbox.sqlite3"
    assert process("outbox", "list").code == 0
    file.write_bytes(b"this is no database at all, and has been damaged" * 100)
    said = process("outbox", "list", "--json")
    assert said.json == {"outbox": []}
    assert "The file with your tickets was damaged." in said.err
    assert "The file with your tickets was damaged." not in process("outbox", "list").err


def test_a_refused_token_is_not_kept(process: Run, settings: Path, keyring_file: Path) -> None:
    said = process("login", "--token-stdin", stdin="wrong-token-of-somebody\n")
    assert said.code == 3
    assert "wrong-token" not in said.err
    assert not keyring_file.exists()


@pytest.mark.parametrize("token", ["", "\n", "two words\n", "x" * 9000, "a\x00b\n"])
def test_what_is_no_token_is_not_sent(process: Run, settings: Path, keyring_file: Path, token: str) -> None:
    assert process("login", "--token-stdin", stdin=token).code == 2


def test_without_a_keyring_the_sign_in_is_refused_with_a_sentence(process: Run, settings: Path, desk: DemoDesk) -> None:
    said = process("login", "--token-stdin", stdin=desk.token)
    assert said.code == 3
    assert said.err.startswith("The password store is not available: ")
    assert desk.token not in said.err


def test_a_token_is_nowhere_but_in_the_keyring(
    signed_in: Run, desk: DemoDesk, tmp_path: Path, keyring_file: Path
) -> None:
    file = tmp_path / "config" / "deskside" / "settings.toml"
    file.write_text(file.read_text() + '[client]\nlog_level = "debug"\n')
    create(signed_in)
    signed_in("ticket", "list")
    places = [path for path in tmp_path.rglob("*") if path.is_file() and path != keyring_file]
    assert any(path.name == "outbox.sqlite3" for path in places)
    assert not [path for path in places if desk.token.encode() in path.read_bytes()]


# --- writing


def test_a_ticket_arrives_byte_for_byte(signed_in: Run, desk: DemoDesk, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    files = [tmp_path / "note.txt", tmp_path / "a" / "note.txt", tmp_path / "screen.png"]
    for number, file in enumerate(files):
        file.write_bytes(os.urandom(1000) + b"\0\r\n%d" % number)
    attach = [word for file in files for word in ("--attach", file)]
    said = create(signed_in, "--subject", "Blank pages", *attach)
    assert said.code == 0, said.err
    assert said.json["entry"]["state"] == "sent"
    seen = desk.agent_ticket(said.json["ticket"]["id"])
    assert seen.title == "Blank pages"
    assert WORDS in seen.body
    sent = {one.name: one.data for one in seen.attachments}
    assert sent["note.txt"] == files[0].read_bytes()
    assert sent["note-2.txt"] == files[1].read_bytes()
    assert sent["screen.png"] == files[2].read_bytes()


def test_the_preview_is_what_is_sent_and_sends_nothing(signed_in: Run, desk: DemoDesk) -> None:
    words = ("ticket", "create", "--words", WORDS, "--no-check", "--subject", "Preview")
    shown = signed_in(*words, "--preview", "--json").json
    assert signed_in("outbox", "list", "--json").json == {"outbox": []}
    assert signed_in(*words, "--preview").out.startswith("Preview\n")
    sent = signed_in(*words, "--yes", "--json").json
    body = desk.agent_ticket(sent["ticket"]["id"]).body
    # Each ticket has a key of its own, and so a hash of its own; nothing else differs.
    assert without_ref(body) == without_ref(shown["preview"]["body"])
    assert body.splitlines()[-1].startswith(f"Deskside ref: {sent['entry']['id']} \u00b7 sha256 ")
    assert hash_in(body) != hash_in(shown["preview"]["body"])


def test_sections_can_be_left_out(signed_in: Run) -> None:
    words = ("ticket", "create", "--words", WORDS, "--no-check", "--preview", "--json")
    whole = signed_in(*words).json
    free = [one["id"] for one in whole["sections"] if not one["required"]]
    assert free
    less = signed_in(*words, "--leave-out", free[0]).json
    assert [one["included"] for one in less["sections"] if one["id"] == free[0]] == [False]
    said = signed_in(*words, "--leave-out", "nonsense")
    assert said.code == 2
    assert free[0] in said.err


def test_words_can_come_from_standard_input(signed_in: Run, desk: DemoDesk) -> None:
    said = signed_in(
        "ticket", "create", "--words", "-", "--no-check", "--yes", "--json", stdin="First line\nsecond line\n"
    )
    body = desk.agent_ticket(said.json["ticket"]["id"]).body
    assert "First line" in body
    assert "second line" in body


# --- reading and answering


def test_the_conversation_goes_both_ways(signed_in: Run, desk: DemoDesk) -> None:
    ticket = create(signed_in, "--subject", "Both ways").json["ticket"]
    desk.agent_reply(ticket["id"], "Have you tried the other tray?\x1b[31m")
    listed = signed_in("ticket", "list", "--json").json["tickets"]
    assert ticket["id"] in [one["id"] for one in listed]
    assert f"{ticket['ref']}\t" in signed_in("ticket", "list").out
    said = signed_in("ticket", "show", ticket["ref"])
    assert said.code == 0
    assert "Have you tried the other tray?" in said.out
    assert "\x1b" not in said.out
    said = signed_in("ticket", "reply", ticket["ref"], "Yes,", "it works now, with password: hunter2", "--json")
    assert (said.code, said.json["entry"]["state"]) == (0, "sent")
    assert "1 secret in it will not be sent." in said.err
    text = desk.agent_ticket(ticket["id"]).text
    assert "Yes, it works now, with password: [removed]" in text
    assert "hunter2" not in text
    comments = signed_in("ticket", "show", ticket["id"], "--json").json["conversation"]["comments"]
    assert [one["from_agent"] for one in comments][-2:] == [True, False]
    offline = signed_in("ticket", "show", ticket["ref"], "--offline", "--json").json["conversation"]
    assert offline["comments"] == comments
    said = signed_in("ticket", "close", ticket["ref"], "--json")
    assert (said.code, said.json["ticket"]["is_open"]) == (0, False)
    assert signed_in("ticket", "reopen", ticket["ref"]).out == f"{ticket['ref']}: Reopened\n"


def test_a_ticket_that_is_not_there(signed_in: Run) -> None:
    said = signed_in("ticket", "show", "999999")
    assert said.code == 3
    assert said.err.startswith("Not found: ")


# --- when the help desk cannot be reached


@pytest.fixture
def unreachable(tmp_path: Path, keyring_file: Path) -> Iterator[str]:
    """An address where nobody listens, and a keyring that has a token for it."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        write_settings(tmp_path, url)
        keyring_file.write_bytes(msgspec.json.encode({f"deskside {url}": "some-token"}))
        yield url


def test_a_ticket_is_kept_with_exit_code_4_and_sent_once_later(
    process: Run, unreachable: str, desk: DemoDesk, tmp_path: Path, keyring_file: Path
) -> None:
    said = process("ticket", "create", "--words", WORDS, "--no-check", "--yes", "--subject", "Kept")
    assert said.code == 4
    assert "is kept on this computer and will be sent" in said.out
    listed = process("outbox", "list", "--json")
    assert listed.code == 4
    (entry,) = listed.json["outbox"]
    assert (entry["state"], entry["subject"], entry["attempts"]) == ("waiting", "Kept", 1)
    assert process("outbox", "retry", entry["id"][:8]).code == 4
    assert WORDS in process("outbox", "show", entry["id"]).out

    write_settings(tmp_path, desk.url)
    keyring_file.write_bytes(msgspec.json.encode({f"deskside {desk.url}": desk.token}))
    said = process("outbox", "retry", entry["id"][:8], "--json")
    assert (said.code, said.json["entry"]["state"]) == (0, "sent")
    with desk.agent() as seat:
        assert len(seat.tickets(key=entry["id"])) == 1
    assert process("outbox", "list").code == 0


def test_an_entry_can_be_dropped(process: Run, unreachable: str) -> None:
    kept = create(process)
    assert kept.code == 4
    assert process("outbox", "drop", kept.json["entry"]["id"][:8], "--yes").code == 0
    assert process("outbox", "list", "--json").json == {"outbox": []}


def test_asking_an_unreachable_desk_is_a_sentence(process: Run, unreachable: str) -> None:
    said = process("ticket", "list")
    assert said.code == 3
    assert said.err.startswith("The help desk cannot be reached: ")
    assert said.err.endswith("Add --offline to see it as it was last seen.\n")
    assert process("ticket", "list", "--offline").code == 0


def test_a_receipt_proves_later_what_was_sent(signed_in: Run, desk: DemoDesk, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("a note")
    ticket = create(signed_in, "--subject", "To be proved", "--attach", tmp_path / "note.txt").json["ticket"]
    assert signed_in("ticket", "reply", ticket["id"], "One more thing").code == 0
    said = signed_in("ticket", "show", ticket["ref"], "--receipt", "--json")
    assert (said.code, said.json["holds"]) == (0, True), said.out
    assert [one["receipt"]["kind"] for one in said.json["receipts"]] == ["ticket", "reply"]
    assert said.json["receipts"][0]["receipt"]["sha256"] == hash_in(desk.agent_ticket(ticket["id"]).body)
    text = signed_in("ticket", "show", ticket["id"], "--receipt", "--offline")
    assert "= The ticket's last line carries the hash of this receipt." in text.out
    said = signed_in("ticket", "show", "99999", "--receipt")
    assert said.code == 2
    assert "There is no receipt for this ticket" in said.err
