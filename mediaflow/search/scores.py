"""Scores of one's own: a plug-in of one file that says, from all that fusion knows, how good each moment is.

Found like algorithms: in the folders of the setting `score_folders`, and in packages by the entry point group
`mediaflow.scores`. A query names one; without it moments are scored by reciprocal ranks.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from mediaflow.algorithms.loading import module_of
from mediaflow.errors import AlgorithmError, UsageError
from mediaflow.search.post.evaluation import Evaluation, weighted_leaves
from mediaflow.search.post.moments import MOMENTS
from mediaflow.search.query import Clause

ENTRY_POINTS = "mediaflow.scores"
# Whatever somebody else's code raises is its own; a panic of Polars is no `Exception`.
_RAISED = (Exception, SystemExit, pl.exceptions.PanicException)


class ScoreFailed(AlgorithmError):
    """A score is broken: questions that name it are not answered, all others are."""


class Score:
    """A score; subclass it in one file, fill in the class attributes and write `score`.

    Attributes
    ----------
    name : str
        Lower case letters, digits and `_`; queries name it so.
    owner : str
        Who is asked when it breaks: an e-mail address, or `team:name`.
    """

    name: ClassVar[str]
    owner: ClassVar[str]

    def score(self, found: pl.DataFrame) -> pl.DataFrame:
        """Say how good each moment is; the same for the same rows, wherever and whenever it is asked.

        Parameters
        ----------
        found : polars.DataFrame
            A row for each row of a table that a moment comes from, in the order of moments, clauses and ranks:
            `moment` (UInt32: which one), `title_no` (Int32), `start_ms`, `end_ms` (Int64: the moment's range),
            `fused` (Float64: its score without this), `clause` (Int32: which clause found the row, its place among
            those that are no combination, from 0), `rank` (Int64: the row's place there, from 1, equal scores share
            it), `score` (Float64: the row's own), `weight` (Float64: the clause's).

        Returns
        -------
        polars.DataFrame
            `moment` and `score` (a finite number, more is better), each moment once, in any order.
        """
        raise TypeError(f"{type(self).__name__} must define score(found)")


class Scores:
    """The scores that there are, read when one is first asked for.

    Parameters
    ----------
    folders : sequence of Path
        Folders whose files are scores; each `*.py` that does not begin with `_` is one.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._folders = tuple(folders)
        self._found: dict[str, Score | ScoreFailed] | None = None
        self._lock = threading.Lock()

    def named(self, name: str) -> Score:
        """Return a score.

        Raises
        ------
        UsageError
            There is none of that name.
        ScoreFailed
            It cannot be used; the sentence says why, and whose it is.
        """
        with self._lock:
            if self._found is None:
                self._found = dict(_all(self._folders))
            found = self._found.get(name)
        if found is None:
            there = ", ".join(sorted(self._found)) or "none; the setting 'score_folders' says where they are"
            raise UsageError(f"There is no score {name!r}; there are {there}.", score=name)
        if isinstance(found, ScoreFailed):
            raise ScoreFailed(found.message, **found.fields)
        return found


def rescored(score: Score, moments: pl.DataFrame, evaluation: Evaluation, clauses: Sequence[Clause]) -> pl.DataFrame:
    """Return moments with other scores, best first; equal ones in the order of titles and times.

    Raises
    ------
    ScoreFailed
        It raised something, or gave something else than a finite number for each moment.
    """
    numbered = moments.with_row_index("moment")
    try:
        given = score.score(_found(numbered, evaluation, clauses))
    except _RAISED as error:
        raise _failed(score, f"raised {type(error).__name__}: {error}") from error
    own = _checked(score, given, len(moments))
    scored = numbered.drop("score").join(own, on="moment", maintain_order="left").select(MOMENTS.keys())
    return scored.sort("score", "title_no", "start_ms", "end_ms", descending=[True, False, False, False])


def _found(numbered: pl.DataFrame, evaluation: Evaluation, clauses: Sequence[Clause]) -> pl.DataFrame:
    """Return what `Score.score` is given."""
    places = {leaf: (at, weight) for at, (leaf, weight) in reversed(list(enumerate(weighted_leaves(clauses))))}
    of_sources = numbered.rename({"score": "fused", "sources": "number"}).explode("number", empty_as_null=False)
    frames = []
    for answered, numbers, at in evaluation.sources(of_sources["number"].unique().to_numpy()):
        clause, weight = places[answered.leaf]
        ranked = answered.matches.select("score", rank=pl.col("score").rank("min", descending=True).cast(pl.Int64))
        told = pl.DataFrame({"number": numbers}).hstack(ranked[at])
        frames.append(told.with_columns(clause=pl.lit(clause, pl.Int32), weight=pl.lit(weight, pl.Float64)))
    rows = of_sources.join(pl.concat(frames), on="number") if frames else of_sources.clear()
    columns = ("moment", "title_no", "start_ms", "end_ms", "fused", "clause", "rank", "score", "weight")
    empty = {"clause": pl.Int32, "rank": pl.Int64, "score": pl.Float64, "weight": pl.Float64}
    absent = [pl.lit(None, kind).alias(name) for name, kind in empty.items() if name not in rows.columns]
    return rows.with_columns(absent).select(columns).sort("moment", "clause", "rank", "score", maintain_order=True)


def _checked(score: Score, given: Any, moments: int) -> pl.DataFrame:
    """Return `moment` and `score` of what a score gave."""
    if not isinstance(given, pl.DataFrame) or not {"moment", "score"} <= set(given.columns):
        columns = f" of {', '.join(given.columns)}" if isinstance(given, pl.DataFrame) else ""
        what = f"gave a {type(given).__name__}{columns} where a DataFrame with 'moment' and 'score' was asked for"
        raise _failed(score, what)
    try:
        own = given.select(pl.col("moment").cast(pl.UInt32), pl.col("score").cast(pl.Float64))
    except _RAISED as error:
        raise _failed(score, f"gave something else than numbers: {error}") from error
    if not own["moment"].sort().equals(pl.int_range(moments, dtype=pl.UInt32, eager=True).alias("moment")):
        raise _failed(score, f"gave {len(own)} scores for {moments} moments, and each of them has one")
    if not own["score"].is_finite().fill_null(False).all():
        raise _failed(score, "gave scores that are no finite numbers")
    return own


def _failed(score: Score, what: str) -> ScoreFailed:
    return ScoreFailed(
        f"The score {score.name!r} {what}. Its owner is {score.owner}; the same question without it is answered.",
        score=score.name,
        owner=score.owner,
    )


def _all(folders: Sequence[Path]) -> Iterator[tuple[str, Score | ScoreFailed]]:
    """Yield scores by name, the first of a name last, so that it stands; one that is broken by the name of its file."""
    files = [file for folder in folders for file in sorted(folder.glob("[!_]*.py"))]
    points = sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)
    loads: list[tuple[str, str, Callable[[], Any]]] = [
        (file.stem, str(file), partial(module_of, file)) for file in files
    ]
    loads += [(point.name, point.value, point.load) for point in points]
    for name, source, load in reversed(loads):
        try:
            kinds = _kinds(load())
            made = [(kind.name, kind()) for kind in kinds]
            if not made:
                raise TypeError("it has no subclass of Score")
            for own, one in made:
                if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", own) or not isinstance(one.owner, str):
                    raise TypeError("'name' is lower case letters, digits and '_', and 'owner' is a str")
            yield from made
        except _RAISED as error:
            said = f"The score {name!r} in {source} cannot be used: {type(error).__name__}: {error}."
            yield name, ScoreFailed(said, score=name, source=source)


def _kinds(loaded: Any) -> list[type[Score]]:
    """Return the scores of a module, or the one that an entry point names."""
    if isinstance(loaded, type):
        return [loaded] if issubclass(loaded, Score) else []
    own = (one for one in vars(loaded).values() if isinstance(one, type) and issubclass(one, Score))
    return [one for one in own if one is not Score and one.__module__ == loaded.__name__]
