"""A pack of articles: one file that IT has signed. Read strictly, written the same every time. Touches no disk.

The file is a zip archive of uncompressed members, so that what comes out is never larger than what came in:

    manifest.json            what the pack is, and every other member with its length and SHA-256
    manifest.sig             signatures over the bytes of manifest.json, one a line (`client.knowledge.signing`)
    en/printer.md            articles, in a folder for each language
    en/not-covered.txt       questions that no article answers, where there are any

The signature is checked before anything in the manifest is believed, and nothing counts that the manifest does not name. A pack is
taken whole or not at all. It holds words: no picture, no script, no action of its own. What it asks Deskside to do it can only
name, and only by the names of the closed list of fixes.
"""

from __future__ import annotations

import hashlib
import io
import re
import stat
import struct
import zipfile
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from client.knowledge.article import ID, LONGEST_ID
from client.knowledge.signing import Signature, Signer, is_right, read_signatures
from client.knowledge.validate import LARGEST_BYTES, Problem, validate

MANIFEST: Final = "manifest.json"
SIGNATURES: Final = "manifest.sig"
NOT_COVERED: Final = "not-covered.txt"
LARGEST_PACK: Final = 16 * 1024 * 1024  # bytes; some 3,000 articles
MOST_FILES: Final = 4000
LARGEST_MANIFEST: Final = 2 * 1024 * 1024
MOST_SIGNATURES: Final = 8  # one for each key while keys are exchanged
LARGEST_SIGNATURES: Final = MOST_SIGNATURES * 200
MEMBER: Final = re.compile(r"([a-z]{2,3}(?:-[a-z0-9]{2,8})?)/([a-z0-9-]+\.md|not-covered\.txt)")
MOST_PROBLEMS: Final = 20  # that are told; a folder that holds no articles at all would fill the screen

# Names that Windows takes for devices, whatever follows the dot.
RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])")

_END: Final = struct.Struct(
    "<4s4H2LH"
)  # the end of a zip archive: mark, disks, entries, where its directory is, comment
_END_MARK: Final = b"PK\5\6"
_ENTRY_BYTES: Final = 46 + 2 * LONGEST_ID  # of a zip's directory, at the most
_WHEN: Final = (1980, 1, 1, 0, 0, 0)  # the first moment that zip knows: the same content is the same file
_UNIX: Final = 3
_MODE: Final = (stat.S_IFREG | 0o644) << 16
_PLAIN_FLAGS: Final = 0x800  # names in UTF-8; any other flag means encryption or a length that comes later


class BadPack(Exception):
    """The pack is refused. `words` says why in one sentence; `problems` names what is wrong with its articles.

    Args:
        words: a sentence.
        problems: the articles' mistakes, where those are the reason.
    """

    def __init__(self, words: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(words)
        self.words = words
        self.problems = problems


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the pack, as the manifest names it."""

    path: str
    bytes: Annotated[int, Meta(ge=0, le=LARGEST_BYTES)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed. A later pack of the same `id` has a larger `version`."""

    schema: Literal[1] = 1
    kind: Literal["deskside.articles"] = "deskside.articles"
    id: Annotated[str, Meta(min_length=1, max_length=LONGEST_ID)]
    title: Annotated[str, Meta(min_length=1, max_length=80)]
    version: Annotated[int, Meta(ge=1, le=2**53)]
    created: datetime
    languages: tuple[str, ...]
    files: Annotated[tuple[Member, ...], Meta(max_length=MOST_FILES)]


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """A pack that was read. `signed_by` are the keys whose signatures are right, `digest` is the SHA-256 of the manifest."""

    manifest: Manifest
    manifest_bytes: bytes
    files: Mapping[str, bytes]
    signatures: tuple[Signature, ...] = ()
    signed_by: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """64 hexadecimal digits; the same for the same content, whoever signed it."""
        return hashlib.sha256(self.manifest_bytes).hexdigest()

    @property
    def articles(self) -> tuple[str, ...]:
        """The articles' ids, each once."""
        return tuple(dict.fromkeys(path.partition("/")[2][:-3] for path in self.files if path.endswith(".md")))


def make(
    files: Mapping[str, bytes],
    *,
    id: str,
    title: str,
    version: int,
    created: datetime,
    known_fixes: Collection[str] | None,
    known_causes: frozenset[str] | None = None,
) -> Pack:
    """A pack of these files (path within the pack: content), not signed yet.

    Raises:
        BadPack: one of them may not be in a pack, or the pack would be refused for another reason.
    """
    strange = [path for path in files if not _is_member(path)]
    if strange:
        raise BadPack(
            f"A pack cannot hold {strange[0][:100]!r}: only LANGUAGE/ARTICLE.md and LANGUAGE/not-covered.txt."
        )
    if not any(path.endswith(".md") for path in files):
        raise BadPack("There is no article: a pack has a folder for each language (en, de) with *.md files in it.")
    if len(files) > MOST_FILES:
        raise BadPack(f"A pack holds at most {MOST_FILES} files.")
    members = tuple(
        Member(path=path, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        for path, content in sorted(files.items())
        if _fits(path, content)
    )
    manifest = Manifest(
        id=id,
        title=title,
        version=version,
        created=created,
        languages=tuple(sorted({path.partition("/")[0] for path in files})),
        files=members,
    )
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    pack = Pack(manifest=_manifest(content), manifest_bytes=content, files=dict(files))
    _judge(pack, known_fixes=known_fixes, known_causes=known_causes)
    if len(write(pack)) > LARGEST_PACK - LARGEST_SIGNATURES:
        raise BadPack(f"The pack would be larger than {LARGEST_PACK >> 20} MB.")
    return pack


def sign(pack: Pack, signer: Signer) -> Pack:
    """The pack with this key's signature beside those that it has.

    Raises:
        BadPack: it has as many signatures as it can have.
    """
    new = signer.sign(pack.manifest_bytes)
    signatures = (*(one for one in pack.signatures if one.key != new.key), new)
    if len(signatures) > MOST_SIGNATURES:
        raise BadPack(f"A pack has at most {MOST_SIGNATURES} signatures.")
    signatures = tuple(sorted(signatures, key=lambda one: one.key))
    keys = tuple(sorted({*pack.signed_by, new.key}))
    return msgspec.structs.replace(pack, signatures=signatures, signed_by=keys)


def write(pack: Pack) -> bytes:
    """The file. The same pack is the same bytes, on every system."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        lines = "".join(f"{one.line()}\n" for one in pack.signatures)
        head = {MANIFEST: pack.manifest_bytes, SIGNATURES: lines.encode()}
        for name, content in (*head.items(), *sorted(pack.files.items())):
            entry = zipfile.ZipInfo(name, _WHEN)
            entry.create_system, entry.external_attr = _UNIX, _MODE
            archive.writestr(entry, content)
    return whole.getvalue()


def read(data: bytes, *, trusted: Collection[str] | None, known_fixes: Collection[str] | None) -> Pack:
    """A pack from its file's bytes, whole and checked.

    Args:
        data: the file.
        trusted: the public keys, one of which must have signed it; None: whoever signed it, or nobody, is told in `signed_by`.
        known_fixes: every fix there is, on whatever system; None: not compared.

    Raises:
        BadPack: it is not taken; says why.
    """
    members = _unzip(data)
    manifest = members.pop(MANIFEST, None)
    signatures = members.pop(SIGNATURES, None)
    if manifest is None or signatures is None:
        raise BadPack("This is not a pack of articles: it has no manifest, or no place for signatures.")
    found, signed_by = _signed(manifest, signatures, trusted)
    pack = Pack(
        manifest=_manifest(manifest), manifest_bytes=manifest, files=members, signatures=found, signed_by=signed_by
    )
    _whole(pack)
    _judge(pack, known_fixes=known_fixes, known_causes=None)
    return pack


def _unzip(data: bytes) -> dict[str, bytes]:
    """Every member by its name; what is unusual in any way is refused."""
    if len(data) > LARGEST_PACK:
        raise BadPack(f"The pack is larger than {LARGEST_PACK >> 20} MB.")
    if len(data) < _END.size or not data.startswith(b"PK\3\4"):
        raise BadPack("This is not a pack of articles.")
    mark, disk, start, here, entries, directory, offset, comment = _END.unpack(data[-_END.size :])
    if mark != _END_MARK:
        raise BadPack("The pack is not whole; the end is missing.")
    if disk or start or comment or here != entries or offset + directory + _END.size != len(data):
        raise BadPack("The pack is built in an unusual way.")
    if entries > MOST_FILES + 2 or directory > entries * _ENTRY_BYTES:
        raise BadPack(f"The pack holds more than {MOST_FILES} files, or names that are too long.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            for entry in listed:
                _plain(entry)
            if len({entry.filename for entry in listed}) != len(listed):
                raise BadPack("The pack holds two files of the same name.")
            if sum(entry.file_size for entry in listed) > len(data):  # members that lie on top of each other
                raise BadPack("The pack would be larger than the file that it came in.")
            return {entry.filename: archive.read(entry) for entry in listed}
    except (
        zipfile.BadZipFile,
        EOFError,
        OSError,
        RuntimeError,
        NotImplementedError,
        ValueError,
        struct.error,
    ) as error:
        raise BadPack("The pack is damaged.") from error


def _plain(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    if name != entry.orig_filename or not (name in {MANIFEST, SIGNATURES} or _is_member(name)):
        raise BadPack(f"The pack holds something that does not belong in one: {entry.orig_filename[:100]!r}.")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG} or entry.is_dir():
        raise BadPack(f"The pack holds a link or another thing that is no file: {name!r}.")
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        raise BadPack(f"The pack holds a compressed file, which could be of any size: {name!r}.")
    if entry.flag_bits & ~_PLAIN_FLAGS or entry.extra:
        raise BadPack(f"The pack holds a file that is stored in an unusual way: {name!r}.")
    largest = {MANIFEST: LARGEST_MANIFEST, SIGNATURES: LARGEST_SIGNATURES}.get(name, LARGEST_BYTES)
    if entry.file_size > largest:
        raise BadPack(f"{name!r} in the pack is larger than {largest >> 10} KB.")


def _is_member(path: str) -> bool:
    match = MEMBER.fullmatch(path)
    if match is None or not path.isascii():
        return False
    name = match[2].removesuffix(".md")
    is_id = len(name) <= LONGEST_ID and ID.fullmatch(name) is not None and RESERVED.fullmatch(name) is None
    return name == NOT_COVERED or is_id


def _fits(path: str, content: bytes) -> bool:
    if len(content) > LARGEST_BYTES:
        raise BadPack(f"{path} is larger than {LARGEST_BYTES >> 10} KB.")
    return True


def _signed(
    manifest: bytes, text: bytes, trusted: Collection[str] | None
) -> tuple[tuple[Signature, ...], tuple[str, ...]]:
    """The signatures, and the keys whose signature is right; with `trusted`, one of those must be among them."""
    try:
        found = read_signatures(text.decode("ascii"), most=MOST_SIGNATURES)
    except ValueError as error:
        raise BadPack("The pack's signature cannot be read.") from error
    right = tuple(sorted(one.key for one in found if is_right(one, manifest)))
    if trusted is None:
        return found, right
    if not found:
        raise BadPack("The pack is not signed.")
    named = [one.key for one in found if one.key in trusted]
    if not named:
        raise BadPack("The pack is signed with a key that this computer does not trust.")
    if not set(named) & set(right):
        raise BadPack("The pack's signature is wrong: it was changed after it was signed.")
    return found, right


def _manifest(content: bytes) -> Manifest:
    try:
        found = msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadPack(f"The pack's manifest cannot be read: {str(error)[:200]}.") from error
    if not ID.fullmatch(found.id):
        raise BadPack("The pack's id must be small letters and digits, with single hyphens between them.")
    if not found.title.isprintable():
        raise BadPack("The pack's title holds a hidden or control character.")
    if found.created.tzinfo is None:
        raise BadPack("The pack's date has no time zone.")
    return found


def _whole(pack: Pack) -> None:
    """Exactly the files that the manifest names, each as it says."""
    named = {one.path: one for one in pack.manifest.files}
    if len(named) != len(pack.manifest.files) or named.keys() != pack.files.keys():
        raise BadPack("The pack does not hold exactly the files that its manifest names.")
    for path, content in pack.files.items():
        if len(content) != named[path].bytes or hashlib.sha256(content).hexdigest() != named[path].sha256:
            raise BadPack(f"{path!r} in the pack is not what was signed.")


def _judge(pack: Pack, *, known_fixes: Collection[str] | None, known_causes: frozenset[str] | None) -> None:
    """Every article must be one that is shown as it is meant."""
    problems: list[Problem] = []
    fixes = None if known_fixes is None else frozenset(known_fixes)
    for path, content in pack.files.items():
        language, _, name = path.partition("/")
        if name == NOT_COVERED:
            problems += _lines(path, content)
            continue
        article, found = validate(
            content, name=name[:-3], file=path, known_fixes=fixes, known_causes=known_causes, source=pack.manifest.title
        )
        problems += found
        if article is not None and article.language != language:
            words = f"Its language is {article.language!r}, but it lies in the folder {language!r}."
            problems.append(Problem(file=path, words=words))
    if problems:
        first, count = problems[0], len(problems)
        more = "" if count == 1 else f" (and {count - 1} more)"
        raise BadPack(f"The pack holds an article that cannot be shown: {first}{more}", tuple(problems[:MOST_PROBLEMS]))


def _lines(path: str, content: bytes) -> tuple[Problem, ...]:
    try:
        content.decode()
    except UnicodeDecodeError:
        return (Problem(file=path, words="The file is not UTF-8 text."),)
    return ()
