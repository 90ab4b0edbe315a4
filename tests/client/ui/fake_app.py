"""An app for tests and screenshots: the methods of `client.app.App` that the window uses, with data like a company's.

    app = FakeApp.filled()     a computer with a problem, tickets, drafts, articles
    app = FakeApp.empty()      a fresh installation: nothing checked, nothing written
    app = FakeApp.failing()    every question to the desk, the disk or the checks ends in an error of `client.errors`

Every coroutine first awaits `app.pause_s` seconds (0: one turn of the loop), so that a test can look at what is shown meanwhile.
`app.said` lists the calls that changed something: ("send", preview), ("drop", "id") ...
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject

from client.errors import ActionFault, DesksideBug, DesksideError, DeskUnreachable, NotFound, StorageFault, UsageError
from client.model import (
    Answer,
    Article,
    Attachment,
    Capabilities,
    Comment,
    Conversation,
    Created,
    Draft,
    FixOutcome,
    FixPlan,
    FixResult,
    Hit,
    Identity,
    OutboxEntry,
    Payload,
    Preview,
    Section,
    SendState,
    State,
    Step,
    Ticket,
)
from client.platform.paths import Paths
from client.settings.layers import Loaded
from client.settings.schema import Brand, Desk, Settings
from client.ui.bridge import Bridge
from client.ui.courier import StartErrand
from client.ui.errands import Delivered, News
from diagnostics.model import (
    Diagnosed,
    Diagnosis,
    Done,
    Event,
    Finding,
    Found,
    Progress,
    Report,
    Severity,
    Started,
    Status,
)

NOW = datetime(2026, 1, 31, 9, 12, tzinfo=UTC)


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


class FakeErrand(QObject):
    """An errand without a child: the app's own coroutine, through the bridge."""

    def __init__(self, app: FakeApp, bridge: Bridge, errand: str, on_end: Callable[..., None], parent: QObject) -> None:
        super().__init__(parent)
        self._app = app
        self._on_end = on_end
        work = app.deliver() if errand == "deliver" else app.news()
        self._call = bridge.submit(work, owner=self, on_result=getattr(self, f"_{errand}"), on_error=self._failed)

    def stop(self) -> None:
        self._call.cancel()

    def _deliver(self, entries: tuple[OutboxEntry, ...]) -> None:
        self._on_end(Delivered(entries))

    def _news(self, news: tuple[tuple[Ticket, Comment], ...]) -> None:
        self._on_end(News(news, is_open=self._app.has_open_tickets()))

    def _failed(self, _error: DesksideError) -> None:
        self._on_end(None)


def fake_errands(app: FakeApp, bridge: Bridge) -> StartErrand:
    """What a `Courier` starts in tests."""
    return lambda errand, on_end, parent: FakeErrand(app, bridge, errand, on_end, parent)


class FakeApp:
    """See the module. `report` is what the last check found, `next_report` what the next check will find."""

    def __init__(self, folder: Path | None = None) -> None:
        base = folder or Path("/nonexistent/deskside")
        names = ("config", "data", "state", "cache", "log", "policy")
        self.paths = Paths(**{name: base / name for name in names}, resources=Path(__file__).parents[3] / "resources")
        self.settings = Loaded(
            values=Settings(
                desk=Desk(kind="demo", url="https://help.example.com"),
                brand=Brand(name="", phone="+44 20 7946 0000", email="it@example.com", hours="Mon to Fri, 8 to 18"),
            )
        )
        self.capabilities = Capabilities(
            body="markdown",
            attach="same_request",
            dedupe="key",
            comments=True,
            own_list=True,
            status=True,
            articles=True,
            max_file_bytes=10_000_000,
        )
        self.program = ("deskside",)
        self.pause_s = 0.0
        self.error: DesksideError | None = None  # what every question to the desk ends in
        self.check_error: DesksideError | None = None
        self.storage_error: DesksideError | None = None
        self.report: Report | None = None
        self.next_report: Report | None = None
        self.articles_here: tuple[Article, ...] = ARTICLES
        self.tickets_here: tuple[Ticket, ...] = ()
        self.comments: dict[str, tuple[Comment, ...]] = {}
        self.entries: tuple[OutboxEntry, ...] = ()
        self.drafts_here: dict[str, Draft] = {}
        self.outcomes: tuple[FixOutcome, ...] = ()
        self.fix_result = FixResult.HELPED
        self.signed_in = True
        self.news_here: tuple[tuple[Ticket, Comment], ...] = ()
        self.said: list[tuple[str, object]] = []
        self.checking = False
        self.closed = False

    # --- the three situations

    @classmethod
    def empty(cls, folder: Path | None = None) -> FakeApp:
        """A fresh installation."""
        return cls(folder)

    @classmethod
    def filled(cls, folder: Path | None = None) -> FakeApp:
        """A computer with problems, tickets, a draft and an outbox that holds something in every state."""
        app = cls(folder)
        app.report = report(DNS, DISK)
        app.tickets_here = TICKETS
        app.comments = {"412": COMMENTS, "398": COMMENTS[:1], "371": COMMENTS}
        app.entries = OUTBOX
        app.outcomes = (OUTCOME,)
        draft = Draft(
            id="d1", created_at=NOW, subject=DNS.title, words="Nothing opens", report=app.report, tried=(OUTCOME,)
        )
        app.drafts_here = {"d1": draft}
        return app

    @classmethod
    def healthy(cls, folder: Path | None = None) -> FakeApp:
        """A computer on which nothing is wrong."""
        app = cls(folder)
        app.report = report()
        return app

    @classmethod
    def failing(cls, folder: Path | None = None) -> FakeApp:
        """Offline, the desk out of reach, the disk full, the check broken."""
        app = cls(folder)
        app.report = report(CABLE)
        app.tickets_here = TICKETS
        app.entries = OUTBOX[:1]
        app.error = DeskUnreachable("The help desk cannot be reached from here.")
        app.check_error = DesksideBug("The check could not be carried out.")
        app.storage_error = StorageFault("There is no room left to save it.")
        app.articles_here = ()
        return app

    # --- checks

    async def check(
        self, *, only: frozenset[str] = frozenset(), listen: Callable[[Event], None] | None = None
    ) -> Report:
        self.checking = True
        try:
            found = self.next_report or self.report or report()
            tell = listen or (lambda _: None)
            tell(Started(checks=tuple(one.check for one in found.findings)))
            for one in found.findings:
                tell(Progress(check=one.check, area=one.area, words=f"Looking at {one.area}"))
                await self._pause()
                tell(Found(finding=one))
            if self.check_error is not None:
                raise self.check_error
            tell(Diagnosed(diagnosis=found.diagnosis))
            tell(Done(report=found))
        finally:
            self.checking = False
        if not only:
            self.report = msgspec.structs.replace(found, started_at=datetime.now(UTC).isoformat())
            return self.report
        return found

    def last_report(self) -> Report | None:
        return self.report

    def state(self) -> State:
        return State.CHECKING if self.checking else self.judged()

    def judged(self) -> State:
        if self.report is None:
            return State.UNKNOWN
        if not self.report.diagnosis:
            return State.FINE
        offline = ("link.", "address.", "route.", "gateway.", "internet.")
        return State.OFFLINE if self.report.diagnosis[0].cause.startswith(offline) else State.PROBLEM

    # --- knowledge

    async def search(self, words: str, *, limit: int = 8) -> Answer:
        await self._pause()
        wanted = words.lower().split()
        if not wanted:
            causes = {one.cause for one in self.report.diagnosis} if self.report else set()
            found = [one for one in self.articles_here if causes & set(one.causes)]
        else:
            found = [
                one
                for one in self.articles_here
                if any(word in f"{one.title} {one.summary}".lower() for word in wanted)
            ]
        hits = tuple(Hit(article=one.id, score=0.9, title=one.title, summary=one.summary) for one in found[:limit])
        return Answer(results=hits, nothing_fits=not hits)

    def article(self, article_id: str) -> Article | None:
        return next((one for one in self.articles_here if one.id == article_id), None)

    def articles(self) -> tuple[Article, ...]:
        return tuple(sorted(self.articles_here, key=lambda one: one.title))

    # --- fixes

    def fixes(self) -> tuple[tuple[str, str, str], ...]:
        return FIXES

    async def plan(self, fix: str) -> FixPlan:
        await self._pause()
        if fix in PLANS:
            return PLANS[fix]
        for id, title, summary in FIXES:
            if id == fix:
                return FixPlan(fix=id, title=title, summary=summary, steps=(Step(action="open_settings", words=title),))
        raise UsageError(f"There is no fix called {fix}.")

    async def fix(self, plan: FixPlan, *, progress: Callable[[str], None] | None = None) -> FixOutcome:
        self.said.append(("fix", plan))
        for step in plan.steps:
            if progress is not None:
                progress(step.words)
            await self._pause()
        if self.fix_result is FixResult.FAILED:
            raise ActionFault(
                "A file was in use and could not be deleted.", hint="Close your programs, then try again."
            )
        helped = self.fix_result is FixResult.HELPED
        before = tuple(finding(id, Status.FAILED, "Only 1.8 GB are free.", free_percent=0.4) for id in plan.checks)
        after = tuple(
            finding(
                id, Status.OK if helped else Status.FAILED, "4.2 GB are free." if helped else "Only 1.8 GB are free."
            )
            for id in plan.checks
        )
        outcome = FixOutcome(
            id=str(uuid.uuid4()),
            fix=plan.fix,
            title=plan.title,
            result=self.fix_result,
            words="2.4 GB were freed." if helped else "It was carried out, but nothing has changed.",
            started_at=datetime.now(UTC),
            took_ms=2300,
            before=before,
            after=after,
            can_undo=bool(plan.undo),
        )
        self.outcomes = (outcome, *self.outcomes)
        return outcome

    async def undo(self, outcome_id: str) -> FixOutcome:
        await self._pause()
        self.said.append(("undo", outcome_id))
        for one in self.outcomes:
            if one.id == outcome_id:
                return msgspec.structs.replace(
                    one, result=FixResult.UNDONE, words="It is as it was before.", can_undo=False
                )
        raise ActionFault("This can no longer be undone.")

    def journal(self) -> tuple[FixOutcome, ...]:
        return self.outcomes

    # --- writing a ticket

    def new_draft(self, *, words: str = "", report: Report | None = None, tried: tuple[FixOutcome, ...] = ()) -> Draft:
        subject = report.diagnosis[0].title if report and report.diagnosis else ""
        return Draft(
            id=str(uuid.uuid4()), created_at=datetime.now(UTC), subject=subject, words=words, report=report, tried=tried
        )

    async def save_draft(self, draft: Draft) -> None:
        await self._pause()
        self._storage()
        self.said.append(("save_draft", draft))
        self.drafts_here[draft.id] = draft

    async def drafts(self) -> tuple[Draft, ...]:
        await self._pause()
        return tuple(reversed(self.drafts_here.values()))

    async def discard_draft(self, draft_id: str) -> None:
        await self._pause()
        self.said.append(("discard_draft", draft_id))
        self.drafts_here.pop(draft_id, None)

    async def preview(self, draft: Draft) -> Preview:
        await self._pause()
        texts = (
            ("words", "What you wrote", draft.words or "(nothing)", True),
            ("diagnosis", "What the check found", "The name server does not answer (dns.unreachable, 97 % sure)", True),
            ("tried", "What was tried", "Forget old names: no change", False),
            ("facts", "This computer", "Debian GNU/Linux 12 on a Latitude 5440", False),
            ("findings", "All checks", "dns.resolvers: failed, answer_ms: none\nlink.state: ok", False),
        )
        sections = tuple(
            Section(id=id, title=title, text=text, required=required, included=required or id not in draft.left_out)
            for id, title, text, required in texts
        )
        body = "\n\n".join(f"{one.title}\n{one.text}" for one in sections if one.included)
        made = (
            Attachment(name="report.json", media_type="application/json", data=b'{"schema": 1}'),
            Attachment(name="report.html", media_type="text/html", data=b"<!doctype html><title>Report</title>"),
            Attachment(name="summary.txt", media_type="text/plain", data=body.encode()),
        )
        payload = Payload(
            key=draft.id,
            subject=draft.subject or "A problem with this computer",
            body=body,
            fields={"cause": "dns.unreachable", "severity": "high", "tier": "L2", "device": "lt-0417"},
            attachments=made + draft.attachments,
        )
        return Preview(payload=payload, sections=sections, redactions=3)

    async def send(self, preview: Preview) -> OutboxEntry:
        await self._pause()
        self._storage()
        self.said.append(("send", preview))
        entry = OutboxEntry(
            id=preview.payload.key,
            kind="ticket",
            state=SendState.WAITING,
            subject=preview.payload.subject,
            created_at=datetime.now(UTC),
        )
        self.entries = (entry, *self.entries)
        self.drafts_here.pop(preview.payload.key, None)
        return entry

    async def reply(self, ticket_id: str, words: str, attachments: tuple[Attachment, ...] = ()) -> OutboxEntry:
        await self._pause()
        self._storage()
        self.said.append(("reply", (ticket_id, words, attachments)))
        entry = OutboxEntry(
            id=str(uuid.uuid4()), kind="reply", state=SendState.WAITING, subject=ticket_id, created_at=datetime.now(UTC)
        )
        self.entries = (entry, *self.entries)
        return entry

    # --- sending

    async def outbox(self) -> tuple[OutboxEntry, ...]:
        await self._pause()
        return self.entries

    async def payload(self, entry_id: str) -> Payload:
        await self._pause()
        entry = self._entry(entry_id)
        return Payload(
            key=entry.id, subject=entry.subject, body=f"{entry.subject}\n\nNothing opens since this morning."
        )

    async def retry(self, entry_id: str) -> None:
        await self._pause()
        entry = self._entry(entry_id)
        self.said.append(("retry", entry_id))
        self._put(msgspec.structs.replace(entry, state=SendState.WAITING, next_attempt_at=datetime.now(UTC)))

    async def drop(self, entry_id: str) -> None:
        await self._pause()
        self._entry(entry_id)
        self.said.append(("drop", entry_id))
        self.entries = tuple(one for one in self.entries if one.id != entry_id)

    async def deliver(self) -> tuple[OutboxEntry, ...]:
        await self._pause()
        self.said.append(("deliver", None))
        if self.error is not None:
            return ()
        sent = []
        for one in self.entries:
            if one.state is SendState.WAITING:
                now = msgspec.structs.replace(
                    one, state=SendState.SENT, ticket=Created(id="413", ref="IT-413"), sent_at=datetime.now(UTC)
                )
                self._put(now)
                sent.append(now)
        return tuple(sent)

    def next_delivery(self) -> float | None:
        return 0.0 if any(one.state is SendState.WAITING for one in self.entries) else None

    def has_open_tickets(self) -> bool:
        return any(one.is_open for one in self.tickets_here)

    # --- what the help desk says

    async def tickets(self, *, refresh: bool = True) -> tuple[Ticket, ...]:
        await self._pause()
        if refresh:
            self._desk()
        return self.tickets_here

    async def conversation(self, ticket_id: str, *, refresh: bool = True) -> Conversation:
        await self._pause()
        if refresh:
            self._desk()
        for one in self.tickets_here:
            if one.id == ticket_id:
                return Conversation(ticket=one, comments=self.comments.get(ticket_id, ()))
        raise NotFound("This ticket does not exist any more.")

    async def news(self) -> tuple[tuple[Ticket, Comment], ...]:
        await self._pause()
        self._desk()
        found, self.news_here = self.news_here, ()
        return found

    async def sign_in(self, secret: str) -> Identity:
        await self._pause()
        self._desk()
        self.said.append(("sign_in", secret))
        self.signed_in = True
        return await self.whoami()

    async def sign_out(self) -> None:
        await self._pause()
        self.said.append(("sign_out", None))
        self.signed_in = False

    async def whoami(self) -> Identity:
        await self._pause()
        self._desk()
        return Identity(name="Alex Morgan", email="alex.morgan@example.com")

    async def close(self) -> None:
        self.closed = True

    # --- inside

    async def _pause(self) -> None:
        await asyncio.sleep(self.pause_s)

    def _desk(self) -> None:
        if self.error is not None:
            raise self.error

    def _storage(self) -> None:
        if self.storage_error is not None:
            raise self.storage_error

    def _entry(self, entry_id: str) -> OutboxEntry:
        for one in self.entries:
            if one.id == entry_id:
                return one
        raise UsageError("There is no such message.")

    def _put(self, entry: OutboxEntry) -> None:
        self.entries = tuple(entry if one.id == entry.id else one for one in self.entries)
