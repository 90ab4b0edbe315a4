"""Picks the causes that hold, folds consequences under what explains them, orders what is left. Pure: evidence in, words out."""

from __future__ import annotations

import logging
import string
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from diagnostics.causes.cause import Cause, Evidence, Match
from diagnostics.model import Diagnosis, Severity, Status

CERTAIN: Final = 0.99  # nothing seen from outside is surer than this
WEIGHT: Final = {Severity.LOW: 0.4, Severity.MEDIUM: 0.7, Severity.HIGH: 1.0, Severity.CRITICAL: 1.2}
NOT_FINE: Final = frozenset({Status.FAILED, Status.WARNING, Status.SKIPPED})

log = logging.getLogger(__name__)


def reason(evidence: Evidence, causes: Iterable[Cause]) -> tuple[Diagnosis, ...]:
    """The causes that hold, most likely first, without those that another one explains.

    A cause whose `holds` crashes is left out and logged: a wrong rule must not cost the employee the right one.
    """
    held: list[tuple[Cause, Match]] = []
    for cause in causes:
        try:
            held += [(cause, match) for match in cause.holds(evidence)]
        except Exception:  # the boundary of a rule
            log.exception("the cause %s could not be judged", cause.id)
    folded = _fold(held)
    roots = [index for index in range(len(held)) if index not in folded]
    diagnoses = []
    for index in roots:
        cause, match = held[index]
        consequences = [held[one][0].id for one in folded if _root(one, folded) == index]
        checks = _explained_checks(cause, match, evidence)
        diagnoses.append(
            (_score(cause, match, len(checks) + len(consequences)), _diagnosis(cause, match, checks, consequences))
        )
    diagnoses.sort(key=lambda pair: -pair[0])  # stable: the catalogue's order decides between equals
    return tuple(diagnosis for _, diagnosis in diagnoses)


def explains(cause: Cause, match: Match, other: Cause, other_match: Match) -> bool:
    """Whether the second cause is a consequence of the first. `cause.id:subject` narrows a pattern to one subject."""
    if cause.id == other.id:  # two dead services are two faults
        return False
    names = (other.id, f"{other.id}:{other_match.subject}")
    if any(fnmatchcase(name, pattern) for pattern in match.spare for name in names):
        return False
    return any(fnmatchcase(name, pattern) for pattern in (*cause.explains, *match.explains) for name in names)


def _fold(held: list[tuple[Cause, Match]]) -> dict[int, int]:
    """Which held cause (index) is a consequence of which other one. Of two that explain each other the surer one stays."""
    folded = {one: best for one in range(len(held)) if (best := _parent(one, held)) is not None}
    for start in list(folded):  # a ring of three or more would hide everything in it: its surest member stays
        ring = [start]
        while ring[-1] in folded and folded[ring[-1]] not in ring:
            ring.append(folded[ring[-1]])
        if ring[-1] in folded:
            folded.pop(max(ring[ring.index(folded[ring[-1]]) :], key=lambda index: held[index][1].confidence))
    return folded


def _parent(one: int, held: list[tuple[Cause, Match]]) -> int | None:
    cause, match = held[one]
    best: int | None = None
    for other, (parent, parent_match) in enumerate(held):
        if other == one or not explains(parent, parent_match, cause, match):
            continue
        mutual = explains(cause, match, parent, parent_match)
        if mutual and (parent_match.confidence, -other) <= (match.confidence, -one):
            continue
        if best is None or parent_match.confidence > held[best][1].confidence:
            best = other
    return best


def _root(index: int, folded: Mapping[int, int]) -> int:
    while index in folded:
        index = folded[index]
    return index


def _explained_checks(cause: Cause, match: Match, evidence: Evidence) -> list[str]:
    """The checks that are not fine and follow from this cause; what shows the cause is evidence and not a consequence."""
    patterns = (*cause.explains, *match.explains)
    return [
        id
        for id, finding in evidence.findings.items()
        if id not in match.evidence
        and (
            (finding.status in NOT_FINE and any(fnmatchcase(id, pattern) for pattern in patterns))
            or finding.skipped_because in match.evidence
        )
    ]


def _score(cause: Cause, match: Match, explained: int) -> float:
    """How far up: sure, severe, and explaining much (with falling weight, so that a broad cause does not always win)."""
    return match.confidence * WEIGHT[match.severity or cause.severity] * (1 + explained / (explained + 4))


class _Values(dict[str, Any]):
    """A missing number must not cost the employee the sentence."""

    def __missing__(self, key: str) -> str:
        log.warning("a text of a cause names %r, which its match does not give", key)
        return "?"


def _diagnosis(cause: Cause, match: Match, checks: list[str], consequences: list[str]) -> Diagnosis:
    values = _Values({"subject": match.subject or "", **match.values})

    def fill(text: str) -> str:
        filled = string.Formatter().vformat(text, (), values)
        return filled[:1].upper() + filled[1:]

    return Diagnosis(
        cause=cause.id,
        subject=match.subject,
        severity=match.severity or cause.severity,
        confidence=round(min(match.confidence, CERTAIN), 2),
        title=fill(cause.title),
        explanation=fill(cause.explanation),
        advice=fill(cause.advice),
        evidence=match.evidence,
        explains=tuple(dict.fromkeys((*checks, *consequences))),
        articles=cause.articles,
        fixes=cause.fixes if match.fixes is None else match.fixes,
        tier=cause.tier,
    )
