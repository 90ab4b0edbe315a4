"""`deskside doctor` looks at the installation, part by part, and changes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from client import doctor
from client.platform.paths import find_paths
from client.platform.single_instance import SingleInstance, instance_folder


def parts(said) -> dict[str, tuple[str, str]]:
    return {one["name"]: (one["health"], one["sentence"]) for one in said.json["parts"]}


def test_every_part_is_looked_at_whatever_the_others_say(deskside) -> None:
    said = deskside("doctor", "--json")
    found = parts(said)
    assert list(found) == [
        "program",
        "folders",
        "settings",
        "policy",
        "keyring",
        "desk",
        "outbox",
        "articles",
        "search",
        "tray",
        "start",
        "log",
    ]
    assert (said.code, said.json["well"], said.json["schema"]) == (1, False, 1)
    assert found["keyring"] == ("unwell", "This computer has no password store that Deskside could use.")
    assert found["desk"][0] == "unwell"
    assert found["program"][0] == found["folders"][0] == found["outbox"][0] == found["articles"][0] == "well"


def test_people_read_one_line_a_part_and_a_hint_below(deskside) -> None:
    lines = deskside("doctor").out.splitlines()
    assert lines[0].startswith("program   well    Deskside ")
    assert "desk      unwell  No help desk is set, so tickets are kept on this computer." in lines
    assert f"{'':18}Set desk.kind and desk.url: deskside config example" in lines


def test_mistakes_in_the_settings_are_told_once(deskside, tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text('[desk]\nkinds = "demo"\n[client]\nlog_level = "loud"\n')
    said = deskside("--settings", file, "doctor", "--json")
    health, sentence = parts(said)["settings"]
    assert (health, said.err) == ("unwell", "")
    assert sentence.endswith("(2 mistakes in all)")


def test_a_running_deskside_is_seen_and_left_alone(deskside) -> None:
    with SingleInstance(instance_folder(find_paths().state)) as running:
        assert running.claim()
        assert parts(deskside("doctor", "--json"))["start"][1].startswith("Deskside is running now")
        assert running.fileno >= 0
    assert parts(deskside("doctor", "--json"))["start"][1].startswith("Deskside is not running now")


def test_crashes_in_the_log_are_counted(deskside) -> None:
    log = find_paths().log
    log.mkdir(parents=True)
    (log / "deskside.log").write_text("2026-01-31 09:00:00,000 1 CRITICAL deskside: ended by ValueError\nTraceback\n")
    health, sentence = parts(deskside("doctor", "--json"))["log"]
    assert (health, "1 crash " in sentence) == ("note", True)


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_policy_that_others_can_change_is_named(deskside, tmp_path: Path, monkeypatch, mode: int) -> None:
    folder = tmp_path / "policy.d"
    folder.mkdir()
    folder.chmod(mode)
    paths = find_paths()._replace(policy=folder)
    monkeypatch.setattr("client.app.find_paths", lambda: paths)
    health, sentence = parts(deskside("doctor", "--json"))["policy"]
    assert (health, str(folder) in sentence) == ("unwell", True)


def test_little_space_is_told_with_its_cure(deskside, monkeypatch) -> None:
    monkeypatch.setattr(doctor, "LITTLE_SPACE_BYTES", 1 << 62)
    assert parts(deskside("doctor", "--json"))["folders"][0] == "unwell"


def test_the_kind_of_the_file_system_below_a_folder() -> None:
    assert doctor.file_system_of(Path("/proc/self")) == "proc"
    assert doctor.file_system_of(Path(os.sep)) != "proc"
