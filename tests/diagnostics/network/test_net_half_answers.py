"""What can be told of a name when one of the answers was lost on the way."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from diagnostics.network.view import look_up, word_of
from diagnostics.wire.connect import Reach
from diagnostics.wire.lookup import Answer

FIRST, SECOND = "10.0.0.53", "10.0.0.54"
NAME = "sso.example.com"


def answer(rcode: str | None, *addresses: str, server: str = FIRST, kind: str = "A") -> Answer:
    reach = Reach.SILENT if rcode is None else Reach.CONNECTED
    return Answer(server=server, name=NAME, kind=kind, reach=reach, rcode=rcode, addresses=addresses)


@pytest.mark.parametrize(
    ("v4", "v6", "word"),
    [
        (None, "NOERROR", ""),
        ("NOERROR", None, ""),
        (None, None, ""),
        ("NOERROR", "NOERROR", "NOERROR"),
        (None, "NXDOMAIN", "NXDOMAIN"),
        ("NXDOMAIN", None, "NXDOMAIN"),
        ("SERVFAIL", "NOERROR", "SERVFAIL"),
        (None, "REFUSED", "REFUSED"),
    ],
)
def test_half_an_answer_is_none_unless_it_is_about_the_name(v4: str | None, v6: str | None, word: str) -> None:
    assert word_of([answer(v4), answer(v6, kind="AAAA")]) == word


async def test_the_next_server_is_believed_when_the_answer_with_the_address_was_lost() -> None:
    lost = {(FIRST, "A"): answer(None), (FIRST, "AAAA"): answer("NOERROR", kind="AAAA")}
    there = {
        (SECOND, "A"): answer("NOERROR", "10.0.0.10", server=SECOND),
        (SECOND, "AAAA"): answer("NOERROR", server=SECOND, kind="AAAA"),
    }

    async def ask(server: str, name: str, kind: str, **_: object) -> Answer:
        assert name == NAME
        return (lost | there)[server, kind]

    found = await look_up(SimpleNamespace(probe=SimpleNamespace(ask=ask)), NAME, (FIRST, SECOND))
    assert (found.addresses, found.rcode, found.source) == (("10.0.0.10",), "NOERROR", "dns")
    alone = await look_up(SimpleNamespace(probe=SimpleNamespace(ask=ask)), NAME, (FIRST,))
    assert (alone.addresses, alone.rcode) == ((), "")
