"""An algorithm of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import polars as pl

from mediaflow.algorithms.contract import Algorithm, Batch, Shape


class Loud(Algorithm):
    """Gives the cues in capitals; `trouble` says what it raises on which title."""

    name = "loud"
    version = "1"
    owner = "ann@example.org"
    inputs = ("cues",)
    shape = Shape.TEXT
    fields: ClassVar[dict[str, Any]] = {"letters": pl.Int32}

    def __init__(self, **trouble: BaseException | None) -> None:
        self.trouble = trouble
        self.batches: list[list[str]] = []

    def run(self, batch: Batch) -> Iterator[pl.DataFrame]:
        self.batches.append([title.title_id for title in batch])
        for title in batch:
            if error := self.trouble.get(title.title_id, self.trouble.get("every")):
                raise error
            text = pl.col("text").str.to_uppercase()
            yield title.cues.select("start_ms", "end_ms", text, letters=pl.col("text").str.len_chars().cast(pl.Int32))
