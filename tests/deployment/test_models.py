"""What Dagster is told of models: one observation a change, and nothing of it computes what is there."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mediaflow.errors import AlgorithmError
from tests.deployment.films import Films
from tests.deployment.place import Place

FRESH, INCOMPLETE = 0, 3
ALPHA, BRAVO = "alpha-2001", "bravo-2001"

# What Dagster says of the models and of what is made with them, as its web server works it out.
_ASK = """
import json
import warnings

import dagster as dg
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest

warnings.simplefilter("ignore")
from definitions import defs

repository = defs.get_repository_def()
model, visual = dg.AssetKey("visual_model"), dg.AssetKey("visual")
check = dg.AssetCheckKey(model, "available")
with dg.DagsterInstance.get() as instance:
    seen = [one.event_log_entry.asset_observation for one in instance.fetch_observations(model, limit=99).records]
    checks = instance.event_log_storage.get_asset_check_execution_history(check, limit=99)
    stale = CachingStaleStatusResolver(instance, repository.asset_graph, LoadingContextForTest(instance))
    titles = instance.get_dynamic_partitions("titles")
    runs = instance.get_runs(filters=dg.RunsFilter(tags={"mediaflow/lane": "models"}))
    print(json.dumps({
        "observed": [one.tags["dagster/data_version"] for one in reversed(seen)],
        "facts": {name: value.value for name, value in seen[0].metadata.items()} if seen else {},
        "materialized": len(instance.fetch_materializations(model, limit=9).records),
        "checks": [[one.evaluation.passed, one.evaluation.description] for one in reversed(checks) if one.evaluation],
        "stale": {title: stale.get_status(visual, title).value for title in titles},
        "runs": [run.status.value for run in runs],
    }))
"""


def ask(place: Place) -> dict[str, Any]:
    done = place.python("-W", "ignore", "-c", _ASK)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def models(place: Place, *words: str) -> subprocess.CompletedProcess[str]:
    done = place.python("-m", "mediaflow.cli.main", "models", *words)
    assert done.returncode == 0, done.stderr
    return done


class TestChanges:
    """One library, whose model changes in each way that there is."""

    @pytest.fixture(scope="class")
    def place(self, tmp_path_factory: pytest.TempPathFactory, films: Films, make_model: Callable[..., Path]) -> Place:
        folder = tmp_path_factory.mktemp("models")
        make_model(folder / "other", seed=2)
        place = Place(folder, visual_model=str(make_model(folder / "model", seed=1)))
        films.put(place.library, ALPHA, seed=0)
        films.put(place.library, BRAVO, seed=1)
        return place

    @pytest.fixture(scope="class")
    def first(self, place: Place) -> dict[str, Any]:
        assert place.refresh().returncode == FRESH
        return ask(place)

    @pytest.fixture(scope="class")
    def second(self, place: Place, first: dict[str, Any]) -> dict[str, Any]:
        """Another model was chosen."""
        models(place, "add", "other", str(place.home.parent / "other"))
        models(place, "use", "other")
        done = place.refresh()
        assert done.returncode == FRESH, done.stdout
        assert "run: visual of 2 titles (model: 2)" in done.stdout
        return ask(place)

    @pytest.fixture(scope="class")
    def third(self, place: Place, second: dict[str, Any]) -> dict[str, Any]:
        """The first one was chosen again."""
        before = Counter(place.all_facts())
        models(place, "use", second["observed"][0][:8])
        assert place.refresh().returncode == FRESH
        assert Counter(place.all_facts()) == before, "it was all there"
        return ask(place)

    def test_a_model_is_observed_once_and_never_materialized(self, first: dict[str, Any], place: Place) -> None:
        identity = place.view.graph()["visual"].model
        assert (first["observed"], first["materialized"]) == ([identity], 0)
        assert first["checks"] == [[True, "in the store"]]
        assert first["stale"] == {ALPHA: "FRESH", BRAVO: "FRESH"}
        said = {name: first["facts"][name] for name in ("name", "chosen by", "architecture", "dim")}
        assert said == {
            "name": str(place.home.parent / "model"),
            "chosen by": "the setting",
            "architecture": "own",
            "dim": 24,
        }
        assert place.refresh().stdout.splitlines()[1] == "Nothing changed: nothing was computed."
        assert ask(place) == first, "nothing changed"

    def test_a_choice_is_one_observation_and_nothing_else_is_computed(
        self, second: dict[str, Any], first: dict[str, Any], place: Place
    ) -> None:
        identity = place.view.graph()["visual"].model
        assert identity not in first["observed"]
        assert second["observed"] == [*first["observed"], identity]
        assert second["runs"] == first["runs"], "it was in the store already: no run brought it"
        assert (second["facts"]["name"], second["facts"]["chosen by"]) == ("other", "mediaflow models use")
        assert second["stale"] == {ALPHA: "FRESH", BRAVO: "FRESH"}
        done = Counter(stage for stage, _ in place.facts("done"))
        assert done == dict.fromkeys(done, 2) | {"visual": 4}

    def test_back_to_the_model_before_costs_nothing_and_all_is_fresh(
        self, third: dict[str, Any], second: dict[str, Any], place: Place
    ) -> None:
        assert third["observed"] == [*second["observed"], second["observed"][0]]
        assert third["stale"] == {ALPHA: "FRESH", BRAVO: "FRESH"}
        named = {third["observed"][0]: str(place.home.parent / "model")}
        assert place.view.current().manifest.encoders == named, "people read where it came from, not its identity twice"

    def test_weights_replaced_in_place_are_brought_by_a_run_and_observed_once(
        self, third: dict[str, Any], place: Place, make_model: Callable[..., Path]
    ) -> None:
        models(place, "use", "--default")
        make_model(place.home.parent / "model", seed=3)
        done = place.refresh()
        assert done.returncode == FRESH, done.stdout
        assert f"run: visual_model (model {place.home.parent / 'model'})" in done.stdout
        found = ask(place)
        assert len(found["observed"]) == len(third["observed"]) + 1
        assert found["observed"][-1] == place.view.graph()["visual"].model not in third["observed"]
        assert found["stale"] == {ALPHA: "FRESH", BRAVO: "FRESH"}

    def test_a_lost_event_log_learns_of_the_model_again(self, third: dict[str, Any], place: Place) -> None:
        place.forget_dagster()
        done = place.refresh()
        assert done.returncode == FRESH, done.stdout
        found = ask(place)
        assert found["observed"] == [place.view.graph()["visual"].model]
        assert found["stale"] == {ALPHA: "FRESH", BRAVO: "FRESH"}
        assert found["runs"] == []


def test_a_model_that_cannot_be_had_is_a_failed_check_until_it_comes(
    tmp_path: Path, films: Films, make_model: Callable[..., Path]
) -> None:
    place = Place(tmp_path)
    films.put(place.library, ALPHA, seed=0)
    done = place.refresh()
    assert done.returncode == INCOMPLETE
    (stopped,) = [line for line in done.stdout.splitlines() if line.startswith("stopped: visual: ")]
    sentence = stopped.removeprefix("stopped: visual: ")
    found = ask(place)
    assert (found["observed"], found["runs"], found["materialized"]) == ([], ["FAILURE"], 0)
    assert found["checks"] == [[False, sentence]] and "cannot be had" in sentence
    for _ in range(5):
        with pytest.raises(AlgorithmError):
            place.view.ensure_model("visual")
    assert "run:" not in place.refresh().stdout, "after six failures it is asked for again in half an hour"
    assert ask(place) == found
    make_model(tmp_path / "elsewhere", seed=1)
    shutil.move(tmp_path / "elsewhere", tmp_path / "nowhere")
    assert place.view.retry("visual") == 1
    assert place.refresh().returncode == FRESH
    found = ask(place)
    assert found["checks"] == [[False, sentence], [True, "in the store"]]
    assert found["observed"] == [place.view.graph()["visual"].model]


_HISTORY = """
import sys

import dagster as dg

from resources.library import LibraryResource, open_library
from sensors.history import history

shelf, cursor = open_library().shelf(), None
with dg.DagsterInstance.ephemeral() as instance:
    for word in ("", "", "one", "", "two", "two"):
        if word:
            shelf.use(word)
        resources = {"library": LibraryResource(own_process=True)}
        with dg.build_sensor_context(instance, cursor=cursor, resources=resources) as context:
            tick = history(context)
        cursor = tick.cursor
        print(tick.skip_reason.skip_message)
"""


def test_the_event_log_is_compared_anew_after_each_choice(tmp_path: Path, make_model: Callable[..., Path]) -> None:
    place = Place(tmp_path)
    for seed, name in enumerate(("one", "two")):
        place.view.shelf().add(name, str(make_model(tmp_path / name, seed=seed)))
    done = place.python("-W", "ignore", "-c", _HISTORY)
    same, compared = "nothing has happened since the last look", "the event log says what the ledger says"
    assert done.stdout.splitlines() == [compared, same, compared, same, compared, same], done.stderr
