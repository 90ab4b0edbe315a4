"""The ticket: the cause first, short, redacted, without what is left out, and the same bytes every time."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.model import Attachment, Draft, FixResult
from client.receipt import fingerprint
from client.report.compose import HTML, JSON, SUMMARY, compose
from client.report.pseudonyms import Pseudonyms
from client.report.redact import ALL_HIDDEN
from client.report.summary import LONGEST_BODY, RESULTS, STATUSES
from diagnostics.model import Finding, Report, Severity, Status

SECRETS = (
    "anna.berg",
    "PF3XK9QZ",
    "9c:b6:d0:12:34:56",
    "8c:8c:aa:01:02:03",
    "geheim-123",
    "eyJhbGciOiJIUzI1NiJ9",
    "c2lnbmF0dXJl",
    "anna.berg@example.com",
    "9eb6:d0ff:fe12:3456",
)


def preview(draft, who, **more):
    return compose(draft, who=who, home="/home/anna.berg", **more)


def part(preview, name: str) -> str:
    return next(one.data for one in preview.payload.attachments if one.name == name).decode()


def everything(preview) -> str:
    payload = preview.payload
    texts = [payload.subject, payload.body, payload.body_html, json.dumps(payload.fields)]
    texts += [part(preview, one.name) for one in payload.attachments if one.name in {JSON, HTML, SUMMARY}]
    return "\n".join(texts)


# --- what an agent reads


def test_the_body_starts_with_the_cause_and_ends_with_the_key(draft, who):
    payload = preview(draft, who).payload
    lines = payload.body.splitlines()
    assert lines[0] == (
        "Cause: The name server does not answer \u2013 10.0.0.53 (dns.unreachable, high severity, 97 % sure, for L2)"
    )
    assert lines[-1] == f"Deskside ref: {draft.id} \u00b7 sha256 {fingerprint(payload)}"
    assert len(lines) <= LONGEST_BODY


def test_the_body_tells_what_an_agent_would_ask(draft, who):
    body = preview(draft, who, changed=("The name server was 10.0.0.2, now it is 10.0.0.53.",)).payload.body
    for words in (
        "- Seen: dns.resolvers failed: The name server 10.0.0.53 did not answer within 1.5 seconds. (answer none, servers tried 2",
        "- Seen: disk.space warning: The disk / is almost full. (/: low, free 1.1 GB",
        "- Follows: internet.https, service.help_desk, service.single_sign_on",
        "- Also found: The disk is almost full \u2013 / (disk.full, medium severity, 90 % sure, for L1)",
        "- Tried: Forget remembered names: did not help. The name server still does not answer. [dns.resolvers failed \u2192",
        "- Changed: The name server was 10.0.0.2, now it is 10.0.0.53.",
        "> Since this morning nothing works any more.",
        "> I have a call at ten!",
        "Environment: laptop-7, Debian GNU/Linux 12 (bookworm) (6.1.0-28-amd64), LENOVO ThinkPad T14 Gen 4, 10.0.0.7/24 on wlan0",
        ", Deskside 0.1.0, checked 2026-01-31 09:00 UTC in 1.8 s",
    ):
        assert words in body
    assert "|" not in body


def test_the_subject_is_the_drafts_else_the_cause_else_the_first_words(draft, drafted, who):
    assert preview(draft, who).payload.subject == "The name server does not answer"
    assert preview(drafted(subject=" My\nown "), who).payload.subject == "My own"
    assert preview(drafted(report=None), who).payload.subject == "Since this morning nothing works any more."
    assert preview(drafted(report=None, words=""), who).payload.subject == "A problem with this computer"
    assert len(preview(drafted(subject="x" * 999), who).payload.subject) == 200


def test_the_rules_of_it_add_where_the_ticket_goes(draft, who):
    rules = (
        "dns.*, severity=high -> queue=Network; tier=L3",
        "none -> queue=Questions",
        "* -> queue=IT; desk:cf_site=Berlin",
    )
    fields = preview(draft, who, routing=rules).payload.fields
    assert (fields["queue"], fields["tier"], fields["desk:cf_site"]) == ("Network", "L3", "Berlin")
    unsaid = msgspec.structs.replace(draft, left_out=frozenset({"diagnosis"}))
    assert preview(unsaid, who, routing=rules).payload.fields["queue"] == "Questions"


def test_the_fields_route_the_ticket(draft, who):
    assert preview(draft, who).payload.fields == {
        "cause": "dns.unreachable",
        "subject": "10.0.0.53",
        "severity": "high",
        "tier": "L2",
        "confidence": "0.97",
        "device": "laptop-7",
        "client": "deskside",
        "version": "0.1.0",
        "platform": "linux",
    }


def test_a_draft_without_a_report_makes_a_good_ticket(drafted, who):
    found = preview(drafted(report=None, tried=(), attachments=()), who)
    assert found.payload.body == (
        "Cause: not looked for; no check was run on this computer.\n\n"
        "> The employee writes:  \n> Since this morning nothing works any more.  \n> I have a call at ten!\n\n"
        "Environment: laptop-7, linux, Deskside 0.1.0\n\n"
        f"Deskside ref: 6f1c2d3e-1111-4222-8333-abcdefabcdef \u00b7 sha256 {fingerprint(found.payload)}"
    )
    assert [one.name for one in found.payload.attachments] == [JSON, HTML, SUMMARY]
    assert [one.id for one in found.sections] == ["words", "device", "report"]
    assert json.loads(part(found, JSON))["ticket"]["words"].startswith("Since this")


def test_a_healthy_report_says_that_nothing_was_found(draft, report, who):
    healthy = msgspec.structs.replace(
        draft, report=msgspec.structs.replace(report, diagnosis=(), findings=report.findings[:4])
    )
    found = preview(healthy, who)
    assert found.payload.body.startswith("Cause: none found; 4 checks see nothing that explains it.")
    assert "cause" not in found.payload.fields


def test_report_json_is_the_contract_with_its_count(draft, who):
    found = preview(draft, who)
    value = json.loads(part(found, JSON))
    assert msgspec.convert({key: one for key, one in value.items() if key != "ticket"}, Report).schema == 1
    assert value["redactions"] == found.redactions > 0
    assert value["diagnosis"][0]["cause"] == "dns.unreachable"
    assert value["ticket"]["tried"][0]["result"] == "no_change"
    assert list(value)[:5] == ["schema", "tool", "started_at", "duration_ms", "platform"]


def test_the_summary_has_everything(draft, who):
    text = part(preview(draft, who), SUMMARY)
    for words in (
        "What to do: Reconnect to the network",
        "Follows:",
        "Attached: report.html, report.json, summary.txt, screen.png",
    ):
        assert words in text
    assert text.endswith(f"Deskside ref: {draft.id}\n")


def test_html_is_escaped(drafted, who):
    found = preview(drafted(words="<script>alert(1)</script> & <img src=x>", subject="<b>"), who)
    for html in (found.payload.body_html, part(found, HTML)):
        assert "<script" not in html
        assert "<img" not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;img src=x&gt;" in html
    assert "<b>Odd</b>" not in part(found, HTML)


def test_the_html_body_says_what_the_text_says(draft, who):
    payload = preview(draft, who).payload
    html = payload.body_html
    assert html.startswith("<p><strong>Cause: The name server does not answer")
    assert "<blockquote>Since this morning nothing works any more.<br>I have a call at ten!</blockquote>" in html
    assert html.endswith(f"<p>Deskside ref: {draft.id} \u00b7 sha256 {fingerprint(payload)}</p>")


def test_what_changed_since_it_last_worked_is_told_after_redaction(draft, report, who):
    healthy = msgspec.structs.replace(
        report,
        diagnosis=(),
        facts={
            **report.facts,
            "os.user": "berta.klein",
            "hardware.serial": "OLDSERIAL1",
            "interfaces.resolvers": {"servers": ["10.0.0.2"], "search": ["corp.example.com"]},
            "software.list": {"Firefox": "127.0", "Tool of berta.klein": "1"},
        },
    )
    found = preview(draft, who, healthy=healthy)
    assert "- Changed: Resolvers servers: was 10.0.0.2, now 10.0.0.53, 10.0.0.54." in found.payload.body
    text = everything(found)
    assert "Updated: Firefox 127.0 \u2192 128.5.0." in part(found, SUMMARY)
    for secret in ("berta.klein", "OLDSERIAL1", *SECRETS):
        assert secret not in text
    nothing = preview(draft, who, healthy=msgspec.structs.replace(report, diagnosis=()))
    assert "Changed" not in nothing.payload.body
    since = "2026-01-31 09:00 UTC; since then nothing that is watched has changed"
    assert f"- Last well: {since}" in nothing.payload.body
    assert f"Last well: {since}" in part(nothing, HTML)
    (section,) = (one for one in nothing.sections if one.id == "changed")
    assert section.text == f"Last well: {since}"
    left_out = preview(msgspec.structs.replace(draft, left_out=frozenset({"changed"})), who, healthy=healthy)
    assert "Last well" not in everything(left_out)


# --- what must not leave


def test_no_planted_secret_is_in_any_part(draft, who):
    text = everything(preview(draft, who))
    for secret in SECRETS:
        assert secret.lower() not in text.lower(), secret
    for kept in ("laptop-7", "10.0.0.7/24", "serial-1", "mac-1", "ThinkPad"):
        assert kept in text


def test_where_it_says_so_the_network_has_stand_ins_too(draft, who):
    text = everything(preview(draft, who, hide=ALL_HIDDEN))
    for gone in ("10.0.0.7", "10.0.0.53", "d0ff:fe12", "corp.example.com"):
        assert gone not in text, gone
    for kept in ("address-1", "network-1", "wlan0", "wifi", "laptop-7", "dns.unreachable"):
        assert kept in text, kept


def test_secrets_in_what_was_tried_and_written_go_too(drafted, outcome, who):
    tried = msgspec.structs.replace(outcome, words="Cleared https://u:geheim@x.example/ in /home/anna.berg/.cache")
    found = preview(drafted(words="my password is Geheim123!", subject="token=Geheim456", tried=(tried,)), who)
    assert "eheim" not in everything(found)
    assert "~/.cache" in everything(found)


def test_the_same_person_has_the_same_stand_in_in_the_next_ticket(draft, who, tmp_path):
    names = tmp_path / "pseudonyms.json"
    first = preview(draft, who, pseudonyms=Pseudonyms(names))
    second = preview(draft, who, pseudonyms=Pseudonyms(names))
    assert first == second
    assert b"anna.berg" in names.read_bytes()


def test_the_employees_files_go_as_they_are_and_the_preview_says_so(drafted, who):
    own = Attachment(name="notes.txt", media_type="text/plain", data=b"password=hunter2\x00\xff")
    found = preview(drafted(attachments=(own,)), who)
    assert found.payload.attachments[-1] == own
    assert found.exposed == ()  # no text
    text = Attachment(name="app.log", media_type="text/plain", data="Größe 3, password=hunter2".encode())
    harmless = Attachment(name="b.log", media_type="text/plain", data=b"the password was refused")
    assert preview(drafted(attachments=(own, text, harmless)), who).exposed == ("app.log",)
    left_out = drafted(attachments=(text,), left_out=frozenset({"files"}))
    assert preview(left_out, who).exposed == ()
    (files,) = (one for one in found.sections if one.id == "files")
    assert files.text == "notes.txt (text/plain, 18 bytes): sent as it is"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["report.json", "REPORT.html"], ["report (2).json", "REPORT (2).html"]),
        (["a.png", "A.png", "a.png"], ["a.png", "A (2).png", "a (3).png"]),
        (["../../etc/passwd", "C:\\x\\y.txt"], ["passwd", "y.txt"]),
        (["", "...", "a\nb.txt", "ev\u202eil.txt"], ["file", "file (2)", "a b.txt", "evil.txt"]),
    ],
)
def test_names_of_files_are_whole_and_unlike_each_other(drafted, who, names, expected):
    own = tuple(Attachment(name=name, media_type="x/y", data=b"") for name in names)
    assert [one.name for one in preview(drafted(attachments=own), who).payload.attachments[3:]] == expected


# --- what is left out

MARKS = {
    "diagnosis": ("dns.unreachable", "asks 10.0.0.53 for the addresses", "The disk is almost full \u2013"),
    "evidence": ("servers tried", "did not answer within 1.5", "memory.available"),
    "tried": ("Forget remembered names", "flush_cache_marker"),
    "changed": ("was 10.0.0.2",),
    "device": ("laptop-7", "serial-1", "mac-2"),
    "facts": ("Debian", "ThinkPad", "corp.example.com"),
    "software": ("LibreOffice",),
    "logs": ("NetworkManager",),
}


@pytest.mark.parametrize("section", MARKS)
def test_what_is_left_out_is_in_no_part_of_the_ticket(drafted, report, outcome, who, section):
    # A machine that names nothing of one section in another, so that each mark belongs to its section alone.
    logs = ["Jan 31 08:58:01 laptop-7 NetworkManager[712]: request timed out"]
    quiet = msgspec.structs.replace(
        report,
        facts={**report.facts, "logs.errors": logs},
        diagnosis=tuple(msgspec.structs.replace(one, fixes=()) for one in report.diagnosis),
    )
    draft = drafted(report=quiet, subject="It does not work", tried=(outcome,))
    changed = ("The name server was 10.0.0.2.",)
    whole = preview(draft, who, changed=changed)
    without = preview(msgspec.structs.replace(draft, left_out=frozenset({section})), who, changed=changed)
    for mark in MARKS[section]:
        if mark != "flush_cache_marker":
            assert mark in everything(whole), mark
        assert mark not in everything(without), mark
    by_id = {one.id: one for one in without.sections}
    assert not by_id[section].included
    assert by_id[section].text == {one.id: one for one in whole.sections}[section].text
    assert all(one.included for one in without.sections if one.id != section)


def test_leaving_the_report_out_leaves_page_and_data_out(drafted, who):
    found = preview(drafted(left_out=frozenset({"report"})), who)
    assert [one.name for one in found.payload.attachments] == [SUMMARY, "screen.png"]
    assert "Attached: summary.txt, screen.png" in part(found, SUMMARY)


def test_leaving_the_files_out_leaves_them_out(drafted, who):
    found = preview(drafted(left_out=frozenset({"files"})), who)
    assert [one.name for one in found.payload.attachments] == [JSON, HTML, SUMMARY]
    assert "screen.png" not in everything(found)


def test_the_words_cannot_be_left_out_but_by_not_writing_them(drafted, who):
    found = preview(drafted(left_out=frozenset({"words", "nonsense"})), who)
    assert found.sections[0].required
    assert found.sections[0].included
    assert "I have a call at ten!" in found.payload.body


def test_everything_can_be_left_out_at_once(drafted, who):
    found = preview(drafted(left_out=frozenset(MARKS) | {"files", "report"}), who)
    assert [one.name for one in found.payload.attachments] == [SUMMARY]
    assert found.payload.body.startswith(
        "Cause: the employee prefers not to send the diagnosis.\n\n> The employee writes:"
    )
    assert found.payload.fields == {"client": "deskside", "platform": "linux", "version": "0.1.0"}


# --- the same bytes


def test_the_same_draft_gives_the_same_bytes(draft, who):
    assert msgspec.json.encode(preview(draft, who)) == msgspec.json.encode(preview(draft, who))


def test_the_order_of_facts_and_fixes_is_the_runs(draft, outcome, who):
    later = msgspec.structs.replace(
        outcome, id="o-2", title="Second", started_at=datetime(2026, 1, 31, 9, 3, tzinfo=UTC)
    )
    one = preview(msgspec.structs.replace(draft, tried=(later, outcome)), who)
    other = preview(msgspec.structs.replace(draft, tried=(outcome, later)), who)
    assert one == other
    assert one.payload.body.index("Forget remembered") < one.payload.body.index("Second")


# --- whatever comes

texts = st.text(max_size=60)
findings = st.builds(
    Finding,
    check=st.sampled_from(["dns.resolvers", "disk.space", "odd.one"]),
    area=st.sampled_from(["dns", "disk", "odd"]),
    status=st.sampled_from(Status),
    summary=texts,
    measures=st.dictionaries(
        st.sampled_from(["answer_ms", "free_bytes", "volumes", "x"]),
        st.none()
        | st.booleans()
        | st.floats()
        | st.integers()
        | texts
        | st.lists(st.dictionaries(texts, texts, max_size=2), max_size=2),
        max_size=3,
    ),
)
reports = st.builds(
    Report,
    tool=texts,
    started_at=texts,
    duration_ms=st.integers(0, 10**9),
    platform=texts,
    findings=st.lists(findings, max_size=12).map(tuple),
    facts=st.dictionaries(texts, texts | st.lists(texts, max_size=3), max_size=4),
)
drafts = st.builds(
    Draft,
    id=st.uuids().map(str),
    created_at=st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- hypothesis wants naive bounds
    subject=texts,
    words=st.text(max_size=800) | st.lists(texts, max_size=60).map("\n".join),
    report=st.none() | reports,
    left_out=st.frozensets(st.sampled_from(["diagnosis", "evidence", "facts", "report"])),
)


@settings(max_examples=150)
@given(draft=drafts)
def test_any_draft_becomes_a_ticket(draft):
    found = compose(draft, who={"client": "deskside 0.1.0", "device": "d", "platform": "linux"}, home="")
    lines = found.payload.body.split("\n")
    assert len(lines) <= LONGEST_BODY
    assert lines[-1] == f"Deskside ref: {draft.id} \u00b7 sha256 {fingerprint(found.payload)}"
    assert "\n" not in found.payload.subject
    assert found.payload.subject
    everything(found).encode()
    if "report" not in draft.left_out:
        json.loads(part(found, JSON))


def test_long_words_are_joined_and_never_cut(drafted, report, who):
    words = "\n".join(f"line {number}" for number in range(60))
    body = preview(drafted(words=words), who).payload.body
    assert len(body.splitlines()) <= LONGEST_BODY
    for number in range(60):
        assert f"line {number}" in body


def test_many_findings_are_counted_where_they_do_not_fit(draft, report, who):
    many = tuple(
        Finding(check=f"odd.n{number}", area="odd", status=Status.FAILED, summary=f"Number {number} is wrong.")
        for number in range(40)
    )
    found = preview(
        msgspec.structs.replace(draft, report=msgspec.structs.replace(report, findings=report.findings + many)), who
    )
    lines = found.payload.body.splitlines()
    assert len(lines) <= LONGEST_BODY
    assert any(
        line.startswith("- More: ") and line.endswith("more points in the attached summary.txt") for line in lines
    )
    assert any(line.startswith("- Tried: ") for line in lines)
    assert "Number 39 is wrong." in part(found, SUMMARY)


def test_every_status_and_result_has_its_words():
    assert set(STATUSES) == set(Status)
    assert set(RESULTS) == set(FixResult)
    assert {one.value for one in Severity} == {"low", "medium", "high", "critical"}
