"""Numbers in the words of a report: units from names, small sizes exactly, things by their names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.report.values import label, measures, rows, words


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("answer_ms", 1500, "1,500 ms"),
        ("answer_ms", 18.24, "18 ms"),
        ("answer_ms", None, "none"),
        ("free_percent", 79.38, "79.4 %"),
        ("percent", 52.5, "52.5 %"),
        ("free_bytes", 1_100_000_000, "1.1 GB"),
        ("mtu_bytes", 1500, "1,500 bytes"),
        ("started_s", 268_000, "3 days"),
        ("skew_s", -90, "-1 minute"),
        ("uptime_days", 1, "1 day"),
        ("rate_mbit_per_s", 866.7, "866.7 Mbit/s"),
        ("line_kbit_per_s", 12_000, "12,000 kbit/s"),
        ("temperature_celsius", 81, "81 \u00b0C"),
        ("cores", 2, "2"),
        ("load", 0.5, "0.5"),
        ("x", float("nan"), "none"),
        ("x", float("inf"), "none"),
        pytest.param("x_ms", 10**5000, "very large", id="huge"),
        ("up", True, "yes"),
        ("up", False, "no"),
        ("text", "  two\n lines ", "two lines"),
        ("text", "", "empty"),
        ("list", [], "none"),
        ("list", ["a", "b"], "a, b"),
        ("volumes", [{"mount": "/", "state": "low", "free_percent": 3}, {"mount": "/x"}], "/, low, free 3 %; /x"),
        ("object", {"a_b": 1, "none": None}, "a b 1"),
        ("object", {}, "none"),
    ],
)
def test_a_value_in_words(name, value, expected):
    assert words(name, value) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("answer_ms", "answer"), ("free_bytes", "free"), ("bytes", "bytes"), ("os.host_name", "os host name"), ("_", "_")],
)
def test_a_key_as_a_label(name, expected):
    assert label(name) == expected


def test_facts_become_rows_with_the_names_of_things():
    assert list(rows("hardware_addresses", {"eth0": "mac-1"})) == [("eth0", "mac-1")]
    assert list(rows("memory", {"total_bytes": 16_000_000_000})) == [("total", "16.0 GB")]
    assert list(rows("disks", [{"model": "A", "bytes": 1e12}, {"model": "B"}])) == [("disks", "A, 1.0 TB"), ("", "B")]
    assert list(rows("started_s", 60)) == [("started", "1 minute")]


def test_of_many_things_those_that_are_not_well_are_shown():
    volumes = [{"mount": f"/{number}", "state": "ok"} for number in range(9)] + [{"mount": "/bad", "state": "full"}]
    assert measures({"volumes": volumes, "count": 10}, most=4) == "count 10, /bad: full"
    visits = [{"url": "https://a.example", "outcome": "refused", "verdict": "refused", "ms": 4}]
    assert measures({"visits": visits}, most=4) == "https://a.example: refused, 4 ms"
    assert measures({str(number): number for number in range(9)}, most=2) == "0 0, 1 1"


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    ),
    st.text(max_size=9) | st.sampled_from(["x_ms", "x_bytes", "x_s", "x_days"]),
)
def test_any_value_becomes_one_line(value, name):
    assert "\n" not in words(name, value)
    assert words(name, value)
