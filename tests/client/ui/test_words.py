"""Sentences, stations and facts: pure functions between the core's data and the screen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from fake_app import CABLE, DISK, DNS, HEALTHY, finding, report

from client.ui import facts
from client.ui.journey import journey, of_report
from client.ui.places import AREAS, PLACES, is_it_me, place, station
from client.ui.widgets.problem import measures
from client.ui.words import ago, checked, headline, size, without_marks
from diagnostics.model import Status

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=-30), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=3, minutes=50), "3 h ago"),
        (timedelta(hours=30), "yesterday"),
        (timedelta(days=4), "4 days ago"),
    ],
)
def test_ages_are_said_as_people_say_them(qapp, passed, words) -> None:
    assert ago(NOW - passed, NOW) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1500, "1.5 kB"),
        (212_000_000_000, "212 GB"),
        (2_000_000_000_000, "2.0 TB"),
        (5e13, "50.0 TB"),
    ],
)
def test_sizes_are_in_powers_of_a_thousand(qapp, count, words) -> None:
    assert size(count) == words


def test_the_headline_says_whether_it_is_me_or_them(qapp) -> None:
    assert headline("fine", report()) == "Everything looks fine"
    assert headline("problem", report(DISK)) == "The problem is on this computer"
    assert headline("problem", report(DNS, DISK)) == "The problem is on the way to the internet"
    assert headline("offline", report(CABLE)) == "This computer has no way into the network"
    assert headline("checking", report(DNS)) == "Looking at this computer"
    assert headline("unknown", None) == "This computer has not been checked yet"
    assert checked(None) == ""


@pytest.mark.parametrize(
    ("cause", "where"),
    [
        ("disk.full", "computer"),
        ("clock.skew", "computer"),
        ("hosts.override", "computer"),
        ("proxy.stale", "computer"),
        ("link.no_carrier", "network"),
        ("gateway.unreachable", "router"),
        ("quality.loss_local", "router"),
        ("quality.loss_internet", "internet"),
        ("dns.unreachable", "internet"),
        ("dns.internal_zone", "company"),
        ("vpn.down", "company"),
        ("tls.expired", "service"),
        ("service.down", "service"),
    ],
)
def test_every_cause_lies_somewhere(cause, where) -> None:
    assert station(cause) == where


def test_every_station_has_words(qapp) -> None:
    assert set(AREAS.values()) | {"computer"} == set(PLACES)
    for cause in (DNS, DISK, CABLE):
        assert place(cause)
        assert is_it_me(cause)


def shape(links) -> str:
    return " ".join(link.health[0] for link in links)


def test_a_healthy_way_is_fine_from_end_to_end(qapp) -> None:
    links, words = of_report(report())
    assert shape(links) == "f f f f f f"
    assert words.count("fine") == 6


def test_behind_a_broken_link_nobody_can_tell(qapp) -> None:
    links, words = of_report(report(CABLE))
    assert [link.health for link in links][:4] == ["fine", "problem", "behind", "behind"]
    assert "Network: here is the problem" in words


def test_what_answers_is_fine_even_behind_a_problem(qapp) -> None:
    """The name server is dead, but secure connections were seen to work: then they do."""
    assert shape(of_report(report(DNS))[0]) == "f f f p f b"


def test_a_problem_on_this_computer_breaks_no_link(qapp) -> None:
    assert shape(of_report(report(DISK))[0]) == "p f f f f f"


def test_without_a_company_the_way_ends_at_the_internet(qapp) -> None:
    links, _ = journey(one for one in HEALTHY if one.area not in {"service", "tls"})
    assert len(links) == 4


def test_before_anything_was_found_everything_is_open(qapp) -> None:
    assert shape(journey([])[0]) == "u u u u"


def test_numbers_are_shown_with_their_units(qapp) -> None:
    one = finding("dns.resolvers", Status.OK, "", answer_ms=11, servers_tried=2, lost=None, free_bytes=1_800_000_000)
    assert measures([one]) == "dns.resolvers: answer 11 ms, servers tried 2, free 1.8 GB"


def test_facts_come_in_groups_with_labels(qapp) -> None:
    made = facts.groups(report())
    assert [group.title for group in made] == ["This computer", "System", "Network", "Programs", "Log", "Printers"]
    first = dict(made[0].rows)
    assert first["Name"] == "lt-0417"
    assert first["Memory"] == "16.5 GB"
    assert first["Disks"] == "KBG50ZNV512G · 512 GB"
    assert dict(made[1].rows)["Running for"] == "3 d 3 h"
    assert "eth0 · ethernet · 10.20.4.17/24, fe80::1c2/64" in dict(made[2].rows)["Adapters"]


def test_long_lists_are_counted_and_not_shown(qapp) -> None:
    programs = dict(facts.groups(report())[3].rows)["Programs"].splitlines()
    assert len(programs) == facts.MANY + 1
    assert programs[-1] == "and 27 more"


def test_a_fact_that_nobody_knows_is_shown_under_its_own_words(qapp) -> None:
    strange = msgspec.structs.replace(report(), facts={"gadget.spin_rate_s": 90, "x": [], "plain": True})
    made = facts.groups(strange)
    assert [(group.title, group.rows) for group in made] == [
        ("Gadget", (("Spin rate s", "1 min"),)),
        ("Plain", (("Plain", "yes"),)),
    ]


def test_copied_facts_are_plain_text(qapp) -> None:
    words = facts.text(report())
    assert words.startswith("This computer\nName: lt-0417\n")
    assert "\n\nSystem\nSystem: Debian" in words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**Please try again.**\n\nThen `restart`.", "Please try again. Then restart."),
        ("# Done\n- one\n- two\n> said", "Done one two said"),
        ("See [the page](https://help.example.com/x) and ![a picture](x.png)", "See the page and a picture"),
        ("2 * 3 * 4 and snake_case_name stay", "2 * 3 * 4 and snake_case_name stay"),
        ("** not a mark **", "** not a mark **"),
        ("", ""),
    ],
)
def test_a_notification_shows_words_without_marks(text: str, shown: str) -> None:
    assert without_marks(text) == shown
