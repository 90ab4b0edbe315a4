"""Facts: declared once, each with a privacy class, bounded in time and size, and never an obstacle to the report."""

from __future__ import annotations

import asyncio
import time

import pytest

from diagnostics.facts import declaration, declared, privacy_of
from diagnostics.facts.declaration import MISSING, Declared, FactError, collect, fact
from diagnostics.facts.hardware import told
from diagnostics.facts.logs import BYTES, LINE_LENGTH, LINES, bounded
from diagnostics.model import Privacy
from diagnostics.platforms import linux_describe
from diagnostics.platforms import linux_describe as parse
from diagnostics.probe import Probe

EXPECTED = {
    "os.name": "public", "os.version": "public", "os.host_name": "device", "os.user": "personal", "os.home": "personal",
    "os.joined_to": "network", "hardware.vendor": "public", "hardware.model": "public", "hardware.serial": "device",
    "hardware.asset_tag": "device", "interfaces.adapters": "network", "interfaces.hardware_addresses": "device",
    "interfaces.routes": "network", "interfaces.resolvers": "network", "interfaces.wifi": "network", "interfaces.vpn": "network",
    "software.list": "public", "logs.errors": "personal",
}  # fmt: skip


@pytest.fixture
def register(monkeypatch):
    """A register of its own, empty."""
    facts: dict[str, Declared] = {}
    monkeypatch.setattr(declaration, "_facts", facts)
    return facts


@pytest.mark.parametrize(("key", "privacy"), EXPECTED.items())
def test_every_fact_that_agents_rely_on_has_its_privacy_class(key, privacy):
    assert privacy_of(key).value == privacy


def test_what_nobody_has_declared_counts_as_personal():
    assert privacy_of("made.up") is Privacy.PERSONAL
    assert privacy_of(MISSING) is Privacy.PUBLIC


def test_a_fact_is_declared_once_and_by_a_dotted_key(register):
    fact("a.b", privacy=Privacy.PUBLIC)(lambda _: None)
    with pytest.raises(FactError, match="declared twice"):
        fact("a.b", privacy=Privacy.PUBLIC)(lambda _: None)
    with pytest.raises(FactError, match=r"area\.noun"):
        fact("ab", privacy=Privacy.PUBLIC)(lambda _: None)


def test_facts_are_looked_for_at_once_and_what_hangs_or_breaks_is_named(register, caplog):
    async def quick(_):
        return "here"

    async def hangs(_):
        await asyncio.Event().wait()

    async def breaks(_):
        raise OSError("no")

    async def crashes(_):
        raise ValueError("a bug")

    async def nothing(_):
        return ""

    async def zero(_):
        return 0

    for key, find in {
        "a.quick": quick,
        "a.hangs": hangs,
        "a.breaks": breaks,
        "a.crashes": crashes,
        "a.nothing": nothing,
        "a.zero": zero,
    }.items():
        fact(key, privacy=Privacy.PUBLIC)(find)
    began = time.monotonic()
    found = asyncio.run(collect(Probe(), deadline_s=0.05))
    assert time.monotonic() - began < 1
    assert found == {"a.quick": "here", "a.zero": 0, MISSING: ["a.hangs", "a.breaks", "a.crashes"]}
    assert "a.crashes" in caplog.text
    caplog.clear()


def test_this_machine_tells_something_within_its_deadline():
    began = time.monotonic()
    found = asyncio.run(collect(Probe()))
    assert time.monotonic() - began < 5
    assert found["os.name"]
    assert found["hardware.processors"] >= 1
    assert set(found) - {MISSING} <= {one.key for one in declared()}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "To be filled by O.E.M.",
        "Default string",
        "0000000",
        "  None ",
        "System Serial Number",
        "x.x",
        "Not Specified",
    ],
)
def test_placeholders_of_makers_are_nothing(text):
    assert told(text) == ""


def test_what_may_not_be_read_is_missing_and_not_nothing(monkeypatch):
    class Closed(linux_describe.LinuxDescriber):
        async def log_errors(self, *_, **__):
            return None

        async def software(self, *_):
            return None

    monkeypatch.setattr(linux_describe, "LinuxDescriber", Closed)
    found = asyncio.run(collect(Probe()))
    assert {"logs.errors", "software.list", "software.count"} <= set(found[MISSING])
    assert "logs.errors" not in found


def test_what_a_maker_tells_is_kept():
    assert told(" 5CG1234XYZ\x00 ") == "5CG1234XYZ"
    assert told("20XW 0077GE") == "20XW 0077GE"


def test_the_log_is_bounded_and_the_newest_lines_stay():
    kept = bounded(tuple(f"line {number}" for number in range(500)))
    assert (len(kept), kept[-1]) == (LINES, "line 499")
    assert len(bounded(("x" * 5000,))[0]) == LINE_LENGTH
    many = bounded(tuple(f"{number} {'ü' * 390}" for number in range(50)))
    assert sum(len(line.encode()) for line in many) <= BYTES
    assert many[-1].startswith("49 ")
    assert bounded(("same", "same", "other", "same")) == ["same", "other", "same"]
    assert bounded(()) == []


def test_packages_are_read_from_every_tool():
    dpkg = "ii \tbash\t5.2.15-2+b7\nrc \told\t1.0\niF \tbroken\t2.0\n"
    assert [(one.name, one.version) for one in parse.parse_packages("dpkg-query", dpkg)] == [("bash", "5.2.15-2+b7")]
    assert parse.parse_packages("pacman", "linux 6.12.1.arch1-1\n")[0].version == "6.12.1.arch1-1"
    assert parse.parse_packages("apk", "busybox-extras-1.36.1-r5\n")[0].name == "busybox-extras"
    assert parse.parse_packages("flatpak", "org.gimp.GIMP\t2.10.38\n")[0].name == "org.gimp.GIMP"
    assert [one.name for one in parse.parse_packages("snap", "Name  Version  Rev\ncore22  2024  1\n")] == ["core22"]
    assert parse.parse_packages("snap", "") == parse.parse_packages("apk", "WARNING: x\n") == ()


def test_os_release_is_read_without_the_quotes_of_the_shell():
    text = '# comment\nPRETTY_NAME="Fedora Linux 41 (Workstation Edition)"\nVERSION_ID=41\nBROKEN="x\n'
    assert parse.parse_os_release(text) == {
        "PRETTY_NAME": "Fedora Linux 41 (Workstation Edition)",
        "VERSION_ID": "41",
        "BROKEN": '"x',
    }


def test_the_processor_is_named_on_every_architecture():
    assert parse.parse_processor("processor\t: 0\nmodel name\t: AMD Ryzen 7   PRO\n") == "AMD Ryzen 7 PRO"
    assert parse.parse_processor("processor\t: 0\nHardware\t: BCM2835\nModel\t\t: Raspberry Pi 4\n") == "Raspberry Pi 4"
    assert parse.parse_processor("") == ""


def test_graphics_cards_are_named():
    card = '00:02.0 "VGA compatible controller" "Intel Corporation" "Iris Xe" -r01 "Lenovo" "X1"'
    text = f'{card}\n00:14.0 "USB controller" "Intel" "x"\n'
    assert parse.parse_graphics(text) == ("Intel Corporation Iris Xe",)


IW = """Connected to 11:22:33:44:55:66 (on wlp2s0)
	SSID: Büro
	freq: 5180
	signal: -61 dBm
	tx bitrate: 866.7 MBit/s VHT-MCS 9 80MHz short GI VHT-NSS 2
"""


def test_the_wireless_network_is_read_from_iw():
    wifi = parse.parse_iw_link("wlp2s0", IW)
    assert wifi is not None
    assert (wifi.network, wifi.band, wifi.signal_percent, wifi.rate_mbit_per_s) == ("Büro", "5 GHz", 78, 866.7)
    assert parse.parse_iw_link("wlp2s0", "Not connected.\n") is None
