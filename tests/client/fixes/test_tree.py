"""Removing what lies in a folder: all of it, nothing else, and no way out."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.fixes import tree
from client.fixes.tree import Rule, Swept, identify, sweep

UID = os.getuid()
EVERYTHING = Rule(uid=UID, until_ns=2**62)
WALKS = pytest.mark.parametrize("by_handle", [True, False], ids=["by handle", "by path"])


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


def clear(folder: Path, *, rule: Rule = EVERYTHING, remove: bool = True, **more) -> Swept:
    identity = identify(folder, uid=UID)
    assert identity is not None
    return sweep(folder, identity=identity, rule=rule, remove=remove, **more)


def write(path: Path, count: int = 8192) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * count)
    return path


@WALKS
def test_everything_in_the_folder_goes_and_the_folder_stays(cache, monkeypatch, by_handle):
    monkeypatch.setattr(tree, "BY_HANDLE", by_handle)
    for name in ("a", "b/c", "b/d/e", "line\nbreak", "-rf", " ", "*", "b/" + "n" * 255):
        write(cache / name)
    (cache / "empty" / "deeper").mkdir(parents=True)
    done = clear(cache)
    assert list(cache.iterdir()) == []
    assert (done.files, done.left, done.bytes) == (8, 0, 8 * 8192)


@WALKS
def test_counting_says_what_removing_does_and_touches_nothing(cache, monkeypatch, by_handle):
    monkeypatch.setattr(tree, "BY_HANDLE", by_handle)
    write(cache / "a/b", 50_000)
    write(cache / "c", 3)
    os.link(cache / "c", cache / "a/d")
    counted = clear(cache, remove=False)
    assert (cache / "a/b").exists()
    removed = clear(cache)
    assert (counted.bytes, counted.files, counted.left) == (removed.bytes, removed.files, removed.left)


@WALKS
def test_a_link_goes_and_what_it_points_to_stays(cache, tmp_path, monkeypatch, by_handle):
    monkeypatch.setattr(tree, "BY_HANDLE", by_handle)
    outside = write(tmp_path / "documents/thesis.txt", 800_000)
    (cache / "file").symlink_to(outside)
    (cache / "folder").symlink_to(outside.parent)
    (cache / "up").symlink_to("..")
    (cache / "nowhere").symlink_to("missing")
    done = clear(cache)
    assert outside.read_bytes()
    assert list(cache.iterdir()) == []
    assert done.bytes < 800_000


@WALKS
def test_the_folder_itself_may_not_be_a_link(tmp_path, monkeypatch, by_handle):
    monkeypatch.setattr(tree, "BY_HANDLE", by_handle)
    outside = write(tmp_path / "documents/thesis.txt").parent
    (tmp_path / "cache").symlink_to(outside)
    assert identify(tmp_path / "cache", uid=UID) is None
    identity = identify(outside, uid=UID)
    with pytest.raises(OSError, match=r"[Ll]inks|another|directory"):
        sweep(tmp_path / "cache", identity=identity, rule=EVERYTHING, remove=True)
    assert (outside / "thesis.txt").exists()


@WALKS
def test_a_folder_that_was_exchanged_since_is_left_alone(cache, tmp_path, monkeypatch, by_handle):
    monkeypatch.setattr(tree, "BY_HANDLE", by_handle)
    identity = identify(cache, uid=UID)
    cache.rename(tmp_path / "moved")
    write(cache / "precious")
    with pytest.raises(OSError, match="another folder"):
        sweep(cache, identity=identity, rule=EVERYTHING, remove=True)
    assert (cache / "precious").exists()


@WALKS
def test_only_the_named_entries_go_and_only_while_they_are_the_same(cache, monkeypatch, by_handle):
    monkeypatch.setattr(tree, "BY_HANDLE", by_handle)
    names = {name: (write(cache / name).stat().st_dev, (cache / name).stat().st_ino) for name in ("a", "b")}
    write(cache / "c")
    keep = (cache / "b").rename(cache / "b-before")
    write(cache / "b")
    done = clear(cache, names=names)
    assert sorted(path.name for path in cache.iterdir()) == ["b", "b-before", "c"]
    assert (done.files, done.left) == (1, 1)
    assert keep.exists()


@WALKS
def test_sockets_pipes_and_devices_stay(cache, monkeypatch, by_handle):
    monkeypatch.setattr(tree, "BY_HANDLE", by_handle)
    monkeypatch.chdir(cache)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
    os.mkfifo(cache / "pipe")
    write(cache / "file")
    done = clear(cache)
    assert sorted(path.name for path in cache.iterdir()) == ["pipe", "socket"]
    assert (done.files, done.left) == (1, 2)


@WALKS
def test_what_is_newer_than_the_plan_stays(cache, monkeypatch, by_handle):
    monkeypatch.setattr(tree, "BY_HANDLE", by_handle)
    write(cache / "old")
    until = (cache / "old").stat().st_ctime_ns
    time.sleep(0.02)  # longer than the clock tick that file times are made with
    write(cache / "dir/new")
    done = clear(cache, rule=Rule(uid=UID, until_ns=until))
    assert not (cache / "old").exists()
    assert (cache / "dir/new").exists()
    assert (done.files, done.left) == (1, 1)


@WALKS
def test_bytes_of_a_hard_link_count_only_when_its_last_name_goes(cache, tmp_path, monkeypatch, by_handle):
    monkeypatch.setattr(tree, "BY_HANDLE", by_handle)
    kept = write(tmp_path / "kept", 80_000)
    os.link(kept, cache / "second-name")
    both = write(cache / "one", 40_960)
    os.link(both, cache / "two")
    until = both.stat().st_ctime_ns
    done = clear(cache, rule=Rule(uid=UID, until_ns=until))
    assert kept.stat().st_size == 80_000
    assert (done.bytes, done.files, done.left) == (40_960, 3, 0)


@WALKS
def test_a_stopped_walk_says_so_and_leaves_the_rest(cache, monkeypatch, by_handle):
    monkeypatch.setattr(tree, "BY_HANDLE", by_handle)
    for number in range(20):
        write(cache / f"f{number}")
    calls = iter(range(100))
    done = clear(cache, stop=lambda: next(calls) >= 5)
    assert done.stopped
    assert done.left
    assert 0 < len(list(cache.iterdir())) < 20


@WALKS
def test_depth_costs_no_file_handles(cache, monkeypatch, by_handle):
    """2,000 folders deep: deeper than the handles of a process and, by name, than the longest path."""
    monkeypatch.setattr(tree, "BY_HANDLE", by_handle)
    depth = 2000 if by_handle else 300
    here = os.open(cache, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("dddddd", dir_fd=here)
        deeper = os.open("dddddd", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(os.open("bottom", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        done = clear(cache)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (done.files, done.left) == (1, 0)
    assert list(cache.iterdir()) == []


def test_a_file_marked_read_only_goes_and_one_that_is_held_stays(cache, monkeypatch):
    """As Windows refuses it: by its mark, or because a program has it open."""
    monkeypatch.setattr(tree, "BY_HANDLE", False)
    write(cache / "marked").chmod(0o444)
    write(cache / "held")
    real = Path.unlink

    def refusing(path, **more):
        if path.name == "held" or not path.stat().st_mode & 0o200:
            raise PermissionError(13, "Access is denied")
        real(path, **more)

    monkeypatch.setattr(Path, "unlink", refusing)
    done = clear(cache)
    assert [path.name for path in cache.iterdir()] == ["held"]
    assert (done.files, done.left) == (1, 1)


def test_no_handle_is_left_open(cache):
    write(cache / "a/b/c")
    before = len(list(Path("/proc/self/fd").iterdir()))
    clear(cache)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


AS_NOBODY = """
import os, sys
from pathlib import Path
from client.fixes.tree import Rule, identify, sweep
os.setgroups([]); os.setgid(65534); os.setuid(65534)
folder = Path(sys.argv[1])
done = sweep(folder, identity=identify(folder, uid=65534), rule=Rule(uid=65534, until_ns=2**62), remove=True)
print(done.files, done.left)
"""


@pytest.mark.netlab  # root becomes an ordinary user
def test_an_ordinary_user_leaves_what_is_not_theirs_or_locked_and_opens_what_is_read_only(tmp_path):
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):  # pytest's own; never the system's temporary folder
        folder.chmod(folder.stat().st_mode | 0o111)
    cache = tmp_path / "cache"
    for name in ("mine", "read-only/module/file", "locked/secret", "others/file", "theirs"):
        write(cache / name)
    for path in (cache, *cache.rglob("*")):
        os.chown(path, 65534, 65534)
    for path in (cache / "others", cache / "others/file", cache / "theirs"):
        os.chown(path, 1, 1)
    (cache / "read-only/module").chmod(0o555)
    (cache / "read-only").chmod(0o555)
    (cache / "locked").chmod(0)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(cache)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(tree.__file__).parents[2],
    )
    assert done.stdout.split() == ["2", "3"], done.stderr
    assert sorted(path.name for path in cache.iterdir()) == ["locked", "others", "theirs"]
    assert (cache / "others/file").exists()


@pytest.mark.netlab
def test_other_file_systems_and_bind_mounts_are_not_entered(cache, tmp_path):
    """In a mount namespace of its own: a tmpfs and a bind mount (same device!) inside the cache keep their files."""
    write(tmp_path / "documents/thesis.txt")
    write(cache / "junk")
    for name in ("other", "bind"):
        (cache / name).mkdir()
    script = f"""
mount --bind {tmp_path}/documents {cache}/bind && mount -t tmpfs none {cache}/other && echo precious > {cache}/other/file || exit 9
{sys.executable} - <<'END'
from pathlib import Path
from client.fixes.tree import Rule, identify, sweep
folder = Path({str(cache)!r})
done = sweep(folder, identity=identify(folder, uid={UID}), rule=Rule(uid={UID}, until_ns=2**62), remove=True)
print(done.files, done.left)
END
cat {cache}/other/file; ls {cache}/bind
"""
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(tree.__file__).parents[2],
    )
    assert done.stdout.split() == ["1", "2", "precious", "thesis.txt"], done.stderr
    assert (tmp_path / "documents/thesis.txt").exists()


def test_a_folder_exchanged_for_a_link_right_before_it_is_opened_is_not_entered(cache, tmp_path, monkeypatch):
    thesis = write(tmp_path / "documents/thesis")
    write(cache / "victim/file")
    real = os.open

    def swapping(path, flags, *more, **named):
        if path == "victim":
            (cache / "victim").rename(tmp_path / "aside")
            (cache / "victim").symlink_to(thesis.parent)
        return real(path, flags, *more, **named)

    monkeypatch.setattr(tree.os, "open", swapping)
    done = clear(cache)
    assert thesis.exists()
    assert (done.files, done.left) == (0, 1)


def test_another_folder_put_in_its_place_right_before_it_is_opened_is_not_entered(cache, tmp_path, monkeypatch):
    thesis = write(tmp_path / "documents/thesis")
    write(cache / "victim/file")
    real = os.open

    def swapping(path, flags, *more, **named):
        if path == "victim":
            (cache / "victim").rename(tmp_path / "aside")
            thesis.parent.rename(cache / "victim")
        return real(path, flags, *more, **named)

    monkeypatch.setattr(tree.os, "open", swapping)
    done = clear(cache)
    assert (cache / "victim/thesis").exists()
    assert (done.files, done.left) == (0, 1)


def test_a_folder_moved_away_while_we_are_in_it_does_not_lead_into_its_new_home(cache, tmp_path, monkeypatch):
    """The way up from a moved folder is its new parent; names still to be removed exist there too."""
    for name in ("a", "b", "c"):
        write(tmp_path / "documents" / name)
        write(cache / name)
    write(cache / "victim/file")
    real_open, real_list = os.open, os.listdir

    def moving(path, flags, *more, **named):
        if path == "..":
            (cache / "victim").rename(tmp_path / "documents/victim")
        return real_open(path, flags, *more, **named)

    monkeypatch.setattr(tree.os, "open", moving)
    monkeypatch.setattr(
        tree.os, "listdir", lambda folder: sorted(real_list(folder))
    )  # the last one, the victim, comes first
    done = clear(cache)
    assert sorted(path.name for path in (tmp_path / "documents").iterdir()) == ["a", "b", "c", "victim"]
    assert done.stopped
    assert done.left


def swap_again_and_again(cache: Path, aside: Path, target: Path | None, over: threading.Event) -> None:
    while not over.is_set():
        for number in range(5):
            folder = cache / f"d{number}"
            with contextlib.suppress(OSError):
                folder.rename(aside / folder.name)
                if target is not None:
                    folder.symlink_to(target)
                    folder.unlink()
                (aside / folder.name).rename(folder)


@pytest.mark.parametrize("trick", ["link", "move"])
def test_folders_exchanged_for_links_while_it_runs_lead_nowhere(tmp_path, trick):
    """A second thread swaps folders of the cache for links to the documents, or moves them out and back, all the time."""
    documents = tmp_path / "documents"
    for number in range(50):
        write(documents / f"file{number}", 10)
    aside = tmp_path / "aside"
    aside.mkdir()
    over = threading.Event()
    for attempt in range(25):
        cache = tmp_path / f"cache{attempt}"
        for number in range(5):
            for deeper in range(12):
                write(cache / f"d{number}" / f"e{deeper}" / "file", 10)
        over.clear()
        swapper = threading.Thread(
            target=swap_again_and_again, args=(cache, aside, documents if trick == "link" else None, over)
        )
        swapper.start()
        try:
            clear(cache)
        finally:
            over.set()
            swapper.join()
        for left in aside.iterdir():
            left.rename(tmp_path / f"left{attempt}-{left.name}")
    assert len(list(documents.iterdir())) == 50


names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda name: name not in {".", ".."} and len(name.encode()) < 200
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(names, min_size=1, max_size=4), st.sampled_from(["file", "link", "folder"])), max_size=12
    )
)
def test_any_tree_is_emptied_and_its_surroundings_stay(tmp_path_factory, entries):
    top = tmp_path_factory.mktemp("tree")
    outside = write(top / "outside/file")
    cache = top / "cache"
    cache.mkdir()
    for parts, kind in entries:
        path = cache.joinpath(*parts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind == "file":
                path.write_text("x")
            elif kind == "link":
                path.symlink_to(outside.parent)
            else:
                path.mkdir()
        except OSError:  # a name that is taken by something else already
            continue
        assert outside.exists()
    outside_before = sorted(outside.parent.iterdir())
    clear(cache)
    assert list(cache.iterdir()) == []
    assert sorted(outside.parent.iterdir()) == outside_before
