"""The gate `recall`: how many of the nearest rows an index finds, beside exact search, at several filter widths."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mediaflow.publishing.gates.gate import Found, Trial, vector_parts
from mediaflow.search.literals import among

if TYPE_CHECKING:
    import lance
    import numpy as np

DEPTH = 20
_QUERIES = 16
# The narrowest filter is just wider than what is searched row by row; the widest is what a second can compare.
_WIDTHS = (1.25, 5.0)
_SAME = 1e-4


def judge(trial: Trial) -> Found:
    """Fail where an index finds less than the limit's share of the twenty rows that are nearest to sampled vectors.

    Measured anew only when an index was made or brought up to date: rows that are in no index are compared exactly.
    """
    limit = trial.limits.recall_least
    parts = vector_parts(trial.candidate.manifest)
    indexed = {name: part.table for name, part in parts.items() if indexes(trial.candidate.table(part.table))}
    if not indexed:
        return Found(None, "No table of vectors has an index: every search compares all rows, so it is exact.")
    carried = trial.carried("recall", limit, all(_same_index(trial, table) for table in indexed.values()))
    if carried is not None:
        return carried
    numbers = sorted(trial.titles.catalogue[title] for title in trial.titles.after)
    found = {
        f"{name!r} within {width}": share
        for name, table in indexed.items()
        for width, share in measure(trial.candidate.table(table), numbers, trial.random(f"recall {name}")).items()
    }
    where, lowest = min(found.items(), key=lambda one: one[1])
    said = f"Of the {DEPTH} nearest rows the index finds {lowest:.1%} in {where}"
    if lowest < limit:
        advice = "delete the index of that table, and the next publish makes it anew"
        return Found(False, f"{said}, and {limit:.1%} are asked for: {advice}.", lowest, limit)
    return Found(True, f"{said}.", lowest, limit)


def indexes(table: lance.LanceDataset) -> list[str]:
    """Return what tells the parts of a table's vector indexes from any that are made later."""
    return sorted(str(index["uuid"]) for index in table.list_indices() if "vector" in index["fields"])


def measure(
    table: lance.LanceDataset, titles: list[int], random: np.random.Generator, exact_rows: int | None = None
) -> dict[str, float]:
    """Return the recall at `DEPTH` by the width of the filter, in words.

    Exact search needs every row, so it is done within filters on some titles, whatever the size of the table. An index
    finds the less the narrower the filter is: without one it finds more than within the widest.

    Parameters
    ----------
    table : lance.LanceDataset
        With vectors of unit norm.
    titles : list of int
        The titles that have rows.
    random : np.random.Generator
        Draws titles and queries; queries are vectors of the table, which do not count as their own neighbours.
    exact_rows : int, optional
        Up to so many rows are searched row by row; that of the search where it is not given.
    """
    from mediaflow.search.searchers.vector import EXACT_ROWS, VectorSearcher

    exact = EXACT_ROWS if exact_rows is None else exact_rows
    rows, order = table.count_rows(), random.permutation(titles)
    recalls: dict[str, float] = {}
    for width in sorted({min(int(width * exact), rows) for width in _WIDTHS}):
        chosen = order[: math.ceil(width * len(order) / rows)].tolist()
        condition = among("title_no", chosen) if len(chosen) < len(order) else None
        addresses, vectors = _read(table, chosen)
        shares = []
        for at in random.choice(len(vectors), min(_QUERIES, len(vectors)), replace=False).tolist():
            found = VectorSearcher(vectors[at], exact).search(table, condition, DEPTH + 1)["row"].to_numpy()
            shares.append(_share(at, addresses, vectors, found))
        recalls[f"{len(vectors)} rows"] = sum(shares) / len(shares)
    return recalls


def _share(at: int, addresses: np.ndarray, vectors: np.ndarray, found: np.ndarray) -> float:
    """Return the share of the `DEPTH` rows nearest to row `at` that were found; equally near ones stand for each other.

    Parameters
    ----------
    at : int
        The row that was asked with.
    addresses, vectors : np.ndarray
        Of all rows that fit the filter: (n,) uint64, and (n, dim) float32 of unit norm.
    found : np.ndarray
        Addresses of the rows that were found, best first; the row itself may be among them.
    """
    import numpy as np

    nearness = vectors @ vectors[at]
    nearness[at] = -np.inf
    depth = min(DEPTH, len(vectors) - 1)
    if not depth:
        return 1.0
    least = np.partition(nearness, -depth)[-depth] - _SAME
    near = addresses[nearness >= least]
    return min(1.0, float(np.isin(found[found != addresses[at]][:DEPTH], near).sum()) / depth)


def _read(table: lance.LanceDataset, titles: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return addresses and vectors of the rows of some titles, of unit norm as near as single precision has it."""
    import numpy as np

    scanner = table.scanner(columns=["vector"], filter=among("title_no", titles), with_row_address=True)
    found = scanner.to_table()
    kind = found.schema.field("vector").type
    flat = np.concatenate([chunk.flatten().to_numpy() for chunk in found["vector"].chunks])
    vectors = flat.astype(np.float32).reshape(-1, kind.list_size)
    return found["_rowaddr"].to_numpy(), vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)


def _same_index(trial: Trial, table: str) -> bool:
    if trial.served is None or table not in trial.served.manifest.tables:
        return False
    return indexes(trial.served.table(table)) == indexes(trial.candidate.table(table))
