"""`dialogue`: what is said and described, line by line, with language and speaker as written."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from mediaflow.algorithms.contract import Algorithm, Batch, Shape


class Dialogue(Algorithm):
    """Gives every cue as a line of text; who a speaker is in the cast is worked out when somebody asks."""

    name = "dialogue"
    version = "1"
    owner = "team:mediaflow"
    description = "What is said, in every language of the subtitles: words or an exact phrase."
    inputs = ("cues",)
    shape = Shape.TEXT
    fields = {  # noqa: RUF012 - declared by the contract
        "kind": pl.String,
        "language": pl.String,
        "speaker": pl.String,
        "track": pl.String,
        "forced": pl.Boolean,
        "sdh": pl.Boolean,
    }

    def run(self, batch: Batch) -> Iterator[pl.DataFrame]:
        for title in batch:
            yield title.cues.select("start_ms", "end_ms", "text", *self.fields)
