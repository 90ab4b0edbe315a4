"""What adapters of help desks with an HTTP interface share: the line, questions, whose ticket it is, which file is too large.

Imports no HTTP library; an adapter's `open` brings the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar
from uuid import uuid4

from client.desks.base import Act, Desk
from client.desks.texts import not_yours, one_line
from client.errors import SignInNeeded, TooLarge
from client.model import Attachment

if TYPE_CHECKING:
    from client.desks.http import Answer, Line, Query

Shape = TypeVar("Shape")

OK: Final = frozenset({200})
ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,200}")
NOT_THEIRS: Final = frozenset({403, 404})  # the answers for somebody else's ticket


class WebDesk(Desk):
    """A help desk with an HTTP interface below `api`.

    Args:
        line: the way to it, signed in.
    """

    api: ClassVar[str] = ""

    def __init__(self, line: Line) -> None:
        self._line = line

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._line!r})"

    async def close(self) -> None:
        """Lets go of connections."""
        await self._line.close()

    async def _get(
        self,
        path: str,
        params: Query | None = None,
        *,
        expect: frozenset[int] = OK,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        return await self._line.ask("GET", self.api + path, act=Act.READ, expect=expect, params=params, headers=headers)

    async def _read(self, path: str, shape: type[Shape], params: Query | None = None) -> Shape:
        return self._line.parse(await self._get(path, params), shape, act=Act.READ)

    async def _read_theirs(self, path: str, shape: type[Shape], params: Query | None = None) -> Shape:
        """As `_read`, of a ticket that must be the employee's own.

        Raises:
            NotFound: it is not, or there is none.
        """
        found = await self._get(path, params, expect=OK | NOT_THEIRS)
        return self._line.parse(theirs(found), shape, act=Act.READ)


def theirs(found: Answer) -> Answer:
    """The answer about a ticket of the employee's own.

    Raises:
        NotFound: the desk has no such ticket for them.
    """
    if found.status in NOT_THEIRS:
        raise not_yours()
    return found


@contextmanager
def naming(files: Sequence[Attachment]) -> Iterator[None]:
    """Names the file that is worth leaving out where a desk says only that all of it is too large."""
    try:
        yield
    except TooLarge as fault:
        if fault.name or not files:
            raise
        raise too_large(files, words=fault.words) from fault


def too_large(files: Sequence[Attachment], *, words: str = "") -> TooLarge:
    """These files are more than the desk takes."""
    name = max(files, key=lambda one: len(one.data)).name
    if len(files) == 1:
        return TooLarge(f"The file {name} is too large for the help desk.", name=name, words=words)
    return TooLarge(f"The files are too large for the help desk; the largest is {name}.", name=name, words=words)


def file_body(part: str, file: Attachment) -> tuple[str, bytes]:
    """A multipart body of one file, and its `Content-Type`; the name is written as RFC 7578 and Java have it, not as browsers do.

    Args:
        part: the name of the part.
        file: the file.
    """
    mark = uuid4().hex
    name = one_line(file.name).replace("\\", "\\\\").replace('"', '\\"')
    head = f'--{mark}\r\nContent-Disposition: form-data; name="{part}"; filename="{name}"\r\n'
    head += f"Content-Type: {file.media_type}\r\n\r\n"
    return f"multipart/form-data; boundary={mark}", head.encode() + file.data + f"\r\n--{mark}--\r\n".encode()


def addressed(secret: str) -> tuple[str, str]:
    """The parts of a sign-in "ADDRESS:KEY" of desks whose keys do not say whose they are: the employee's address, and the key.

    Raises:
        SignInNeeded: it cannot be right.
    """
    address, _, key = secret.partition(":")
    if not ADDRESS.fullmatch(address) or not key:
        raise SignInNeeded("The sign-in that is kept on this computer cannot be right.", hint="It is ADDRESS:KEY.")
    return address, key
