"""A library of small films, algorithms whose rows are imported, and files of such rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from mediaflow.demo.library import make_film
from mediaflow.imports.importing import Imported
from mediaflow.library import Library
from mediaflow.publishing.publisher import Publication
from mediaflow.settings import Settings
from tests.refreshing import refresh

FILMS = ("Alps (1991)", "Bees (1992)", "Cats (1993)")
LASTS_MS = 2_000
DECLARED = """
import polars as pl

from mediaflow.algorithms.contract import Imported, Shape


class Signs(Imported):
    name = "signs"
    version = "{version}"
    owner = "ann@example.org"
    description = "What is written on signs, read elsewhere."
    shape = Shape.BOXED_TEXT
    fields = {{"reader": pl.String, "letters": pl.Int16, "tags": pl.List(pl.String)}}
"""


def sign(title: str, start_ms: int = 0, end_ms: int = 500, **more: Any) -> dict[str, Any]:
    """Return one row."""
    row = {"title": title, "start_ms": start_ms, "end_ms": end_ms, "text": "EXIT", "confidence": 0.5}
    return row | {"x": 0.25, "y": 0.25, "w": 0.5, "h": 0.5} | more


class Attic:
    """The library; each film lasts two seconds."""

    def __init__(self, folder: Path, films: Sequence[str] = FILMS) -> None:
        self.folder = folder
        self.films = folder / "films"
        self.algorithms = folder / "algorithms"
        self.algorithms.mkdir(parents=True)
        self.declare("1")
        for seed, name in enumerate(films):
            make_film(self.films / f"{name}.mp4", seed=seed, shots=2, size=(96, 64), shot_seconds=1.0, fps=12)

    @property
    def settings(self) -> Settings:
        return Settings(
            home=self.folder / "home",
            library=self.films,
            algorithm_folders=[self.algorithms],
            built_in=["dialogue"],
            settle_s=0,
            decode_workers=1,
        )

    def library(self) -> Library:
        return Library(self.settings)

    def declare(self, version: str) -> None:
        (self.algorithms / "signs.py").write_text(DECLARED.format(version=version))

    def scan(self) -> None:
        with self.library() as library:
            library.scan()

    def refresh(self) -> Publication:
        with self.library() as library:
            return refresh(library)

    def lines(self, *rows: Mapping[str, Any] | str) -> Path:
        """Write rows as JSON lines."""
        path = self.folder / "rows.jsonl"
        path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in rows))
        return path

    def parquet(self, *rows: Mapping[str, Any], **kinds: Any) -> Path:
        """Write rows as Parquet."""
        path = self.folder / "rows.parquet"
        pl.DataFrame(list(rows), schema_overrides=kinds, infer_schema_length=None).write_parquet(path)
        return path

    def take(self, path: Path, **how: Any) -> Imported:
        with self.library() as library:
            return library.import_annotations(path, "signs", **how)

    def served(self) -> dict[str, list[str]]:
        """Return the texts that are served of each title."""
        with self.library() as library, library.current() as reader:
            rows = pl.DataFrame(pl.from_arrow(reader.table(reader.manifest.algorithms["signs"].table).to_table()))
            names = pl.DataFrame(pl.from_arrow(reader.table("titles").to_table(columns=["title_no", "title_id"])))
        found: dict[str, list[str]] = {title: [] for title in names["title_id"]}
        for title, text in rows.join(names, on="title_no").sort("start_ms").select("title_id", "text").iter_rows():
            found[title].append(text)
        return found

    def computed(self) -> dict[str, str]:
        """Return the attempt of what is fresh of each title."""
        with self.library() as library:
            rows = library.plan().frame.filter((pl.col("stage") == "signs") & (pl.col("state") == "fresh"))
        return dict(rows.select("title_id", "attempt").iter_rows())
