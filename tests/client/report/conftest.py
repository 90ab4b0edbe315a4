"""A report as a run on an ordinary laptop with a dead name server gives it, with everything in it that must not leave."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from client.model import Attachment, Draft, FixOutcome, FixResult
from diagnostics.model import Diagnosis, Finding, Report, Severity, Status, Tier

WHO = {"client": "deskside 0.1.0", "device": "laptop-7", "platform": "linux"}
KEY = "6f1c2d3e-1111-4222-8333-abcdefabcdef"


def finding(check: str, status: Status, summary: str, **measures: object) -> Finding:
    return Finding(
        check=check, area=check.partition(".")[0], status=status, summary=summary, measures=measures, duration_ms=12
    )


def make_report() -> Report:
    dead = finding(
        "dns.resolvers",
        Status.FAILED,
        "The name server 10.0.0.53 did not answer within 1.5 seconds.",
        answer_ms=None,
        servers_tried=2,
        servers=[
            {"server": "10.0.0.53", "state": "silent", "answer_ms": None},
            {"server": "10.0.0.54", "state": "silent", "answer_ms": None},
        ],
    )
    return Report(
        tool="deskside 0.1.0",
        started_at="2026-01-31T09:00:00Z",
        duration_ms=1840,
        platform="linux",
        diagnosis=(
            Diagnosis(
                cause="dns.unreachable",
                subject="10.0.0.53",
                severity=Severity.HIGH,
                confidence=0.97,
                title="The name server does not answer",
                explanation="This computer asks 10.0.0.53 for the addresses of web sites and gets no answer. "
                "Without it nothing can be found by name, although the line itself works.",
                advice="Reconnect to the network; if that does not help, the network team has to look at the name server.",
                evidence=("dns.resolvers", "internet.by_address"),
                explains=("internet.https", "service.help_desk", "service.single_sign_on"),
                articles=("dns-name-lookup",),
                fixes=("dns.flush_cache",),
                tier=Tier.L2,
            ),
            Diagnosis(
                cause="disk.full",
                subject="/",
                severity=Severity.MEDIUM,
                confidence=0.9,
                title="The disk is almost full",
                explanation="Only 1.1 GB of 250 GB are free, and programs fail when they cannot write.",
                advice="Empty the trash and remove what is no longer needed.",
                evidence=("disk.space",),
            ),
        ),
        findings=(
            finding(
                "link.adapters",
                Status.OK,
                "Wi-Fi is connected.",
                adapters=[{"name": "wlan0", "state": "ok", "rate_mbit_per_s": 866}],
            ),
            finding("address.ipv4", Status.OK, "This computer has the address 10.0.0.7."),
            finding("gateway.answers", Status.OK, "The router answers.", latency_ms=2.4, loss_percent=0),
            finding(
                "internet.by_address", Status.OK, "A host beyond the router answers by its address.", latency_ms=18.2
            ),
            dead,
            Finding(
                check="internet.https",
                area="internet",
                status=Status.SKIPPED,
                summary="Not looked at, because the name server 10.0.0.53 did not answer within 1.5 seconds.",
                skipped_because="dns.resolvers",
            ),
            finding("service.help_desk", Status.SKIPPED, "Not looked at, because no name can be found."),
            finding(
                "disk.space",
                Status.WARNING,
                "The disk / is almost full.",
                volumes=[
                    {
                        "mount": "/",
                        "state": "low",
                        "free_bytes": 1_100_000_000,
                        "total_bytes": 250_000_000_000,
                        "free_percent": 0.4,
                    },
                    {"mount": "/home/anna.berg/data", "state": "ok", "free_bytes": 90_000_000_000, "free_percent": 40},
                ],
            ),
            finding("memory.available", Status.OK, "There is enough memory.", available_percent=43),
            finding("clock.skew", Status.UNKNOWN, "There was nobody to compare the clock with."),
        ),
        facts={
            "os.name": "Debian GNU/Linux",
            "os.version": "12 (bookworm)",
            "os.kernel": "6.1.0-28-amd64",
            "os.architecture": "x86_64",
            "os.language": "de_DE.UTF-8",
            "os.host_name": "laptop-7",
            "os.user": "anna.berg",
            "os.home": "/home/anna.berg",
            "os.started_s": 268_000,
            "hardware.vendor": "LENOVO",
            "hardware.model": "ThinkPad T14 Gen 4",
            "hardware.serial": "PF3XK9QZ",
            "hardware.memory_bytes": 16_512_000_000,
            "hardware.disks": [{"model": "SAMSUNG MZVL2512", "bytes": 512_110_190_592}],
            "interfaces.adapters": [
                {
                    "name": "wlan0",
                    "kind": "wifi",
                    "up": True,
                    "connected": True,
                    "mtu": 1500,
                    "addresses": ["10.0.0.7/24", "fe80::9eb6:d0ff:fe12:3456/64"],
                },
                {"name": "eth0", "kind": "wired", "up": True, "connected": False, "addresses": []},
            ],
            "interfaces.hardware_addresses": {"wlan0": "9c:b6:d0:12:34:56", "eth0": "8c:8c:aa:01:02:03"},
            "interfaces.resolvers": {"servers": ["10.0.0.53", "10.0.0.54"], "search": ["corp.example.com"]},
            "software.list": {"Firefox": "128.5.0", "LibreOffice": "7.4.7", "<b>Odd</b>": "1"},
            "software.count": 3,
            "logs.errors": [
                "Jan 31 08:58:01 laptop-7 NetworkManager[712]: dhcp4 (wlan0): request timed out for 9c:b6:d0:12:34:56",
                "Jan 31 08:59:10 laptop-7 backup[991]: upload to https://anna:geheim-123@backup.example.com/v1 failed",
                "Jan 31 08:59:12 laptop-7 sync[1002]: 401 Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
                "Jan 31 08:59:14 laptop-7 mailer[44]: cannot write /home/anna.berg/Mail for anna.berg@example.com (PF3XK9QZ)",
            ],
        },
    )


def make_outcome() -> FixOutcome:
    before = finding("dns.resolvers", Status.FAILED, "The name server 10.0.0.53 did not answer.")
    after = finding("dns.resolvers", Status.FAILED, "The name server 10.0.0.53 still does not answer.")
    return FixOutcome(
        id="o-1",
        fix="dns.flush_cache",
        title="Forget remembered names",
        result=FixResult.NO_CHANGE,
        words="The name server still does not answer.",
        started_at=datetime(2026, 1, 31, 9, 2, tzinfo=UTC),
        took_ms=900,
        before=(before,),
        after=(after,),
    )


def make_draft(**more: object) -> Draft:
    more = {
        "subject": "",
        "words": "Since this morning nothing works any more.\nI have a call at ten!",
        "report": make_report(),
        "tried": (make_outcome(),),
        "attachments": (Attachment(name="screen.png", media_type="image/png", data=b"\x89PNG\r\n\x1a\n" + bytes(64)),),
        **more,
    }
    return Draft(id=KEY, created_at=datetime(2026, 1, 31, 9, 5, tzinfo=UTC), **more)


@pytest.fixture
def report() -> Report:
    return make_report()


@pytest.fixture
def outcome() -> FixOutcome:
    return make_outcome()


@pytest.fixture
def draft() -> Draft:
    return make_draft()


@pytest.fixture
def drafted():
    return make_draft


@pytest.fixture
def who() -> dict[str, str]:
    return dict(WHO)
