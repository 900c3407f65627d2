"""What is left of runs that are over, and of snapshots that are gone: small objects, unfinished writes, caches.

An epoch whose object is deleted can be taken once more by somebody who looked before and slept; it is below that of the
fence then, and whoever takes an epoch reads the log next and ends.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from mediaflow.publishing.collector.tally import Tally
from mediaflow.storage import layout

# A probe is written and read at once, and so is what a put writes before it gives it its name.
_STALE_MS = 3_600_000


def sweep_objects(tally: Tally, epoch: int, now_ms: int) -> None:
    """Delete epochs and candidates below the own one, probes that nobody reads any more, and unfinished writes."""
    for prefix in (layout.EPOCHS, layout.CANDIDATES):
        found = tally.store.list(prefix)
        tally.objects += tally.delete(info for info in found if _number(info.key.removeprefix(prefix)) < epoch)
    probes = tally.store.list(layout.PROBES)
    tally.objects += tally.delete(info for info in probes if now_ms - info.modified_ms > _STALE_MS)
    tally.objects += tally.tidy(_STALE_MS)


def sweep_cache(tally: Tally, cache: Path, kept: Collection[str]) -> None:
    """Delete the pictures of snapshots that are gone."""
    folder = cache / "thumbnails"
    for snapshot in sorted(folder.iterdir()) if folder.is_dir() else ():
        if snapshot.name in kept:
            continue
        for file in sorted(snapshot.iterdir()):
            tally.objects += 1
            tally.size_bytes += file.stat().st_size
            if not tally.dry_run:
                file.unlink(missing_ok=True)
        if not tally.dry_run:
            snapshot.rmdir()


def _number(name: str) -> int:
    """Return the number that a name begins with; what has none is none of ours, and stays."""
    digits = name.partition(".")[0]
    return int(digits) if digits.isdigit() else 2**64
