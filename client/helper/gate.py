"""The one way in: every request of every channel is counted, judged and logged here, and only then carried out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from client.helper import policy
from client.helper.actions import ACTIONS, Action, Way, find_program, way_for
from client.helper.parameters import Refused, checked, interfaces
from client.helper.run import carry_out

MOST_RUNS: Final = 6  # of one caller at once before it has to wait ...
RUN_EVERY_S: Final = 10.0  # ... and then one every so many seconds
MOST_QUESTIONS: Final = 60
QUESTION_EVERY_S: Final = 1.0
RUNNING_PER_CALLER, RUNNING = 2, 8
CALLERS_KEPT: Final = 1024

Verdict = Literal["yes", "asks", "no"]
_BUSY: Final = ("busy", "This is being done already. Wait until it has ended, then try again.")
Judge = Callable[[str, Action, bool], Awaitable[Verdict]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the operating system says: a user id (on Windows a SID), the process, and what the log should know besides."""

    user: str
    process: int = 0
    about: str = ""


@dataclass(slots=True)
class _Account:
    """What a caller has left, refilled by time."""

    left: dict[str, float] = field(default_factory=dict)
    at: float = 0.0
    refused: int = 0
    running: int = 0


class Gate:
    """The requests of all callers.

    Args:
        log: takes one line, without a line break in it.
        platform, find, exists, adapters, rules, clock: this computer, or a stand-in.
    """

    def __init__(
        self,
        log: Callable[[str], object],
        *,
        platform: str = sys.platform,
        find: Callable[[str], str | None] = find_program,
        exists: Callable[[str], bool],
        adapters: Callable[[], Iterable[str]] = interfaces,
        rules: Callable[[], tuple[str, ...] | None] = policy.allowed,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.log, self._platform, self._find, self._exists = log, platform, find, exists
        self._adapters, self._rules, self._clock = adapters, rules, clock
        self._accounts: dict[str, _Account] = {}
        self._running: set[str] = set()

    async def answer(self, caller: Caller, ask: Any, id: Any, parameters: Any, judge: Judge) -> dict[str, Any]:
        """The answer to one request; never raises for what a caller says.

        Args:
            ask: "list", "plan" or "run".
            judge: (id, action, may ask a person) -> whether this caller may; asked last.

        Returns:
            `ok`, `reason` (a word for programs) and `words` (a sentence); for "list" `ids`; for "plan" also `undo` (the id that
            takes it back) and `asks` (an administrator's password will be asked for).
        """
        note, began, account = "", self._clock(), self._account(caller.user)
        if not self._spend(account, "run" if ask == "run" else "question"):
            account.refused += 1
            if account.refused == 1:  # the first is logged and the rest counted, or the log would be the victim
                self._note(caller, ask, id, parameters, "too-often")
            return _no("too-often", "Too many requests. Wait a minute, then try again.")
        if account.refused > 1:
            self._note(caller, "", "", {}, f"{account.refused} requests were refused: too-often")
        account.refused = 0
        try:
            if ask == "list":
                rules = self._rules()
                ids = [id for id, one in ACTIONS.items() if policy.names(rules, id) and self._way(one)]
                result: dict[str, Any] = {"ok": True, "reason": "done", "words": "", "ids": ids}
            else:
                result, note = await self._one(caller, account, ask, id, parameters, judge)
        except Refused as refused:
            result = _no(refused.reason, refused.words)
        except policy.Untrusted as error:
            note = str(error)
            result = _no("not-allowed", "The policy of this computer cannot be read, so nothing is allowed.")
        self._note(caller, ask, id, parameters, result["reason"], f"{self._clock() - began:.1f} s", note)
        return result

    async def _one(
        self, caller: Caller, account: _Account, ask: Any, id: Any, parameters: Any, judge: Judge
    ) -> tuple[dict[str, Any], str]:
        action = ACTIONS.get(id) if isinstance(id, str) else None
        if action is None or ask not in ("plan", "run"):
            raise Refused("unknown-action", "There is no such action.")
        if not policy.names(self._rules(), id):
            raise Refused("not-allowed", "Your IT department does not allow this on this computer.")
        values = checked(action.parameters, parameters, interfaces=self._adapters)
        way = self._way(action)
        if way is None:
            raise Refused("not-here", "This computer has nothing that could do this.")
        if ask == "plan":
            verdict = await judge(id, action, False)
            if verdict == "no":
                raise Refused("not-authorised", "You may not do this on this computer.")
            words = action.words.format(**values)
            return {"ok": True, "reason": "done", "words": words, "undo": action.undo, "asks": verdict == "asks"}, ""
        if account.running >= RUNNING_PER_CALLER:
            raise Refused(*_BUSY)
        account.running += 1
        try:
            if await judge(id, action, True) != "yes":
                raise Refused("not-authorised", "You may not do this on this computer.")
            if id in self._running or len(self._running) >= RUNNING:
                raise Refused(*_BUSY)
            self._note(caller, ask, id, parameters, "begins")
            self._running.add(id)
            try:
                good, said, note = await carry_out(action, way, values)
            finally:
                self._running.discard(id)
        finally:
            account.running -= 1
        return {"ok": good, "reason": "done" if good else "failed", "words": said}, note

    def named(self, id: str) -> bool:
        """Whether a policy names the action: what no policy names needs an administrator, unless it is light."""
        rules = self._rules()
        return rules is not None and policy.names(rules, id)

    def _way(self, action: Action) -> Way | None:
        return way_for(action, self._platform, find=self._find, exists=self._exists)

    def _account(self, user: str) -> _Account:
        if len(self._accounts) >= CALLERS_KEPT:
            self._accounts = {name: one for name, one in self._accounts.items() if one.running or name == user}
        return self._accounts.setdefault(user, _Account(at=self._clock()))

    def _spend(self, account: _Account, kind: str) -> bool:
        now = self._clock()
        for name, most, every in (("run", MOST_RUNS, RUN_EVERY_S), ("question", MOST_QUESTIONS, QUESTION_EVERY_S)):
            account.left[name] = min(float(most), account.left.get(name, float(most)) + (now - account.at) / every)
        account.at = now
        if account.left[kind] < 1:
            return False
        account.left[kind] -= 1
        return True

    def _note(self, caller: Caller, ask: Any, id: Any, parameters: Any, result: str, *more: str) -> None:
        """One line, pure ASCII: JSON writes a line break as two characters, so no caller can write a line of its own."""
        given = parameters if isinstance(parameters, Mapping) else {"?": repr(parameters)}
        said = json.dumps([str(ask)[:40], str(id)[:80], {str(k)[:40]: str(v)[:80] for k, v in list(given.items())[:4]}])
        words = json.dumps(" ".join(one for one in more if one)[:600])
        self.log(f"user={caller.user} process={caller.process} {caller.about} asks {said}: {result} {words}")


def _no(reason: str, words: str) -> dict[str, Any]:
    return {"ok": False, "reason": reason, "words": words}
