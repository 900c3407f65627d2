"""The gate `recall`: how many of the nearest rows an index finds, beside exact search, at several filter widths."""

from __future__ import annotations

import math
from dataclasses import dataclass
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
        f"{name!r} {width}": share
        for name, table in indexed.items()
        for width, share in measure(trial.candidate.table(table), numbers, trial.random(f"recall {name}")).items()
    }
    where, lowest = min(found.items(), key=lambda one: one[1])
    said = f"Of the {DEPTH} nearest rows the index finds {lowest:.1%} in {where}, where it finds least"
    if lowest < limit:
        advice = "delete the index of that table, and the next publish makes it anew"
        return Found(False, f"{said}, and {limit:.1%} are asked for: {advice}.", lowest, limit)
    return Found(True, f"{said}.", lowest, limit)


def indexes(table: lance.LanceDataset) -> list[str]:
    """Return the names of the vector indexes of a table, with what tells one that was made anew."""
    return [str(index) for index in table.list_indices() if "vector" in index["fields"]]


def measure(
    table: lance.LanceDataset, titles: list[int], random: np.random.Generator, exact_rows: int | None = None
) -> dict[str, float]:
    """Return the recall at `DEPTH` by the width of the filter, in words.

    Exact search needs every row, so it is done among the rows of some titles only. With a filter on those, recall is
    the share of the nearest rows that were found. Without one, the same share is taken of those rows among them that
    are nearer than the last one found: each of the nearest rows of the whole table is as likely to be among them.

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
        chosen = order[: math.ceil(width * len(order) / rows)]
        within = _read(table, chosen.tolist())
        asked = random.choice(len(within.vectors), min(_QUERIES, len(within.vectors)), replace=False)
        filters: dict[str, str | None] = (
            {"without a filter": None} if len(chosen) == len(order) or width == int(_WIDTHS[-1] * exact) else {}
        )
        if len(chosen) < len(order):
            filters[f"within {len(chosen)} titles"] = among("title_no", chosen.tolist())
        for words, condition in filters.items():
            answers = []
            for at in asked:
                found = VectorSearcher(within.vectors[at], exact).search(table, condition, DEPTH + 1)
                answers.append((int(at), found["row"].to_numpy(), found["score"].to_numpy()))
            recalls[words] = within.recall(answers)
    return recalls


@dataclass(frozen=True)
class _Rows:
    """Rows that are compared one by one: addresses (n,) uint64 ascending, vectors (n, dim) float32 of unit norm."""

    addresses: np.ndarray
    vectors: np.ndarray

    def recall(self, answers: list[tuple[int, np.ndarray, np.ndarray]]) -> float:
        """Return the share of the nearest rows that were found, over all questions.

        Parameters
        ----------
        answers : list of (int, np.ndarray, np.ndarray)
            Which row was asked with; addresses of the rows found, with their scores, best first.
        """
        import numpy as np

        hits = wanted = 0
        for asked, rows, scores in answers:
            own = rows == self.addresses[asked]
            rows, last = rows[~own][:DEPTH], float(scores[~own][:DEPTH].min(initial=1.0))
            found = np.isin(self.addresses, rows)
            nearness = self.vectors @ self.vectors[asked]
            nearness[asked] = -np.inf
            # No more than `DEPTH` rows can be nearer than the last one found without one of them being missed.
            missed = (nearness > last + _SAME) & ~found
            hits += int(found.sum())
            wanted += int(found.sum() + missed.sum())
        return hits / wanted if wanted else 1.0


def _read(table: lance.LanceDataset, titles: list[int]) -> _Rows:
    import numpy as np

    scanner = table.scanner(columns=["vector"], filter=among("title_no", titles), with_row_address=True)
    found = scanner.to_table()
    addresses = found["_rowaddr"].to_numpy()
    order = np.argsort(addresses)
    kind = found.schema.field("vector").type
    vectors = np.concatenate([chunk.flatten().to_numpy() for chunk in found["vector"].chunks])
    return _Rows(addresses[order], vectors.astype(np.float32).reshape(-1, kind.list_size)[order])


def _same_index(trial: Trial, table: str) -> bool:
    if trial.served is None or table not in trial.served.manifest.tables:
        return False
    return indexes(trial.served.table(table)) == indexes(trial.candidate.table(table))
