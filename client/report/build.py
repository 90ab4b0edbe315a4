"""Writes a report as one zip file: report.html to look at, report.json for programs, summary.txt for anything else.

It passes the same gate as a ticket. The file appears whole or not at all.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from client.errors import StorageFault, UsageError
from client.model import Draft
from client.report.compose import HTML, JSON, SUMMARY, clean_draft, report_json
from client.report.html import page
from client.report.pseudonyms import Pseudonyms
from client.report.redact import HIDDEN, PrivacyOf
from client.report.summary import changes_told, environment, summary, tell
from diagnostics.model import SCHEMA, Privacy, Report

EARLIEST: Final = datetime(1980, 1, 1, tzinfo=UTC)  # what a zip can say
LARGEST_BYTES: Final = 64 << 20


def write(
    report: Report,
    target: Path,
    who: Mapping[str, str],
    *,
    healthy: Report | None = None,
    pseudonyms: Pseudonyms | None = None,
    privacy_of: PrivacyOf | None = None,
    hide: frozenset[Privacy] = HIDDEN,
) -> Path:
    """Writes the report to a zip file, after redaction; the same report always gives the same bytes.

    Args:
        report: what was found.
        target: the file; ".zip" is added to a name without an ending. A file that is there is replaced, a link is not followed.
        who: `client`, `device`, `platform`.
        healthy: the last report in which nothing was wrong: what differs from it is told.
        pseudonyms: as `compose`.
        privacy_of: as `compose`.
        hide: as `compose`.

    Returns:
        The file.

    Raises:
        UsageError: the target cannot be a file.
        StorageFault: the disk did not take it; nothing half-written is left.
    """
    target = target if target.suffix else target.with_name(f"{target.name}.zip")
    data = pack(report, who, healthy=healthy, pseudonyms=pseudonyms, privacy_of=privacy_of, hide=hide)
    _check(target)
    new = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with contextlib.suppress(FileNotFoundError):
            new.unlink()
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink()
        raise _fault(error, target) from error
    return target


def pack(
    report: Report,
    who: Mapping[str, str],
    *,
    healthy: Report | None = None,
    pseudonyms: Pseudonyms | None = None,
    privacy_of: PrivacyOf | None = None,
    hide: frozenset[Privacy] = HIDDEN,
) -> bytes:
    """The zip file's bytes; arguments as `write`."""
    made = _moment(report)
    draft = Draft(id="", created_at=made, report=report)
    cleaned = clean_draft(draft, who=who, healthy=healthy, pseudonyms=pseudonyms, privacy_of=privacy_of, hide=hide)
    found = cleaned.report or report
    story = tell(
        key="",
        report=found,
        words="",
        tried=(),
        changed=cleaned.changed,
        worked=cleaned.worked,
        environment=environment(who=who, report=found, device=who.get("device", ""), facts=found.facts),
    )
    html = page(
        story=story,
        report=found,
        tried=(),
        changed=changes_told(cleaned.worked, cleaned.changed),
        facts=found.facts,
        who={"client": "", "device": "", "platform": "", **who},
        subject="",
    )
    parts = {
        HTML: html.encode(),
        JSON: report_json(found, story=story, tried=(), changed=()),
        SUMMARY: summary(story, causes=found.diagnosis).encode(),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in parts.items():
            entry = zipfile.ZipInfo(name, max(made, EARLIEST).timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | 0o600) << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def read(path: Path) -> Report:
    """The report in a file that `write` or `deskside check --json` has made.

    Raises:
        UsageError: there is none, or it is not a report.
    """
    try:
        data = _json_of(path)
        return msgspec.json.decode(data, type=Report)
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no file {path}.", hint="Give the file that `deskside report` has written."
        ) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    except (ValueError, KeyError, zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise UsageError(
            f"{path} is not a report of Deskside that this version can read (it reads version {SCHEMA}).",
            hint="Give the file that `deskside report` or `deskside check --json` has written.",
        ) from error


def _json_of(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if start[:2] != b"PK":
            data = file.read(LARGEST_BYTES + 1)
        else:
            with zipfile.ZipFile(file) as archive, archive.open(JSON) as part:
                data = part.read(LARGEST_BYTES + 1)  # not more, whatever the archive says of itself
    if len(data) > LARGEST_BYTES:
        raise ValueError("too large")
    return data


def _check(target: Path) -> None:
    try:
        found = target.lstat()
    except FileNotFoundError:
        if not target.parent.is_dir():
            raise UsageError(f"There is no folder {target.parent}.", hint="Make it first, or choose another.") from None
        return
    except OSError as error:
        raise _fault(error, target) from error
    if stat.S_ISLNK(found.st_mode):
        raise UsageError(
            f"{target} is a link to another place, which Deskside does not follow.", hint="Choose another name."
        )
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{target} is there already and is not a file.", hint="Choose another name.")


def _fault(error: OSError, target: Path) -> StorageFault:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFault(f"The disk is full, so {target.name} could not be written.")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return StorageFault(f"Deskside may not write into {target.parent}.", hint="Choose another folder.")
    return StorageFault(f"{target.name} could not be written: {(error.strerror or str(error)).lower()}.")


def _moment(report: Report) -> datetime:
    try:
        return datetime.fromisoformat(report.started_at).astimezone(UTC)
    except ValueError:
        return EARLIEST
