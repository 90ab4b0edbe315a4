"""What changed between two reports, in sentences. Pure; used for `deskside report diff` and for "since it last worked"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from client.report.summary import BAD, STATUSES, cause_line, moment
from client.report.values import label, words
from diagnostics.model import Diagnosis, Report, Status

# Facts that differ in every run and say nothing.
RESTLESS: Final = ("os.started_s", "logs.", "facts.missing")
MOST_NAMED: Final = 12  # programs in one sentence; an upgrade of the whole system is one line, not a thousand


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. `kind` is "cause", "check", "fact" or "software"; `better` is None where neither is better."""

    kind: str
    what: str
    before: str
    after: str
    words: str
    better: bool | None = None


def diff(old: Report, new: Report) -> tuple[Change, ...]:
    """Every difference that means something: causes first, then checks, facts, programs. Numbers that move are no difference."""
    return (
        *_causes(old.diagnosis, new.diagnosis),
        *_checks(old, new),
        *_facts(old.facts, new.facts),
        *_software(old.facts.get("software.list"), new.facts.get("software.list")),
    )


def changes(old: Report, new: Report) -> tuple[str, ...]:
    """What an agent wants to know: the facts and programs that differ from when it last worked, a sentence each."""
    return tuple(one.words for one in diff(old, new) if one.kind in {"fact", "software"})


def told(old: Report, new: Report) -> str:
    """The whole comparison as plain text; ends with a line break."""
    found = diff(old, new)
    head = f"From {moment(old.started_at)} to {moment(new.started_at)}:"
    if not found:
        return f"{head} nothing that means anything has changed.\n"
    marks = {True: "+", False: "-", None: "*"}
    return "\n".join([head, *(f" {marks[one.better]} {one.words}" for one in found)]) + "\n"


def _causes(old: tuple[Diagnosis, ...], new: tuple[Diagnosis, ...]) -> Iterator[Change]:
    before = {(one.cause, one.subject): one for one in old}
    after = {(one.cause, one.subject): one for one in new}
    for key, one in before.items():
        if key not in after:
            said = f"Gone: {cause_line(one)}"
            yield Change(kind="cause", what=one.cause, before=one.title, after="", words=said, better=True)
    for key, one in after.items():
        if key not in before:
            said = f"New: {cause_line(one)}"
            yield Change(kind="cause", what=one.cause, before="", after=one.title, words=said, better=False)


def _checks(old: Report, new: Report) -> Iterator[Change]:
    before = {one.check: one for one in old.findings}
    for one in new.findings:
        was = before.get(one.check)
        if was is None or was.status is one.status:
            continue
        better = (was.status in BAD) if one.status is Status.OK else False if one.status in BAD else None
        said = f"{one.check} was {STATUSES[was.status]}, now {STATUSES[one.status]}: {one.summary}"
        yield Change(
            kind="check", what=one.check, before=was.status.value, after=one.status.value, words=said, better=better
        )


def _facts(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for key in dict.fromkeys([*old, *new]):
        if key.startswith((*RESTLESS, "software.")):
            continue
        yield from _value(key, old.get(key), new.get(key))


def _value(key: str, before: Any, after: Any) -> Iterator[Change]:
    """Goes into objects, and into lists of things that have names, so that the sentence names the one thing that differs."""
    if before == after:
        return
    if isinstance(before, list) and isinstance(after, list):
        before, after = _named(before), _named(after)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            yield from _value(f"{key}.{name}", before.get(name), after.get(name))
        return
    if before == after:  # the same things in another order
        return
    what = label(key.partition(".")[2] or key)
    name = key.rpartition(".")[2]
    was, now = words(name, before), words(name, after)
    if before in (None, "", [], {}):
        said = f"{what}: new, {now}."
    elif after in (None, "", [], {}):
        said = f"{what}: gone (was {was})."
    else:
        said = f"{what}: was {was}, now {now}."
    yield Change(kind="fact", what=key, before=was, after=now, words=f"{said[:1].upper()}{said[1:]}")


def _named(values: list[Any]) -> Any:
    """A list as an object by the names of its members, where every member has one; else as it is."""
    for name in ("name", "adapter", "to", "mount", "server", "model"):
        if all(isinstance(one, Mapping) and isinstance(one.get(name), str) for one in values):
            names = [one[name] for one in values]
            if len(set(names)) == len(names):
                return {one[name]: {key: value for key, value in one.items() if key != name} for one in values}
    return values


def _software(old: Any, new: Any) -> Iterator[Change]:
    before, after = _versions(old), _versions(new)
    if not before or not after:
        return  # not collected, or left out: nothing is known about what changed
    groups = (
        ("Installed", [f"{name} {after[name]}".strip() for name in after if name not in before]),
        ("Removed", [f"{name} {before[name]}".strip() for name in before if name not in after]),
        (
            "Updated",
            [
                f"{name} {before[name]} \u2192 {after[name]}"
                for name in after
                if before.get(name, after[name]) != after[name]
            ],
        ),
    )
    for verb, names in groups:
        if names:
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            said = f"{verb}: {', '.join(names[:MOST_NAMED])}{more}."
            yield Change(kind="software", what=verb.lower(), before="", after=", ".join(names), words=said)


def _versions(value: Any) -> dict[str, str]:
    return {str(name): str(version or "") for name, version in value.items()} if isinstance(value, Mapping) else {}
