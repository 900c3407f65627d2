"""`python -m sensors` while one generation is served and the next one fills, stops, and at last covers the library."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.deployment.films import Films
from tests.deployment.place import Place

FRESH, INCOMPLETE = 0, 3
ALPHA, BRAVO = "alpha-2001", "bravo-2001"
_SHADES = """
import polars as pl

from mediaflow.algorithms.contract import Algorithm, Parameters, Shape
from mediaflow.errors import AlgorithmError


class Words(Parameters):
    shade: str = "light"


class Shades(Algorithm):
    name = "shades"
    version = "1"
    owner = "light@example.org"
    inputs = ("cues",)
    shape = Shape.LABEL
    Parameters = Words

    def run(self, batch):
        if batch.parameters.shade == "none":
            raise AlgorithmError("there is no such shade")
        for title in batch:
            yield title.cues.select(
                "start_ms", "end_ms", label=pl.lit(batch.parameters.shade), confidence=pl.lit(0.5, pl.Float32)
            )
"""
_EVENTS = """
import json
import dagster as dg

key = dg.AssetKey("shades")
found = {}
with dg.DagsterInstance.get() as instance:
    for records in (instance.fetch_materializations(key, limit=99), instance.fetch_observations(key, limit=99)):
        for record in reversed(records.records):
            event = record.event_log_entry.asset_materialization or record.event_log_entry.asset_observation
            said = {name: value.value for name, value in event.metadata.items()}
            said["version"] = (event.tags or {}).get("dagster/data_version")
            found.setdefault(event.partition, []).append([type(event).__name__, said])
print(json.dumps(found))
"""


@pytest.fixture
def place(tmp_path: Path, films: Films) -> Place:
    place = Place(tmp_path)
    films.put(place.library, ALPHA, seed=0)
    (place.algorithms / "brightness.py").unlink()
    (place.algorithms / "shades.py").write_text(_SHADES)
    return place


def use(place: Place, shade: str) -> None:
    place.config.write_text(f'[algorithms.shades]\nshade = "{shade}"\n')


def labels(place: Place) -> dict[int, str]:
    """Return by number of the title what the current release says of it."""
    reader = place.view.current()
    rows = reader.table(reader.manifest.algorithms["shades"].table).to_table().to_pylist()
    return {row["title_no"]: row["label"] for row in rows}


def events(place: Place) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    done = place.python("-W", "ignore", "-c", _EVENTS)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[tuple[str, dict[str, Any]]]] = json.loads(done.stdout)
    return found


def test_a_title_that_comes_is_served_as_before_while_the_next_generation_is_broken(place: Place, films: Films) -> None:
    assert place.refresh().returncode == INCOMPLETE, "there is no model"
    assert labels(place) == {1: "light"}
    use(place, "none")
    films.put(place.library, BRAVO, seed=1)
    done = place.refresh()
    assert done.returncode == INCOMPLETE, done.stdout
    assert "stopped: shades: there is no such shade" in done.stdout
    assert labels(place) == {1: "light", 2: "light"}
    (bravo,) = events(place)[BRAVO]
    assert (bravo[0], bravo[1]["state"], bravo[1]["version"]) == ("AssetObservation", "computed", None)
    assert len(events(place)[ALPHA]) == 1, "what did not change was not looked at"
    asked = place.python("-m", "mediaflow.cli.main", "status", "--json")
    assert asked.returncode == 0, asked.stderr
    said = json.loads(asked.stdout)["algorithms"]["shades"]
    assert (said["covered"], said["current"], said["kept"], said["pending"]) == (0, False, True, [])
    use(place, "dark")
    assert place.refresh().returncode == INCOMPLETE
    assert labels(place) == {1: "dark", 2: "dark"}
    kind, alive = events(place)[BRAVO][0]
    assert kind == "AssetMaterialization"
    assert alive["served revision"] == bravo[1]["served revision"] != alive["version"]
    assert alive["coverage"] == "2 of 2 titles"
    # A model that cannot be had is asked for again after a minute.
    assert not re.search(r"run: (?!visual_model)", place.refresh().stdout)
