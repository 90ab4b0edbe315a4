"""Where files go, who may read them, and what is said when they cannot be written."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from client.errors import StorageFault
from client.platform.paths import Paths, ensure_folder, find_paths, find_resources

USERS = ("config", "data", "state", "cache", "log")


def test_the_folders_follow_the_variables_of_the_desktop(tmp_path: Path) -> None:
    paths = find_paths()
    assert paths.settings_file == tmp_path / "config" / "deskside" / "settings.toml"
    assert paths.data == tmp_path / "data" / "deskside"
    assert paths.log.is_relative_to(tmp_path / "state")


def test_finding_creates_nothing(tmp_path: Path) -> None:
    find_paths()
    assert [one.name for one in tmp_path.iterdir()] == ["home"]


def test_a_relative_variable_is_ignored_as_its_specification_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "somewhere")
    assert find_paths().data == tmp_path / "home" / ".local" / "share" / "deskside"


def test_the_programs_own_files_are_beside_the_packages() -> None:
    assert (find_resources() / "articles").is_dir()
    assert find_paths().resources == find_resources()


def test_ensured_folders_are_this_users_alone_whatever_the_umask() -> None:
    paths = find_paths()
    before = os.umask(0)
    try:
        paths.ensure()
        paths.ensure()
    finally:
        os.umask(before)
    for name in USERS:
        assert stat.S_IMODE(getattr(paths, name).stat().st_mode) == 0o700


def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(StorageFault, match=r"taken, but there is a file of that name"):
        ensure_folder(tmp_path / "taken")
    with pytest.raises(StorageFault, match="could not create"):
        ensure_folder(tmp_path / "taken" / "below")


READ_ONLY = """
import os, sys
from client.platform.paths import find_paths
from client.errors import StorageFault
paths = find_paths()
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
try:
    paths.ensure()
except StorageFault as fault:
    print(fault.message); print(fault.hint)
"""


@pytest.mark.parametrize("exists", [False, True])
def test_a_read_only_home_is_a_sentence(tmp_path: Path, *, exists: bool) -> None:
    home = tmp_path / "config"
    home.mkdir()
    if exists:
        (home / "deskside").mkdir(mode=0o555)
    home.chmod(0o555)
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(folder.stat().st_mode | 0o111)
    try:
        done = subprocess.run([sys.executable, "-c", READ_ONLY], capture_output=True, text=True, check=True)
    finally:
        home.chmod(0o755)
    message, hint = done.stdout.splitlines()
    assert str(home / "deskside") in message
    assert ("may not write" if exists else "could not create") in message
    assert hint


def test_paths_are_frozen() -> None:
    paths = find_paths()
    assert isinstance(paths, Paths)
    with pytest.raises(AttributeError):
        paths.data = Path("/")  # type: ignore[misc]


def test_a_second_start_of_the_tray_imports_next_to_nothing() -> None:
    modules = "client.__main__, client.platform.paths, client.platform.single_instance, client.platform.display"
    code = f"import sys; import {modules}; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {
        "msgspec",
        "asyncio",
        "click",
        "logging",
        "secrets",
        "keyring",
        "client.app",
        "PySide6",
    }
