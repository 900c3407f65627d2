"""Brings a library up to date without Dagster: the same plan, batches and stages, in this process."""

from __future__ import annotations

import time

from mediaflow.errors import AlgorithmError
from mediaflow.library import Library
from mediaflow.planning.batches import batches
from mediaflow.publishing.publisher import Publication
from mediaflow.stages.work import Outcome


def compute(library: Library) -> list[Outcome]:
    """Look at the folder and compute what is stale, until nothing is; return what came of it."""
    library.scan()
    for algorithm, name in library.model_names().items():
        if library.models.find(name) is None:
            try:
                library.ensure_model(algorithm)
            except AlgorithmError:
                continue
    outcomes: list[Outcome] = []
    sizes = library.sizes()
    while found := batches(library.graph(), library.plan(), now_ms=time.time_ns() // 1_000_000, sizes=sizes):
        records = library.catalog.titles
        for batch in found:
            graph = library.kept(batch.kept) if batch.kept else None
            outcomes += library.workshop(graph).run([records[title] for title in batch.titles], batch.stages)
    return outcomes


def refresh(library: Library) -> Publication:
    """Compute what is stale and publish what is whole."""
    compute(library)
    return library.publish()
