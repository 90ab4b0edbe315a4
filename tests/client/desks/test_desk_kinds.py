"""Which help desks there are, and what happens to a wrong or broken one."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from types import SimpleNamespace

import pytest

from client.desks import ENTRY_POINTS, desk_class, desk_kinds, open_desk
from client.desks.base import CannotDo, Desk
from client.desks.employee import EmployeeDesk
from client.errors import SettingsFault
from client.model import Capabilities, Created, Identity, Payload


class BareDesk(Desk):
    """An adapter that can do nothing but create."""

    kind = "bare"
    capabilities = Capabilities()

    @classmethod
    def open(cls, url, **settings):
        return cls() if url and settings else NotImplemented

    async def create(self, payload: Payload) -> Created:
        return Created(id="1", ref=payload.key)

    async def whoami(self) -> Identity:
        return Identity(name="Robin")

    async def close(self) -> None:
        pass


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adapters that other packages bring: a good one and three broken ones."""
    points = [
        metadata.EntryPoint("bare", f"{__name__}:BareDesk", ENTRY_POINTS),
        metadata.EntryPoint("gone", "no_such_module:Desk", ENTRY_POINTS),
        metadata.EntryPoint("missing", f"{__name__}:NoSuchClass", ENTRY_POINTS),
        metadata.EntryPoint("other", "json:JSONDecoder", ENTRY_POINTS),
    ]
    monkeypatch.setitem(sys.modules, __name__, SimpleNamespace(BareDesk=BareDesk))
    monkeypatch.setattr(metadata, "entry_points", lambda group: points if group == ENTRY_POINTS else [])


@pytest.mark.parametrize("kind", ["employee", "demo"])
def test_the_employee_api_has_two_names(kind: str) -> None:
    assert desk_class(kind) is EmployeeDesk


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("employe", "'employee'"),
        ("Demo", "'demo'"),
        ("DEMO", "'demo'"),
        ("zzz", "demo, email, employee"),
        ("", "demo, email, employee"),
    ],
)
def test_an_unknown_kind_names_the_nearest_or_all(kind: str, hint: str) -> None:
    with pytest.raises(SettingsFault) as caught:
        desk_class(kind)
    assert hint in caught.value.hint
    assert caught.value.problems[0].startswith("desk.kind")


@pytest.mark.usefixtures("private")
def test_a_private_adapter_is_found_by_its_name() -> None:
    assert desk_class("bare") is BareDesk
    desk = open_desk(
        SimpleNamespace(kind="bare", url="https://x.example"), network=SimpleNamespace(), secret=None, version="1"
    )
    assert isinstance(desk, BareDesk)
    assert {"bare", "demo", "employee", "gone"} <= set(desk_kinds())


@pytest.mark.usefixtures("private")
@pytest.mark.parametrize("kind", ["gone", "missing", "other"])
def test_a_broken_private_adapter_is_named_and_harms_no_other(kind: str) -> None:
    with pytest.raises(SettingsFault) as caught:
        desk_class(kind)
    assert f"{kind!r}" in caught.value.message
    assert "broken" in caught.value.message
    assert desk_class("demo") is EmployeeDesk


def test_asking_what_a_desk_can_do_loads_no_http_library() -> None:
    script = (
        "import sys; from client.desks import desk_class; print(desk_class('demo').capabilities.attach, "
        "[name for name in ('httpx', 'truststore', 'ssl', 'importlib.metadata') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "same_request []"


@pytest.mark.parametrize(
    "ask",
    [
        lambda desk: desk.find("key"),
        lambda desk: desk.attach(None, None),
        lambda desk: desk.tickets(),
        lambda desk: desk.conversation("1"),
        lambda desk: desk.comment("1", None),
        lambda desk: desk.articles("words"),
    ],
)
async def test_what_an_adapter_cannot_do_it_says(ask) -> None:
    with pytest.raises(CannotDo) as caught:
        await ask(BareDesk())
    assert caught.value.message
    assert caught.value.hint
