"""IT's packs on this computer: fetched, judged, kept for when there is no network, and replaced as a whole or not at all.

Each pack of the settings has a folder of its own, named after its address. In it are the articles of the pack that counts, in a
folder named after its content, and `state.json`, which says which that is. A new pack is written beside the old one; then
`state.json` is replaced, and only then the old one goes. Whoever is killed in between leaves the last good pack in place.

An older pack than the one kept is refused, and so is another pack at the same address. What was kept counts only as long as one
of the keys that signed it is still trusted: a key that IT takes back takes its packs along.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

import msgspec

from client.errors import DesksideError
from client.knowledge.pack import LARGEST_PACK, MANIFEST, BadPack, Manifest, Pack, read
from client.knowledge.validate import LARGEST_BYTES

STATE: Final = "state.json"
LARGEST_STATE: Final = 64 * 1024
FORGOTTEN_AFTER_S: Final = (
    30 * 86400.0
)  # a pack that the settings do not name any more; another settings file may name it
SPARE_LIVES_S: Final = 3600.0  # what a killed process left half written
_OK: Final = 200
_UNCHANGED: Final = 304

log = logging.getLogger(__name__)


class Source(Protocol):
    """A pack as the settings name it."""

    @property
    def url(self) -> str:
        """Where it is fetched from."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The public keys that may have signed it."""


class Got(Protocol):
    """What a server answered."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def body(self) -> bytes:
        """The file, for 200."""

    @property
    def etag(self) -> str:
        """The server's name for this content."""


class Fetch(Protocol):
    """Asks a server for a file; raises `DesksideError` when there is no whole answer."""

    def __call__(self, url: str, *, etag: str, largest: int) -> Awaitable[Got]:
        """Gives at most `largest` + 1 bytes; status 304 when it is still the one called `etag`."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one pack. `folder` is empty as long as none was taken.

    `etag` is that of the last file that was read whole, and `refused` why it was not taken (empty: it was). Both count only for
    the same `judge` (keys and program), which would come to the same result. `out_of_reach` says why the last look failed.
    """

    schema: int = 1
    url: str
    folder: str = ""
    id: str = ""
    title: str = ""
    version: int = 0
    created: datetime | None = None
    digest: str = ""
    signed_by: tuple[str, ...] = ()
    articles: int = 0
    etag: str = ""
    judge: str = ""
    looked_at: datetime | None = None
    taken_at: datetime | None = None
    refused: str = ""
    out_of_reach: str = ""

    @property
    def trouble(self) -> str:
        """Why the kept pack may not be the newest, in a sentence; empty: it is."""
        return self.out_of_reach or self.refused


class Packs:
    """The packs of the settings, the most important first. Reading is cheap; `refresh` fetches.

    Args:
        folder: where they are kept; made when first needed.
        sources: as the settings name them.
    """

    def __init__(self, folder: Path, sources: tuple[Source, ...]) -> None:
        self._folder = folder
        self._sources = sources

    def folders(self) -> tuple[tuple[Path, str], ...]:
        """The folders of articles that count, with their titles; the least important first, as `Library` wants them."""
        found = []
        for source in reversed(self._sources):
            state = self._usable(source)
            if state is not None:
                found.append((self._place(source) / state.folder, state.title))
        return tuple(found)

    def states(self) -> tuple[State, ...]:
        """One for each pack of the settings, in their order; what does not count any more is said not to."""
        found = []
        for source in self._sources:
            state = self._usable(source)
            if state is None:
                known = self._read(source)
                state = State(
                    url=source.url, refused=known.refused, out_of_reach=known.out_of_reach, looked_at=known.looked_at
                )
            found.append(state)
        return tuple(found)

    async def refresh(
        self,
        fetch: Fetch,
        *,
        known_fixes: Collection[str],
        judge: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> tuple[State, ...]:
        """Looks for newer packs, one after the other. Gives every pack's state as `states` does; never raises for a bad one.

        Args:
            fetch: asks the servers.
            known_fixes: every fix there is, on whatever system; a pack that names another one is refused.
            judge: who judges: the program's version. A pack that was refused is looked at again by another judge.
            now: the clock.
        """
        for source in self._sources:
            try:
                await self._look(source, fetch, known_fixes=known_fixes, judge=judge, now=now())
            except OSError as error:
                log.warning("the pack of %s cannot be kept: %s", source.url, error)
                words = f"It could not be kept on this computer: {(error.strerror or type(error).__name__).lower()}."
                with contextlib.suppress(OSError):
                    self._write(
                        source, msgspec.structs.replace(self._read(source), out_of_reach=words, looked_at=now())
                    )
        self._sweep()
        return self.states()

    async def _look(
        self, source: Source, fetch: Fetch, *, known_fixes: Collection[str], judge: str, now: datetime
    ) -> None:
        known = self._read(source)
        judge = hashlib.sha256("\n".join((judge, *sorted(source.keys))).encode()).hexdigest()
        counts = self._usable(source) is not None
        whole = counts and self._is_whole(self._place(source) / known.folder, known)
        judged = known.judge == judge and (whole or (not counts and bool(known.refused)))
        try:
            got = await fetch(source.url, etag=known.etag if judged else "", largest=LARGEST_PACK)
        except DesksideError as error:
            self._write(source, msgspec.structs.replace(known, looked_at=now, out_of_reach=error.message))
            return
        known = msgspec.structs.replace(known, looked_at=now, out_of_reach="")
        if got.status == _UNCHANGED and known.etag and judged:
            self._write(source, known)
            return
        if got.status != _OK:
            words = f"The server answered {got.status} where the pack should be."
            self._write(source, msgspec.structs.replace(known, out_of_reach=words))
            return
        seen = msgspec.structs.replace(known, etag=got.etag, judge=judge)
        try:
            pack = read(got.body, trusted=source.keys, known_fixes=known_fixes)
            if counts:
                _no_step_back(pack, known)
        except BadPack as error:
            log.warning("the pack of %s is refused: %s", source.url, error.words)
            self._write(source, msgspec.structs.replace(seen, refused=error.words))
            return
        self._take(source, pack, seen, now=now)

    def _take(self, source: Source, pack: Pack, seen: State, *, now: datetime) -> None:
        place = self._place(source)
        name = f"articles-{pack.digest[:32]}"
        if not self._is_whole(place / name, State(url=source.url, digest=pack.digest)):
            self._make(place)
            spare = Path(tempfile.mkdtemp(prefix=".new-", dir=place))
            try:
                for path, content in {**pack.files, MANIFEST: pack.manifest_bytes}.items():
                    (spare / path).parent.mkdir(exist_ok=True)
                    _write_whole(spare / path, content)
                if (place / name).exists():  # damaged, or it would have been whole
                    shutil.rmtree(place / name)
                spare.rename(place / name)
            except BaseException:
                shutil.rmtree(spare, ignore_errors=True)
                raise
        manifest = pack.manifest
        self._write(
            source,
            msgspec.structs.replace(
                seen,
                folder=name,
                id=manifest.id,
                title=manifest.title,
                version=manifest.version,
                created=manifest.created,
                digest=pack.digest,
                signed_by=pack.signed_by,
                articles=len(pack.articles),
                taken_at=now,
                refused="",
            ),
        )

    def _usable(self, source: Source) -> State | None:
        """The state, if a pack is kept and one of its keys is trusted."""
        state = self._read(source)
        here = (
            state.folder and set(state.signed_by) & set(source.keys) and (self._place(source) / state.folder).is_dir()
        )
        return state if here else None

    def _make(self, place: Path) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.mkdir(mode=0o700, exist_ok=True)

    def _place(self, source: Source) -> Path:
        return self._folder / hashlib.sha256(source.url.encode()).hexdigest()[:24]

    def _read(self, source: Source) -> State:
        """What is known; nothing where the file is missing or was damaged."""
        with contextlib.suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
            with (self._place(source) / STATE).open("rb") as file:
                state = msgspec.json.decode(file.read(LARGEST_STATE), type=State)
            if state.url == source.url and Path(state.folder).name == state.folder:
                return state
        return State(url=source.url)

    def _write(self, source: Source, state: State) -> None:
        place = self._place(source)
        self._make(place)
        number, name = tempfile.mkstemp(prefix=".state-", dir=place)
        os.close(number)
        try:
            _write_whole(Path(name), msgspec.json.encode(state))
            Path(name).replace(place / STATE)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise

    @staticmethod
    def _is_whole(folder: Path, state: State) -> bool:
        """Whether the folder holds exactly what was signed: disks lose files, and people delete what they do not know."""
        try:
            manifest_bytes = (folder / MANIFEST).read_bytes()
            if hashlib.sha256(manifest_bytes).hexdigest() != state.digest:
                return False
            for one in msgspec.json.decode(manifest_bytes, type=Manifest).files:
                with (folder / one.path).open("rb") as file:
                    if hashlib.sha256(file.read(LARGEST_BYTES + 1)).hexdigest() != one.sha256:
                        return False
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return False
        return True

    def _sweep(self) -> None:
        """Takes away what no pack needs: older folders, half written ones, and packs that nobody has named for a month."""
        wanted = {self._place(source): self._read(source).folder for source in self._sources}
        now = time.time()
        for place in _inside(self._folder):
            if place not in wanted:
                with contextlib.suppress(OSError):
                    if now - (place / STATE).stat().st_mtime > FORGOTTEN_AFTER_S:
                        shutil.rmtree(place, ignore_errors=True)
                continue
            for one in _inside(place):
                with contextlib.suppress(OSError):
                    if one.name in {STATE, wanted[place]} or now - one.stat().st_mtime < SPARE_LIVES_S:
                        continue  # another process may be about to use what is new
                    if one.is_dir():
                        shutil.rmtree(one, ignore_errors=True)
                    else:
                        one.unlink()


def _no_step_back(pack: Pack, known: State) -> None:
    manifest = pack.manifest
    if manifest.id != known.id:
        raise BadPack(f"This is another pack ({manifest.id}) than the one that was here before ({known.id}).")
    if manifest.version < known.version:
        raise BadPack(f"The pack is older (version {manifest.version}) than the one kept (version {known.version}).")
    if manifest.version == known.version and pack.digest != known.digest:
        raise BadPack(
            f"The pack has other content under the same version ({known.version}); a new one needs a higher one."
        )


def _write_whole(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _inside(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
