"""What somebody may see: titles by their ids, and series by name, whatever episodes these come to have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mediaflow.search.titles.names import fold

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Rights:
    """The right to some titles.

    Attributes
    ----------
    titles : frozenset of str
        Ids of titles.
    series : frozenset of str
        Names of series; case and accents make no difference, parts of names are not enough.
    """

    titles: frozenset[str] = frozenset()
    series: frozenset[str] = frozenset()

    def among(self, titles: pl.DataFrame) -> frozenset[str]:
        """Return the ids of those titles of a snapshot that may be seen.

        Parameters
        ----------
        titles : pl.DataFrame
            title_id and series (nullable) of all titles.
        """
        import polars as pl

        wanted = {fold(name) for name in self.series}
        names = [name for name in titles["series"].unique().to_list() if name and fold(name) in wanted]
        seen = pl.col("title_id").is_in(sorted(self.titles)) | pl.col("series").is_in(names)
        return frozenset(titles.filter(seen)["title_id"].to_list())
