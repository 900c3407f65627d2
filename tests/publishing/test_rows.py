"""The tables that every snapshot has: what was a column of them once does not stop a workspace from being published."""

from __future__ import annotations

import polars as pl

from mediaflow.storage.tables import Table
from tests.publishing.world import World


def test_a_column_that_is_not_declared_any_more_stays_empty(world: World) -> None:
    columns = {"talent": pl.String, "character": pl.String, "position": pl.Int32, "former": pl.String}
    Table(world.store, "people", columns).open()
    for _ in range(2):
        assert world.publish().outcome == "released"
        assert world.answers() == world.expected()
        assert set(world.reader().table("people").to_table()["former"].to_pylist()) == {None}
        world.film("alps", name="Other")
        world.compute()
