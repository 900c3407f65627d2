"""What differs between two snapshots: titles, models, generations, rows, gates. Columns are compared, never rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.reader import SnapshotReader

if TYPE_CHECKING:
    import polars as pl


def diff(before: SnapshotReader, after: SnapshotReader) -> dict[str, Any]:
    """Compare two snapshots.

    Returns
    -------
    dict
        `before`, `after` (ids); `added`, `removed` (ids of titles); `changed` (by id: the stages whose artifact is
        another); `models`, `generations` (by algorithm or stage, where they differ: `[before, after]`, None where
        there is none; of a model its declared name and its identity); `rows` (by table without its generation, where
        they differ: `[before, after]`); `gates` (by gate, where they differ: `[before, after]`, each verdict, value and
        the reason of an override).
    """
    titles = _titles(before, after)
    one, other = before.manifest, after.manifest
    return {
        "before": before.id,
        "after": after.id,
        **titles,
        "models": _differing(_models(one), _models(other)),
        "generations": _differing(one.generations, other.generations),
        "rows": _differing(_rows(one), _rows(other)),
        "gates": _differing(_gates(one), _gates(other)),
    }


def _titles(before: SnapshotReader, after: SnapshotReader) -> dict[str, Any]:
    import polars as pl

    both = _served(before).join(_served(after), on="title_id", how="full", suffix="_after", coalesce=True)
    there, then = pl.col("title_no"), pl.col("title_no_after")
    ids = {
        "added": both.filter(there.is_null())["title_id"].sort().to_list(),
        "removed": both.filter(then.is_null())["title_id"].sort().to_list(),
    }
    kept = both.filter(there.is_not_null() & then.is_not_null() & (pl.col("revisions") != pl.col("revisions_after")))
    stages = (
        pl.concat([_stages(kept, "revisions"), _stages(kept, "revisions_after")])
        .unique(["title_id", "stage", "revision"], keep="none")
        .group_by("title_id")
        .agg(pl.col("stage").unique().sort())
        .sort("title_id")
    )
    return {**ids, "changed": dict(stages.iter_rows())}


def _served(reader: SnapshotReader) -> pl.DataFrame:
    import polars as pl

    found = pl.from_arrow(reader.table("titles").to_table(columns=["title_no", "title_id", "revisions"]))
    assert isinstance(found, pl.DataFrame)
    return found


def _stages(titles: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return one row a title and stage: title_id, stage, revision, from JSON objects of stage to revision."""
    import polars as pl

    pairs = pl.col(column).str.extract_all(r'"[^"]+": ?"[^"]*"')
    return (
        titles.select("title_id", pair=pairs)
        .explode("pair")
        .select(
            "title_id",
            stage=pl.col("pair").str.extract(r'^"([^"]+)"'),
            revision=pl.col("pair").str.extract(r'"([^"]*)"$'),
        )
    )


def _models(manifest: Manifest) -> dict[str, tuple[str, str]]:
    models = {name: part.model for name, part in manifest.algorithms.items() if part.model}
    return {name: (manifest.encoders.get(model, ""), model) for name, model in models.items()}


def _rows(manifest: Manifest) -> dict[str, int]:
    served = {part.table for part in manifest.algorithms.values()}
    served |= {"titles", "people", manifest.shots or "", manifest.thumbnails or ""}
    return {name.rpartition("-")[0] or name: part.rows for name, part in manifest.tables.items() if name in served}


def _gates(manifest: Manifest) -> dict[str, tuple[str, float | None, str]]:
    return {gate["name"]: (gate["verdict"], gate["value"], gate["reason"]) for gate in manifest.gates}


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        name: (before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    }
