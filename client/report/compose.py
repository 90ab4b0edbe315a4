"""Makes the ticket out of a draft: what the preview shows is what is sent. The same draft always gives the same bytes.

First the gate (`client.report.redact`), then the employee's choice of sections, then the renderings. What is left out is in no
part of the ticket: not in the body, not in a field, not in an attachment.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from client.confidential import without_secrets
from client.model import Attachment, Draft, FixOutcome, Payload, Preview, Section
from client.receipt import sealed
from client.report.diff import changes
from client.report.html import fragment, page
from client.report.pseudonyms import Pseudonyms
from client.report.redact import HIDDEN, PrivacyOf, Redactor
from client.report.summary import (
    BAD,
    Story,
    body,
    cause_line,
    changes_told,
    environment,
    finding_line,
    last_well,
    one_line,
    summary,
    tell,
    tried_line,
)
from client.report.values import rows
from client.routing import route
from diagnostics.model import Finding, Privacy, Report
from diagnostics.words import size

JSON, HTML, SUMMARY = "report.json", "report.html", "summary.txt"
LONGEST_SUBJECT: Final = 200  # the narrowest desk takes 255 characters, some count bytes
LOOKED_AT_BYTES: Final = 4 << 20  # of a file, for secrets; a larger one would keep the employee waiting
DEVICE_FACTS: Final = ("os.host_name", "hardware.serial", "hardware.asset_tag", "interfaces.hardware_addresses")
NO_SUBJECT: Final = "A problem with this computer"

TITLES: Final = {
    "words": "What you wrote",
    "diagnosis": "The cause that was found",
    "evidence": "What the checks saw",
    "tried": "What was tried",
    "changed": "What changed since it last worked",
    "device": "Which computer it is",
    "facts": "About this computer",
    "software": "Installed programs",
    "logs": "Errors in the system's log",
    "files": "Your files",
    "report": "The full report",
}


class Cleaned(msgspec.Struct, frozen=True, kw_only=True):
    """A draft after the gate, and how many places the gate has changed."""

    subject: str
    words: str
    report: Report | None
    tried: tuple[FixOutcome, ...]
    changed: tuple[str, ...]
    worked: str = ""  # when this computer was last seen without this problem
    redactions: int


def compose(
    draft: Draft,
    *,
    who: Mapping[str, str],
    healthy: Report | None = None,
    changed: tuple[str, ...] = (),
    pseudonyms: Pseudonyms | None = None,
    privacy_of: PrivacyOf | None = None,
    home: str | None = None,
    hide: frozenset[Privacy] = HIDDEN,
    routing: Sequence[str] = (),
) -> Preview:
    """The ticket exactly as it would be sent, with its sections.

    Args:
        draft: what the employee has written and chosen.
        who: `client` ("deskside 0.1.0"), `device` (its name) and `platform`.
        healthy: the last report in which nothing was wrong: what differs from it is told, after redaction.
        changed: more that differs from when it last worked, a sentence each.
        pseudonyms: the stand-ins used before on this computer; None: numbered anew.
        privacy_of: the privacy class of a fact's key; None: as the facts are declared.
        home: this user's home folder; None: the one of this process.
        hide: the classes of facts that get stand-ins.
        routing: IT's rules from the cause to the help desk's fields (`client.routing`).
    """
    names = pseudonyms or Pseudonyms()
    cleaned = clean_draft(
        draft,
        who=who,
        healthy=healthy,
        changed=changed,
        pseudonyms=names,
        privacy_of=privacy_of,
        home=home,
        hide=hide,
    )
    sections = _sections(draft, cleaned, who)
    out = frozenset(one.id for one in sections if not one.included)
    if "device" in out:  # its name is in every line of a log too
        cleaned = clean_draft(
            draft,
            who=who,
            healthy=healthy,
            changed=changed,
            pseudonyms=names,
            privacy_of=privacy_of,
            home=home,
            hide=hide,
            hide_device=True,
        )
    report = _without(cleaned.report, out) if cleaned.report else None
    facts = report.facts if report else {}
    tried = () if "tried" in out else cleaned.tried
    told, worked = ((), "") if "changed" in out else (cleaned.changed, cleaned.worked)
    device = "" if "device" in out else who.get("device", "")
    own = own_files(draft.attachments) if "files" not in out else ()
    ours = (SUMMARY,) if "report" in out else (HTML, JSON, SUMMARY)
    subject = _subject(cleaned, out)
    story = tell(
        key=draft.id,
        report=report,
        words=cleaned.words,
        tried=tried,
        changed=told,
        worked=worked,
        environment=environment(who=who, report=report, device=device, facts=facts),
        attached=(*ours, *(one.name for one in own)),
        with_diagnosis="diagnosis" not in out,
        with_evidence="evidence" not in out,
    )
    attachments = []
    if "report" not in out:
        html = page(
            story=story,
            report=report,
            tried=tried,
            changed=changes_told(worked, told),
            facts=facts,
            who=_shown_who(who, device),
            subject=subject,
        )
        data = report_json(report, story=story, tried=tried, changed=told)
        attachments += [
            Attachment(name=JSON, media_type="application/json", data=data),
            Attachment(name=HTML, media_type="text/html", data=html.encode()),
        ]
    text = summary(story, causes=report.diagnosis if report else ())
    attachments += [Attachment(name=SUMMARY, media_type="text/plain", data=text.encode()), *own]
    payload = Payload(
        key=draft.id,
        subject=subject,
        body=body(story),
        body_html=fragment(story),
        fields=_fields(report, who=who, device=device, routing=routing),
        attachments=tuple(attachments),
    )
    return Preview(payload=sealed(payload), sections=sections, redactions=cleaned.redactions, exposed=_exposed(own))


def clean_draft(
    draft: Draft,
    *,
    who: Mapping[str, str],
    healthy: Report | None = None,
    changed: tuple[str, ...] = (),
    pseudonyms: Pseudonyms | None = None,
    privacy_of: PrivacyOf | None = None,
    home: str | None = None,
    hide: frozenset[Privacy] = HIDDEN,
    hide_device: bool = False,
) -> Cleaned:
    """Takes a draft through the gate; arguments as `compose`. With `hide_device` the computer's name gets a stand-in too."""
    names = pseudonyms or Pseudonyms()
    gate = Redactor(
        pseudonyms=names,
        privacy_of=privacy_of or declared_privacy,
        hide=hide,
        home=str(Path.home()) if home is None else home,
        known_as=() if hide_device else (who.get("device", ""),),
    )
    if hide_device:
        gate.learn_name(who.get("device", ""), "device")
    before = None
    if healthy is not None and draft.report is not None and draft.report.diagnosis:
        gate.learn(healthy.facts)
        before = clean_report(healthy, gate)
        gate.count = 0  # nothing of it leaves but what differs
    report = clean_report(draft.report, gate) if draft.report else None
    differs = changes(before, report) if before and report else ()
    tried = tuple(
        msgspec.convert(gate.value(msgspec.to_builtins(one)), FixOutcome) for one in sorted(draft.tried, key=_when)
    )
    cleaned = Cleaned(
        subject=gate.written(draft.subject),
        words=gate.written(draft.words),
        report=report,
        tried=tried,
        changed=(*(gate.text(one) for one in changed), *differs),
        worked=last_well(healthy, changed=bool(differs or changed)) if before and healthy else "",
        redactions=0,
    )
    names.keep()
    total = gate.count + (draft.report.redactions if draft.report else 0)
    if cleaned.report is not None:
        cleaned = msgspec.structs.replace(cleaned, report=msgspec.structs.replace(cleaned.report, redactions=total))
    return msgspec.structs.replace(cleaned, redactions=total)


def declared_privacy(key: str) -> Privacy:
    """The privacy class of a fact as its declaration says."""
    from diagnostics.facts import privacy_of  # noqa: PLC0415 -- brings the whole machine layer, for its one table

    return privacy_of(key)


def clean_report(report: Report, gate: Redactor) -> Report:
    """A report after the gate. Facts first: what they say about person and device is then known in every other text."""
    facts = gate.facts(report.facts)
    rest = msgspec.to_builtins(msgspec.structs.replace(report, facts={}))
    return msgspec.structs.replace(msgspec.convert(gate.value(rest), Report), facts=facts)


def report_json(
    report: Report | None, *, story: Story, tried: tuple[FixOutcome, ...], changed: tuple[str, ...]
) -> bytes:
    """report.json: the object of `deskside check --json`, with what only a ticket knows beside it."""
    value: dict[str, Any] = (
        msgspec.to_builtins(report) if report else {"schema": 1, "diagnosis": [], "findings": [], "facts": {}}
    )
    if story.key:
        value["ticket"] = {
            "key": story.key,
            "words": story.words,
            "changed": list(changed),
            "tried": msgspec.to_builtins(tried),
        }
    # The order of keys is the model's, the numbers are plain JSON (no NaN): any reader may read it.
    return (json.dumps(json.loads(msgspec.json.encode(value)), ensure_ascii=False, indent=1) + "\n").encode()


# --- sections


def _sections(draft: Draft, cleaned: Cleaned, who: Mapping[str, str]) -> tuple[Section, ...]:
    """What the employee may leave out, in the order in which an agent reads it. Parts that would be empty do not appear."""
    report = cleaned.report
    facts = report.facts if report else {}
    texts = {"words": cleaned.words.strip()}
    if report is not None:
        texts["diagnosis"] = "\n\n".join(
            f"{cause_line(one)}\n{one_line(one.explanation)}\n{one_line(one.advice)}" for one in report.diagnosis
        )
        texts["evidence"] = "\n".join(finding_line(one, most=20) for one in _bad_first(report.findings))
    texts["tried"] = "\n".join(tried_line(one) for one in cleaned.tried)
    texts["changed"] = "\n".join(changes_told(cleaned.worked, cleaned.changed))
    texts["device"] = "\n".join(
        [who.get("device", ""), *(_fact_lines({key: facts[key] for key in DEVICE_FACTS if key in facts}))]
    ).strip()
    texts["facts"] = "\n".join(_fact_lines({key: value for key, value in facts.items() if _section_of(key) == "facts"}))
    texts["software"] = "\n".join(
        f"{name} {version}".strip() for name, version in _pairs(facts.get("software.list", {}))
    )
    texts["logs"] = "\n".join(str(line) for line in facts.get("logs.errors") or ())
    texts["files"] = "\n".join(
        f"{one.name} ({one.media_type}, {size(len(one.data))}): sent as it is" for one in own_files(draft.attachments)
    )
    texts["report"] = f"{HTML} and {JSON}: everything above as a page and as data for programs."
    return tuple(
        Section(
            id=id,
            title=TITLES[id],
            text=text,
            included=id == "words" or id not in draft.left_out,
            required=id == "words",
        )
        for id, text in texts.items()
        if text
    )


def _without(report: Report, out: frozenset[str]) -> Report:
    """The report without the sections that are left out."""
    facts = {key: value for key, value in report.facts.items() if _section_of(key) not in out}
    diagnosis = () if "diagnosis" in out else report.diagnosis
    findings = () if "evidence" in out else report.findings
    return msgspec.structs.replace(report, facts=facts, diagnosis=diagnosis, findings=findings)


def _section_of(key: str) -> str:
    if key in DEVICE_FACTS:
        return "device"
    area = key.partition(".")[0]
    return area if area in {"software", "logs"} else "facts"


def _bad_first(findings: tuple[Finding, ...]) -> list[Finding]:
    return sorted(findings, key=lambda one: one.status not in BAD)


def _fact_lines(facts: Mapping[str, Any]) -> list[str]:
    found = [row for key, value in facts.items() for row in rows(key.partition(".")[2] or key, value)]
    return [f"{name}: {text}" if name else f"  {text}" for name, text in found]


def _pairs(value: Any) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [(str(name), str(version or "")) for name, version in value.items()]
    return [(str(one), "") for one in value] if isinstance(value, list) else []


# --- parts


def _subject(cleaned: Cleaned, out: frozenset[str]) -> str:
    """The draft's subject, else the cause, else the first words; one line."""
    subject = one_line(cleaned.subject)
    report = cleaned.report
    if not subject and report and report.diagnosis and "diagnosis" not in out:
        subject = one_line(report.diagnosis[0].title)
    subject = subject or one_line(next((line for line in cleaned.words.splitlines() if line.strip()), "")) or NO_SUBJECT
    return subject if len(subject) <= LONGEST_SUBJECT else f"{subject[: LONGEST_SUBJECT - 1].rstrip()}\u2026"


def _fields(
    report: Report | None, *, who: Mapping[str, str], device: str, routing: Sequence[str] = ()
) -> dict[str, str]:
    client, _, version = who.get("client", "").partition(" ")
    fields = {"device": device, "client": client, "version": version, "platform": who.get("platform", "")}
    if report is not None and report.diagnosis:
        first = report.diagnosis[0]
        fields |= {
            "cause": first.cause,
            "subject": one_line(first.subject),
            "severity": first.severity.value,
            "tier": first.tier.value,
            "confidence": f"{first.confidence:.2f}",
        }
    fields |= route(routing, fields)
    return {name: value for name, value in sorted(fields.items()) if value}


def own_files(attachments: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
    """The employee's files, with names that are whole, without folders and secrets, and unlike each other and ours."""
    taken = {JSON, HTML, SUMMARY}
    gate = Redactor()
    files = []
    for one in attachments:
        name = "".join(char for char in one_line(one.name.replace("\\", "/").rpartition("/")[2]) if char.isprintable())
        name = gate.written(name)
        name = name.strip(". ") or "file"
        stem, dot, ending = name.rpartition(".") if "." in name else (name, "", "")
        number = 2
        while name.casefold() in taken:
            name = f"{stem} ({number}){dot}{ending}"
            number += 1
        taken.add(name.casefold())
        files.append(msgspec.structs.replace(one, name=name))
    return tuple(files)


def _exposed(files: tuple[Attachment, ...]) -> tuple[str, ...]:
    """The names of texts that hold what looks like a secret. They are the employee's and are not changed; it is said."""
    found = []
    for one in files:
        if len(one.data) <= LOOKED_AT_BYTES and b"\0" not in one.data:
            with contextlib.suppress(UnicodeDecodeError):
                found += [one.name] if without_secrets(one.data.decode())[1] else []
    return tuple(found)


def _shown_who(who: Mapping[str, str], device: str) -> dict[str, str]:
    return {"client": "", "platform": "", **who, "device": device}


def _when(outcome: FixOutcome) -> float:
    return outcome.started_at.timestamp()
