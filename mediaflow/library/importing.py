"""What a library takes in that was made elsewhere: annotations in files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mediaflow.algorithms.contract import IMPORTED
from mediaflow.errors import UsageError
from mediaflow.library.opened import Opened

if TYPE_CHECKING:
    from mediaflow.imports.check import Declared, Titles
    from mediaflow.imports.importing import Imported, Progress


class Importing(Opened):
    """Imports."""

    def import_annotations(
        self,
        file: Path,
        algorithm: str,
        *,
        replace: bool = False,
        skip_bad: bool = False,
        dry_run: bool = False,
        progress: Progress = lambda what, share: None,
    ) -> Imported:
        """Import annotations; the next refresh computes, checks and publishes them like any other.

        Parameters
        ----------
        file : Path
            Parquet, or one JSON object a line.
        algorithm : str
            Which declared algorithm the rows are of.
        replace, skip_bad, dry_run, progress
            See `mediaflow.imports.importing.import_file`.

        Raises
        ------
        UsageError
            There is no such algorithm, its rows are not imported ones, or the file as a whole cannot be used.
        """
        from mediaflow.imports.importing import import_file

        declared = self._declared(algorithm)
        return import_file(
            self.store,
            self.imports,
            file,
            declared,
            self._named_titles(),
            self.cache,
            replace=replace,
            skip_bad=skip_bad,
            dry_run=dry_run,
            progress=progress,
        )

    def _declared(self, name: str) -> Declared:
        from mediaflow.imports.check import Declared
        from mediaflow.stages.graph import vector_dim

        one = next((one for one in self.algorithms if one.name == name), None)
        if one is None:
            own = ", ".join(one.name for one in self.algorithms if one.algorithm and IMPORTED in one.algorithm.inputs)
            raise UsageError(
                f"There is no algorithm {name!r}: rows can be imported for {own or 'none yet'}. Declare it in a file "
                "of 'algorithm_folders', as a subclass of Imported.",
                algorithm=name,
            )
        if one.algorithm is None:
            raise UsageError(f"{name} cannot be imported while its declaration is broken: {one.broken}", algorithm=name)
        if IMPORTED not in one.algorithm.inputs:
            raise UsageError(
                f"The rows of {name} are computed: only those of a subclass of Imported come from a file.",
                algorithm=name,
            )
        model = self.declared().known().get(name)
        if isinstance(model, str):
            raise UsageError(model, algorithm=name)
        return Declared(one.algorithm, vector_dim(one.algorithm, model))

    def _named_titles(self) -> Titles:
        """Return the titles, with the lengths of those films that were looked at already."""
        import polars as pl

        from mediaflow.imports.check import Titles
        from mediaflow.planning.plan import FRESH

        media = self.plan().frame.filter((pl.col("stage") == "media") & (pl.col("state") == FRESH))
        lasts = pl.col("facts").str.json_path_match("$.duration_ms").cast(pl.Int64)
        durations = dict(media.select("title_id", lasts).drop_nulls().iter_rows())
        return Titles([(one.title_id, one.entry.title) for one in self.titles()], durations)
