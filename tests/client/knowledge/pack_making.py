"""Packs for tests: good ones, and zip files that no tool of ours would write."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime

from client.knowledge.pack import MANIFEST, SIGNATURES, Pack, make, sign, write
from client.knowledge.signing import Signer, make_signer

CREATED = datetime(2026, 1, 31, tzinfo=UTC)
FIXES = frozenset({"dns.flush_cache", "printer.restart_queue"})
IT, _ = make_signer()
STRANGER, _ = make_signer()


def article(
    id: str = "printer",
    *,
    title: str = "Printing at Example",
    body: str = "Go to floor 3.",
    language: str = "en",
    more: str = "",
) -> bytes:
    head = f'id = "{id}"\ntitle = "{title}"\nsummary = "How {title} works."\nreviewed_on = 2026-01-31\nlanguage = "{language}"'
    return f"+++\n{head}\n{more}\n+++\n{body}\n".encode()


def pack(
    files: Mapping[str, bytes] | None = None, *, version: int = 1, id: str = "example-it", title: str = "Example IT"
) -> Pack:
    files = {"en/printer.md": article()} if files is None else files
    return make(files, id=id, title=title, version=version, created=CREATED, known_fixes=None)


def signed(
    *signers: Signer, version: int = 1, files: Mapping[str, bytes] | None = None, id: str = "example-it"
) -> bytes:
    made = pack(files, version=version, id=id)
    for one in signers or (IT,):
        made = sign(made, one)
    return write(made)


def zipped(members: Mapping[str, bytes], *, compression: int = zipfile.ZIP_STORED, **attributes: int) -> bytes:
    """A zip file of any members, each entry with these attributes."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", compression) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = compression
            for attribute, value in attributes.items():
                setattr(entry, attribute, value)
            archive.writestr(entry, content)
    return whole.getvalue()


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def forged(manifest: bytes, files: Mapping[str, bytes], *, signer: Signer = IT) -> bytes:
    """A pack with whatever manifest, signed all the same: what a careless or stolen key could sign."""
    line = signer.sign(manifest).line()
    return zipped({MANIFEST: manifest, SIGNATURES: f"{line}\n".encode(), **files})
