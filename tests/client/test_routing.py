"""IT's rules: what fits, which rule decides, and what is no rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.routing import BadRule, parse, route

TICKET = {"cause": "dns.unreachable", "tier": "L2", "severity": "high", "platform": "win32", "device": "LT-0417"}
RULES = (
    "vpn.* -> queue=VPN",
    "dns.*, net.*, tier=L2|L3 -> queue=Network; priority=2",
    "device=lt-* -> desk:cf_kind=Laptop; priority=9",
    "none -> queue=Questions",
    "* -> queue=IT; category=Other",
)


def test_the_first_rule_that_names_a_field_decides_it() -> None:
    assert route(RULES, TICKET) == {"queue": "Network", "priority": "2", "desk:cf_kind": "Laptop", "category": "Other"}


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ("*", True),
        ("", True),
        ("dns.unreachable", True),
        ("dns.*", True),
        ("DNS.*", False),
        ("disk.*, dns.*", True),
        ("disk.*", False),
        ("none", False),
        ("dns.*, tier=L1", False),
        ("tier=l2", True),
        ("severity=low|high", True),
        ("platform=win*, device=lt-*", True),
        ("platform=linux", False),
        ("subject=*", True),
        ("subject=?*", False),
    ],
)
def test_a_rule_fits_when_a_cause_and_everything_that_it_asks_fit(when: str, fits: bool) -> None:  # noqa: FBT001 -- a table
    assert bool(route([f"{when} -> queue=X"], TICKET)) is fits


def test_a_ticket_without_a_cause_has_a_rule_of_its_own() -> None:
    assert route(RULES, {"device": "srv-1"})["queue"] == "Questions"


def test_rules_may_say_the_tier_and_the_severity() -> None:
    assert route(["dns.* -> tier=L3; severity=low"], TICKET) == {"tier": "L3", "severity": "low"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no ->"),
        ("dns.* = queue", "no ->"),
        ("dns.* ->", "nothing stands after"),
        ("dns.* -> queue", "sets none of"),
        ("dns.* -> queue=", "sets none of"),
        ("dns.* -> cause=evil", "sets none of"),
        ("dns.* -> desk:=x", "sets none of"),
        ("dns.* -> queue=a\x00b", "sets none of"),
        (f"dns.* -> queue={'x' * 201}", "sets none of"),
        ("colour=red -> queue=X", "before the arrow"),
        ("tier= -> queue=X", "before the arrow"),
        ("* -> tier=L9", "tier is one of"),
        ("* -> severity=terrible", "severity is one of"),
    ],
)
def test_what_is_no_rule_is_named_and_passed_over(text: str, words: str) -> None:
    with pytest.raises(BadRule, match=words):
        parse(text)
    assert route([text, "* -> queue=IT"], TICKET) == {"queue": "IT"}


@given(st.lists(st.text(max_size=60), max_size=5), st.dictionaries(st.sampled_from([*TICKET]), st.text(max_size=20)))
def test_nothing_in_the_settings_stops_a_ticket(rules: list[str], fields: dict[str, str]) -> None:
    assert all(isinstance(one, str) for one in route(rules, fields).values())
