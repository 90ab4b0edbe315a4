"""The composition root: the only place that builds the client's objects and wires them. The window and the command line use it.

Parts are built when first used, and their modules are imported there and not above: a tray at rest must not pay for what it
does not do. Coroutines run on the runtime's loop; whatever blocks goes to a thread. It is long because it is one thing: the list of
all that the client can do.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from client import __version__
from client.model import (
    Answer,
    Article,
    Attachment,
    Capabilities,
    Comment,
    Conversation,
    Draft,
    FixOutcome,
    FixPlan,
    OutboxEntry,
    Payload,
    Preview,
    State,
    Ticket,
)
from client.platform.paths import Paths, find_paths
from client.settings.layers import Loaded, load

if TYPE_CHECKING:
    from client.accounts import Accounts
    from client.bulletin import Bulletin
    from client.correspondence import Correspondence
    from client.desks.base import Desk
    from client.fixes.execute import Fixes
    from client.guidance import Guidance
    from client.outbox.store import Outbox
    from client.proving import Proving
    from client.report.pseudonyms import Pseudonyms
    from client.watch.checking import Checking
    from client.watch.history import History
    from client.watch.reports import Reports
    from client.writing import Writing
    from diagnostics.model import Event, Report

Listener = Callable[["Event"], None]

# -P: a folder called "client" or "diagnostics" where somebody happens to stand must not become part of the program.
PROGRAM: Final = (sys.executable, "-P", "-m", "client")
T = TypeVar("T")


class App:
    """Everything the client can do, one method each. One per process.

    Args:
        paths: where this user's files are.
        settings: the merged settings.
        program: the command that starts Deskside again, for the child that runs the checks.
        secret: a sign-in for this process alone, instead of the one in the keyring.

    A tray sets `long_lived`: what needs much memory then runs in children that end after use.
    """

    long_lived = False

    def __init__(
        self, *, paths: Paths, settings: Loaded, program: tuple[str, ...] = PROGRAM, secret: str | None = None
    ) -> None:
        self.paths = paths
        self.settings = settings
        self.program = program
        self._secret = secret

    # --- checks

    async def check(self, *, only: frozenset[str] = frozenset(), listen: Listener | None = None) -> Report:
        """Runs the checks in a child process; the report is kept as `last_report` unless `only` narrowed it.

        Args:
            listen: hears every event of the run, on the loop's thread.

        Raises:
            DesksideBug: the run itself failed.
        """
        return await self._checks.run(only=only, listen=listen)

    def last_report(self) -> Report | None:
        """The last full report of this user on this computer, None before the first check. Reads a file."""
        return self._reports.last()

    def state(self) -> State:
        """What the icon shows. Reads a file, cheap enough for the window's thread."""
        return self._checks.state()

    def judged(self) -> State:
        """What the last report says, whether a check runs now or not. Reads a file, as `state`."""
        return self._checks.judged()

    # --- knowledge

    async def search(self, words: str, *, limit: int = 8) -> Answer:
        """Articles for what was typed; what the last check found counts too.

        In a tray the meaning is understood by a child; until that is there, words alone answer.
        """
        causes = tuple(one.cause for one in report.diagnosis) if (report := self.last_report()) else ()
        return await self.guidance.shelf.find(words, causes=causes, limit=limit)

    def article(self, article_id: str) -> Article | None:
        """One article by its id. Reads a file."""
        return self.guidance.shelf.library.get(article_id) or self.guidance.kept(article_id)

    def articles(self) -> tuple[Article, ...]:
        """Every article for this platform, by title. Reads files."""
        return self.guidance.shelf.library.all()

    @cached_property
    def guidance(self) -> Guidance:
        """The articles' other side: IT's packs and the help desk's articles, and what was learnt from them."""
        from client.guidance import Guidance  # noqa: PLC0415 -- not needed at rest

        return Guidance(
            paths=self.paths,
            settings=self.settings,
            program=self.program,
            by_child=self.long_lived,
            desk=self.desk,
            can_search=self._desk_has_articles,
        )

    async def desk_articles(self, words: str) -> tuple[Article, ...]:
        """What the help desk's own articles say to these words; nothing where it has none or does not answer within seconds."""
        return await self.guidance.of_desk(words)

    def _desk_has_articles(self) -> bool:
        return bool(self.settings.values.desk.kind) and self.capabilities.articles

    def next_refresh(self) -> float | None:
        """Seconds until the articles want to be looked after (`guidance.look_after`), None: never. Looks at a file, cheap."""
        from client.knowledge.schedule import seconds_until_due  # noqa: PLC0415 -- after the icon is shown

        return seconds_until_due(self.settings.values.knowledge, self.paths.state)

    @cached_property
    def bulletin(self) -> Bulletin:
        """What IT announces. Built cheaply; asking is a coroutine."""
        from client.bulletin import Bulletin  # noqa: PLC0415 -- not before the icon is shown

        return Bulletin(
            paths=self.paths,
            settings=self.settings,
            can_ask=lambda: self.capabilities.announcements,
            ask=lambda work: self.correspondence.ask(work),  # noqa: PLW0108 -- built when somebody asks, not before
        )

    # --- fixes

    def fixes(self) -> tuple[tuple[str, str, str], ...]:
        """Every fix that exists on this platform: (id, title, summary)."""
        return self._fixes.list()

    def script_problems(self) -> tuple[str, ...]:
        """A sentence for each script of IT that cannot be used. Reads files."""
        return self._fixes.script_problems()

    async def plan(self, fix: str) -> FixPlan:
        """What the fix would do on this machine now; changes nothing.

        Raises:
            UsageError: there is no such fix.
        """
        return await self._fixes.plan(fix)

    async def fix(self, plan: FixPlan, *, progress: Callable[[str], None] | None = None) -> FixOutcome:
        """Carries out a plan that the employee has agreed to, and proves it by the checks it names.

        Args:
            progress: hears a sentence as each step begins.
        """
        outcome = await self._fixes.run(plan, progress=progress or (lambda _: None))
        await to_thread(self.guidance.learning.fix, outcome.fix, outcome.result.value)
        return outcome

    async def undo(self, outcome_id: str) -> FixOutcome:
        """Puts back what a fix changed.

        Raises:
            ActionFault: it cannot be undone (any more).
        """
        return await self._fixes.undo(outcome_id)

    def journal(self) -> tuple[FixOutcome, ...]:
        """The fixes tried on this computer, newest first. Reads a file."""
        return self._fixes.journal()

    # --- writing a ticket

    def new_draft(self, *, words: str = "", report: Report | None = None, tried: tuple[FixOutcome, ...] = ()) -> Draft:
        """A draft with a key of its own, not saved yet. Its subject is the first cause, where there is one."""
        subject = report.diagnosis[0].title if report and report.diagnosis else ""
        return Draft(
            id=str(uuid.uuid4()), created_at=datetime.now(UTC), subject=subject, words=words, report=report, tried=tried
        )

    async def save_draft(self, draft: Draft) -> None:
        """Keeps the draft through a crash; returns after the commit.

        Raises:
            StorageFault: the disk did not take it.
        """
        await to_thread(self._outbox.save_draft, draft)

    async def drafts(self) -> tuple[Draft, ...]:
        """Drafts that were neither sent nor discarded, newest first."""
        return await to_thread(self._outbox.drafts)

    async def discard_draft(self, draft_id: str) -> None:
        """Forgets a draft."""
        await to_thread(self._outbox.discard_draft, draft_id)

    async def preview(self, draft: Draft) -> Preview:
        """The ticket exactly as it would be sent, after redaction, without what is left out."""
        return await self.writing.preview(draft)

    async def write_report(self, report: Report, target: Path) -> Path:
        """Writes a report as one zip file after redaction, and gives the file.

        Raises:
            UsageError: the target cannot be a file.
            StorageFault: the disk did not take it.
        """
        return await self.writing.write_report(report, target)

    async def send(self, preview: Preview) -> OutboxEntry:
        """Puts exactly the previewed payload into the outbox; returns after the commit, which also forgets the draft.

        Raises:
            StorageFault: the disk did not take it; the draft is still there.
        """
        entry = await self.writing.send(preview)
        await to_thread(self.guidance.learning.ticket, preview.payload.fields.get("cause", ""))
        return entry

    async def reply(self, ticket_id: str, words: str, attachments: tuple[Attachment, ...] = ()) -> OutboxEntry:
        """Puts a reply into the outbox, after redaction; returns after the commit.

        Raises:
            StorageFault: the disk did not take it.
        """
        return await self.writing.reply(ticket_id, words, attachments)

    # --- sending

    async def outbox(self) -> tuple[OutboxEntry, ...]:
        """What is kept here: waiting, on its way, unsure, refused, and sent in the last days; newest first."""
        return await to_thread(self._outbox.entries)

    async def payload(self, entry_id: str) -> Payload:
        """What an outbox entry holds, byte for byte.

        Raises:
            UsageError: there is no such entry.
        """
        return await to_thread(self._outbox.payload, entry_id)

    async def retry(self, entry_id: str) -> None:
        """Sends an entry again now; for an unsure one this is the employee's decision.

        Raises:
            UsageError: there is no such entry.
        """
        await to_thread(self._outbox.retry, entry_id)

    async def leave_out(self, entry_id: str, names: tuple[str, ...]) -> None:
        """Sends a refused entry without these files of it.

        Raises:
            UsageError: there is no such entry, it was not refused, or has no such file.
        """
        await to_thread(self._outbox.leave_out, entry_id, names)

    async def drop(self, entry_id: str) -> None:
        """Takes an entry out of the outbox for good.

        Raises:
            UsageError: there is no such entry, or it is being sent right now.
        """
        await to_thread(self._outbox.drop, entry_id)

    async def deliver(self) -> tuple[OutboxEntry, ...]:
        """Sends what is due, once. Gives the entries whose state changed. Never raises for a fault of desk or network."""
        from client.outbox.delivery import Delivery  # noqa: PLC0415 -- not needed at rest

        return await Delivery(self._outbox, open_desk=self.desk).run_due()

    async def network_returned(self) -> tuple[OutboxEntry, ...]:
        """Sends at once what waited for a way to the help desk; otherwise as `deliver`."""
        await to_thread(self._outbox.way_is_clear)
        return await self.deliver()

    def next_delivery(self) -> float | None:
        """Seconds until something is due (0: now), None when nothing waits. Reads the database, cheap."""
        return self._outbox.seconds_until_due()

    def has_open_tickets(self) -> bool:
        """Whether a ticket was open when the desk was last asked. Reads the database, cheap."""
        return any(one.is_open for one in self._outbox.mailbox.kept_tickets())

    def listed_s(self) -> float | None:
        """Seconds since the desk last told which tickets there are, None when it never has. Reads the database, cheap."""
        return self._outbox.mailbox.listed_s()

    async def notice(self, *, read: bool = False) -> str:
        """What happened to the file with the tickets (damaged and replaced), empty when nothing did. Once `read` it is gone."""
        return await to_thread(self._outbox.take_notice if read else self._outbox.notice)

    # --- what the help desk says

    @property
    def capabilities(self) -> Capabilities:
        """What the configured help desk can do."""
        from client.desks import desk_class  # noqa: PLC0415 -- not needed at rest

        return desk_class(self.settings.values.desk.kind).capabilities

    @cached_property
    def correspondence(self) -> Correspondence:
        """What is said with the help desk: what can be done with a ticket there, the files of its messages."""
        from client.correspondence import Correspondence  # noqa: PLC0415 -- brings asyncio, not needed at rest

        return Correspondence(accounts=self.accounts, outbox=self._outbox)

    async def tickets(self, *, refresh: bool = True) -> tuple[Ticket, ...]:
        """My tickets, newest first; with `refresh` asked for at the desk and kept, otherwise as last seen.

        Raises:
            DeskFault: the desk could not be asked.
        """
        return await self.correspondence.tickets(refresh=refresh)

    async def conversation(self, ticket_id: str, *, refresh: bool = True) -> Conversation:
        """A ticket with its messages; marks them as read. Without `refresh` as last seen.

        Raises:
            DeskFault: the desk could not be asked.
        """
        return await self.correspondence.conversation(ticket_id, refresh=refresh)

    async def news(self) -> tuple[tuple[Ticket, Comment], ...]:
        """Agents' answers that were not there before; each is told once.

        Raises:
            DeskFault: the desk could not be asked.
        """
        return await self.correspondence.news()

    async def desk(self) -> Desk:
        """The adapter of the configured help desk, signed in with this account's secret.

        Raises:
            SettingsFault: no help desk is configured.
            SecretsFault: the keyring is missing or locked.
        """
        return await self.accounts.desk()

    async def close(self) -> None:
        """Lets go of connections and files."""
        if "accounts" in self.__dict__:
            await self.accounts.forget_desk()
        if "guidance" in self.__dict__:
            await self.guidance.shelf.close()
        if "_outbox" in self.__dict__:
            await to_thread(self._outbox.close)

    # --- the parts

    @cached_property
    def _reports(self) -> Reports:
        from client.watch.reports import Reports  # noqa: PLC0415 -- not needed at rest

        return Reports(self.paths.state)

    @cached_property
    def _checks(self) -> Checking:
        from client.watch.checking import Checking  # noqa: PLC0415 -- not before the icon is shown

        return Checking(
            program=self.program, targets=self.settings.targets, reports=self._reports, history=lambda: self.history
        )

    @cached_property
    def history(self) -> History:
        """What every full run of the last 90 days found. Its methods block for milliseconds: call them in a thread."""
        from client.watch.history import History  # noqa: PLC0415 -- not needed at rest

        return History(self.paths.state / "history.sqlite3")

    def how_it_searches(self) -> str:
        """One sentence for administrators: by meaning and words, or by words alone and why."""
        return self.guidance.shelf.how()

    @cached_property
    def _fixes(self) -> Fixes:
        from client.fixes.execute import Fixes  # noqa: PLC0415 -- not needed at rest
        from client.fixes.machine import Local, Policy  # noqa: PLC0415 -- as above
        from client.platform.helper import PrivilegedHelper  # noqa: PLC0415 -- as above

        values = self.settings.values
        policy = Policy(scripts=values.fixes.scripts)
        if self.settings.origin("network.proxy").locked:  # what the employee has set is what may be wrong
            policy = Policy(proxy=values.network.proxy, no_proxy=values.network.no_proxy, scripts=values.fixes.scripts)
        helper = PrivilegedHelper(patience_s=0.3 if self.long_lived else 5.0)  # a window must not stand still for long
        return Fixes(
            folder=self.paths.data,
            allowed=self.settings.values.fixes.allowed,
            check=lambda ids: self.check(only=frozenset(ids)),
            last_report=self.last_report,
            machine=Local(state=self.paths.data / "fixes", policy=policy, helper=helper),
        )

    @cached_property
    def _pseudonyms(self) -> Pseudonyms:
        from client.report.pseudonyms import Pseudonyms  # noqa: PLC0415 -- not needed at rest

        return Pseudonyms(self.paths.data / "pseudonyms.json")

    @cached_property
    def _outbox(self) -> Outbox:
        from client.outbox.store import Outbox  # noqa: PLC0415 -- not needed at rest

        return Outbox(self.paths.data / "outbox.sqlite3")

    @cached_property
    def accounts(self) -> Accounts:
        """Who is signed in to the help desk, and how one signs in."""
        from client.accounts import Accounts  # noqa: PLC0415 -- brings asyncio, not needed at rest

        return Accounts(
            settings=self.settings,
            folder=self.paths.data,
            resume=lambda: self._outbox.resume(),  # noqa: PLW0108 -- the database is not opened before
            secret=self._secret,
        )

    @cached_property
    def writing(self) -> Writing:
        """What leaves this computer for the help desk: the preview, and sending exactly that."""
        from client.writing import Writing  # noqa: PLC0415 -- brings asyncio, not needed at rest

        return Writing(
            outbox=self._outbox,
            healthy=self._reports.last_healthy,
            pseudonyms=self._pseudonyms,
            who=self._who(),
            routing=self.settings.values.desk.routing,
            hide_network=self.settings.values.privacy.hide_network,
        )

    @cached_property
    def proving(self) -> Proving:
        """Whether what was sent is what the preview showed."""
        from client.proving import Proving  # noqa: PLC0415 -- only for who asks

        return Proving(outbox=self._outbox, correspondence=self.correspondence)

    def _who(self) -> dict[str, str]:
        import platform  # noqa: PLC0415 -- not needed at rest

        return {"client": f"deskside {__version__}", "device": platform.node(), "platform": sys.platform}


async def to_thread(function: Callable[..., T], *words: object, **named: object) -> T:
    """Runs what blocks in a thread, as `asyncio.to_thread`."""
    import asyncio  # noqa: PLC0415 -- 8 MiB that a tray at rest does without; whoever awaits has it already

    return await asyncio.to_thread(function, *words, **named)


def build(*, settings_file: Path | None = None, program: tuple[str, ...] = PROGRAM) -> App:
    """Finds the folders, merges the settings and gives the app. Starts nothing.

    Args:
        settings_file: replaces the user's layer of settings (`--settings FILE`).

    Raises:
        SettingsFault: a named settings file cannot be read, or a policy file is broken in a way that must not be ignored.
    """
    paths = find_paths()
    if settings_file is not None:
        program = (*program, "--settings", str(settings_file.absolute()))
    return App(paths=paths, settings=load(paths, user_file=settings_file), program=program)
