"""`python -m diagnostics`: JSON alone on stdout, exit codes, and one clear sentence for every wrong word."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def go(*words, stdin=""):
    return subprocess.run(
        [sys.executable, "-m", "diagnostics", *words],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )


def test_one_json_object_and_nothing_else():
    done = go("--json", "--only", "link")
    report = json.loads(done.stdout)
    assert report["schema"] == 1
    assert {"tool", "started_at", "duration_ms", "platform", "diagnosis", "findings", "facts", "redactions"} <= set(
        report
    )
    assert done.returncode == (1 if report["diagnosis"] else 0)
    assert done.stderr == ""


def test_events_are_lines_of_json_that_end_with_done():
    done = go("--events", "--only", "vpn.tunnels", "--targets", "-", stdin='{"network": {"proxy": "none"}}')
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["event"] for one in events] == ["started", "progress", "finding", "diagnosis", "done"]


@pytest.mark.parametrize(
    ("words", "stdin", "says"),
    [
        (("--only", "wifi"), "", "There is no area or check called wifi."),
        (("--settings", "/nowhere.toml"), "", "cannot be read"),
        (("--targets", "-"), "nonsense", "is not JSON"),
        (("--targets", "-"), "[]", "is not a JSON object"),
        (("--targets", "-"), '{"thresholds": {"loss_percent": 400}}', "loss_percent"),
        (("--targets", "file"), "", "only -"),
        (("--targets", "-", "--settings", "x.toml"), "{}", "exclude each other"),
    ],
)
def test_wrong_words_are_one_sentence_and_a_hint(words, stdin, says):
    done = go("--json", *words, stdin=stdin)
    assert done.returncode == 2
    assert done.stdout == ""
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[network\n", "not valid TOML"),
        ("[network]\nproxy = 3\n", "network.proxy"),
        ("services = 3\n", "services"),
        ("[[services]]\nurl = 'https://x.test'\n", "name"),
    ],
)
def test_a_wrong_settings_file_names_what_is_wrong(tmp_path, text, says):
    path = tmp_path / "settings.toml"
    path.write_text(text)
    done = go("--json", "--settings", str(path))
    assert done.returncode == 2
    assert says in done.stderr


def test_keys_of_the_client_are_none_of_its_business(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("[client]\nlanguage = 'de'\n[desk]\nurl = ''\n[network]\nfuture = 1\n")
    assert go("--json", "--only", "vpn", "--settings", str(path)).returncode == 0


def test_people_get_sentences():
    assert go("--only", "vpn").stdout == "Nothing is wrong.\n"
