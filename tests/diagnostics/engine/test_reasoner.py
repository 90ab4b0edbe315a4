"""The reasoner: consequences go under their cause, independent faults stay, nothing that holds is lost."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.causes.catalogue import CATALOGUE
from diagnostics.causes.cause import Cause, Evidence, Match
from diagnostics.causes.reasoner import explains, reason
from diagnostics.model import Finding, Severity, Status, Tier


def cause(id, *matches, explains=(), severity=Severity.HIGH, title="Title", **texts):
    return Cause(
        id=id,
        severity=severity,
        tier=Tier.L1,
        title=title,
        explanation=texts.get("explanation", "Explanation."),
        advice=texts.get("advice", "Advice."),
        holds=lambda _: matches or (Match(confidence=0.9, evidence=("x.y",)),),
        explains=explains,
    )


def match(subject=None, confidence=0.9, evidence=("x.y",), **more):
    return Match(subject=subject, confidence=confidence, evidence=evidence, **more)


def finding(check, status=Status.FAILED, because=None):
    return Finding(check=check, area=check.partition(".")[0], status=status, summary="", skipped_because=because)


def judged(*causes, findings=()):
    return reason(Evidence(findings={one.check: one for one in findings}), causes)


def test_a_consequence_goes_under_its_cause():
    found = judged(cause("dns.unreachable", explains=("service.*",)), cause("service.down"))
    assert [one.cause for one in found] == ["dns.unreachable"]
    assert found[0].explains == ("service.down",)


def test_consequences_of_consequences_go_under_the_first_cause():
    found = judged(cause("c.c"), cause("b.b", explains=("c.*",)), cause("a.a", explains=("b.*",)))
    assert [one.cause for one in found] == ["a.a"]
    assert set(found[0].explains) == {"b.b", "c.c"}


def test_two_independent_faults_are_both_named():
    found = judged(cause("disk.full"), cause("dns.unreachable", explains=("service.*",)))
    assert {one.cause for one in found} == {"disk.full", "dns.unreachable"}


def test_what_explains_more_is_named_first():
    findings = [finding(f"service.n{number}") for number in range(5)]
    found = judged(cause("a.small"), cause("b.big", explains=("service.*",)), findings=findings)
    assert [one.cause for one in found] == ["b.big", "a.small"]
    assert len(found[0].explains) == 5


def test_a_severe_cause_comes_before_a_mild_one():
    found = judged(cause("a.mild", severity=Severity.LOW), cause("b.severe"))
    assert found[0].cause == "b.severe"


def test_a_match_may_be_more_severe_than_its_cause():
    found = judged(cause("a.a", match(severity=Severity.CRITICAL), severity=Severity.LOW))
    assert found[0].severity is Severity.CRITICAL


def test_checks_that_were_skipped_because_of_the_evidence_are_consequences():
    findings = [finding("dns.resolvers"), finding("service.help_desk", Status.SKIPPED, because="dns.resolvers")]
    found = judged(cause("dns.unreachable", match(evidence=("dns.resolvers",))), findings=findings)
    assert found[0].explains == ("service.help_desk",)


def test_fine_and_unknown_checks_are_no_consequences():
    findings = [finding("service.a", Status.OK), finding("service.b", Status.UNKNOWN)]
    assert judged(cause("a.a", explains=("service.*",)), findings=findings)[0].explains == ()


def test_of_two_that_explain_each_other_the_surer_one_stays():
    found = judged(
        cause("a.a", match(confidence=0.7), explains=("b.*",)), cause("b.b", match(confidence=0.8), explains=("a.*",))
    )
    assert [one.cause for one in found] == ["b.b"]


def test_a_ring_of_explanations_leaves_its_surest_member():
    found = judged(
        cause("a.a", match(confidence=0.7), explains=("b.b",)),
        cause("b.b", match(confidence=0.9), explains=("c.c",)),
        cause("c.c", match(confidence=0.8), explains=("a.a",)),
    )
    assert [one.cause for one in found] == ["b.b"]
    assert set(found[0].explains) == {"a.a", "c.c"}


def test_a_pattern_may_be_about_one_subject():
    services = cause("service.down", match("Mail"), match("Files"))
    found = judged(cause("hosts.override", match("mail.test", explains=("service.*:Mail",))), services)
    assert {(one.cause, one.subject) for one in found} == {("hosts.override", "mail.test"), ("service.down", "Files")}


def test_a_match_may_spare_what_its_cause_explains():
    portal = cause("internet.captive_portal")
    hijack = cause("dns.hijacked", match(spare=("internet.captive_portal*",)), explains=("internet.*",))
    assert {one.cause for one in judged(hijack, portal)} == {"dns.hijacked", "internet.captive_portal"}


def test_a_rule_that_crashes_costs_only_itself(caplog):
    def crash(_):
        raise KeyError("measure")

    bad = Cause(id="a.a", severity=Severity.LOW, tier=Tier.L1, title="", explanation="", advice="", holds=crash)
    with caplog.at_level(logging.ERROR):
        assert [one.cause for one in judged(bad, cause("b.b"))] == ["b.b"]
    assert "a.a could not be judged" in caplog.text


def test_words_are_filled_in_and_begin_with_a_capital():
    found = judged(cause("a.a", match("eth0", values={"what": "the cable"}), title="{what} of {subject} is out"))
    assert found[0].title == "The cable of eth0 is out"


def test_a_missing_number_does_not_cost_the_sentence(caplog):
    with caplog.at_level(logging.WARNING):
        assert judged(cause("a.a", title="It takes {ms} ms"))[0].title == "It takes ? ms"
    assert "'ms'" in caplog.text


def test_nothing_is_ever_certain():
    assert judged(cause("a.a", match(confidence=1.2)))[0].confidence == 0.99


def test_the_catalogue_has_every_cause_of_the_contract():
    contract = """link.no_adapter link.disabled link.no_carrier address.missing address.self_assigned address.wrong_mask
    address.wrong_subnet route.no_default route.wrong_metric gateway.unreachable gateway.not_forwarding internet.unreachable
    internet.captive_portal internet.blocked internet.https_blocked firewall.local dns.not_configured dns.unreachable dns.refused
    dns.servfail dns.slow dns.resolver_down dns.hijacked dns.wrong_answer dns.name_missing dns.internal_zone hosts.override vpn.down
    internal.unreachable proxy.required proxy.unreachable proxy.unresolvable proxy.auth_required proxy.stale quality.latency_local
    quality.latency_internet quality.loss_local quality.loss_internet quality.bandwidth path.mtu ipv6.broken tls.intercepted
    tls.expired tls.wrong_host tls.untrusted clock.skew service.down service.unreachable service.error service.timeout service.slow
    disk.full disk.inodes_exhausted disk.read_only disk.failing disk.slow memory.exhausted processor.saturated battery.worn
    system.restart_pending system.overheating updates.failing"""
    assert set(contract.split()) <= {one.id for one in CATALOGUE}


def test_no_cause_explains_itself():
    for one in CATALOGUE:
        same = Match(subject="one", confidence=1.0, evidence=())
        other = Match(subject="two", confidence=1.0, evidence=())
        if explains(one, same, one, other):
            pytest.fail(f"{one.id} would hide a second instance of itself")


@given(st.data())
def test_everything_that_holds_is_named_or_explained_by_what_is_named(data):
    ids = [f"a{number}.n" for number in range(data.draw(st.integers(1, 7)))]
    causes = [
        cause(
            id,
            match(confidence=data.draw(st.floats(0.1, 1.0))),
            explains=tuple(data.draw(st.lists(st.sampled_from([*ids, "*"]), max_size=3))),
        )
        for id in ids
    ]
    found = judged(*causes)
    assert found
    named = {one.cause for one in found}
    assert named | {consequence for one in found for consequence in one.explains} >= set(ids)
    assert len(found) == len(named)
