"""A refused snapshot in Dagster: a failed blocking check, no release, no second try; and how a refresh ends."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mediaflow.publishing.gates.every import NAMES
from tests.deployment.films import Films, file_name
from tests.deployment.place import Place

FRESH, INCOMPLETE = 0, 3
ALPHA = "alpha-2001"

# What the checks say, newest first; which snapshots and releases there were; and what the sensor says now.
_ASK = """
import json
import warnings
import dagster as dg

warnings.simplefilter("ignore")
from definitions import defs
from mediaflow.publishing.gates.every import NAMES
from resources.library import LibraryResource
from sensors.publish import publish

graph = defs.get_repository_def().asset_graph
blocking = [graph.get_check_spec(key).blocking for key in graph.asset_check_keys if key.asset_key.path == ["snapshot"]]
with dg.DagsterInstance.get() as instance:
    checks = {}
    for name in NAMES:
        key = dg.AssetCheckKey(dg.AssetKey("snapshot"), name)
        history = instance.event_log_storage.get_asset_check_execution_history(key, limit=9)
        checks[name] = [
            [one.status.value, one.evaluation.description, {k: v.value for k, v in one.evaluation.metadata.items()}]
            for one in history
        ]
    made = {
        name: [
            record.event_log_entry.asset_materialization.metadata
            for record in instance.fetch_materializations(dg.AssetKey(name), limit=9).records
        ]
        for name in ("snapshot", "release")
    }
    with dg.build_sensor_context(instance, resources={"library": LibraryResource(own_process=True)}) as context:
        tick = publish(context)
    selected = [[run.status.value, run.asset_selection or []] for run in instance.get_runs()]
runs = [[status, sorted(key.path[-1] for key in keys)] for status, keys in selected]
table = made["release"][0]["gates"].value
counts = {name: len(of) for name, of in made.items()}
said = tick.skip_reason.skip_message if tick.skip_reason else None
print(json.dumps({"checks": checks, "made": counts, "table": table, "said": said, "runs": runs, "blocking": blocking}))
"""


def ask(place: Place) -> dict[str, Any]:
    done = place.python("-c", _ASK)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def statuses(found: dict[str, Any]) -> dict[str, str]:
    """Return by gate the status of its newest check."""
    return {name: history[0][0] for name, history in found["checks"].items()}


class TestRefused:
    """A film loses the line that a golden question asks for."""

    @pytest.fixture(scope="class")
    def place(self, tmp_path_factory: pytest.TempPathFactory, films: Films) -> Place:
        folder = tmp_path_factory.mktemp("refused")
        place = Place(folder, golden=folder / "golden.toml")
        films.put(place.library, ALPHA, seed=0)
        subtitles = self.subtitles(place).read_text()
        (start, words), *_ = re.findall(r"^00:(00:\d\d,\d{3}) --> .*\n(.+)$", subtitles, re.M)
        line = " ".join(re.findall(r"\w+", words.partition(": ")[2]))
        question = f'[[question]]\ndialogue = "{line}"\ntitle = "{ALPHA}"\ntime = "{start}"\n'
        (folder / "golden.toml").write_text(question)
        return place

    @pytest.fixture(scope="class")
    def first(self, place: Place) -> dict[str, Any]:
        assert place.refresh().returncode == INCOMPLETE, "the model of visual is nowhere"
        return ask(place)

    @pytest.fixture(scope="class")
    def refused(self, first: dict[str, Any], place: Place) -> subprocess.CompletedProcess[str]:
        self.subtitles(place).write_text("1\n00:00:00,100 --> 00:00:00,900\nOther words.\n")
        return place.refresh()

    @staticmethod
    def subtitles(place: Place) -> Path:
        return place.library / f"{file_name(ALPHA)}.en.srt"

    def test_every_gate_is_a_blocking_check_and_the_release_has_a_table_of_them(self, first: dict[str, Any]) -> None:
        assert first["blocking"] == [True] * len(NAMES)
        assert statuses(first) == dict.fromkeys(NAMES, "SUCCEEDED")
        assert first["checks"]["golden"][-1][2]["verdict"] == "skipped", "there was nothing to compare with"
        assert first["table"].splitlines()[0] == "| gate | verdict | value | limit |"
        assert "| coverage | passed | 1 | 0 |" in first["table"]
        assert len(first["table"]) < 1000, "longer Markdown is not shown in place"

    def test_what_is_refused_fails_its_check_and_is_not_released(
        self, refused: subprocess.CompletedProcess[str], first: dict[str, Any], place: Place
    ) -> None:
        assert (refused.returncode, refused.stderr) == (INCOMPLETE, "")
        (sentence,) = [line for line in refused.stdout.splitlines() if line.startswith("refused: ")]
        assert sentence.startswith(
            "refused: The gate 'golden' refused the next snapshot: nDCG@10 over 1 questions is 0"
        )
        assert "Given up" not in refused.stdout and "All fresh" not in refused.stdout
        found = ask(place)
        assert statuses(found) == dict.fromkeys(NAMES, "SUCCEEDED") | {"golden": "FAILED"}
        _, said, facts = found["checks"]["golden"][0]
        assert facts == {"verdict": "failed", "value": 1.0, "limit": 0.05} and said in sentence
        assert found["made"] == first["made"]
        assert place.view.releases.tip() == first["made"]["release"]
        assert found["runs"][0] == ["FAILURE", ["release", "snapshot"]]

    def test_it_is_not_tried_again_and_the_sensor_says_why(
        self, refused: subprocess.CompletedProcess[str], place: Place
    ) -> None:
        runs = ask(place)["runs"]
        again = place.refresh()
        assert again.returncode == INCOMPLETE
        assert "run:" not in again.stdout and "refused: The gate 'golden'" in again.stdout
        found = ask(place)
        assert found["runs"] == runs
        assert found["said"].startswith("The gate 'golden' refused the next snapshot: ")

    def test_questions_that_are_put_right_are_a_new_try(
        self, refused: subprocess.CompletedProcess[str], first: dict[str, Any], place: Place
    ) -> None:
        file = place.config.parent / "golden.toml"
        file.write_text(f'[[question]]\ndialogue = "other words"\ntitle = "{ALPHA}"\ntime = "0.5"\n')
        done = place.refresh()
        assert "run: snapshot, release" in done.stdout and "refused: " not in done.stdout
        found = ask(place)
        assert statuses(found) == dict.fromkeys(NAMES, "SUCCEEDED")
        assert found["made"] == {name: count + 1 for name, count in first["made"].items()}
        assert place.view.releases.tip() == found["made"]["release"]
        assert found["said"] == "what is served is what is whole"
