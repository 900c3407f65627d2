"""Rows of the two tables that every snapshot has: `titles` (one a title) and `people` (talent and character)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mediaflow.planning.revisions import digest
from mediaflow.publishing.committer import Wanted
from mediaflow.publishing.cut import Served
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


def title_row(store: ObjectStore, title_id: str, served: Mapping[str, Served]) -> Wanted:
    """Return the wanted row of `titles`; its revision is a hash of all that it says.

    Where the files are is no part of it: the catalogue says that at any time, and a film that moves changes no answer.
    """
    said = {name: [one.revision, one.attempt, dict(one.rows)] for name, one in served.items()}

    def load() -> pl.DataFrame:
        import polars as pl

        catalogue, media = (_read(store, stage, title_id, served) for stage in ("catalogue", "media"))
        facts: dict[str, Any] = json.loads(media["facts"][0])
        return catalogue.drop("people").with_columns(
            pl.lit(title_id).alias("title_id"),
            pl.lit(int(facts["duration_ms"]), dtype=pl.Int64).alias("duration_ms"),
            pl.lit(media["facts"][0]).alias("facts"),
            pl.lit(json.dumps({name: row[0] for name, row in said.items() if ":" not in name})).alias("revisions"),
            pl.lit(json.dumps(said)).alias("served"),
        )

    return Wanted(digest([title_id, said]), 1, load)


def people_rows(store: ObjectStore, title_id: str, served: Mapping[str, Served]) -> Wanted:
    """Return the wanted rows of `people`."""
    one = served["catalogue"]

    def load() -> pl.DataFrame:
        return _read(store, "catalogue", title_id, served, part="people")

    return Wanted(one.revision, one.rows["people"], load)


def _read(
    store: ObjectStore, stage: str, title_id: str, served: Mapping[str, Served], part: str | None = None
) -> pl.DataFrame:
    one = served[stage]
    return artifacts.read(store, stage, title_id, one.revision, one.attempt, part or stage)
