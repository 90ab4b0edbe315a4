"""What the fake app of the window's tests knows: reports, facts, articles, plans, tickets and messages like a company's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from client.model import (
    Announcement,
    Article,
    Comment,
    Created,
    FixOutcome,
    FixPlan,
    FixResult,
    OutboxEntry,
    SendState,
    Step,
    Ticket,
)
from diagnostics.model import Diagnosis, Finding, Report, Severity, Status

NOW = datetime.now(UTC).replace(microsecond=0)  # ages are what is shown, so they are what is made up


def finding(check: str, status: Status, summary: str, **measures: object) -> Finding:
    return Finding(
        check=check,
        area=check.split(".", maxsplit=1)[0],
        status=status,
        summary=summary,
        measures=measures,
        duration_ms=140,
    )


HEALTHY = (
    finding("link.state", Status.OK, "The network adapter eth0 is connected.", interface="eth0", speed_mbit_per_s=1000),
    finding("address.own", Status.OK, "This computer has the address 10.20.4.17.", address="10.20.4.17"),
    finding("route.default", Status.OK, "The way out goes through 10.20.4.1.", gateway="10.20.4.1"),
    finding("gateway.answers", Status.OK, "The router answers in 2 ms.", answer_ms=2),
    finding("internet.https", Status.OK, "Web sites answer.", answer_ms=48),
    finding("dns.resolvers", Status.OK, "Both name servers answer.", answer_ms=11, servers_tried=2),
    finding("tls.trust", Status.OK, "Secure connections are what they claim to be."),
    finding("clock.skew", Status.OK, "The clock is right.", skew_s=0.3),
    finding("service.help_desk", Status.OK, "The help desk answers in 120 ms.", answer_ms=120),
    finding("disk.space", Status.OK, "There is room on every disk.", free_percent=41, free_bytes=212_000_000_000),
    finding("memory.pressure", Status.OK, "There is enough memory.", available_percent=52),
    finding("processor.load", Status.OK, "The processor has time to spare.", used_percent=9),
    finding("battery.health", Status.SKIPPED, "This computer has no battery."),
    finding("system.restart", Status.OK, "No restart is waiting."),
)
FACTS = {
    "os.name": "Debian GNU/Linux 12 (bookworm)",
    "os.kernel": "6.1.0-18-amd64",
    "os.architecture": "x86_64",
    "os.language": "en_GB.UTF-8",
    "os.time_zone": "Europe/London",
    "os.desktop": "GNOME (wayland)",
    "os.host_name": "lt-0417",
    "os.user": "amorgan",
    "os.started_s": 273_000,
    "hardware.vendor": "Dell Inc.",
    "hardware.model": "Latitude 5440",
    "hardware.processor": "13th Gen Intel Core i5-1345U",
    "hardware.processors": 12,
    "hardware.memory_bytes": 16_500_000_000,
    "hardware.serial": "7XK92Q3",
    "hardware.disks": [{"model": "KBG50ZNV512G", "bytes": 512_110_190_592}],
    "interfaces.adapters": [
        {
            "name": "eth0",
            "label": None,
            "kind": "ethernet",
            "up": True,
            "connected": True,
            "mtu": 1500,
            "addresses": ["10.20.4.17/24", "fe80::1c2/64"],
        },
        {
            "name": "wlan0",
            "label": "Intel AX211",
            "kind": "wifi",
            "up": False,
            "connected": False,
            "mtu": 1500,
            "addresses": [],
        },
    ],
    "interfaces.resolvers": {"servers": ["10.20.0.53", "10.20.0.54"], "search": ["example.com"]},
    "software.count": 1874,
    "software.list": {f"program-{number}": f"{number}.2" for number in range(1, 40)},
    "logs.errors": ["09:01:12 bluetoothd: Failed to set mode: Blocked through rfkill (0x12)"],
    "printers.default": "Third floor",
}
DNS = Diagnosis(
    cause="dns.unreachable",
    subject="10.20.0.53",
    severity=Severity.HIGH,
    confidence=0.97,
    title="The name server does not answer",
    explanation="Your computer is connected, but the server that turns names such as intranet.example.com into addresses "
    "is silent. "
    "That is why web pages and e-mail stop, although the network itself works.",
    advice="Try the fix below. If it stays, the help desk can see the cause in your report.",
    evidence=("dns.resolvers",),
    explains=("internet.https", "service.help_desk"),
    articles=("dns-name-lookup",),
    fixes=("dns.flush_cache", "network.reconnect"),
)
DISK = Diagnosis(
    cause="disk.full",
    subject="/",
    severity=Severity.MEDIUM,
    confidence=0.99,
    title="The disk is almost full",
    explanation="Only 1.8 GB of 511 GB are free. Programs may fail to save, and updates cannot be installed.",
    advice="Remove what is no longer needed; Deskside can clear temporary files for you.",
    evidence=("disk.space",),
    articles=("disk-full",),
    fixes=("disk.free_space", "disk.empty_trash"),
)
CABLE = Diagnosis(
    cause="link.no_carrier",
    subject="eth0",
    severity=Severity.CRITICAL,
    confidence=0.99,
    title="The network cable is not connected",
    explanation="This computer's network adapter works, but nothing is plugged into it, and Wi-Fi is switched off.",
    advice="Push the cable in at both ends until it clicks, or switch Wi-Fi on.",
    evidence=("link.state",),
    explains=("address.own", "route.default", "internet.https", "dns.resolvers"),
    articles=("no-internet",),
    fixes=("network.reconnect", "settings.network"),
)


def report(*causes: Diagnosis, at: datetime | None = None) -> Report:
    """A run whose findings agree with its causes."""
    shown = {id for cause in causes for id in cause.evidence}
    explained = {id for cause in causes for id in cause.explains}
    findings = []
    for one in HEALTHY:
        if one.check in shown:
            cause = next(cause for cause in causes if one.check in cause.evidence)
            one = msgspec.structs.replace(one, status=Status.FAILED, summary=f"{cause.title}.")  # noqa: PLW2901
        elif one.check in explained:
            one = msgspec.structs.replace(one, status=Status.SKIPPED, summary="Not looked at.", skipped_because="x.y")  # noqa: PLW2901
        findings.append(one)
    when = at or datetime.now(UTC) - timedelta(minutes=5)
    return Report(
        tool="deskside 0.1.0",
        started_at=when.isoformat(),
        duration_ms=1840,
        platform="linux",
        diagnosis=causes,
        findings=tuple(findings),
        facts=FACTS,
    )


BODY = """## What you see

Web pages do not open and the browser says *server not found*, although the network symbol looks fine.

## What to do

1. Open **one** other page, for example <https://www.example.com/>.
2. If that fails too, press *Fix* below.
3. If you are at home, restart the router: pull its plug, wait ten seconds, plug it in again.

> A picture that must not be loaded: ![outside](https://tracker.example.com/pixel.png)

## When to ask IT

If it stays for more than ten minutes. [The help desk's page](https://help.example.com/) shows known outages.
"""
ARTICLES = tuple(
    Article(id=id, title=title, summary=summary, body=BODY, causes=causes, fixes=fixes)
    for id, title, summary, causes, fixes in (
        (
            "captive-portal",
            "The sign-in page of a guest network does not appear",
            "Hotel, train or guest Wi-Fi asks for a sign-in.",
            (),
            (),
        ),
        (
            "disk-full",
            "The disk is full",
            "There is no room left to save or to update.",
            ("disk.full",),
            ("disk.free_space",),
        ),
        (
            "dns-name-lookup",
            "Web pages are not found although the network works",
            "The browser says that a server was not found.",
            ("dns.unreachable",),
            ("dns.flush_cache",),
        ),
        (
            "no-internet",
            "No internet connection",
            "Nothing online works on this computer.",
            ("link.no_carrier",),
            ("network.reconnect",),
        ),
        ("printer", "The printer does not print", "Print jobs hang or never come out.", (), ("settings.printers",)),
        ("no-sound", "There is no sound", "You hear nothing from speakers or headphones.", (), ("settings.sound",)),
        ("slow-computer", "The computer is slow", "Everything takes longer than it used to.", (), ()),
        ("vpn-connect", "The VPN does not connect", "Company pages are out of reach from home.", (), ()),
    )
)

PLANS = {
    "disk.free_space": FixPlan(
        fix="disk.free_space",
        title="Free disk space",
        summary="Deletes temporary files and caches of your own programs. Your documents are not touched.",
        steps=(
            Step(
                action="delete_files",
                words="Delete temporary files that are older than a day",
                details=("/tmp/pip-build-3f  412 MB", "/tmp/export.tmp  88 MB"),  # noqa: S108 -- shown only
            ),
            Step(
                action="delete_files",
                words="Empty the caches of your programs",
                details=("~/.cache/pip  1.2 GB", "~/.cache/mozilla/firefox  640 MB", "~/.cache/thumbnails  96 MB"),
            ),
        ),
        checks=("disk.space",),
        gain_bytes=2_436_000_000,
    ),
    "dns.flush_cache": FixPlan(
        fix="dns.flush_cache",
        title="Forget old names",
        summary="Has this computer ask for every name anew instead of using what it remembers.",
        steps=(Step(action="flush_dns", words="Empty the memory for names of this computer"),),
        checks=("dns.resolvers",),
        undo="Nothing needs to be undone: names are remembered again as they are used.",
    ),
    "files.find_large": FixPlan(
        fix="files.find_large",
        title="Find my largest files",
        summary="Shows your largest files, and moves those that you choose into the trash.",
        steps=tuple(
            Step(
                action="large_files",
                words=f"{name}  {shown}",
                details=(f"In ~/{folder}, last changed {age} days ago. Moves it into the trash.",),
                picked=False,
                gain_bytes=count,
            )
            for name, shown, folder, age, count in (
                ("holiday-2019.mp4", "8.4 GB", "Videos", 2210, 8_400_000_000),
                ("old-machine.iso", "4.1 GB", "Downloads", 640, 4_100_000_000),
                ("export.csv", "1.2 GB", "Documents/reports", 3, 1_200_000_000),
            )
        ),
        checks=("disk.space",),
        undo="What you moved is moved back out of the trash, as long as the trash was not emptied.",
        choice="some",
    ),
    "programs.restart": FixPlan(
        fix="programs.restart",
        title="End a program that hangs",
        summary="Shows your programs that hang or keep the computer busy, ends the one that you choose, and starts it again.",
        steps=tuple(
            Step(action="restart_program", words=f"End {name} and start it again.", details=(why,), picked=False)
            for name, why in (
                ("firefox", "It keeps the processor busy (98 % of a core). It holds 2.1 GB of memory."),
                ("soffice", "It does not seem to hang, but it is large. It holds 3.4 GB of memory."),
            )
        ),
        checks=("memory.available",),
        choice="one",
    ),
    "network.reconnect": FixPlan(
        fix="network.reconnect",
        title="Reconnect the network",
        summary="Switches the network connection off and on again.",
        steps=(
            Step(action="network_down", words="Switch eth0 off"),
            Step(action="network_up", words="Switch eth0 on again", details=("eth0",)),
        ),
        checks=("link.state", "dns.resolvers"),
        refused="This account may not switch network connections on this computer.",
    ),
}
FIXES = (
    *((plan.fix, plan.title, plan.summary) for plan in PLANS.values()),
    ("disk.empty_trash", "Empty the trash", "Deletes for good what is in the trash."),
    ("settings.network", "Open the network settings", "Shows the system's own page for the network."),
    ("settings.printers", "Open the printer settings", "Shows the system's own page for printers."),
    ("settings.sound", "Open the sound settings", "Shows the system's own page for sound."),
)

TICKETS = (
    Ticket(
        id="412",
        ref="IT-412",
        subject="The name server does not answer",
        status="In progress",
        is_open=True,
        url="https://help.example.com/tickets/412",
        created_at=NOW - timedelta(hours=3),
        updated_at=NOW - timedelta(minutes=20),
        unread=1,
    ),
    Ticket(
        id="398",
        ref="IT-398",
        subject="Second screen flickers since the update of the docking station in room 4.17",
        status="Waiting for you",
        is_open=True,
        created_at=NOW - timedelta(days=2),
        updated_at=NOW - timedelta(days=1),
    ),
    Ticket(
        id="371",
        ref="IT-371",
        subject="Printer on the third floor",
        status="Solved",
        is_open=False,
        created_at=NOW - timedelta(days=19),
        updated_at=NOW - timedelta(days=18),
    ),
)
COMMENTS = (
    Comment(
        id="1",
        author="You",
        from_agent=False,
        text="Nothing opens since this morning.\n\nThe name server does not answer (dns.unreachable).",
        created_at=NOW - timedelta(hours=3),
        attachments=("report.html", "report.json", "summary.txt"),
    ),
    Comment(
        id="2",
        author="Priya Nair",
        from_agent=True,
        text="Thank you, the report says it all. We have restarted the name server.\n\nPlease press **Check now**: does it work?",
        created_at=NOW - timedelta(minutes=20),
    ),
)
OUTBOX = (
    OutboxEntry(
        id="o1",
        kind="ticket",
        state=SendState.WAITING,
        subject="The name server does not answer",
        created_at=NOW - timedelta(minutes=12),
        attempts=2,
        next_attempt_at=NOW + timedelta(minutes=4),
        last_error="The help desk cannot be reached. Your ticket is kept on this computer and will be sent when the way is clear.",
    ),
    OutboxEntry(
        id="o2",
        kind="reply",
        state=SendState.UNSURE,
        subject="Second screen flickers",
        created_at=NOW - timedelta(hours=5),
        attempts=1,
        last_error="The line broke after it was sent. It may have arrived.",
    ),
    OutboxEntry(
        id="o3",
        kind="ticket",
        state=SendState.REFUSED,
        subject="Large log files",
        created_at=NOW - timedelta(days=1),
        attempts=1,
        last_error="The file trace.zip is larger than the help desk takes. Leave the file out, or make it smaller.",
        refused_files=("trace.zip",),
    ),
    OutboxEntry(
        id="o4",
        kind="ticket",
        state=SendState.SENT,
        subject="Printer on the third floor",
        created_at=NOW - timedelta(days=2),
        attempts=1,
        ticket=Created(id="371", ref="IT-371"),
        sent_at=NOW - timedelta(days=2),
    ),
)
OUTCOME = FixOutcome(
    id="f1",
    fix="dns.flush_cache",
    title="Forget old names",
    result=FixResult.NO_CHANGE,
    words="The names were forgotten, but the name server still does not answer.",
    started_at=NOW - timedelta(minutes=15),
    took_ms=900,
    before=(finding("dns.resolvers", Status.FAILED, "The name server 10.20.0.53 does not answer."),),
    after=(finding("dns.resolvers", Status.FAILED, "The name server 10.20.0.53 does not answer."),),
)

OUTAGE = Announcement(
    id="desk-7",
    title="Name lookups fail in the Berlin office",
    text="A name server has failed. We are replacing it.",
    kind="outage",
    causes=("dns.*",),
    begins_at=NOW,
    ends_at=NOW + timedelta(hours=3),
)
UPKEEP = Announcement(
    id="feed-8",
    title="File server: maintenance tonight",
    text="Save your work before 20:00. Files can be opened again at 22:00.",
    kind="maintenance",
    ends_at=NOW + timedelta(hours=12),
)
