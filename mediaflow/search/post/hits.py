"""From moments to hits: the rows behind those that are shown are read, and say what there is to show."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mediaflow.search.post.evaluation import Evaluation
from mediaflow.search.query import Clause, Presence, leaves
from mediaflow.search.results import Box, Hit, Source
from mediaflow.search.route.asked import Tables
from mediaflow.search.route.fields import own_fields
from mediaflow.search.titles.people import Voices

if TYPE_CHECKING:
    from mediaflow.snapshots.manifest import AlgorithmPart, Manifest


_TITLE = ("title_id", "title", "series", "season", "episode")


class Showing:
    """Makes the hits of one question.

    Parameters
    ----------
    manifest : Manifest
        Of the snapshot that answered.
    tables : callable
        Opens the table of an algorithm.
    titles : pl.DataFrame
        title_no, title_id, title, series, season, episode.
    """

    def __init__(self, manifest: Manifest, tables: Tables, titles: pl.DataFrame) -> None:
        self._manifest = manifest
        self._tables = tables
        self._titles = titles

    def hits(
        self,
        shown: pl.DataFrame,
        evaluation: Evaluation,
        clauses: Sequence[Clause],
        voices: Voices | None,
        rescored: bool = False,
    ) -> list[Hit]:
        """Return the hits of some moments of an evaluation, in their order.

        Parameters
        ----------
        shown : pl.DataFrame
            MOMENTS with `grouped`.
        evaluation : Evaluation
            Where they come from.
        clauses : sequence of Clause
            What was evaluated.
        voices : Voices, optional
            Whom the filters ask for.
        rescored : bool
            Whether the moments have scores of their own, and not those of fusion.
        """
        several = shown.get_column("sources").to_list()
        read = self._read(np.unique(np.fromiter(itertools.chain(*several), np.int64)), evaluation, clauses)
        numbers = shown.get_column("title_no").to_numpy()
        # Titles are in the order of their numbers.
        at = np.searchsorted(self._titles.get_column("title_no").to_numpy(), numbers)
        titles = self._titles[list(_TITLE)][at].rows()
        moments = shown[["title_no", "start_ms", "end_ms", "score", "grouped"]].rows()
        hits: list[Hit] = []
        for moment, title, own in zip(moments, titles, several, strict=True):
            title_no, start_ms, end_ms, score, grouped = moment
            title_id, named, series, season, episode = title
            sources = _sources(own, read)
            hits.append(
                Hit(
                    title_no=title_no,
                    title_id=title_id,
                    title=named,
                    start_ms=start_ms,
                    end_ms=end_ms,
                    score=score if rescored or len(evaluation.leaves) > 1 else sources[0].score,
                    sources=sources,
                    snapshot=self._manifest.id,
                    series=series,
                    season=season,
                    episode=episode,
                    match=None if voices is None else _presence(title_no, sources, voices),
                    grouped=grouped,
                )
            )
        return hits

    def speakers(self, moments: pl.DataFrame, evaluation: Evaluation) -> pl.DataFrame:
        """Return who speaks in the cues that moments come from: `moment` (its place), `speaker` (as written)."""
        frames = [pl.DataFrame(schema={"moment": pl.UInt32, "speaker": pl.String})]
        moment = pl.int_range(pl.len(), dtype=pl.UInt32).alias("moment")
        of_sources = moments.select(moment, number="sources").explode("number", empty_as_null=False)
        for answered, numbers, at in evaluation.sources(of_sources["number"].unique().to_numpy()):
            part = self._manifest.algorithms.get(answered.asked.algorithm)
            if part and "speaker" in part.fields:
                matches = answered.matches[at]
                places = pl.DataFrame({"number": numbers, "row": matches["row"]})
                rows = answered.asked.read(self._tables, matches.unique("row")).drop_nulls("speaker")
                told = of_sources.join(places.join(rows, on="row"), on="number").select("moment", "speaker")
                frames.append(told)
        return pl.concat(frames).unique(maintain_order=True)

    def _read(
        self, numbers: NDArray[np.int64], evaluation: Evaluation, clauses: Sequence[Clause]
    ) -> dict[int, tuple[int, Source]]:
        """Read the rows behind some sources; return by number of a source its row and what it says."""
        places = {leaf: at for at, leaf in enumerate(leaves(clauses))}
        read: dict[int, tuple[int, Source]] = {}
        for answered, some, at in evaluation.sources(numbers):
            matches, algorithm, clause = answered.matches[at], answered.asked.algorithm, places[answered.leaf]
            part = self._manifest.algorithms.get(algorithm)
            rows = answered.asked.read(self._tables, matches, list(own_fields(part)) if part else ())
            scores = matches.get_column("score").to_list()
            for number, row, score, place in zip(
                some.tolist(), rows.iter_rows(named=True), scores, at.tolist(), strict=True
            ):
                read[number] = row["row"], _source(algorithm, part, row, score, clause, place + 1)
        return read


def _source(
    algorithm: str, part: AlgorithmPart | None, row: Mapping[str, Any], score: float, clause: int, rank: int
) -> Source:
    return Source(
        algorithm=algorithm,
        generation=part.generation if part else "",
        model=part.model if part else None,
        revision=row["revision"],
        score=score,
        start_ms=row["start_ms"],
        end_ms=row["end_ms"],
        clause=clause,
        rank=rank,
        text=row["text"],
        box=None if row["x"] is None else Box(row["x"], row["y"], row["w"], row["h"]),
        language=row["language"],
        speaker=row["speaker"],
        fields=_finite(row["own"]) if row.get("own") is not None else None,
    )


def _finite(value: Any) -> Any:
    """Return a value in which what is no finite number is None."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _sources(numbers: Iterable[int], read: Mapping[int, tuple[int, Source]]) -> tuple[Source, ...]:
    sources: dict[tuple[str, int], Source] = {}
    for number in numbers:
        row, source = read[number]
        # Two clauses may find the same row; it is one source, with its first score.
        sources.setdefault((source.algorithm, row), source)
    return tuple(sources.values())


def _presence(title_no: int, sources: tuple[Source, ...], voices: Voices) -> Presence | None:
    if any(source.speaker and (title_no, source.speaker) in voices.speakers for source in sources):
        return "speaks"
    return "in cast" if title_no in voices.cast else None
