"""An import: a file is read twice, first to see whether its rows are sound, then title by title; never all at once.

Rows that are sound wait on disk, in as many parts as fit into memory one at a time, all rows of a title in one.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediaflow.errors import SystemFault
from mediaflow.imports import files
from mediaflow.imports.check import ROW, TITLE, Declared, Problem, Titles, sound
from mediaflow.imports.given import Imports, keep
from mediaflow.imports.hashed import revision
from mediaflow.planning.stage import NOT_GIVEN, Given
from mediaflow.storage.objects import ObjectStore

if TYPE_CHECKING:
    import polars as pl

# So many bytes of rows are in memory at once, about.
PART_BYTES = 64 << 20
_MOST_PARTS = 256
# So many bad rows get a sentence of their own; the others are counted.
SENTENCES = 20
# What is done (`checking`, `importing`), and how much of it, from 0 to 1.
Progress = Callable[[str, float], None]
CHECKING, IMPORTING = "checking", "importing"


@dataclass(frozen=True)
class Imported:
    """What came of an import.

    Attributes
    ----------
    algorithm : str
        What the rows are of.
    rows, bad : int
        How many rows the file has, and how many of these are not sound.
    problems : tuple of Problem
        What is wrong with the first of the bad ones.
    changed, same, removed : tuple of str
        Titles that have other rows than before, the same rows, and none any more.
    done : bool
        Whether it counts from now on: not in a dry run, nor where bad rows stopped it.
    """

    algorithm: str
    rows: int
    bad: int
    problems: tuple[Problem, ...]
    changed: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    done: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "algorithm": self.algorithm,
            "rows": self.rows,
            "bad": self.bad,
            "problems": [one._asdict() for one in self.problems],
            "changed": list(self.changed),
            "same": list(self.same),
            "removed": list(self.removed),
            "done": self.done,
        }


@dataclass
class _Checked:
    rows: int = 0
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)
    titles: set[str] = field(default_factory=set)

    def result(
        self,
        declared: Declared,
        changed: Iterable[str] = (),
        same: Iterable[str] = (),
        removed: Iterable[str] = (),
        done: bool = False,
    ) -> Imported:
        others, alike, none = (tuple(sorted(of)) for of in (changed, same, removed))
        problems = tuple(self.problems)
        return Imported(declared.algorithm.name, self.rows, self.bad, problems, others, alike, none, done)


def import_file(
    store: ObjectStore,
    imports: Imports,
    path: Path,
    declared: Declared,
    titles: Titles,
    folder: Path,
    *,
    replace: bool = False,
    skip_bad: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda what, share: None,
    part_bytes: int = PART_BYTES,
) -> Imported:
    """Import the rows of a file: the titles that it names have these rows from now on, and no others.

    Parameters
    ----------
    store, imports : ObjectStore, Imports
        Where rows go, and what was imported until now.
    path : Path
        Parquet, or one JSON object a line.
    declared, titles
        What rows must be, and the titles that they can be of.
    folder : Path
        Where rows may wait on disk.
    replace : bool
        The file is all there is: titles that it does not name have no rows any more.
    skip_bad : bool
        Import the other rows where some are bad. A title all of whose rows are bad keeps what it has.
    dry_run : bool
        Only say what would come of it.
    progress : callable
        Is told how far it is.
    part_bytes : int
        About so many bytes of rows are in memory at once; of one title, all rows are.

    Raises
    ------
    UsageError
        The file is not there, is broken, or has other columns than those declared.
    """
    before = imports.given().get(declared.algorithm.name, {})
    try:
        with tempfile.TemporaryDirectory(prefix="import-", dir=folder) as waiting:
            checked, parts = _check(path, declared, titles, Path(waiting), part_bytes, progress)
            if checked.bad and not skip_bad:
                return checked.result(declared)
            found = _rows_found(store, declared.algorithm.name, parts, before, dry_run, progress)
    except OSError as error:
        raise SystemFault(
            f"Rows cannot be kept in {folder} while they are imported ({error.strerror}): make room there.",
            path=str(folder),
        ) from error
    changed = {title: given for title, given in found.items() if before.get(title) != given}
    gone = before.keys() - found.keys() - checked.titles if replace else set()
    if not dry_run:
        _count(imports, declared.algorithm.name, changed | dict.fromkeys(gone, NOT_GIVEN))
    return checked.result(declared, changed, found.keys() - changed.keys(), gone, not dry_run)


def _count(imports: Imports, name: str, changed: Mapping[str, Given]) -> None:
    """Let what changed count from now on; the first import of an algorithm counts whatever is in it."""
    if changed or name not in imports.given():
        imports.append(name, changed)


def _rows_found(
    store: ObjectStore,
    name: str,
    parts: Sequence[Path],
    before: Mapping[str, Given],
    dry_run: bool,
    progress: Progress,
) -> dict[str, Given]:
    """Return what is there of the rows of each title of the file, written where that differs from before."""
    found: dict[str, Given] = {}
    for number, part in enumerate(parts):
        progress(IMPORTING, number / len(parts))
        for title_id, rows in _of_titles(part):
            found[title_id] = _kept(store, name, title_id, rows, before, dry_run)
    return found


def _kept(
    store: ObjectStore, name: str, title_id: str, rows: pl.DataFrame, before: Mapping[str, Given], dry_run: bool
) -> Given:
    """Return what is there of a title's rows: as it was where they say the same, or written now."""
    own = revision(rows)
    known = before.get(title_id, NOT_GIVEN)
    if known.revision == own:
        return known
    return Given(own, "") if dry_run else keep(store, name, title_id, own, rows)


def _check(
    path: Path, declared: Declared, titles: Titles, waiting: Path, part_bytes: int, progress: Progress
) -> tuple[_Checked, list[Path]]:
    """Look at all rows; leave the sound ones in folders, all rows of a title in one of them."""
    size, batches = files.read(path, declared)
    parts = min(_MOST_PARTS, size // part_bytes + 1)
    checked = _Checked()
    for number, read in enumerate(batches):
        rows, problems = sound(read.frame, declared, titles)
        checked.rows += read.rows
        found = sorted([*read.problems, *problems])
        checked.bad += len(found)
        checked.problems += found[: SENTENCES - len(checked.problems)]
        checked.titles |= _named(read.frame, titles)
        for part, own in _parted(rows, parts):
            folder = waiting / f"{part:03d}"
            folder.mkdir(exist_ok=True)
            own.drop(ROW).write_ipc(folder / f"{number:08d}.arrow")
        progress(CHECKING, read.done)
    return checked, sorted(waiting.iterdir())


def _named(rows: pl.DataFrame, titles: Titles) -> set[str]:
    found = (titles.find(said)[0] for said in rows[TITLE].drop_nulls().unique())
    return {title for title in found if title is not None}


def _parted(rows: pl.DataFrame, parts: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield rows by the part that their title is in."""
    import polars as pl

    ids = rows[TITLE].unique()
    part_of = {title_id: zlib.crc32(title_id.encode()) % parts for title_id in ids}
    for part in sorted(set(part_of.values())):
        own = [title_id for title_id, of in part_of.items() if of == part]
        yield part, rows.filter(pl.col(TITLE).is_in(own))


def _of_titles(part: Path) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the rows of each title of a part, without the title."""
    import polars as pl

    rows = pl.concat(pl.read_ipc(file) for file in sorted(part.iterdir())).sort(TITLE)
    for (title_id,), own in rows.group_by(TITLE, maintain_order=True):
        yield str(title_id), own.drop(TITLE)
