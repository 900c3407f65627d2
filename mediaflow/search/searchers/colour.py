"""Rows with a colour that is near one, the largest and nearest first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from mediaflow.algorithms.palette import OKLAB, oklab
from mediaflow.errors import UsageError
from mediaflow.search.literals import both
from mediaflow.search.searchers.matches import MATCHES, best_first

if TYPE_CHECKING:
    import lance

REACH = 0.1
"""Colours are near up to this distance in Oklab: five times what can just be told apart."""

_CODE = re.compile(r"#[0-9a-f]{6}", re.I | re.A)


@dataclass(frozen=True)
class ColourSearcher:
    """Finds the rows whose colour is near one; scored by the share of the picture, less the farther it is.

    The score is `confidence * (1 - distance / REACH)`.

    Attributes
    ----------
    colour : tuple of float
        L, a and b in Oklab.
    """

    colour: tuple[float, float, float]

    ranks: ClassVar[bool] = False

    def search(self, table: lance.LanceDataset, condition: str | None, limit: int | None) -> pl.DataFrame:
        place = list(zip(OKLAB, self.colour, strict=True))
        squares = " + ".join(f"({name} - ({at:.9f})) * ({name} - ({at:.9f}))" for name, at in place)
        columns = ["title_no", "start_ms", "end_ms", "confidence", *OKLAB]
        near = both(condition, f"{squares} < {REACH**2:.9f}")
        scanner = table.scanner(columns=columns, filter=near, with_row_address=True)
        found = pl.DataFrame(pl.from_arrow(scanner.to_table())).rename({"_rowaddr": "row"})
        distance = pl.sum_horizontal((pl.col(name).cast(pl.Float64) - at) ** 2 for name, at in place).sqrt()
        scored = found.with_columns((pl.col("confidence") * (1 - distance / REACH)).alias("score"))
        best = best_first(scored.select(pl.col(name).cast(kind) for name, kind in MATCHES.items()))
        return best.head(limit) if limit is not None else best


def colour_of(code: str) -> tuple[float, float, float]:
    """Return the Oklab coordinates of `#rrggbb`; `UsageError` where it is none."""
    import numpy as np

    if not _CODE.fullmatch(code):
        raise UsageError(f"{code!r} is no colour; write #rrggbb, such as #aa2200.", colour=code)
    lightness, green_red, blue_yellow = oklab(np.array(list(bytes.fromhex(code[1:])), np.uint8)).tolist()
    return lightness, green_red, blue_yellow
