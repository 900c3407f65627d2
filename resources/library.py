"""The library that the settings name, opened once in each process, and the batch that a run is about."""

from functools import cache

import dagster as dg

import mediaflow
from mediaflow.library import Library
from resources import process
from resources.priority import give_way


@cache
def open_library() -> Library:
    """Return this process's library."""
    return mediaflow.open()


class LibraryResource(dg.ConfigurableResource):  # type: ignore[misc]
    """Gives the library to assets and sensors.

    Attributes
    ----------
    own_process : bool
        Runs are executed in the very process that evaluates the sensors, with the code that it has loaded.
    """

    own_process: bool = False

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Note in which process a run lives, and let it give way to readers; one that evaluates sensors does not."""
        if context.run is not None and context.instance is not None:
            # A publish is short, and those who fill wait for it: it goes before them.
            give_way(self.get().settings.nice // 2)
            context.instance.add_run_tags(context.run.run_id, {process.TAG: process.this_process()})

    def get(self) -> Library:
        """Return this process's library."""
        return open_library()


class Batch(dg.ConfigurableResource):  # type: ignore[misc]
    """What a run of the titles' stages is about.

    Attributes
    ----------
    titles : list of str
        The titles; empty: the partitions that the run was started for in the UI.
    force : bool
        Compute also what is fresh.
    record : bool
        Compute nothing, only record what the ledger knows (how a lost event log is refilled).
    kept : str
        Which served stages are kept up to date, as the plan names them; empty: what is wanted is computed.
    """

    titles: list[str] = []  # noqa: RUF012 - a pydantic field
    force: bool = False
    record: bool = False
    kept: str = ""

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Let a run over titles give way to all else."""
        if context.run is not None:
            give_way(open_library().settings.nice)
