"""Which articles are found: valid ones, in the best language, for this system; and ours are all good."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from client.fixes.catalogue import BY_ID
from client.knowledge.library import Library, languages
from client.knowledge.validate import LARGEST_BYTES
from diagnostics.causes.catalogue import CATALOGUE

OURS = Path(__file__).parents[3] / "resources/articles"
TOPICS = 60
# The public ids; agents route on them, so they are written out here once more.
CONTRACT = """
link.no_adapter link.disabled link.no_carrier address.missing address.self_assigned address.wrong_mask address.wrong_subnet
route.no_default route.wrong_metric gateway.unreachable gateway.not_forwarding internet.unreachable internet.captive_portal
internet.blocked internet.https_blocked firewall.local dns.not_configured dns.unreachable dns.refused dns.servfail dns.slow
dns.resolver_down dns.hijacked dns.wrong_answer dns.name_missing dns.internal_zone hosts.override vpn.down internal.unreachable
proxy.required proxy.unreachable proxy.unresolvable proxy.auth_required proxy.stale quality.latency_local
quality.latency_internet quality.loss_local quality.loss_internet quality.bandwidth path.mtu ipv6.broken tls.intercepted
tls.expired tls.wrong_host tls.untrusted clock.skew service.down service.unreachable service.error service.timeout
service.slow disk.full disk.inodes_exhausted disk.read_only disk.failing disk.slow memory.exhausted processor.saturated
battery.worn system.restart_pending system.overheating updates.failing
""".split()  # noqa: SIM905 -- a table of words


def article(
    folder: Path,
    id: str = "printer",
    *,
    language: str = "en",
    title: str = "Printing",
    platforms: str = "[]",
    body: str = "Text.",
):
    path = folder / language / f"{id}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = f'id = "{id}"\ntitle = "{title}"\nsummary = "s"\nplatforms = {platforms}\nlanguage = "{language}"'
    path.write_text(f"+++\n{head}\nreviewed_on = 2026-01-31\n+++\n{body}\n", encoding="utf-8")
    return path


def library(*folders: Path, language: str = "en", platform: str = "linux", **more) -> Library:
    return Library(folders, language=language, platform=platform, **more)


# --- ours


def test_every_topic_has_a_valid_article():
    ours = library(OURS)
    assert ours.problems == ()
    assert len(ours.all()) == TOPICS


@pytest.mark.parametrize("path", sorted(OURS.glob("en/*.md")), ids=lambda path: path.stem)
def test_our_articles_have_what_an_article_needs(path):
    one = library(OURS).get(path.stem)
    for heading in (
        "## Is this it?",
        "**Why",
        "## What to do",
        "## It worked when",
        "## Stop and ask IT when",
        "## What IT will want to know",
    ):
        assert heading in one.body or (heading == "## Is this it?" and path.stem == "access-request"), heading
    assert len(one.words) >= 10
    assert len(set(one.words)) == len(one.words)
    assert set(one.fixes) <= set(BY_ID)
    assert set(one.causes) <= set(CONTRACT)
    assert len(one.summary) <= 160
    for link in re.findall(r"\(article:([^)]*)\)", one.body):
        assert (OURS / "en" / f"{link}.md").exists(), link
    assert not re.search(r"[Pp]ress \*\*[^*]+\*\* below", one.body), "the buttons stand above the text"
    for fix in re.findall(r"[Pp]ress \*\*([^*]+)\*\* above", one.body):
        assert fix in {BY_ID[id].title for id in one.fixes}, (
            f"the text names the button {fix!r}, which the article does not offer"
        )


def test_every_cause_of_the_contract_has_an_article():
    assert set(CONTRACT) == {cause for one in library(OURS).all() for cause in one.causes}


def test_the_causes_name_only_articles_that_exist():
    ids = {one.id for one in library(OURS).all()}
    assert {article for cause in CATALOGUE for article in cause.articles} <= ids


# --- anybody's


def test_a_bad_article_is_named_and_the_others_stay(tmp_path):
    article(tmp_path)
    bad = tmp_path / "en/bad.md"
    bad.write_text("no front matter")
    found = library(tmp_path)
    assert [one.id for one in found.all()] == ["printer"]
    (problem,) = found.problems
    assert problem.file == str(bad)
    assert "first line" in problem.words


def test_what_is_no_plain_small_file_is_never_opened(tmp_path):
    article(tmp_path)
    (tmp_path / "en/folder.md").mkdir()
    os.mkfifo(tmp_path / "en/pipe.md")
    (tmp_path / "en/dangling.md").symlink_to("missing")
    with (tmp_path / "en/giant.md").open("wb") as file:
        file.truncate(LARGEST_BYTES * 1000)
    found = library(tmp_path)
    assert len(found.all()) == 1
    assert sorted(Path(one.file).name for one in found.problems) == ["dangling.md", "folder.md", "giant.md", "pipe.md"]


@pytest.mark.parametrize(
    "id", ["../en/printer", "/etc/passwd", "printer.md", "PRINTER", "", "a" * 1000, "pri\0nter", "..", "prin ter"]
)
def test_an_id_is_no_path(tmp_path, id):
    article(tmp_path)
    assert library(tmp_path).get(id) is None


def test_an_article_in_the_wrong_language_folder_is_left_out(tmp_path):
    path = article(tmp_path, language="de")
    (tmp_path / "en").mkdir()
    path.rename(tmp_path / "en/printer.md")
    found = library(tmp_path)
    assert found.get("printer") is None
    assert "'de'" in found.problems[0].words


def test_the_language_is_the_nearest_there_is(tmp_path):
    article(tmp_path, title="English")
    article(tmp_path, "only-english", title="Only English")
    article(tmp_path, title="Deutsch", language="de")
    found = library(tmp_path, language="de_AT.UTF-8")
    assert [one.title for one in found.all()] == ["Deutsch", "Only English"]
    assert found.get("printer").title == "Deutsch"
    assert library(tmp_path, language="fr").get("printer").title == "English"


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ("de_AT.UTF-8", ("de-at", "de", "en")),
        ("en", ("en",)),
        ("en_GB", ("en-gb", "en")),
        ("C", ("c", "en")),
        ("../../etc", ("en",)),
        ("de_DE@euro", ("de-de", "de", "en")),
    ],
)
def test_languages_are_tried_from_the_nearest_to_english(wish, found):
    assert languages(wish) == found


def test_the_systems_language_is_the_wish_where_none_is_set(monkeypatch):
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "nl_NL.UTF-8")
    assert languages("") == languages("system") == ("nl-nl", "nl", "en")
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert languages("") == ("en",)


def test_a_later_folder_replaces_an_earlier_ones_article_unless_it_is_bad(tmp_path):
    article(tmp_path / "ours", title="Ours")
    article(tmp_path / "theirs", title="Theirs")
    both = (tmp_path / "ours", tmp_path / "theirs")
    found = library(*both, sources={tmp_path / "theirs": "pack"})
    assert [(one.title, one.source) for one in found.all()] == [("Theirs", "pack")]
    assert found.get("printer").title == "Theirs"
    article(tmp_path / "theirs", title="Theirs", body="<script>")
    assert library(*both).get("printer").title == "Ours"
    assert [one.title for one in library(*both).all()] == ["Ours"]


def test_only_this_platforms_articles_are_listed_and_all_can_be_read(tmp_path):
    article(tmp_path, "registry", platforms='["windows"]')
    article(tmp_path, "both", platforms='["windows", "macos"]')
    article(tmp_path, "any")
    assert [one.id for one in library(tmp_path, platform="linux").all()] == ["any"]
    assert len(library(tmp_path, platform="win32").all()) == 3
    assert [one.id for one in library(tmp_path, platform="darwin").all()] == ["any", "both"]
    assert library(tmp_path, platform="linux").get("registry") is not None


def test_missing_and_closed_folders_are_no_error(tmp_path):
    (tmp_path / "en").write_text("a file")
    found = library(tmp_path / "missing", tmp_path)
    assert found.all() == ()
    assert len(found.problems) == 1


def test_a_changed_article_is_read_again_and_an_unchanged_one_is_not(tmp_path):
    article(tmp_path, title="Before")
    found = library(tmp_path)
    first = found.get("printer")
    assert found.get("printer") is first
    before = found.fingerprint()
    article(tmp_path, title="After!")
    assert found.get("printer").title == "After!"
    assert found.fingerprint() != before
    (tmp_path / "en/printer.md").unlink()
    assert found.get("printer") is None
    assert found.all() == ()


def test_the_same_content_elsewhere_in_time_has_the_same_fingerprint(tmp_path):
    path = article(tmp_path)
    before = library(tmp_path).fingerprint()
    os.utime(path, (0, 0))
    assert library(tmp_path).fingerprint() == before
    assert library(tmp_path, platform="win32").fingerprint() != before
