"""What algorithms found in a part of a title, read without a search: every row, with all its columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from mediaflow.errors import UsageError

if TYPE_CHECKING:
    from mediaflow.snapshots.reader import SnapshotReader

_MOST_ROWS = 10_000
# Vectors are for machines that have the table.
_HIDDEN = ("title_no", "vector")


def read_annotations(
    reader: SnapshotReader, title_no: int, start_ms: int, end_ms: int, algorithms: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return the rows that overlap a range of a title, in the order of time.

    Parameters
    ----------
    reader : SnapshotReader
        The snapshot.
    title_no : int
        The title's number.
    start_ms, end_ms : int
        The range, half-open; a row without length stands for its instant.
    algorithms : sequence of str
        Whose rows; all without.

    Returns
    -------
    list of dict
        `algorithm`, and the row's columns without its vector.

    Raises
    ------
    UsageError
        The range runs backwards, there is no such algorithm, or more rows than can be told at once.
    """
    parts = reader.manifest.algorithms
    unknown = [name for name in algorithms if name not in parts]
    if unknown:
        raise UsageError(
            f"The published snapshot has nothing of {unknown[0]!r}; it has {', '.join(sorted(parts)) or 'nothing'}.",
            algorithm=unknown[0],
        )
    if not 0 <= start_ms < end_ms < 2**62:
        raise UsageError(f"A range of time begins before it ends; {start_ms} to {end_ms} ms does not.")
    here = (
        f"title_no = {int(title_no)} AND start_ms < {int(end_ms)} "
        f"AND (end_ms > {int(start_ms)} OR (start_ms = end_ms AND start_ms = {int(start_ms)}))"
    )
    rows: list[dict[str, Any]] = []
    for name in sorted(set(algorithms) or parts):
        table = reader.table(parts[name].table)
        columns = [one for one in table.schema.names if one not in _HIDDEN]
        found = pl.DataFrame(
            pl.from_arrow(table.scanner(columns=columns, filter=here, limit=_MOST_ROWS + 1).to_table())
        )
        rows += ({**row, "algorithm": name} for row in found.iter_rows(named=True))
        if len(rows) > _MOST_ROWS:
            raise UsageError(
                f"More than {_MOST_ROWS} rows lie in that range: ask for a shorter one, or for fewer algorithms."
            )
    return sorted(rows, key=lambda row: (row["start_ms"], row["end_ms"], row["algorithm"]))
