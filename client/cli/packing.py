"""`deskside articles keygen|pack|sign|verify` for whoever writes IT's articles, and `refresh` for whoever waits for them.

A private key never leaves its file, and is never printed.
"""

from __future__ import annotations

import os
import tempfile
import time
import tomllib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import click
import msgspec

from client.cli.session import Session
from client.cli.show import clean, count, on_terminal, put, put_json, put_table, say, size, when
from client.errors import StorageFault, UsageError
from client.fixes.catalogue import BY_ID
from client.knowledge import signing
from client.knowledge.pack import LARGEST_PACK, NOT_COVERED, BadPack, Pack, make, read, sign, write
from client.knowledge.validate import LARGEST_BYTES

if TYPE_CHECKING:
    from client.knowledge.packs import State

ABOUT: Final = "pack.toml"
HELP: Final = 'Write it with two lines: id = "example-it" and title = "Example Ltd IT".'
SECRET_MODE: Final = 0o600
NOT_WELL: Final = 1


class _About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`pack.toml` beside the language folders."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


@click.command("keygen")
@click.argument("file", type=click.Path(path_type=Path))
def keygen(file: Path) -> int:
    """Make a key to sign packs with: the private half goes into FILE, the public half is printed."""
    signer, content = signing.make_signer()
    try:
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET_MODE)
    except FileExistsError as error:
        raise UsageError(
            f"{clean(str(file))} is there already, and a key that is overwritten is gone.", hint="Choose another name."
        ) from error
    except OSError as error:
        raise StorageFault(f"The key could not be written: {error.strerror}.") from error
    with os.fdopen(number, "wb") as out:
        out.write(content)
    put(signer.public)
    say(
        "Keep the file secret, and a copy of it safe. The line above goes into the settings, behind the pack's address."
    )
    return 0


@click.command("pack")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), required=True, help="Write this file.")
@click.option("--key", "key_file", type=click.Path(path_type=Path), help="Sign it with the key in this file.")
@click.option("--version", "version", type=click.IntRange(1, 2**53), help="By default the time, as 202601311200.")
def pack(folder: Path, target: Path, key_file: Path | None, version: int | None) -> int:
    """Make one file of the articles in DIR (en/*.md, de/*.md ...), and sign it."""
    about = _about(folder)
    created = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "") or time.time()), UTC)
    files = _collect(folder)
    try:
        made = make(
            files,
            id=about.id,
            title=about.title,
            version=version or int(created.strftime("%Y%m%d%H%M")),
            created=created,
            known_fixes=BY_ID.keys(),
            known_causes=_causes(),
        )
        if key_file is not None:
            made = sign(made, signer_of(key_file))
    except BadPack as error:
        raise _refused(error) from error
    write_file(target, write(made))
    manifest = made.manifest
    put(f"{clean(str(target))}: {count(len(made.articles), 'article')}, version {manifest.version}.", "good")
    if key_file is None:
        say("It is not signed yet: deskside articles sign FILE --key KEYFILE")
    return 0


@click.command("sign")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", "key_file", type=click.Path(path_type=Path), required=True, help="The key's file.")
def sign_pack(file: Path, key_file: Path) -> int:
    """Add a signature to the pack FILE; those that it has stay, so that keys can be exchanged."""
    try:
        signed = sign(read(read_file(file, LARGEST_PACK), trusted=None, known_fixes=BY_ID.keys()), signer_of(key_file))
    except BadPack as error:
        raise _refused(error) from error
    write_file(file, write(signed))
    put(f"{clean(str(file))} is signed by {count(len(signed.signed_by), 'key')}.", "good")
    return 0


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", "keys", multiple=True, help="A public key that must have signed it; more than one: any of them.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def verify(session: Session, file: Path, keys: tuple[str, ...], *, as_json: bool) -> int:
    """Say whether computers would take the pack FILE. Without --key, the keys of this computer's settings count."""
    strange = [key for key in keys if not signing.PUBLIC.fullmatch(key)]
    if strange:
        raise UsageError(
            f"{clean(strange[0])!r} is no public key.", hint="It is what `deskside articles keygen` has printed."
        )
    trusted = keys or tuple(key for source in session.app.guidance.pack_sources for key in source.keys)
    try:
        found = read(read_file(file, LARGEST_PACK), trusted=trusted or None, known_fixes=BY_ID.keys())
    except BadPack as error:
        if as_json:
            put_json({"ok": False, "reason": error.words, "problems": [str(one) for one in error.problems]})
        else:
            put(error.words, "bad")
            for problem in error.problems[1:]:
                put(str(problem), "bad")
        return NOT_WELL
    well = bool(found.signed_by)
    if as_json:
        put_json({"ok": well, "reason": "" if well else "The pack is not signed.", "pack": _facts(found)})
        return 0 if well else NOT_WELL
    put_table([(name, str(value)) for name, value in _facts(found).items()], heads=("what", ""))
    for key in found.signed_by:
        put(
            f"Signed by {key}{'' if trusted else ' (nobody has said that it is trusted: --key)'}",
            "good" if trusted else "",
        )
    if not well:
        put("The pack is not signed.", "bad")
    return 0 if well else NOT_WELL


@click.command("refresh")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def refresh(session: Session, *, as_json: bool) -> int:
    """Look for newer packs now. Exit code 1 when one could not be taken; the last good one is kept."""
    if not session.app.guidance.pack_sources:
        raise UsageError("The settings name no pack.", hint="See docs/packs.md: [knowledge] packs.")
    states = session.run(lambda app: app.guidance.refresh())
    if as_json:
        put_json({"ok": not any(one.trouble for one in states), "packs": [_state(one) for one in states]})
    else:
        rows = [
            (one.title or one.url, f"version {one.version}" if one.folder else "none yet", when(one.taken_at))
            for one in states
        ]
        put_table(rows, heads=("pack", "kept", "since"))
        warn(states)
    return NOT_WELL if any(one.trouble for one in states) else 0


COMMANDS: Final = (keygen, pack, sign_pack, verify, refresh)


def warn(states: Iterable[State]) -> None:
    """Says beside the answer what is wrong with packs, and what counts meanwhile."""
    for one in states:
        if one.trouble:
            kept = f"Version {one.version} is kept." if one.folder else "None is kept."
            say(f"{one.title or one.url}: {one.trouble} {kept}", "warn")


def _state(one: State) -> dict[str, Any]:
    return {
        "url": one.url,
        "id": one.id,
        "title": one.title,
        "version": one.version or None,
        "articles": one.articles,
        "looked_at": one.looked_at,
        "taken_at": one.taken_at,
        "trouble": one.trouble,
    }


def _facts(found: Pack) -> dict[str, Any]:
    manifest = found.manifest
    return {
        "id": manifest.id,
        "title": manifest.title,
        "version": manifest.version,
        "created": manifest.created.isoformat(),
        "languages": ", ".join(manifest.languages),
        "articles": len(found.articles),
    }


def _about(folder: Path) -> _About:
    if not folder.is_dir():
        raise UsageError(f"{clean(str(folder))} is not a folder.", hint="Name the folder that holds en, de ...")
    try:
        return msgspec.convert(tomllib.loads(read_file(folder / ABOUT, LARGEST_BYTES).decode()), _About)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{clean(str(folder / ABOUT))} is wrong: {clean(str(error))}.", hint=HELP) from error


def _collect(folder: Path) -> dict[str, bytes]:
    """The articles below the language folders. Follows no link, so that nothing gets in that lies elsewhere."""
    files: dict[str, bytes] = {}
    for language in sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith(".")):
        for file in sorted(language.iterdir()):
            if file.name.startswith("."):
                continue
            if file.is_symlink() or language.is_symlink() or not file.is_file():
                raise UsageError(
                    f"{clean(str(file))} is a link or a folder.",
                    hint="A pack holds files only; put the file itself there.",
                )
            if file.suffix != ".md" and file.name != NOT_COVERED:
                raise UsageError(
                    f"{clean(str(file))} cannot be in a pack: it holds words only, as *.md.", hint="Take the file out."
                )
            files[f"{language.name}/{file.name}"] = read_file(file, LARGEST_BYTES)
    return files


def signer_of(file: Path) -> signing.Signer:
    """The private key in a file; asks for its password where it has one."""
    content = read_file(file, signing.LARGEST_KEY_FILE)
    password = None
    if b"ENCRYPTED" in content:
        if not on_terminal():
            raise UsageError("The key file is encrypted, and nobody can be asked for its password here.")
        password = str(click.prompt("Password of the key", hide_input=True, err=True)).encode()
    try:
        return signing.read_signer(content, password=password)
    except signing.BadKey as error:
        raise UsageError(f"{clean(str(file))}: {error}", hint="Make one with: deskside articles keygen FILE") from error


def read_file(file: Path, largest: int) -> bytes:
    """What a small file holds; a fault is a sentence."""
    try:
        with file.open("rb") as source:
            content = source.read(largest + 1)
    except OSError as error:
        hint = HELP if file.name == ABOUT else ""
        raise UsageError(f"{clean(str(file))} cannot be read: {error.strerror}.", hint=hint) from error
    if len(content) > largest:
        raise UsageError(f"{clean(str(file))} is larger than {size(largest)}.")
    return content


def write_file(file: Path, content: bytes) -> None:
    """Replaces the file as a whole: a server may be handing it out right now."""
    try:
        number, name = tempfile.mkstemp(dir=file.absolute().parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(number, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageFault(f"{clean(str(file))} could not be written: {error.strerror}.") from error


def _refused(error: BadPack) -> UsageError:
    for problem in error.problems:
        put(str(problem), "bad")
    return UsageError(error.words, hint="Nothing was written.")


def _causes() -> frozenset[str]:
    from diagnostics.causes.catalogue import CATALOGUE  # noqa: PLC0415 -- only who writes articles needs every cause

    return frozenset(cause.id for cause in CATALOGUE)
