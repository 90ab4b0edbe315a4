"""Files for a ticket: what is read is what is sent, and nothing is dropped in silence."""

from __future__ import annotations

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.ui.files import LARGEST, Unfit, clean_name, free_name, gather, media_type, read_file


def test_bytes_are_taken_as_they_are(tmp_path):
    file = tmp_path / "log.bin"
    file.write_bytes(bytes(range(256)) * 10)
    found = gather((file,), (), None)
    assert found.problems == ()
    assert [(one.name, one.data) for one in found.attachments] == [("log.bin", bytes(range(256)) * 10)]


def test_folder_is_refused_with_a_way_out(tmp_path):
    (tmp_path / "photos").mkdir()
    found = gather((tmp_path / "photos",), (), None)
    assert found.attachments == ()
    assert found.problems[0].startswith("“photos” is a folder.")


def test_missing_file_is_said(tmp_path):
    assert gather((tmp_path / "gone.txt",), (), None).problems == ("“gone.txt” is not there any more.",)


def test_permission_error_is_said(tmp_path, monkeypatch):
    file = tmp_path / "secret.txt"
    file.write_text("x")

    def refuse(*_args):
        raise PermissionError(13, "denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(Unfit, match="may not be read by you"):
        read_file(file, None)


def test_too_large_says_the_limit(tmp_path):
    file = tmp_path / "video.mp4"
    file.write_bytes(b"x" * 2001)
    assert "larger than 2.0 kB" in gather((file,), (), 2000).problems[0]
    assert gather((file,), (), 2001).attachments[0].data == b"x" * 2001


def test_a_huge_file_is_never_read(tmp_path):
    file = tmp_path / "image.iso"
    with file.open("wb") as handle:
        handle.truncate(LARGEST + 1)
    assert "larger than" in gather((file,), (), None).problems[0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(gather((tmp_path / "pipe",), (), None)), daemon=True)
    thread.start()
    thread.join(10)
    assert answers[0].problems == ("“pipe” is not a file that can be sent.",)


def test_good_files_come_along_beside_bad_ones(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    found = gather((tmp_path / "a.txt", tmp_path, tmp_path / "b.txt"), (), None)
    assert [one.name for one in found.attachments] == ["a.txt"]
    assert len(found.problems) == 2


def test_the_same_file_twice_is_once(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    have = gather((tmp_path / "a.txt", tmp_path / "a.txt"), (), None).attachments
    assert len(have) == 1
    assert gather((tmp_path / "a.txt",), have, None).attachments == ()


def test_names_are_kept_apart(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "x" / "A.txt").write_text("two")
    (tmp_path / "report.json").write_text("{}")
    found = gather((tmp_path / "a.txt", tmp_path / "x" / "A.txt", tmp_path / "report.json"), (), None)
    assert [one.name for one in found.attachments] == ["a.txt", "A (2).txt", "report (2).json"]


def test_media_types():
    assert media_type("a.png", b"\x89PNG") == "image/png"
    assert media_type("notes", b"some words") == "text/plain"
    assert media_type("core", b"\0\1\2") == "application/octet-stream"


@given(st.text())
def test_a_clean_name_is_a_name_everywhere(name):
    cleaned = clean_name(name)
    assert cleaned
    assert len(cleaned) <= 120
    assert not set(cleaned) & set('/\\:*?"<>|\0\n\r\t')
    assert cleaned not in {".", ".."}
    assert cleaned.strip() == cleaned or cleaned == "file"


def test_a_long_name_keeps_its_ending():
    assert clean_name("x" * 300 + ".pdf").endswith("x.pdf")


@given(st.lists(st.sampled_from(["a.txt", "A.TXT", "report.json", "b", "a (2).txt"]), max_size=12))
def test_free_names_never_collide(names):
    taken = []
    for name in names:
        taken.append(free_name(name, taken))
    assert len({one.casefold() for one in taken}) == len(taken)
    assert "report.json" not in taken
