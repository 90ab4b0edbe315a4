"""Hostile and broken files, and whose files count as policy."""

from __future__ import annotations

import os
import plistlib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from client.platform.paths import Paths
from client.settings import darwin, linux, win32
from client.settings.layers import Layer, Loaded, load
from client.settings.schema import Settings
from client.settings.source import LIMIT_BYTES, Source, read_toml
from tests.client.settings.registry import FakeRegistry

ME = os.getuid()
Merge = Callable[..., Loaded]


# --- the user's file

BROKEN: dict[str, tuple[bytes, str]] = {
    "binary": (b"\x00\xff\xfe\x80", "is not a text file"),
    "no TOML": (b"this is = = not TOML", "is not valid TOML"),
    "cut off": (b'[desk]\nurl = "https://hel', "is not valid TOML"),
    "twice": (b"[desk]\n[desk]\n", "is not valid TOML"),
    "nested deeply": (b"x = " + b"[" * 100_000, "is not valid TOML"),
    "huge": (b"#" * (LIMIT_BYTES + 1), "is larger than 256 KiB"),
}


@pytest.mark.parametrize(("content", "why"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_one_sentence_and_the_built_in_values(
    merge: Merge, paths: Paths, content: bytes, why: str
) -> None:
    loaded = merge(content)
    assert len(loaded.problems) == 1
    assert loaded.problems[0].startswith(f"{paths.settings_file} {why}")
    assert loaded.problems[0].isprintable()
    assert loaded.values == Settings()


def test_an_empty_file_and_a_byte_order_mark_are_fine(merge: Merge) -> None:
    assert merge(b"").problems == ()
    assert merge(b'\xef\xbb\xbf[brand]\r\nname = "IT"\r\n').values.brand.name == "IT"


def test_a_folder_in_its_place(paths: Paths) -> None:
    paths.settings_file.mkdir()
    assert load(paths, policy=()).problems == (f"{paths.settings_file} is a folder, not a file.",)


def test_a_loop_of_links(paths: Paths) -> None:
    paths.settings_file.symlink_to(paths.settings_file)
    (problem,) = load(paths, policy=()).problems
    assert problem.startswith(f"{paths.settings_file} cannot be read")


def test_a_pipe_is_refused_and_not_waited_for(paths: Paths) -> None:
    os.mkfifo(paths.settings_file)
    began = time.monotonic()
    assert load(paths, policy=()).problems == (f"{paths.settings_file} is not a file.",)
    assert time.monotonic() - began < 5


def test_a_device_is_refused() -> None:
    source = read_toml(Path("/dev/zero"))
    assert source is not None
    assert source.problem == "is not a file"


UNREADABLE = """
import os, sys
from pathlib import Path
from client.settings.source import read_toml
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
print(read_toml(Path(sys.argv[1])).problem)
"""


def test_a_file_of_somebody_else_that_may_not_be_read(tmp_path: Path) -> None:
    secret = tmp_path / "settings.toml"
    secret.write_text("x = 1")
    secret.chmod(0)
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_uid == ME and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o111)
    done = subprocess.run([sys.executable, "-c", UNREADABLE, secret], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "may not be read by this user"


# --- whose files are policy (Linux)


def policy(paths: Paths, text: str, *, name: str = "it.toml", mode: int = 0o644) -> Path:
    file = paths.policy / name
    file.write_text(text)
    file.chmod(mode)
    return file


def read(paths: Paths, *, owner: int = ME) -> tuple[Source, ...]:
    return linux.read(paths.policy, also=(), owner=owner)


def test_only_toml_files_count_in_the_order_of_their_names(paths: Paths) -> None:
    for name in ("20.toml", "10.toml", "readme.txt", ".hidden.toml", "old.toml~"):
        policy(paths, "", name=name)
    assert [Path(one.file).name for one in read(paths)] == ["10.toml", "20.toml"]


def test_without_a_policy_folder_there_is_no_policy(paths: Paths) -> None:
    assert linux.read(paths.policy / "none", also=(paths.policy / "nor this",), owner=ME) == ()


def test_the_fixed_place_wins_over_the_packages(paths: Paths, tmp_path: Path) -> None:
    also = tmp_path / "xdg"
    also.mkdir(mode=0o755)
    (also / "99.toml").write_text('[brand]\nname = "package"')
    policy(paths, '[brand]\nname = "IT"')
    loaded = load(paths, policy=linux.read(paths.policy, also=(also,), owner=ME))
    assert loaded.values.brand.name == "IT"


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646])
def test_a_policy_that_others_may_change_is_no_policy(paths: Paths, mode: int) -> None:
    file = policy(paths, '[desk]\nurl = "https://evil.example.com"', mode=mode)
    assert read(paths) == (Source(file=str(file), problem="may be changed by others than the administrator"),)


def test_a_folder_that_others_may_change_holds_no_policy(paths: Paths) -> None:
    policy(paths, '[desk]\nurl = "https://evil.example.com"')
    paths.policy.chmod(0o777)
    assert read(paths) == (Source(file=str(paths.policy), problem="may be changed by others than the administrator"),)


def test_a_policy_of_somebody_else_is_no_policy(paths: Paths, other_owner: int) -> None:
    policy(paths, '[desk]\nurl = "https://evil.example.com"')
    sources = read(paths, owner=other_owner)
    assert [one.problem for one in sources] == ["does not belong to the administrator"]
    loaded = load(paths, policy=sources)
    assert loaded.values.desk.url == ""
    assert loaded.problems == (f"{paths.policy} does not belong to the administrator.",)


def test_a_link_to_a_file_of_somebody_else_is_no_policy(paths: Paths, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('[desk]\nurl = "https://evil.example.com"')
    mine.chmod(0o666)
    (paths.policy / "it.toml").symlink_to(mine)
    (source,) = read(paths)
    assert source.problem


def test_a_file_in_place_of_the_folder_closes_what_is_for_the_machine(paths: Paths) -> None:
    paths.policy.rmdir()
    paths.policy.write_text("")
    paths.settings_file.write_text('[desk]\nurl = "https://evil.example.com"')
    loaded = load(paths, policy=read(paths))
    assert loaded.values.desk.url == ""
    assert len(loaded.problems) == 1


def test_the_places_follow_no_variable_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from client.platform.paths import find_paths

    for name in ("XDG_CONFIG_DIRS", "XDG_CONFIG_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    assert find_paths().policy == Path("/etc/deskside/policy.d")
    assert Path("/etc/xdg/deskside/policy.d") == linux.ALSO


REAL_ROOT = """
import os, sys
from pathlib import Path
folder = Path("/etc/deskside/policy.d")
folder.mkdir(parents=True)
(folder / "it.toml").write_text('[desk]\\nurl = "https://help.example.com"')
if len(sys.argv) > 1:
    os.chown(folder / "it.toml", 65534, 65534)
from client.platform.paths import find_paths
from client.settings.layers import load
paths = find_paths()
paths.config.mkdir(parents=True, exist_ok=True)
paths.settings_file.write_text('[desk]\\nurl = "https://evil.example.com"')
loaded = load(paths)
print(loaded.origin("desk.url").layer, loaded.values.desk.url or "-", len(loaded.problems))
"""


@pytest.mark.netlab  # needs root, and a mount of its own over /etc
@pytest.mark.parametrize(
    ("words", "said"), [((), "policy locked https://help.example.com 0"), (("theirs",), "built-in - 1")]
)
def test_the_real_folder_of_the_system(words: tuple[str, ...], said: str) -> None:
    script = 'mount -t tmpfs none /etc && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", sys.executable, "-c", REAL_ROOT, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == said, done.stderr


# --- macOS


def test_a_profile_locks_its_values_and_leaves_its_own_keys_out(paths: Paths) -> None:
    machine = paths.policy / f"{darwin.DOMAIN}.plist"
    table = {
        "desk": {"url": "https://help.example.com"},
        "defaults": {"client": {"language": "de"}},
        "services": [{"name": "SSO", "url": "https://sso.example.com"}],
        "PayloadUUID": "x",
    }
    machine.write_bytes(plistlib.dumps(table, fmt=plistlib.FMT_BINARY))
    loaded = load(paths, policy=darwin.read(paths.policy, owner=ME))
    assert loaded.problems == ()
    assert loaded.origin("desk.url").layer is Layer.POLICY_LOCKED
    assert loaded.origin("client.language").layer is Layer.POLICY_DEFAULT
    assert loaded.values.services[0].name == "SSO"


def test_the_users_profile_wins_over_the_computers(paths: Paths) -> None:
    (paths.policy / "anna").mkdir()
    for folder, name in ((paths.policy, "all"), (paths.policy / "anna", "Anna")):
        (folder / f"{darwin.DOMAIN}.plist").write_bytes(plistlib.dumps({"brand": {"name": name}}))
    assert load(paths, policy=darwin.read(paths.policy, user="anna", owner=ME)).values.brand.name == "Anna"
    assert load(paths, policy=darwin.read(paths.policy, user="../anna", owner=ME)).values.brand.name == "all"


@pytest.mark.parametrize(
    "content", [b"", b"bplist00", b"bplist00" + b"\xff" * 64, b"<plist><array/></plist>", b"<plist>" + b"<dict>" * 9999]
)
def test_a_broken_profile_closes_what_is_for_the_machine(paths: Paths, content: bytes) -> None:
    (paths.policy / f"{darwin.DOMAIN}.plist").write_bytes(content)
    paths.settings_file.write_text('[desk]\nurl = "https://evil.example.com"')
    loaded = load(paths, policy=darwin.read(paths.policy, owner=ME))
    assert loaded.values.desk.url == ""
    assert len(loaded.problems) == 1


# --- Windows, with a registry of our own


def from_registry(paths: Paths, policy: dict[str, Any] | None) -> Loaded:
    return load(paths, policy=win32.read(FakeRegistry(policy)))


def test_the_registry_holds_tables_lists_switches_and_services(paths: Paths) -> None:
    loaded = from_registry(
        paths,
        {
            "Desk": {"Kind": "demo", "URL": "https://help.example.com"},
            "Network": {
                "public_urls": {"1": "https://a.example", "2": "https://b.example"},
                "internal_names": ["x.corp", "y.corp"],
            },
            "Services": {"Single sign-on": "https://sso.example.com/health", "File Server": "files.example.com:445"},
            "Thresholds": {"disk_free_percent": 7, "latency_local_ms": "50"},
            "Client": {"tray": 0},
            "Fixes": {"allowed": "disk.*\r\ndns.flush_cache"},
            "Defaults": {
                "Client": {"Language": "de"},
                "Services": {"Mail": "mail.example.com:993"},
                "Schedule": {"Check_Every_Min": 60},
            },
        },
    )
    assert loaded.problems == ()
    values = loaded.values
    assert (values.desk.kind, values.desk.url) == ("demo", "https://help.example.com")
    assert values.network.public_urls == ("https://a.example", "https://b.example")
    assert values.network.internal_names == ("x.corp", "y.corp")
    assert [(one.name, one.url or one.address) for one in values.services] == [
        ("Single sign-on", "https://sso.example.com/health"),
        ("File Server", "files.example.com:445"),
    ]
    assert (values.thresholds.disk_free_percent, values.thresholds.latency_local_ms) == (7, 50)
    assert values.client.tray is False
    assert values.fixes.allowed == ("disk.*", "dns.flush_cache")
    assert (values.client.language, values.schedule.check_every_min) == ("de", 60)
    assert loaded.origin("client.language") == loaded.origin("schedule.check_every_min")
    assert loaded.origin("client.language").layer is Layer.POLICY_DEFAULT
    assert loaded.origin("desk.url").file == r"HKLM\Software\Policies\Deskside"


def test_without_the_key_there_is_no_policy(paths: Paths) -> None:
    assert from_registry(paths, None) == load(paths, policy=())


def test_a_registry_that_cannot_be_read_closes_what_is_for_the_machine(paths: Paths) -> None:
    registry = FakeRegistry(None, fault=PermissionError(13, "Access is denied"))
    paths.settings_file.write_text('[desk]\nurl = "https://evil.example.com"')
    loaded = load(paths, policy=win32.read(registry))
    assert loaded.values.desk.url == ""
    assert loaded.problems == (r"HKLM\Software\Policies\Deskside cannot be read (Access is denied).",)


def test_the_64_bit_view_is_read(paths: Paths) -> None:
    registry = FakeRegistry({})
    win32.read(registry)
    assert registry.access & FakeRegistry.KEY_WOW64_64KEY


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        ({"Thresholds": {"disk_free_percent": "many"}}, "thresholds.disk_free_percent must be a whole number"),
        ({"Thresholds": {"disk_free_percent": b"\x00\x01"}}, "thresholds.disk_free_percent must be a whole number"),
        ({"Client": {"tray": "perhaps"}}, "client.tray must be true or false"),
        ({"Desk": {"ulr": "x"}}, "there is no key desk.ulr. Did you mean desk.url?"),
        ({"Desk": {"url": {"deep": {"deeper": {}}}}}, "desk.url must be text"),
        ({"Services": {"A": "no address"}}, 'service 1 (A) has an address that must be "host:port"'),
        ({"Services": "x"}, "services must be a list"),
        ({"": "x"}, "there is no key  outside of a table"),
    ],
)
def test_mistakes_in_the_registry_are_told(paths: Paths, policy: dict[str, Any], problem: str) -> None:
    (told,) = from_registry(paths, policy).problems
    assert told.startswith(rf"HKLM\Software\Policies\Deskside: {problem}")


# --- what it costs


@pytest.fixture
def imported() -> set[str]:
    code = "import sys; from client.settings.layers import load; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_tray_does_not_pay_for_what_it_does_not_use(imported: set[str]) -> None:
    assert not imported & {
        "tomllib",
        "difflib",
        "plistlib",
        "asyncio",
        "pydantic",
        "client.settings.win32",
        "client.settings.darwin",
    }
