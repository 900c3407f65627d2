"""Upkeep of a Lance table: compaction and indexes, by thresholds. Rows stay as they are, and so do answers.

Nothing here carries the fence of a commit of rows: a compaction or an index that lands late does no harm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import lance

# A compacted fragment has about so many bytes: few enough that rewriting one is cheap, and as few rows as fit.
FRAGMENT_BYTES = 128_000_000
_MOST_ROWS, _FEWEST_ROWS = 1_000_000, 1_024
# A table of fewer bytes, without an index of words or vectors that would be made anew, is compacted so much sooner:
# such a table, of titles say, is read as a whole, and each of its files costs as much as hundreds of its rows.
_SMALL_BYTES, _SOONER = 16_000_000, 5
VECTOR = "vector"
# An index of vectors is made with a partition for so many; one of so many times more is made anew. Half as many to a
# partition would cost each new vector a third more, with the same recall.
PARTITION_ROWS, _MOST_GROWTH = 8_192, 2

# Parts words at apostrophes and hyphens too, so that "été" is found in "l’été" and "don't" in "don’t".
_FULL_TEXT: dict[str, Any] = {
    "base_tokenizer": "icu/split",
    "with_position": True,
    "stem": False,
    "remove_stop_words": False,
    "lower_case": True,
    "ascii_folding": True,
    "max_token_length": None,
}


@dataclass(frozen=True)
class Upkeep:
    """When upkeep is due.

    Attributes
    ----------
    fragments : int
        With more fragments that are smaller than a compacted one, a table is compacted; a small one without an index
        of words or vectors with more than a fifth of them.
    deleted_share : float
        A table of which a larger share is deleted is compacted; a few deleted rows are not worth it.
    unindexed_share : float
        An index that lacks a larger share of the rows is brought up to date; what it lacks is searched without it.
    vector_rows : int
        From so many vectors on there is an index of them.
    """

    fragments: int = 100
    deleted_share: float = 0.25
    unindexed_share: float = 0.05
    vector_rows: int = 100_000


def tend(dataset: lance.LanceDataset, text: str | None, due: Upkeep) -> bool:
    """Make indexes that are missing, bring up to date those that lag, merge small fragments, drop deleted rows.

    Parameters
    ----------
    dataset : lance.LanceDataset
        The newest version; one with rows. The handle stays where it is.
    text : str, optional
        The column that gets a full-text index.
    due : Upkeep
        When it is due.

    Returns
    -------
    bool
        Whether anything was due.
    """
    target = _compaction(dataset, due, plain=not text and VECTOR not in dataset.schema.names)
    done = _index(dataset, text, due, whole=target is not None)
    if target is not None:
        _fresh(dataset).optimize.compact_files(
            target_rows_per_fragment=target, materialize_deletions_threshold=due.deleted_share
        )
    return done or target is not None


def _fresh(dataset: lance.LanceDataset) -> lance.LanceDataset:
    """Open the newest version; whatever is done to a table moves the handle by which it is done."""
    import lance

    return lance.dataset(dataset.uri)


def _compaction(dataset: lance.LanceDataset, due: Upkeep, *, plain: bool) -> int | None:
    """Return how many rows a compacted fragment shall have; None where compaction is not due.

    `plain`: the table has no index of words or vectors.
    """
    fragments = [fragment.metadata for fragment in dataset.get_fragments()]
    physical = sum(fragment.physical_rows for fragment in fragments)
    size = sum(file.file_size_bytes or 0 for fragment in fragments for file in fragment.files)
    target = min(max(FRAGMENT_BYTES * physical // max(size, 1), _FEWEST_ROWS), _MOST_ROWS)
    most = due.fragments // _SOONER if plain and size < _SMALL_BYTES else due.fragments
    small = sum(fragment.physical_rows < target for fragment in fragments)
    deleted = physical - dataset.count_rows()
    is_due = small > most or deleted > max(physical * due.deleted_share, _FEWEST_ROWS)
    return target if is_due else None


def _index(dataset: lance.LanceDataset, text: str | None, due: Upkeep, *, whole: bool) -> bool:
    """Care for the indexes where that is due; `whole`: each is to be one part that lacks nothing.

    Lance merges only fragments that are in the same parts of the same indexes.
    """
    rows = dataset.count_rows()
    there = {one.field_names[0]: one for one in dataset.describe_indices()}
    missing: dict[str, Callable[[lance.LanceDataset], object]] = {
        "title_no": lambda fresh: fresh.create_scalar_index("title_no", "BTREE")
    }
    if text:
        missing[text] = lambda fresh: fresh.create_scalar_index(text, "INVERTED", **_FULL_TEXT)
    if VECTOR in dataset.schema.names and rows >= due.vector_rows:
        missing[VECTOR] = _make_vector_index
    least = rows if whole else rows * (1 - due.unindexed_share)
    lagging = {
        column: one
        for column, one in there.items()
        if one.num_rows_indexed < least or (whole and len(one.segments) > 1)
    }
    to_make = [make for column, make in missing.items() if column not in there]
    for make in to_make:
        make(_fresh(dataset))
    for column, one in lagging.items():
        _bring_up_to_date(_fresh(dataset), one, column, rows)
    return bool(to_make or lagging)


def _make_vector_index(dataset: lance.LanceDataset) -> None:
    # Of unit vectors the nearest by L2 are those by cosine, without another look at their norms.
    dataset.create_index(VECTOR, "IVF_RQ", metric="l2", num_bits=1, target_partition_size=PARTITION_ROWS, replace=True)


def _bring_up_to_date(dataset: lance.LanceDataset, one: Any, column: str, rows: int) -> None:
    """Add to an index the rows that it lacks, and make one part of it.

    One of vectors that has grown far beyond what its partitions were made for is made anew. Until then its partitions
    stay: Lance, when it is not told how many parts to merge, makes them anew each time, at six times the cost.
    """
    if column == VECTOR and rows > _MOST_GROWTH * PARTITION_ROWS * len(dataset.get_ivf_model(one.name).centroids):
        _make_vector_index(dataset)
    else:
        dataset.optimize.optimize_indices(index_names=[one.name], num_indices_to_merge=len(one.segments))
