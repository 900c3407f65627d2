"""A table of lines, as the tests of tables and of Lance use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import lance
import polars as pl
from lance.query import PhraseQuery

from mediaflow.storage.commits import BASE, BATCH, EPOCH, FENCE
from mediaflow.storage.tables import Table

CUES = {"start_ms": pl.Int64, "text": pl.String}
DIM = 8


def lines(no: int, revision: str, *texts: str) -> pl.DataFrame:
    """Return rows of one title."""
    rows = {"title_no": [no] * len(texts), "revision": [revision] * len(texts), "start_ms": range(len(texts))}
    kinds = {"title_no": pl.Int32, "revision": pl.String, "start_ms": pl.Int64, "text": pl.String}
    return pl.DataFrame({**rows, "text": list(texts)}, schema=kinds)


def put(table: Table, new: Mapping[int, pl.DataFrame], gone: Sequence[int] = (), epoch: int = 1) -> lance.LanceDataset:
    """Replace titles in the newest version, all in one fragment, as the committer does."""
    base = table.open()
    written = table.write(base, [pl.concat(new.values())]) if new else []
    return table.replace(base, [*new, *gone], written, {EPOCH: str(epoch), BATCH: "b", BASE: str(base.version)})


def filled(table: Table, titles: int = 6) -> lance.LanceDataset:
    """Fill a table one title a commit, then compact it, so that its titles share one fragment, and index it."""
    for no in range(titles):
        put(table, {no: lines(no, f"r{no}", f"we sail north of {no}", "the tide is high", "good night")})
    dataset = table.open()
    dataset.optimize.compact_files(target_rows_per_fragment=1_000)
    return table.tend(table.open())


def rows(dataset: lance.LanceDataset, **scan: Any) -> list[tuple[int, str, str]]:
    """Return (title_no, revision, text) of all rows or of those that a scan finds, in order."""
    found = pl.from_arrow(dataset.scanner(columns=["title_no", "revision", "text"], **scan).to_table())
    assert isinstance(found, pl.DataFrame)
    return sorted(found.select("title_no", "revision", "text").rows())


def phrase(dataset: lance.LanceDataset, text: str) -> set[int]:
    return {no for no, _, _ in rows(dataset, full_text_query=PhraseQuery(text, "text"))}


def commit(
    base: lance.LanceDataset,
    *,
    removed: Sequence[int] = (FENCE,),
    new: Sequence[Any] = (),
    max_retries: int = 20,
    **properties: str,
) -> lance.LanceDataset:
    operation = lance.LanceOperation.Update(
        removed_fragment_ids=list(removed), updated_fragments=[], new_fragments=list(new)
    )
    transaction = lance.Transaction(base.version, operation, transaction_properties=properties)
    return lance.LanceDataset.commit(base, transaction, max_retries=max_retries)


def insert(table: Table, base: lance.LanceDataset, no: int) -> list[Any]:
    return table.write(base, [lines(no, "r", "one", "two")])
