"""What is left of runs that are over, and of snapshots that are gone: small objects, leases, weights, caches.

An epoch whose object is deleted can be taken once more by somebody who looked before and slept; it is below that of the
fence then, and whoever takes an epoch reads the log next and ends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from mediaflow.models.record import weights_prefix
from mediaflow.publishing.collector.tally import Tally
from mediaflow.quality import stored
from mediaflow.snapshots.leases import leases
from mediaflow.snapshots.manifest import Manifest
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


def sweep_leases(tally: Tally, now_ms: int) -> None:
    """Delete pins and leases of engines that were over long ago; an owner that wakes later puts another one."""
    for prefix in (layout.PINS, layout.ENGINES):
        over = {f"{prefix}{one.id}.json" for one in leases(tally.store, prefix) if not one.live(now_ms - _STALE_MS)}
        tally.objects += tally.delete(info for info in tally.store.list(prefix) if info.key in over)


def sweep_models(tally: Tally, retired: Callable[[], Collection[str]], kept: Iterable[Manifest]) -> None:
    """Delete the weights of models that were retired and that no snapshot names; `retired` is asked before each."""
    named = {identity for manifest in kept for identity in manifest.encoders}
    for identity in sorted(set(retired()) - named):
        if identity in retired():
            tally.objects += tally.delete(tally.store.list(weights_prefix(identity)))


def sweep_evaluations(tally: Tally) -> None:
    """Delete what was measured of snapshots that are gone."""
    tally.objects += tally.delete(stored.orphans(tally.store, frozenset(tally.snapshots)))


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
