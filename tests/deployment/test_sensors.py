"""`python -m sensors`: what it says and how it ends, on libraries of all kinds."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mediaflow.publishing.epochs import Epochs
from mediaflow.snapshots.history import lines
from tests.deployment.films import Films, file_name
from tests.deployment.place import Place

FRESH, FAILED, INCOMPLETE = 0, 1, 3
ALPHA, BRAVO, CHARLIE, DELTA, ECHO = (f"{name}-2001" for name in ("alpha", "bravo", "charlie", "delta", "echo"))

# Looks twice, as the daemon does: what the ticks say, what they ask for, and what the check of the version says.
_LOOK = """
import json
import warnings

import dagster as dg

warnings.simplefilter("ignore")
from definitions import defs
from resources.library import LibraryResource

repository = defs.get_repository_def()
key = dg.AssetCheckKey(dg.AssetKey("brightness"), "version")
ticks = []
with dg.DagsterInstance.get() as instance:
    for _ in range(2):
        resources = {"library": LibraryResource()}
        with dg.build_sensor_context(instance, repository_def=repository, resources=resources) as context:
            tick = repository.get_sensor_def("refresh").evaluate_tick(context)
            ticks.append([tick.cursor, tick.skip_message, [request.tags for request in tick.run_requests]])
    history = instance.event_log_storage.get_asset_check_execution_history(key, limit=9)
    said = [one for one in history if isinstance(one.evaluation, dg.AssetCheckEvaluation)]
    made = instance.fetch_materializations(dg.AssetKey("brightness"), limit=1).records
    facts = made[0].event_log_entry.asset_materialization.metadata
    checks = [[one.evaluation.passed, one.evaluation.severity.value, one.evaluation.description] for one in said]
    why = (facts.get("why") or facts["computed because"]).value
    print(json.dumps({"ticks": ticks, "checks": checks, "why": why}))
"""

# What a click on Materialize does: Dagster plans the checks of what is selected.
_MATERIALIZE = """
import dagster as dg

from definitions import defs

keys = [dg.AssetKey("brightness")]
job = defs.get_repository_def().get_implicit_job_def_for_assets(keys)
with dg.DagsterInstance.get() as instance:
    assert job.execute_in_process(instance=instance, asset_selection=keys, partition_key="alpha-2001").success
"""


def look(place: Place) -> dict[str, Any]:
    done = place.python("-c", _LOOK)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


_ASK_PUBLISH = """
import dagster as dg
from resources.library import LibraryResource
from sensors.publish import publish
with dg.DagsterInstance.get() as instance:
    with dg.build_sensor_context(instance, resources={"library": LibraryResource(own_process=True)}) as context:
        print(publish(context).skip_reason.skip_message)
"""
_ASK_RELEASES = """
import json
import dagster as dg
names = ("number", "kind", "snapshot", "titles", "added", "changed", "removed")
with dg.DagsterInstance.get() as instance:
    records = instance.fetch_materializations(dg.AssetKey("release"), limit=99).records
    facts = [record.event_log_entry.asset_materialization.metadata for record in reversed(records)]
    print(json.dumps([[of[name].value if name in of else None for name in names] for of in facts]))
"""


class TestWithAModel:
    """A library whose `visual` has weights, from the first film to nothing left to do."""

    @pytest.fixture(scope="class")
    def place(self, tmp_path_factory: pytest.TempPathFactory, films: Films, make_model: Callable[..., Path]) -> Place:
        folder = tmp_path_factory.mktemp("with_model")
        place = Place(folder, visual_model=str(make_model(folder / "model")))
        films.put(place.library, ALPHA, seed=0)
        films.put(place.library, BRAVO, seed=1)
        return place

    @pytest.fixture(scope="class")
    def first(self, place: Place) -> subprocess.CompletedProcess[str]:
        return place.refresh()

    def test_all_fresh_ends_with_zero(self, first: subprocess.CompletedProcess[str], place: Place) -> None:
        assert (first.returncode, first.stderr) == (FRESH, "")
        assert first.stdout.splitlines()[-1] == "All fresh."
        assert set(place.served()) == {ALPHA, BRAVO}
        assert {stage for stage, _ in place.revisions()} >= {"visual", "dialogue", "brightness"}

    def test_the_model_and_what_it_gave_bear_its_identity(
        self, first: subprocess.CompletedProcess[str], place: Place
    ) -> None:
        assert first.returncode == FRESH
        identity = place.view.graph()["visual"].model
        asked = """
import dagster as dg
with dg.DagsterInstance.get() as instance:
    for record in instance.fetch_observations(dg.AssetKey("visual_model"), limit=9).records:
        print("visual_model", record.event_log_entry.asset_observation.tags["dagster/data_version"])
    made = dg.AssetRecordsFilter(dg.AssetKey("visual"), asset_partitions=["alpha-2001"])
    for record in instance.fetch_materializations(made, limit=9).records:
        tags = record.event_log_entry.asset_materialization.tags
        print("visual", tags["dagster/data_version"], tags["dagster/input_data_version/visual_model"])
"""
        revision = place.revisions()["visual", ALPHA]
        lines = place.python("-c", asked).stdout.splitlines()
        assert lines == [f"visual_model {identity}", f"visual {revision} {identity}"]

    def test_a_second_call_makes_no_run_and_says_so(
        self, first: subprocess.CompletedProcess[str], place: Place
    ) -> None:
        second = place.refresh()
        assert second.returncode == FRESH
        assert second.stdout.splitlines() == [
            "library: 2 titles",
            "Nothing changed: nothing was computed.",
            "All fresh.",
        ]

    def test_what_cannot_be_published_is_not_called_fresh(
        self, first: subprocess.CompletedProcess[str], place: Place
    ) -> None:
        before = place.served()
        file = place.library / f"{file_name(ALPHA)}.en.srt"
        file.write_text(file.read_text() + "\n99\n00:00:02,000 --> 00:00:02,500\nOne line more.\n")
        epochs = Epochs(place.view.store)
        epoch = epochs.begin()
        stuck = place.refresh()
        assert stuck.returncode == FAILED
        assert "Given up" in stuck.stdout and "All fresh." not in stuck.stdout
        assert place.served() == before
        epochs.end(epoch, "failed")
        assert place.refresh().returncode == FRESH
        assert place.served()[ALPHA] != before[ALPHA]

    def test_while_releases_are_held_nothing_is_published_and_it_says_so(
        self, first: subprocess.CompletedProcess[str], place: Place
    ) -> None:
        film = place.library / f"{file_name(BRAVO)}.en.srt"
        film.write_text(film.read_text() + "\n99\n00:00:02,000 --> 00:00:02,500\nOne line more.\n")
        assert place.refresh().returncode == FRESH
        newest = place.served()
        held = place.view.rollback(None, "the new titles are wrong")
        assert place.served() != newest
        for recorded in (False, True):
            done = place.refresh()
            assert (done.returncode, done.stderr) == (INCOMPLETE, "")
            assert done.stdout.splitlines()[-1] == held.holding()
            assert "Given up" not in done.stdout and "All fresh." not in done.stdout
            assert ("run:" in done.stdout) is not recorded, "the event log learns of the rollback, once"
        assert place.view.releases.tip() == held.n
        assert place.python("-W", "ignore", "-c", _ASK_PUBLISH).stdout == f"{held.holding()}\n"
        place.view.resume()
        again = place.refresh()
        assert (again.returncode, again.stdout.splitlines()[-1]) == (FRESH, "All fresh.")
        assert place.served() == newest

    def test_the_history_of_the_release_is_the_log_of_releases(
        self, first: subprocess.CompletedProcess[str], place: Place
    ) -> None:
        for _ in range(2):
            place.view.rollback(None, "once more")
        place.view.resume()
        assert place.refresh().returncode == FRESH
        assert [line[1] for line in self.released(place)[-4:]] == ["rollback", "rollback", "resume", "publish"]
        assert self.shown(place)[-1][4:] == [0, 2, 0], "added, changed, removed since the release before"
        place.view.rollback(place.view.current().id, "nothing new for now")
        assert "run:" not in place.refresh().stdout, "the same snapshot: only a sensor can tell of this one"
        assert self.released(place)[-1][1] == "rollback"
        assert [line[:4] for line in self.shown(place)] == self.released(place)
        place.view.resume()
        place.forget_dagster()
        assert place.refresh().returncode == FRESH
        assert [line[:4] for line in self.shown(place)] == self.released(place)

    def released(self, place: Place) -> list[list[object]]:
        return [[line[name] for name in ("number", "kind", "snapshot", "titles")] for line in lines(place.view.store)]

    def shown(self, place: Place) -> list[list[object]]:
        """Return number, kind, snapshot, titles, added, changed, removed of each event of the release."""
        return list(json.loads(place.python("-W", "ignore", "-c", _ASK_RELEASES).stdout))

    def test_looking_at_an_unchanged_library_loads_no_model(
        self, first: subprocess.CompletedProcess[str], place: Place
    ) -> None:
        looked = "import sys; from sensors.__main__ import main; main(); print({'torch', 'av', 'cv2'} & {*sys.modules})"
        assert place.python("-c", looked).stdout.splitlines()[-1] == "set()"


class TestIncomplete:
    """A library with a corrupt film, and folders of algorithms with a file that is none."""

    @pytest.fixture(scope="class")
    def place(self, tmp_path_factory: pytest.TempPathFactory, films: Films) -> Place:
        place = Place(tmp_path_factory.mktemp("incomplete"))
        for seed, title in enumerate((ALPHA, BRAVO, CHARLIE, DELTA, ECHO)):
            films.put(place.library, title, seed=seed)
        films.put_garbage(place.library, CHARLIE)
        (place.algorithms / "torn.py").write_text(
            'class Torn:\n    owner = "team:lost"\n    name = "torn"\n\nno Python\n'
        )
        return place

    @pytest.fixture(scope="class")
    def first(self, place: Place) -> subprocess.CompletedProcess[str]:
        return place.refresh()

    def test_what_is_quarantined_or_stopped_is_listed(
        self, first: subprocess.CompletedProcess[str], place: Place
    ) -> None:
        assert first.returncode == INCOMPLETE
        said = [line for line in first.stdout.splitlines() if line.startswith(("quarantined", "stopped"))]
        assert [line.split(":")[:2] for line in said] == [
            ["stopped", " torn"],
            ["stopped", " visual"],
            ["quarantined", f" {CHARLIE} (media)"],
        ]
        assert "torn.py cannot be imported: SyntaxError" in said[0]
        assert set(place.served()) == {ALPHA, BRAVO, DELTA, ECHO}

    def test_ticks_and_runs_say_why(self, first: subprocess.CompletedProcess[str], place: Place) -> None:
        found = look(place)
        assert found["why"] == "never built"
        assert found["ticks"] == [["everything is fresh", "everything is fresh", []]] * 2
        file = place.algorithms / "brightness.py"
        text = file.read_text()
        file.write_text(text.replace('version = "1"', 'version = "2"'))
        try:
            found = look(place)
        finally:
            file.write_text(text)
        for cursor, skipped, asked in found["ticks"]:
            assert cursor == "4 artifacts are stale (code: 4)"
            assert skipped is None
            assert [(tags["mediaflow/why"], tags["mediaflow/titles"]) for tags in asked] == [("code: 4", "4")]

    def test_a_check_warns_of_changed_source_under_the_same_version_once(
        self, first: subprocess.CompletedProcess[str], place: Place
    ) -> None:
        before = look(place)["checks"]
        assert [passed for passed, *_ in before] == [True]
        file = place.algorithms / "brightness.py"
        text = file.read_text()
        file.write_text(text.replace('pl.lit("bright")', 'pl.lit("dark")'))
        try:
            found = look(place)
        finally:
            file.write_text(text)
        (passed, severity, said), *others = found["checks"]
        assert (passed, severity, others) == (False, "WARN", before)
        assert said.startswith("The source of Brightness.run of the algorithm 'brightness' has changed")
        assert {skipped for _, skipped, _ in found["ticks"]} == {"everything is fresh"}, "nothing is computed for it"
        assert [passed for passed, *_ in look(place)["checks"]] == [True, False, True]

    def test_the_check_of_a_version_is_told_again_after_a_run_that_people_started(
        self, first: subprocess.CompletedProcess[str], place: Place
    ) -> None:
        before = look(place)["checks"]
        done = place.python("-c", _MATERIALIZE)
        assert done.returncode == 0, done.stderr
        assert look(place)["checks"] == [before[0], *before]

    def test_a_lost_event_log_is_refilled_and_shows_failures(
        self, first: subprocess.CompletedProcess[str], place: Place
    ) -> None:
        before, done = place.states(), place.facts("done")
        place.forget_dagster()
        refilled = place.refresh()
        assert refilled.returncode == INCOMPLETE
        assert "the event log did not know" in refilled.stdout
        assert (place.states(), place.facts("done")) == (before, done)
        asked = """
import dagster as dg
from dagster import AssetKey, DagsterEventType
with dg.DagsterInstance.get() as instance:
    storage = instance.event_log_storage
    print(sorted(storage.get_materialized_partitions(AssetKey("frames"))))
    tried = storage.get_latest_asset_partition_materialization_attempts_without_materializations(AssetKey("media"))
    print([(title, instance.get_run_by_id(run).status.value) for title, (run, _) in tried.items()])
"""
        lines = place.python("-c", asked).stdout.splitlines()
        assert lines == [str([ALPHA, BRAVO, DELTA, ECHO]), str([(CHARLIE, "FAILURE")])]
        assert "run:" not in place.refresh().stdout

    def test_a_loss_of_many_titles_removes_nothing_and_fails(
        self, first: subprocess.CompletedProcess[str], place: Place
    ) -> None:
        for title in ("Alpha (2001)", "Bravo (2001)"):
            (place.library / f"{title}.mp4").rename(place.library / f"{title}.mp4.away")
        try:
            guarded = place.refresh()
        finally:
            for title in ("Alpha (2001)", "Bravo (2001)"):
                (place.library / f"{title}.mp4.away").rename(place.library / f"{title}.mp4")
        assert guarded.returncode == FAILED
        assert "nothing was removed" in guarded.stdout
        assert set(place.served()) == {ALPHA, BRAVO, DELTA, ECHO}

    def test_no_model_is_fetched_while_the_library_is_away(
        self, first: subprocess.CompletedProcess[str], place: Place
    ) -> None:
        away = place.library.rename(place.library.with_name("away"))
        try:
            done = place.python("-m", "sensors", env=place.env() | {"MEDIAFLOW_VISUAL_MODEL": "demo"})
        finally:
            away.rename(place.library)
        assert done.returncode == FAILED
        assert done.stdout.startswith(f"library: the library folder {place.library} cannot be read")
        assert "run:" not in done.stdout


def test_a_library_without_films_says_so_and_is_looked_at_once_for_people(tmp_path: Path) -> None:
    done = Place(tmp_path, visual_model="demo").refresh()
    assert (done.returncode, done.stderr) == (FAILED, "")
    assert done.stdout.splitlines() == [
        "library: 0 titles",
        f"There is no film in {tmp_path / 'library'}: put some there, or mend the setting 'library'.",
    ]


def test_no_library_is_one_sentence(tmp_path: Path) -> None:
    place = Place(tmp_path, library="")
    env = place.env()
    del env["MEDIAFLOW_LIBRARY"]
    done = place.python("-m", "sensors", env=env)
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert done.stderr.startswith("No library is set: ") and done.stderr.count("\n") == 1


def test_a_library_that_is_not_there_fails_with_a_sentence(tmp_path: Path) -> None:
    place = Place(tmp_path, visual_model="demo")
    place.library.rmdir()
    done = place.refresh()
    assert (done.returncode, done.stderr) == (FAILED, "")
    assert done.stdout.startswith(f"library: the library folder {place.library} cannot be read")
    assert "run:" not in done.stdout, "a model was fetched"


class TestGivenUp:
    """A run that is asked for again and again, while another publisher is at work and does not end."""

    @pytest.fixture
    def place(self, tmp_path: Path, films: Films) -> Place:
        place = Place(tmp_path, retry_delays_s="[0, 0, 0, 0]")
        for seed, title in enumerate((ALPHA, BRAVO)):
            films.put(place.library, title, seed=seed)
        place.sulk(BRAVO)
        return place

    def test_repeats_end_once_they_leave_nothing_new_in_the_ledger(self, place: Place) -> None:
        epochs = Epochs(place.view.store)
        epoch = epochs.begin()
        stuck = place.refresh()
        assert stuck.returncode == FAILED
        said = stuck.stdout.splitlines()
        assert said[-1].startswith("Given up: a run was asked for 3 times and changed nothing. Another publisher is at")
        # Five tries of one title are repeats, too, but each leaves a fact: the run is asked for until the last of them.
        tried = [fact for fact in place.all_facts() if fact[:2] == ("brightness", BRAVO)]
        assert tried == [("brightness", BRAVO, "failed")] * 4 + [("brightness", BRAVO, "quarantined")]
        # A model that cannot be had is looked for again now and then, however long all of it takes.
        asked = [line for line in said if line.startswith("run:") and "visual_model" not in line]
        last = max(at for at, line in enumerate(asked) if "brightness" in line)
        # One in the round of the last fact, and three that nothing came of.
        assert asked[last + 1 :] == ["run: snapshot, release (titles changed)"] * (1 + 3)
        epochs.end(epoch, "failed")
