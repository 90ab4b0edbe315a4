"""Start with the session: exactly one file, quoted so that any path works, gone when it is turned off."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest

from client.errors import StorageFault
from client.platform import autostart

PROGRAM = ("/opt/deskside/bin/deskside",)


@pytest.fixture(autouse=True)
def nothing_for_everybody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "nowhere"))


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_turning_it_on_and_off_touches_one_file(tmp_path: Path) -> None:
    assert not autostart.is_enabled()
    autostart.enable(PROGRAM)
    assert autostart.is_enabled()
    assert files(tmp_path) == ["config/autostart/deskside.desktop"]
    other = tmp_path / "config" / "autostart" / "other.desktop"
    other.write_text("theirs")
    autostart.disable()
    assert not autostart.is_enabled()
    assert files(tmp_path) == ["config/autostart/other.desktop"]
    autostart.disable()


def test_what_a_package_starts_for_everybody_can_be_turned_off_and_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    everybody = tmp_path / "etc" / "autostart" / "deskside.desktop"
    everybody.parent.mkdir(parents=True)
    everybody.write_text("[Desktop Entry]")
    monkeypatch.setenv("XDG_CONFIG_DIRS", f"relative:{tmp_path / 'etc'}")
    assert autostart.is_enabled()
    autostart.disable()
    assert not autostart.is_enabled()
    assert everybody.read_text() == "[Desktop Entry]"
    autostart.enable(PROGRAM)
    assert autostart.is_enabled()


def test_the_launcher_is_another_file(tmp_path: Path) -> None:
    autostart.add_launcher((*PROGRAM, "open"), icon=Path("/opt/deskside/icon.svg"))
    assert files(tmp_path) == ["data/applications/deskside.desktop"]
    text = (tmp_path / "data" / "applications" / "deskside.desktop").read_text()
    assert "Exec=/opt/deskside/bin/deskside open\n" in text
    assert "Icon=/opt/deskside/icon.svg\n" in text
    autostart.remove_launcher()
    autostart.remove_launcher()
    assert files(tmp_path) == []


def test_a_hidden_entry_is_off(tmp_path: Path) -> None:
    autostart.enable(PROGRAM)
    entry = tmp_path / "config" / "autostart" / "deskside.desktop"
    entry.write_text(entry.read_text() + "Hidden=true\n")
    assert not autostart.is_enabled()


# the words of a program -> the value of Exec, by the rules of the desktop entry specification
EXEC = [
    (("/usr/bin/deskside",), "/usr/bin/deskside"),
    (("/usr/bin/python3", "-P", "-m", "client"), "/usr/bin/python3 -P -m client"),
    (("/opt/my apps/deskside",), '"/opt/my apps/deskside"'),
    (("/opt/100%/deskside",), "/opt/100%%/deskside"),
    (("/opt/a$b/deskside",), '"/opt/a\\\\$b/deskside"'),
    (('/opt/a"b/x',), '"/opt/a\\\\"b/x"'),
    (("/opt/a\\b/x",), '"/opt/a\\\\\\\\b/x"'),
    (("/opt/a\nExec=evil/x",), '"/opt/a\\nExec=evil/x"'),
    (("x", ""), 'x ""'),
]


@pytest.mark.parametrize(("program", "value"), EXEC)
def test_any_path_is_quoted(tmp_path: Path, program: tuple[str, ...], value: str) -> None:
    autostart.enable(program)
    lines = (tmp_path / "config" / "autostart" / "deskside.desktop").read_text().splitlines()
    assert [line for line in lines if line.startswith("Exec=")] == [f"Exec=env DESKSIDE_AT_SIGN_IN=1 {value}"]


@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="desktop-file-utils is not installed")
@pytest.mark.parametrize("program", [program for program, _ in EXEC[:5]])
def test_the_desktop_takes_the_entries(tmp_path: Path, program: tuple[str, ...]) -> None:
    autostart.enable(program)
    autostart.add_launcher(program)
    for name in files(tmp_path):
        done = subprocess.run(["desktop-file-validate", tmp_path / name], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("")
    with pytest.raises(StorageFault):
        autostart.enable(PROGRAM)
    autostart.disable()
    assert not autostart.is_enabled()


def test_macos_gets_a_launch_agent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(autostart, "sys", SimpleNamespace(platform="darwin"))
    autostart.enable(("/Applications/Deskside.app/Contents/MacOS/deskside",))
    (name,) = files(tmp_path)
    agent = plistlib.loads((tmp_path / name).read_bytes())
    assert name == "home/Library/LaunchAgents/io.github.deskside.plist"
    assert agent["ProgramArguments"] == ["/Applications/Deskside.app/Contents/MacOS/deskside"]
    assert agent["RunAtLoad"] is True
    autostart.disable()
    assert files(tmp_path) == []


class FakeRegistry:
    HKEY_CURRENT_USER, KEY_SET_VALUE, REG_SZ = "HKCU", 2, 1

    def __init__(self) -> None:
        self.values = {"Other": "theirs.exe"}
        self.opened: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def OpenKey(self, root: str, path: str) -> Self:  # noqa: N802
        self.opened.append(f"{root}\\{path}")
        return self

    def CreateKeyEx(self, root: str, path: str, _: int, __: int) -> Self:  # noqa: N802
        self.opened.append(f"{root}\\{path}")
        return self

    def QueryValueEx(self, _: object, name: str) -> tuple[str, int]:  # noqa: N802
        if name not in self.values:
            raise FileNotFoundError
        return self.values[name], 1

    def SetValueEx(self, _: object, name: str, __: int, kind: int, value: str) -> None:  # noqa: N802
        assert kind == self.REG_SZ
        self.values[name] = value

    def DeleteValue(self, _: object, name: str) -> None:  # noqa: N802
        if name not in self.values:
            raise FileNotFoundError
        del self.values[name]


def test_windows_gets_one_run_value(monkeypatch: pytest.MonkeyPatch) -> None:
    registry: Any = FakeRegistry()
    monkeypatch.setattr(autostart, "sys", SimpleNamespace(platform="win32"))
    monkeypatch.setattr(autostart, "_winreg", lambda: registry)
    autostart.enable((r"C:\Program Files\Deskside\deskside.exe",))
    assert autostart.is_enabled()
    assert registry.values == {"Other": "theirs.exe", "deskside": r'"C:\Program Files\Deskside\deskside.exe"'}
    autostart.disable()
    autostart.disable()
    assert registry.values == {"Other": "theirs.exe"}
    assert not autostart.is_enabled()
    assert set(registry.opened) == {r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run"}


def test_the_entry_survives_being_replaced_while_it_is_read(tmp_path: Path) -> None:
    autostart.enable(PROGRAM)
    before = os.stat(tmp_path / "config" / "autostart" / "deskside.desktop").st_ino  # noqa: PTH116
    autostart.enable((sys.executable,))
    assert os.stat(tmp_path / "config" / "autostart" / "deskside.desktop").st_ino != before  # noqa: PTH116


@pytest.mark.parametrize("wanted", [True, False])
def test_what_the_settings_say_is_done_at_the_next_start_but_not_by_a_demonstration(
    tmp_path: Path, *, wanted: bool
) -> None:
    from client.__main__ import _start_at_login
    from client.platform.paths import find_paths

    if not wanted:
        autostart.enable(("before",))
    values = SimpleNamespace(client=SimpleNamespace(start_at_login=wanted))
    app: Any = SimpleNamespace(paths=find_paths(), settings=SimpleNamespace(values=values), program=PROGRAM)
    demonstration: Any = SimpleNamespace(**{**vars(app), "paths": find_paths()._replace(data=tmp_path / "demo")})
    _start_at_login(demonstration)
    assert autostart.is_enabled() is not wanted
    _start_at_login(app)
    assert autostart.is_enabled() is wanted
