"""The channel on Linux: a name on the system bus, started by the bus when it is asked for, judged by polkit.

The bus says who the caller is; nothing that the caller says about itself is used. Bodies are read only when they are small and
have exactly the signature of their method.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import Any, Final

import jeepney  # type: ignore[import-untyped]
from jeepney import DBusAddress, HeaderFields, Message, MessageFlag, MessageType
from jeepney.auth import BEGIN, Authenticator  # type: ignore[import-untyped]
from jeepney.low_level import Header, calc_msg_size  # type: ignore[import-untyped]

from client.helper.actions import Action
from client.helper.gate import Caller, Gate, Verdict

ADDRESS: Final = "/run/dbus/system_bus_socket"
NAME: Final = "io.github.deskside.Helper1"
POLKIT_PREFIX: Final = "io.github.deskside.helper."
LIMIT_BYTES: Final = 8192  # a whole message; ours have some hundred
IDLE_S: Final = 60.0
ASK_S: Final = 10.0
PASSWORD_S: Final = 180.0  # a person looks for a password
FIRST_OWNER, DO_NOT_QUEUE = 1, 4  # RequestName's answer and flag
MOST_AT_ONCE: Final = 4  # of one connection
_BUS: Final = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
_POLKIT: Final = DBusAddress(
    "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1", "org.freedesktop.PolicyKit1.Authority"
)
_NO_POLKIT: Final = {f"org.freedesktop.DBus.Error.{end}" for end in ("ServiceUnknown", "NameHasNoOwner")}
_METHODS: Final = {
    (NAME, "List"): ((), ("as",)),
    (NAME, "Plan"): (("s", "a{ss}"), ("b", "s", "s", "s", "b")),
    (NAME, "Run"): (("s", "a{ss}"), ("b", "s", "s")),
    ("org.freedesktop.DBus.Introspectable", "Introspect"): ((), ("s",)),
}


class Bus:
    """One connection to the system bus, and the callers that came through it."""

    def __init__(self, gate: Gate, *, idle_s: float = IDLE_S) -> None:
        self._gate = gate
        self._idle_s = idle_s
        self._serials = itertools.count(1)
        self._replies: dict[int, asyncio.Future[Message]] = {}
        self._callers: dict[str, Caller] = {}
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._asked = 0

    async def serve(self) -> None:
        """Serves until nobody has asked for a while, or the bus ends.

        Raises:
            OSError: there is no bus, or it does not let us have our name.
        """
        self._reader, self._writer = await asyncio.open_unix_connection(ADDRESS)
        negotiation = Authenticator()
        for line in negotiation:
            self._writer.write(line)
            negotiation.feed(await self._reader.read(1024))
        self._writer.write(BEGIN)
        reading = asyncio.ensure_future(self._read())
        try:
            await self._call(_BUS, "Hello")
            while True:
                (result,) = await self._call(_BUS, "RequestName", "su", (NAME, DO_NOT_QUEUE))
                if result != FIRST_OWNER:
                    raise OSError("somebody else has the helper's name on the bus")
                await self._until_idle(reading)
                if reading.done():
                    return
                before = self._asked
                await self._call(_BUS, "ReleaseName", "s", (NAME,))
                if self._asked == before and not self._tasks:  # whoever came in between is served, and we stay
                    return
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, EOFError, OSError):
                await reading
            self._writer.close()

    async def _until_idle(self, reading: asyncio.Future[None]) -> None:
        seen = -1
        while (seen != self._asked or self._tasks) and not reading.done():
            seen = self._asked
            await asyncio.wait([reading], timeout=self._idle_s)

    async def _read(self) -> None:
        """Takes messages until the bus ends."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                start = await self._reader.readexactly(16)
                size = calc_msg_size(start)
                if size > LIMIT_BYTES:
                    await self._refuse_large(start, size)
                    continue
                data = start + await self._reader.readexactly(size - 16)
                header, _ = Header.from_buffer(data)
                if header.message_type in {MessageType.method_return, MessageType.error}:
                    reply = self._replies.pop(header.fields.get(HeaderFields.reply_serial, 0), None)
                    if reply is not None and not reply.done():
                        reply.set_result(Message.from_buffer(data))
                elif header.message_type is MessageType.method_call:
                    self._take(header, data)
                    await asyncio.sleep(0)  # whoever sends a flood gets no further than everybody else

    async def _refuse_large(self, start: bytes, size: int) -> None:
        """Answers from the header and throws the rest away unread."""
        head = await self._reader.readexactly(min(size - 16, LIMIT_BYTES))
        left = size - 16 - len(head)
        while left > 0:
            left -= len(await self._reader.readexactly(min(left, 65536)))
        with contextlib.suppress(Exception):  # its header alone is larger than any of ours
            header, _ = Header.from_buffer(start + head)
            if header.message_type is MessageType.method_call:
                self._asked += 1
                self._refuse(Message(header, ()), "LimitsExceeded", "This is larger than any request.")

    def _take(self, header: Header, data: bytes) -> None:
        self._asked += 1
        fields, call = header.fields, Message(header, ())
        sender = fields.get(HeaderFields.sender, "")
        known = _METHODS.get((fields.get(HeaderFields.interface, NAME), fields[HeaderFields.member]))
        if known is None:
            self._refuse(call, "UnknownMethod", "There is no such method.")
        elif fields.get(HeaderFields.signature, "") != "".join(known[0]):
            self._refuse(call, "InvalidArgs", f"This takes ({''.join(known[0])}).")
        elif fields[HeaderFields.member] == "Introspect":
            self._send(call, jeepney.new_method_return(call, "s", (_introspection(),)))
        elif sum(name == sender for name in self._tasks.values()) >= MOST_AT_ONCE:
            self._refuse(call, "LimitsExceeded", "Too many requests at once.")
        else:
            task = asyncio.ensure_future(self._answer(Message.from_buffer(data), "".join(known[1])))
            self._tasks[task] = sender
            task.add_done_callback(self._tasks.pop)

    async def _answer(self, call: Message, signature: str) -> None:
        fields = call.header.fields
        sender, ask = fields[HeaderFields.sender], fields[HeaderFields.member].lower()
        id, parameters = call.body or ("", {})

        async def judge(id: str, _action: Action, person: bool) -> Verdict:  # noqa: FBT001 -- the shape that Gate calls
            return await self._polkit(sender, caller, POLKIT_PREFIX + id.replace(".", "-"), may_ask=person)

        try:
            caller = await self._who(sender)
            result = await self._gate.answer(caller, ask, id, parameters, judge)
        except (_Refusal, TimeoutError):
            self._refuse(call, "AccessDenied", "Who you are is not known.")
            return
        except Exception as error:  # noqa: BLE001 -- a mistake of ours must neither end the helper nor leave a caller waiting
            self._gate.log(f"mistake: {type(error).__name__}: {error!r}"[:400])
            self._refuse(call, "Failed", "The helper has made a mistake.")
            return
        if ask == "list":
            body: tuple[Any, ...] = (result.get("ids", []),)
        elif ask == "plan":
            body = (result["ok"], result["reason"], result["words"], result.get("undo", ""), result.get("asks", False))
        else:
            body = (result["ok"], result["reason"], result["words"])
        self._send(call, jeepney.new_method_return(call, signature, body))

    async def _who(self, sender: str) -> Caller:
        """As the bus knows it. A connection's unique name is never given to another one."""
        if sender not in self._callers:
            (found,) = await self._call(_BUS, "GetConnectionCredentials", "s", (sender,))
            if "UnixUserID" not in found:
                raise _Refusal("no user")
            process = found.get("ProcessID", ("u", 0))[1]
            if len(self._callers) >= 1024:  # noqa: PLR2004 -- some are enough, and they cost a question each
                self._callers.clear()
            self._callers[sender] = Caller(str(found["UnixUserID"][1]), process, f"bus={sender}")
        return self._callers[sender]

    async def _polkit(self, sender: str, caller: Caller, action: str, *, may_ask: bool) -> Verdict:
        """What polkit says; without polkit only root may. It knows the caller by the bus, so no process id can be reused."""
        subject = ("system-bus-name", {"name": ("s", sender)})
        token = f"deskside-{next(self._serials)}"
        words: tuple[Any, ...] = (subject, action, {}, 1 if may_ask else 0, token if may_ask else "")
        try:
            (result,) = await self._call(
                _POLKIT, "CheckAuthorization", "(sa{sv})sa{ss}us", words, limit_s=PASSWORD_S if may_ask else ASK_S
            )
        except _Refusal as error:
            return "yes" if caller.user == "0" and str(error) in _NO_POLKIT else "no"
        except TimeoutError:
            with contextlib.suppress(_Refusal, TimeoutError):
                await self._call(_POLKIT, "CancelCheckAuthorization", "s", (token,))
            return "no"
        return "yes" if result[0] else "asks" if result[1] else "no"

    async def _call(
        self, to: DBusAddress, method: str, signature: str = "", words: tuple[Any, ...] = (), *, limit_s: float = ASK_S
    ) -> tuple[Any, ...]:
        serial = next(self._serials)
        reply: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._replies[serial] = reply
        try:
            self._writer.write(jeepney.new_method_call(to, method, signature or None, words).serialise(serial))
            async with asyncio.timeout(limit_s):
                message = await reply
        finally:
            self._replies.pop(serial, None)
        if message.header.message_type is MessageType.error:
            raise _Refusal(message.header.fields.get(HeaderFields.error_name, ""))
        return tuple(message.body)

    def _refuse(self, call: Message, name: str, words: str) -> None:
        self._send(call, jeepney.new_error(call, f"org.freedesktop.DBus.Error.{name}", "s", (words,)))

    def _send(self, call: Message, reply: Message) -> None:
        if not call.header.flags & MessageFlag.no_reply_expected and not self._writer.is_closing():
            self._writer.write(reply.serialise(next(self._serials)))


def _introspection() -> str:
    ways = (("in", 0), ("out", 1))
    methods = [
        f'<method name="{name}">{"".join(f"""<arg type="{t}" direction="{way}"/>""" for way, n in ways for t in types[n])}</method>'
        for (interface, name), types in _METHODS.items()
        if interface == NAME
    ]
    return f'<node><interface name="{NAME}">{"".join(methods)}</interface></node>'


class _Refusal(Exception):
    """The bus or polkit answered with an error; the text is its name."""
