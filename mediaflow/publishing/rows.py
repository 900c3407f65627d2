"""Rows of the two tables that every snapshot has: `titles` (one a title) and `people` (talent and character)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mediaflow.publishing.state import Served, revisions, written
from mediaflow.storage import artifacts
from mediaflow.storage.objects import ObjectStore
from mediaflow.storage.tables import Table

if TYPE_CHECKING:
    import polars as pl


def titles_table(store: ObjectStore) -> Table:
    """Return the table `titles`."""
    import polars as pl

    columns = {
        "title_id": pl.String,
        "title": pl.String,
        "kind": pl.String,
        "year": pl.Int32,
        "genres": pl.List(pl.String),
        "languages": pl.List(pl.String),
        "series": pl.String,
        "season": pl.Int32,
        "episode": pl.Int32,
        "duration_ms": pl.Int64,
        "entry": pl.String,
        "facts": pl.String,
        "revisions": pl.String,
        "served": pl.String,
    }
    return Table(store, "titles", columns)


def people_table(store: ObjectStore) -> Table:
    """Return the table `people`."""
    import polars as pl

    return Table(store, "people", {"talent": pl.String, "character": pl.String, "position": pl.Int32})


def of_titles(store: ObjectStore, titles: Mapping[str, Mapping[str, Served]]) -> pl.DataFrame:
    """Return the rows of `titles`, one a title.

    Where the files are is no part of them: the catalogue says that at any time, and a film that moves changes no
    answer.
    """
    import polars as pl

    catalogue = of_stage(store, "catalogue", "catalogue", titles, "catalogue")
    facts = of_stage(store, "media", "media", titles, "media")["facts"]
    duration_ms = [int(json.loads(said)["duration_ms"]) for said in facts]
    return catalogue.drop("people").with_columns(
        pl.Series("title_id", list(titles), dtype=pl.String),
        pl.Series("duration_ms", duration_ms, dtype=pl.Int64),
        facts,
        pl.Series("revisions", [revisions(of) for of in titles.values()], dtype=pl.String),
        pl.Series("served", [written(of) for of in titles.values()], dtype=pl.String),
    )


def of_stage(
    store: ObjectStore, stage: str, part: str, titles: Mapping[str, Mapping[str, Served]], key: str
) -> pl.DataFrame:
    """Return the rows that titles have of a part of a stage, whose artifacts are served under the name `key`."""
    ones = ((title, of[key]) for title, of in titles.items())
    pieces = [artifacts.Piece(title, one.revision, one.attempt, one.rows[part]) for title, one in ones]
    return artifacts.read_all(store, stage, part, pieces)
