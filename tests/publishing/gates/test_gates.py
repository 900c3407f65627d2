"""Each gate lets pass what is sound and refuses what it is there for, on snapshots that a publisher has made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mediaflow.publishing.gates.every import NAMES
from mediaflow.publishing.gates.gate import Titles
from mediaflow.publishing.gates.judge import Gates, Refused
from mediaflow.publishing.publisher import Publication
from tests.publishing.gates.studio import FILMS, NoPictures, Studio, WordEncoders, said, shots, verdicts


def failed(publication: Publication) -> set[str]:
    return {name for name, verdict in verdicts(publication).items() if verdict == "failed"}


def refused(studio: Studio, gate: str) -> str:
    """Publish, which this gate must refuse; return what it says."""
    publication = studio.publish()
    assert (publication.outcome, gate in failed(publication)) == ("refused", True), publication.gates
    return said(publication, gate)


def released(studio: Studio) -> Publication:
    publication = studio.publish()
    assert publication.outcome == "released", publication.gates
    assert set(verdicts(publication)) == set(NAMES)
    return publication


def golden(studio: Studio, folder: Path, model: str = "m1") -> Path:
    """Write a question a film, whose answer is the third shot."""
    file = folder / "golden.toml"
    entry = '[[question]]\nvisual = "{0} {1} 2"\ntitle = "{0}"\ntime = "2.5"\n'
    file.write_text("".join(entry.format(name, model) for name in FILMS))
    studio.limits = replace(studio.limits, golden=file)
    return file


def test_the_first_snapshot_says_what_it_could_not_be_compared_with(studio: Studio) -> None:
    gates = {gate["name"]: gate for gate in studio.reader().manifest.gates}
    assert {name: gate["verdict"] for name, gate in gates.items()} == {
        "coverage": "passed",
        "titles": "skipped",
        "rows": "skipped",
        "vectors": "passed",
        "recall": "skipped",
        "golden": "skipped",
        "canary": "skipped",
    }
    assert "this is the first snapshot of the library" in gates["titles"]["said"]
    assert gates["vectors"]["value"] == pytest.approx(0, abs=0.1)


def test_an_ordinary_publish_passes(studio: Studio) -> None:
    studio.film("alps", media="m2", lines=("alps has changed",))
    studio.film("ibex", lines=("ibex is new",))
    del studio.films["hens"]
    studio.compute()
    publication = released(studio)
    assert not failed(publication)
    assert verdicts(publication)["canary"] == "passed" and "0 of 14 questions" in said(publication, "canary")
    assert "1 of 8 titles that are served are not in it." in said(publication, "titles")


def test_what_nothing_changed_is_not_measured_again(studio: Studio) -> None:
    studio.film("alps", lines=("alps has changed",))
    studio.compute()
    assert said(released(studio), "vectors").startswith("As in the served snapshot: ")
    studio.film("alps", lines=("alps has changed again",))
    studio.compute()
    assert said(released(studio), "vectors").count("As in the served snapshot") == 1
    studio.film("alps", media="m2")
    studio.compute()
    assert "As in" not in said(released(studio), "vectors")


class TestCoverage:
    def test_many_titles_losing_an_algorithm_at_once(self, studio: Studio) -> None:
        studio.stage("visual", code_version="2")
        for name in FILMS[:4]:
            studio.quarantine(name, "visual")
        studio.compute()
        assert refused(studio, "coverage").startswith("4 of 8 titles that are served with rows of 'visual'")

    def test_a_few_titles_may(self, studio: Studio) -> None:
        studio.stage("visual", code_version="2")
        for name in FILMS[:3]:
            studio.quarantine(name, "visual")
        studio.compute()
        released(studio)

    def test_less_than_is_asked_for(self, studio: Studio) -> None:
        studio.limits = replace(studio.limits, coverage_least=0.9)
        studio.film("ibex")
        studio.film("jays")
        studio.film("alps", media="m2")
        studio.compute(titles=["alps"])
        assert "80.0% of 10 titles have rows of anything, and 90.0% are asked for" in refused(studio, "coverage")
        studio.compute()
        released(studio)


class TestTitles:
    def test_many_titles_gone_at_once(self, studio: Studio) -> None:
        for name in FILMS[:4]:
            del studio.films[name]
        sentence = refused(studio, "titles")
        assert "4 of 8 titles that are served are not in it (alps, bees, cats, dogs)" in sentence
        assert "all of them have left the catalogue" in sentence

    def test_all_of_few_titles_gone(self, studio: Studio) -> None:
        for name in FILMS[:3]:
            del studio.films[name]
        released(studio)
        for name in FILMS[3:6]:
            del studio.films[name]
        released(studio)
        studio.films.clear()
        refused(studio, "titles")


class TestRows:
    def test_rows_that_fell_to_a_fifth(self, studio: Studio) -> None:
        studio.stage("dialogue", code_version="2")
        studio.speak = lambda film: ["one line is left"]
        studio.compute()
        sentence = refused(studio, "rows")
        assert sentence.startswith("About 8 of 8 titles have lost their rows in 'dialogue'")

    def test_of_a_table_that_goes_on_only_what_changed_counts(self, studio: Studio) -> None:
        studio.speak = lambda film: ["one line is left"]
        for name in FILMS[:3]:
            studio.film(name, lines=("other",))
        studio.compute()
        publication = released(studio)
        (rows,) = [gate for gate in publication.gates if gate["name"] == "rows"]
        assert rows["value"] == pytest.approx(3 / 8)
        for name in FILMS[3:7]:
            studio.film(name, lines=("other",))
        studio.compute()
        assert "About 4 of 8 titles" in refused(studio, "rows")

    def test_other_rows_of_the_same_revision(self, studio: Studio) -> None:
        studio.speak = lambda film: [*film.lines, "one more"]
        studio.force("bees")
        studio.film("alps", lines=("other",))
        studio.compute()
        assert refused(studio, "rows").startswith("bees: the rows in 'dialogue' are others than were served")


class TestVectors:
    def spoil(self, studio: Studio, how: str) -> None:
        def spoilt(film, model):  # type: ignore[no-untyped-def]
            vectors = shots(film, model)
            if how == "same":
                return np.broadcast_to(vectors[:1] * 0 + 32**-0.5, vectors.shape)
            vectors[-1] *= {"nan": np.nan, "long": 1.5}[how]
            return vectors

        studio.paint = spoilt
        studio.stage("visual", code_version="2")
        studio.compute()

    @pytest.mark.parametrize("how", ["nan", "long"])
    def test_vectors_that_are_not_finite_or_not_of_unit_norm(self, studio: Studio, how: str) -> None:
        self.spoil(studio, how)
        assert refused(studio, "vectors").startswith("8 of 32 vectors of 'visual' are not finite or not of unit norm")

    def test_a_changed_title_is_always_looked_at(self, studio: Studio) -> None:
        honest = studio.paint
        studio.paint = lambda film, model: honest(film, model) * (np.inf if film.title_id == "gnus" else 1)
        studio.film("gnus", media="m2")
        studio.compute()
        assert refused(studio, "vectors").startswith("4 of 32 vectors")

    def test_vectors_of_another_length_than_the_model_gives(self, studio: Studio) -> None:
        served = studio.reader().manifest
        part = served.algorithms["visual"]
        longer = replace(part, fields={"vector": "Array(Float16, shape=(64,))"})
        candidate = replace(served, id="x", algorithms=served.algorithms | {"visual": longer})
        names = {film.title_id: film.title_no for film in studio.films.values()}
        gates = Gates(studio.store, studio.limits, WordEncoders(), NoPictures())
        with pytest.raises(Refused, match="The vectors of 'visual' have 32 numbers, and its model gives 64"):
            gates.passed(candidate, None, Titles(names, frozenset(), names.keys()), {})

    def test_vectors_that_are_all_the_same(self, studio: Studio) -> None:
        self.spoil(studio, "same")
        assert "nearly all the same (the mean cosine of two is 1.0000)" in refused(studio, "vectors")


class TestGolden:
    def test_a_worse_model_is_refused_with_the_worst_questions(self, studio: Studio, tmp_path: Path) -> None:
        golden(studio, tmp_path)
        studio.paint = lambda film, model: shots(film, "another model" if film.title_id != "alps" else model)
        studio.stage("visual", model="m2")
        studio.compute()
        sentence = refused(studio, "golden")
        assert sentence.startswith("nDCG@10 over 8 questions is ") and "and 1.000 in what is served" in sentence
        assert sentence.count("1.00 -> 0.") == 3 and "'alps m1 2'" not in sentence

    def test_a_model_as_good_passes(self, studio: Studio, tmp_path: Path) -> None:
        golden(studio, tmp_path)
        studio.stage("visual", model="m2")
        studio.compute()
        assert said(released(studio), "golden") == ("nDCG@10 over 8 questions is 1.000, and 1.000 in what is served.")

    def test_questions_to_which_nothing_is_right_do_not_count(self, studio: Studio, tmp_path: Path) -> None:
        file = golden(studio, tmp_path)
        answered = file.read_text()
        silent = '[[question]]\ndialogue = "dragon"\nanswers = []\n'
        file.write_text(answered + silent)
        studio.film("alps", lines=("other",))
        studio.compute()
        assert said(released(studio), "golden").startswith("nDCG@10 over 8 questions is 1.000")
        file.write_text(silent)
        studio.film("alps", lines=("another",))
        studio.compute()
        publication = released(studio)
        assert verdicts(publication)["golden"] == "skipped"
        assert "has no question to which anything is right" in said(publication, "golden")

    def test_a_file_that_is_wrong_is_one_sentence(self, studio: Studio, tmp_path: Path) -> None:
        golden(studio, tmp_path).write_text('[[question]]\nvisual = "x"\ntitle = "alps"\n')
        studio.film("alps", media="m2")
        studio.compute()
        assert "Question 1 in " in refused(studio, "golden")
        studio.limits = replace(studio.limits, golden=tmp_path / "nowhere.toml")
        assert "cannot be read (No such file or directory)" in refused(studio, "golden")


class TestCanary:
    def test_other_vectors_under_the_same_version(self, studio: Studio) -> None:
        studio.paint = lambda film, model: shots(film, f"changed {model}", 5)
        studio.force(*FILMS[:6])
        studio.film("hens", lines=("other",))
        studio.compute()
        sentence = refused(studio, "canary")
        assert "e.g. visual (like " in sentence and "no change of code, parameters or model was declared" in sentence

    def test_other_lines_under_the_same_version(self, studio: Studio) -> None:
        studio.speak = lambda film: [line.replace("tale", "story") for line in film.lines] + ["."]
        studio.force(*FILMS[:6])
        studio.film("hens", lines=("other",))
        studio.compute()
        assert "e.g. dialogue ('" in refused(studio, "canary")

    @pytest.mark.parametrize("change", [{"code_version": "2"}, {"model": "m2"}])
    def test_a_declared_change_explains_it(self, studio: Studio, change: dict[str, str]) -> None:
        studio.paint = lambda film, model: shots(film, f"changed {model}")
        studio.stage("visual", **change)
        studio.compute()
        assert verdicts(released(studio))["canary"] == "passed"

    def test_titles_that_changed_explain_their_own_answers(self, studio: Studio) -> None:
        for name in FILMS[:7]:
            studio.film(name, media="m2", lines=tuple(f"new {name} {number}" for number in range(6)))
        studio.compute()
        assert "0 of 10 questions" in said(released(studio), "canary")
