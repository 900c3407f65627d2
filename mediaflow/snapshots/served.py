"""What the current release serves, as the plan needs to know it."""

from __future__ import annotations

from mediaflow.planning.kept import ServedStages, served_stages
from mediaflow.planning.stage import StageGraph
from mediaflow.snapshots.reader import Releases


def served(releases: Releases, graph: StageGraph) -> ServedStages:
    """Return the stages that are served.

    While releases are held nothing is published, and nothing is kept up to date for it: `graphs` is empty then.

    Parameters
    ----------
    releases : Releases
        The release log.
    graph : StageGraph
        The stages as they are wanted.
    """
    newest = releases.newest()
    if newest is None:
        return ServedStages()
    manifest = releases.manifest(newest.snapshot)
    if newest.held:
        return ServedStages(manifest.generations)
    return served_stages(graph, manifest.generations, manifest.stages)
