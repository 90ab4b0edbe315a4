"""The demonstration without a display: one employee's problem from the check to the agent's answer, each step proved."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any, Final, TypeVar

import msgspec

from client.app import App
from client.cli.sending import send_now
from client.cli.show import count
from client.demo.launch import DemoDesk
from client.errors import DesksideError
from client.model import Attachment, OutboxEntry, Payload, SendState
from diagnostics.model import Report

T = TypeVar("T")
log = logging.getLogger(__name__)

QUESTION: Final = "the printer prints blank pages"
WORDS: Final = "The printer on the second floor prints blank pages since this morning. Größe, 日本語, emoji 🙂"
NOTE: Final = Attachment(
    name="note.txt", media_type="text/plain", data="Umlauts äöü, NUL \0 and all that.\r\n".encode()
)
ANSWER: Final = "Thank you. We have changed the toner, please try again."


class StepFailed(DesksideError):
    """A step did what it should not."""


class Walk:
    """One walk. Goes on until a step fails, and tells what each did.

    Args:
        tell: hears a line as each step ends.
    """

    def __init__(self, *, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._steps: list[dict[str, Any]] = []
        self._result: dict[str, Any] = {"ok": False, "check": None, "ticket": None, "steps": self._steps}

    def run(self, *, start_desk: Callable[[], DemoDesk], make_app: Callable[[DemoDesk], App]) -> dict[str, Any]:
        """Walks, stops the desk whatever happens, and gives the public JSON of what was done."""
        with ExitStack() as stack:
            try:
                desk = self._step("start the help desk", start_desk, say=lambda desk: desk.url)
                stack.enter_context(desk)
                asyncio.run(self._loop(desk, make_app(desk)))
            except DesksideError:
                return self._result  # the step that failed says why
            except Exception:  # our own mistake, in whatever step: the steps before it are still worth reading
                log.exception("the walk ended early")
                return self._result
            self._result["ok"] = True
        return self._result

    async def _loop(self, desk: DemoDesk, app: App) -> None:
        try:
            await self._employee(desk, app)
        finally:
            await app.close()

    async def _employee(self, desk: DemoDesk, app: App) -> None:
        await self._wait("sign in", app.accounts.whoami(), say=lambda me: me.name)
        report = await self._wait("check this computer", app.check(), say=_summary)
        self._result["check"] = _check_shape(report)
        await self._wait("search the articles", self._search(app), say=lambda title: title)
        await self._wait("plan a repair", self._plan(app), say=lambda words: words)
        payload, entry = await self._wait(
            "send a ticket", self._send(app, report), say=lambda sent: sent[1].ticket.ref if sent[1].ticket else ""
        )
        ticket = entry.ticket
        assert ticket is not None  # noqa: S101 -- `_send` has seen to it
        self._result["ticket"] = {
            "id": ticket.id,
            "url": ticket.url,
            "attachments": [one.name for one in payload.attachments],
        }
        await self._wait(
            "read it as the agent", asyncio.to_thread(_compare, desk, ticket.id, payload), say=lambda words: words
        )
        await self._wait("answer as the agent", self._answer(desk, app, ticket.id), say=lambda _: "sent")
        await self._wait("see the answer", self._see(app, ticket.id), say=lambda author: f"from {author}")

    async def _search(self, app: App) -> str:
        answer = await app.search(QUESTION)
        if answer.nothing_fits or not answer.results:
            raise StepFailed(f"No article fits {QUESTION!r}.")
        return answer.results[0].title

    async def _plan(self, app: App) -> str:
        """The first repair that is possible here; on a computer that needs none, why the first one is not."""
        refused = ""
        for id, _, _ in app.fixes():
            plan = await app.plan(id)
            if plan.steps and not plan.refused:
                return f"{plan.title}: {count(len(plan.steps), 'step')}, nothing was changed"
            refused = refused or f"{plan.title}: {plan.refused}"
        if not refused:
            raise StepFailed("There is no repair for this computer.")
        return refused

    async def _send(self, app: App, report: Report) -> tuple[Payload, OutboxEntry]:
        draft = app.new_draft(words=WORDS, report=report)
        draft = msgspec.structs.replace(draft, subject="The printer prints blank pages", attachments=(NOTE,))
        preview = await app.preview(draft)
        entry = await send_now(app, (await app.send(preview)).id)
        if entry.state is not SendState.SENT or entry.ticket is None:
            raise StepFailed(f"The ticket was not sent: {entry.last_error or entry.state.value}")
        return preview.payload, entry

    async def _answer(self, desk: DemoDesk, app: App, ticket_id: str) -> None:
        await app.news()  # what is known before is no news afterwards
        await asyncio.to_thread(desk.agent_reply, ticket_id, ANSWER)

    async def _see(self, app: App, ticket_id: str) -> str:
        told = [
            comment for ticket, comment in await app.news() if ticket.id == ticket_id and comment.text.strip() == ANSWER
        ]
        if len(told) != 1:
            raise StepFailed(f"The answer was told {len(told)} times.")
        conversation = await app.conversation(ticket_id)
        if not any(one.from_agent and one.text.strip() == ANSWER for one in conversation.comments):
            raise StepFailed("The answer is not in the conversation.")
        return told[0].author

    def _step(self, name: str, work: Callable[[], T], *, say: Callable[[T], str]) -> T:
        began = time.monotonic()
        try:
            done = work()
        except Exception as error:
            self._note(name, began, ok=False, said=_words(error))
            raise
        self._note(name, began, ok=True, said=say(done))
        return done

    async def _wait(self, name: str, work: Awaitable[T], *, say: Callable[[T], str]) -> T:
        began = time.monotonic()
        try:
            done = await work
        except Exception as error:
            self._note(name, began, ok=False, said=_words(error))
            raise
        self._note(name, began, ok=True, said=say(done))
        return done

    def _note(self, name: str, began: float, *, ok: bool, said: str) -> None:
        took_ms = round((time.monotonic() - began) * 1000)
        self._steps.append({"step": name, "ok": ok, "took_ms": took_ms, "said": said})
        self._tell(f"{'ok    ' if ok else 'FAILED'}  {name}  ({took_ms / 1000:.1f} s)  {said}")


def _compare(desk: DemoDesk, ticket_id: str, payload: Payload) -> str:
    """The agent's side against what was previewed, byte for byte."""
    seen = desk.agent_ticket(ticket_id)
    if seen.title != payload.subject:
        raise StepFailed(f"The agent reads the subject {seen.title!r}.")
    if seen.body != payload.body:
        raise StepFailed("The agent reads another text than the preview showed.")
    theirs = {one.name: hashlib.sha256(one.data).hexdigest() for one in seen.attachments}
    ours = {one.name: hashlib.sha256(one.data).hexdigest() for one in payload.attachments}
    if theirs != ours or len(seen.attachments) != len(payload.attachments):
        raise StepFailed(f"The agent has other files: {sorted(theirs)} instead of {sorted(ours)}.")
    return f"subject, text and {len(ours)} files are the same, byte for byte"


def _words(error: Exception) -> str:
    if isinstance(error, StepFailed):
        return error.message
    if isinstance(error, DesksideError):
        return f"{error.message} {error.hint}"
    return f"Deskside stumbled ({type(error).__name__})."


def _summary(report: Report) -> str:
    return ", ".join(one.cause for one in report.diagnosis) or "nothing is wrong"


def _check_shape(report: Report) -> dict[str, Any]:
    return {
        "duration_ms": report.duration_ms,
        "diagnosis": [{"cause": one.cause, "subject": one.subject, "title": one.title} for one in report.diagnosis],
        "findings": dict(Counter(one.status.value for one in report.findings)),
    }
