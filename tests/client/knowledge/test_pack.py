"""A pack is taken whole, signed and harmless, or not at all, and the same articles are always the same file."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import struct
import zipfile

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack_making import CREATED, FIXES, IT, STRANGER, article, forged, members, pack, signed, zipped

from client.knowledge.pack import LARGEST_PACK, MANIFEST, MOST_FILES, MOST_SIGNATURES, BadPack, make, read, sign, write
from client.knowledge.signing import make_signer

TRUSTED = (IT.public,)


def refusal(data: bytes, *, trusted: tuple[str, ...] | None = TRUSTED) -> str:
    with pytest.raises(BadPack) as caught:
        read(data, trusted=trusted, known_fixes=FIXES)
    assert caught.value.words.endswith((".", ")"))
    return caught.value.words


# --- what is good


def test_what_was_packed_is_what_is_read() -> None:
    files = {"en/printer.md": article(), "de/printer.md": article(language="de"), "en/not-covered.txt": b"lunch\n"}
    found = read(signed(files=files), trusted=TRUSTED, known_fixes=FIXES)
    assert dict(found.files) == files
    assert found.articles == ("printer",)
    assert found.signed_by == TRUSTED
    assert (found.manifest.id, found.manifest.title, found.manifest.version) == ("example-it", "Example IT", 1)
    assert found.manifest.languages == ("de", "en")
    assert found.manifest.created == CREATED


def test_the_same_articles_are_the_same_file() -> None:
    one = {"en/a.md": article("a"), "en/b.md": article("b")}
    other = dict(reversed(one.items()))
    assert signed(files=one) == signed(files=other)


def test_signatures_come_in_one_order_and_each_key_signs_once() -> None:
    assert signed(IT, STRANGER) == signed(STRANGER, IT) == signed(STRANGER, IT, IT)


def test_any_trusted_signature_is_enough_while_keys_are_exchanged() -> None:
    both = signed(IT, STRANGER)
    for key in (IT.public, STRANGER.public):
        assert set(read(both, trusted=(key,), known_fixes=FIXES).signed_by) == {IT.public, STRANGER.public}


def test_a_pack_may_name_fixes_of_the_closed_list() -> None:
    files = {"en/printer.md": article(more='fixes = ["printer.restart_queue"]')}
    assert read(signed(files=files), trusted=TRUSTED, known_fixes=FIXES).articles == ("printer",)


def test_whoever_only_looks_is_told_who_signed() -> None:
    assert read(write(pack()), trusted=None, known_fixes=None).signed_by == ()
    assert read(signed(STRANGER), trusted=None, known_fixes=None).signed_by == (STRANGER.public,)


# --- signatures


def test_no_signature() -> None:
    assert refusal(write(pack())) == "The pack is not signed."


def test_a_key_that_nobody_trusts() -> None:
    assert "a key that this computer does not trust" in refusal(signed(STRANGER))


def test_a_manifest_that_was_changed_after_it_was_signed() -> None:
    parts = members(signed())
    parts[MANIFEST] = parts[MANIFEST].replace(b'"version": 1', b'"version": 9')
    assert "changed after it was signed" in refusal(zipped(parts))


def test_an_article_that_was_changed_after_it_was_signed() -> None:
    parts = members(signed())
    parts["en/printer.md"] = parts["en/printer.md"].replace(b"floor 3", b"floor 4")
    assert refusal(zipped(parts)) == "'en/printer.md' in the pack is not what was signed."


def test_a_strangers_signature_under_our_keys_name() -> None:
    manifest = pack().manifest_bytes
    line = msgspec.structs.replace(STRANGER.sign(manifest), key=IT.public).line()
    assert "changed after it was signed" in refusal(
        zipped({MANIFEST: manifest, "manifest.sig": line.encode(), "en/printer.md": article()})
    )


@pytest.mark.parametrize(
    "text", [b"ed25519:x y", b"\xff\xfe", b"rsa:" + b"A" * 44 + b" QUJD", b"ed25519:" + b"A" * 43 + b"= !!!"]
)
def test_signatures_that_cannot_be_read(text: bytes) -> None:
    parts = members(signed()) | {"manifest.sig": text}
    assert refusal(zipped(parts)) == "The pack's signature cannot be read."


def test_there_are_only_so_many_signatures() -> None:
    made = pack()
    for _ in range(MOST_SIGNATURES):
        made = sign(made, make_signer()[0])
    assert len(read(write(made), trusted=None, known_fixes=None).signatures) == MOST_SIGNATURES
    with pytest.raises(BadPack, match="at most"):
        sign(made, IT)


# --- archives that are none, or odd


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"<html>sign in</html>", b"\x1f\x8b" + b"\0" * 100, b"PK\3\4" + b"\0" * 500]
)
def test_what_is_no_pack(data: bytes) -> None:
    assert "pack" in refusal(data)


def test_a_zip_of_anything_else() -> None:
    assert "does not belong" in refusal(zipped({"word/document.xml": b"<x/>"}))
    assert "no manifest" in refusal(zipped({"en/printer.md": article()}))


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_half_a_pack_is_no_pack(kept: float) -> None:
    data = signed()
    assert refusal(data[: int(len(data) * kept)]) == "The pack is not whole; the end is missing."


def test_a_bomb_is_refused_before_it_is_opened() -> None:
    parts = members(signed()) | {"en/bomb.md": b"a" * 60_000}
    assert "compressed" in refusal(zipped(parts, compression=zipfile.ZIP_DEFLATED))


def test_members_that_lie_on_top_of_each_other_are_refused() -> None:
    """One stored block that many entries of the directory claim: small to fetch, large to keep."""
    content = b"b" * 60_000
    data = zipped({"en/a.md": content})
    begin = data.index(b"PK\1\2")
    body, entry = data[:begin], data[begin : data.index(b"PK\5\6")]
    entries = [entry.replace(b"en/a.md", f"en/{letter}.md".encode()) for letter in "abcdefgh"]
    directory = b"".join(entries)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(entries), len(entries), len(directory), len(body), 0)
    assert refusal(body + directory + end) in {
        "The pack would be larger than the file that it came in.",
        "The pack is damaged.",
    }


@pytest.mark.parametrize(
    "name",
    [
        "../en/printer.md",
        "en/../../x.md",
        "/etc/passwd",
        "en\\printer.md",
        "C:en/printer.md",
        "en/",
        "en/run.py",
        "en/picture.png",
        "en/page.html",
        "EN/printer.md",
        "en/Printer.md",
        "en/con.md",
        "en/sub/printer.md",
        "en/prínter.md",
        "en/.hidden.md",
        "__main__.py",
        "manifest.json/x",
        "en/" + "a" * 65 + ".md",
    ],
)
def test_names_that_do_not_belong_in_a_pack(name: str) -> None:
    parts = members(signed()) | {name: article()}
    said = refusal(zipped(parts))
    assert "does not belong" in said or "too long" in said
    with pytest.raises(BadPack):
        make({name: article()}, id="x", title="X", version=1, created=CREATED, known_fixes=None)


@pytest.mark.parametrize(
    "mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o644, stat.S_IFCHR | 0o644, stat.S_IFDIR | 0o755]
)
def test_links_and_devices(mode: int) -> None:
    assert "no file" in refusal(zipped(members(signed()), external_attr=mode << 16, create_system=3))


def test_encrypted_and_odd_entries() -> None:
    data = bytearray(signed())
    where = data.index(b"PK\1\2")
    data[where + 8] |= 1
    assert "unusual way" in refusal(bytes(data))
    assert "not whole" in refusal(signed() + b"more")
    assert "not a pack" in refusal(b"more" + signed())


def test_a_name_that_ends_early() -> None:
    data = zipped(members(signed()) | {"en/other.md_.exe": article("other")})
    assert "does not belong" in refusal(data.replace(b"en/other.md_", b"en/other.md\0"))


def test_two_files_of_one_name() -> None:
    whole = members(signed())
    with pytest.warns(UserWarning, match="Duplicate"):
        data = _twice(whole)
    assert refusal(data) == "The pack holds two files of the same name."


def _twice(parts: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        archive.writestr("en/printer.md", b"other")
    return whole.getvalue()


def test_a_giant_is_refused_by_its_length_alone() -> None:
    assert refusal(b"PK\3\4" + bytes(LARGEST_PACK)) == "The pack is larger than 16 MB."
    assert "larger than 64 KB" in refusal(zipped(members(signed()) | {"en/giant.md": b"a" * 70_000}))


def test_too_many_files_are_refused_by_the_directory_alone() -> None:
    many = zipped({f"en/a{number}.md": b"" for number in range(MOST_FILES + 3)})
    assert f"more than {MOST_FILES} files" in refusal(many)


# --- manifests


def _changed(**changes: object) -> bytes:
    content = json.loads(pack().manifest_bytes)
    content.update(changes)
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b"\xff",
        _changed(schema=2),
        _changed(kind="something.else"),
        _changed(version=0),
        _changed(version=2**60),
        _changed(version="1"),
        _changed(id="../x"),
        _changed(title="a\u202eb"),
        _changed(created="2026-01-31T00:00:00"),
        _changed(files=[]),
        _changed(files=[{"path": "en/printer.md", "bytes": 1, "sha256": "x"}]),
        _changed(files=[{"path": "en/printer.md", "bytes": 10**9, "sha256": "0" * 64}]),
    ],
)
def test_a_manifest_that_says_something_impossible(manifest: bytes) -> None:
    refusal(forged(manifest, {"en/printer.md": article()}))


def test_a_file_that_the_manifest_does_not_name_and_one_that_is_missing() -> None:
    parts = members(signed())
    assert "exactly the files" in refusal(zipped(parts | {"en/other.md": article("other")}))
    del parts["en/printer.md"]
    assert "exactly the files" in refusal(zipped(parts))


# --- articles that are not shown as they are meant


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (article(body="<script>alert(1)</script>"), "HTML is not shown"),
        (article(body="![x](https://evil.example/x.png)"), "Pictures are not shown"),
        (article(body="[x](javascript:alert(1))"), "Links may not use 'javascript'"),
        (article(body="[x](file:///etc/passwd)"), "Links may not use 'file'"),
        (article(body="a\u202eb"), "hidden or control character"),
        (article(more='fixes = ["disk.format"]'), "There is no fix 'disk.format'."),
        (article(more='run = "rm -rf /"'), "unknown field"),
        (article("other"), "the file is called 'printer'"),
        (article(language="de"), "lies in the folder 'en'"),
        (b"\xff\xfe", "not UTF-8"),
        (b"no front matter", "first line"),
    ],
)
def test_a_signed_pack_with_a_hostile_article_is_refused_as_a_whole(content: bytes, said: str) -> None:
    files = {"en/printer.md": content, "en/well.md": article("well")}
    listed = [
        {"path": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for path, data in files.items()
    ]
    assert said in refusal(forged(_changed(files=listed), files))
    with pytest.raises(BadPack, match="cannot be shown"):
        make(files, id="x", title="X", version=1, created=CREATED, known_fixes=FIXES)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_damage_gets_through_and_none_raises_anything_else(data: st.DataObject) -> None:
    whole = bytearray(signed())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(whole), trusted=TRUSTED, known_fixes=FIXES)
    except BadPack:
        return
    assert dict(found.files) == {"en/printer.md": article()}  # what was damaged means nothing, such as a date
