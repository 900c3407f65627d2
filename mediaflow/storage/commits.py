"""Commits of rows to Lance tables: what each says of itself, and what the versions of a table tell of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mediaflow.errors import MediaflowError, SystemFault

if TYPE_CHECKING:
    import lance

# The id of a fragment that there never is; every commit removes it, so that no two on one version can both land.
FENCE = 4294967294
EPOCH, BATCH, BASE = "mediaflow.epoch", "mediaflow.batch", "mediaflow.base"


class CommitRefused(MediaflowError):
    """Somebody else changed the table since it was read: look again before doing anything."""


class VersionGone(SystemFault):
    """A version that somebody relies on is not in the store any more."""


def epoch(dataset: lance.LanceDataset, table: str) -> int:
    """Return the epoch of the newest commit of rows, 0 where there is none; `table` is its name, for messages."""
    for version in range(int(dataset.version), 1, -1):
        try:
            transaction = _transaction(dataset, version)
        except OSError as error:
            raise VersionGone(
                f"Version {version} of the table {table} is gone, and no later one says who wrote it: the "
                "store was changed by other means.",
                table=table,
                version=version,
            ) from error
        properties = getattr(transaction, "transaction_properties", None) or {}
        if EPOCH in properties:
            return int(properties[EPOCH])
    return 0


def batches(dataset: lance.LanceDataset, since: int) -> list[str] | None:
    """Return the batches that changed rows after version `since`; None where that cannot be told.

    Indexes and updates that touch nothing (seals) change no rows. What Lance gives no details of, such as a
    compaction of a table with indexes, or a version that is gone, cannot be told.
    """
    import lance

    found = []
    for version in range(since + 1, int(dataset.version) + 1):
        try:
            transaction = _transaction(dataset, version)
        except OSError:
            return None
        operation = getattr(transaction, "operation", None)
        if isinstance(operation, lance.LanceOperation.Update):
            if _touches(operation):
                found.append((transaction.transaction_properties or {}).get(BATCH, ""))
        elif not isinstance(operation, lance.LanceOperation.CreateIndex):
            return None
    return found


def _transaction(dataset: lance.LanceDataset, version: int) -> Any:
    """Return the transaction that made a version; `OSError` where the version is gone.

    None for a compaction that has rewritten an index: Lance 14.0.2 fails to give it to Python.
    """
    try:
        return dataset.read_transaction(version)
    except TypeError:
        return None


def _touches(update: lance.LanceOperation.Update) -> bool:
    """Say whether an update changes any rows."""
    gone = [number for number in update.removed_fragment_ids if number != FENCE]
    return bool(gone or update.updated_fragments or update.new_fragments)
