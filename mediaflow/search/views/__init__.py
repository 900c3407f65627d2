"""Views: other forms of an answer than a list of hits, each in one file, made of the moments of all pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import polars as pl

    from mediaflow.search.titles.catalogue import Catalogue


class View(Protocol):
    """One form of an answer."""

    def show(self, moments: pl.DataFrame, spoken: pl.DataFrame, catalogue: Catalogue) -> list[dict[str, Any]]:
        """Return the answer as JSON objects.

        Parameters
        ----------
        moments : pl.DataFrame
            MOMENTS of `mediaflow.search.post.moments`, in the order of the answer.
        spoken : pl.DataFrame
            Which cues the moments come from: `moment` (its place in `moments`) and `speaker`, as written.
        catalogue : Catalogue
            Titles and people of the snapshot.
        """
        ...
