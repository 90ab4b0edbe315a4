"""Which package tools are asked: those whose databases are this system's."""

from __future__ import annotations

import pytest

from diagnostics.platforms.linux_describe import LinuxDescriber
from tests.diagnostics.machine.conftest import FakeMachine

DPKG = "ii \tbash\t5.2.15-2+b7\n"
RPM = "ii \tkernel\t6.12.1-200.fc41\n"


def machine() -> FakeMachine:
    made = FakeMachine()
    made.programs = {"dpkg-query": DPKG, "rpm": RPM}
    return made


async def test_rpm_is_not_asked_where_it_is_only_a_tool() -> None:
    pc = machine()
    found = await LinuxDescriber().software(pc)
    assert [one.name for one in found or ()] == ["bash"]
    assert not [argv for argv in pc.asked if argv[0] == "rpm"]


@pytest.mark.parametrize("place", ["/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/Packages"])
async def test_rpm_is_asked_where_its_database_is(place: str) -> None:
    pc = machine()
    pc.files[place] = ""
    found = await LinuxDescriber().software(pc)
    assert [one.name for one in found or ()] == ["bash", "kernel"]
