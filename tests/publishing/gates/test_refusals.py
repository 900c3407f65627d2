"""A refused cut: what is served stays, it is remembered, a person may override a gate, once."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mediaflow.errors import UsageError
from mediaflow.publishing.gates.judge import check_override
from mediaflow.publishing.refusals import sentences, standing
from mediaflow.storage import layout
from tests.publishing.gates.studio import FILMS, Studio, verdicts


@pytest.fixture
def spoilt(studio: Studio) -> Studio:
    """The next snapshot has vectors that are none."""
    honest = studio.paint
    studio.paint = lambda film, model: honest(film, model) * np.nan
    studio.film("alps", media="m2")
    studio.compute()
    return studio


def test_what_is_served_stays_and_the_epoch_says_why(spoilt: Studio) -> None:
    before, manifests = spoilt.answers(), sum(1 for _ in spoilt.store.list(layout.SNAPSHOTS))
    refused = spoilt.publish()
    assert (refused.outcome, refused.release, refused.manifest) == ("refused", 1, None)
    assert (spoilt.answers(), spoilt.reader().release) == (before, 1)
    assert sum(1 for _ in spoilt.store.list(layout.SNAPSHOTS)) == manifests
    end = json.loads(spoilt.store.get(layout.epoch_end(2)))
    assert end["outcome"] == "refused" and end["gates"] == list(refused.gates)
    refusal = standing(spoilt.store, spoilt.reader().id)
    assert refusal is not None
    (sentence,) = sentences(refusal.gates)
    assert sentence.startswith("The gate 'vectors' refused the next snapshot: 4 of 32 vectors")
    assert sentence.endswith("mediaflow publish --override vectors --reason TEXT.")


def test_a_refused_cut_is_not_asked_for_again_until_something_changes(spoilt: Studio, tmp_path: Path) -> None:
    assert spoilt.due()
    spoilt.publish()
    assert not spoilt.due()
    limits = spoilt.limits
    spoilt.limits = replace(limits, titles_lost=0.3)
    assert spoilt.due(), "other limits"
    file = tmp_path / "golden.toml"
    spoilt.limits = replace(limits, golden=file)
    assert spoilt.due(), "questions with answers"
    file.write_text('[[question]]\ndialogue = "tale1"\ntitle = "bees"\ntime = "1"\n')
    spoilt.publish()
    assert not spoilt.due()
    file.write_text(file.read_text().replace("tale1", "tale2"))
    assert spoilt.due(), "other questions"
    spoilt.limits = limits
    spoilt.publish()
    assert not spoilt.due()
    spoilt.film("bees", lines=("other",))
    spoilt.compute()
    assert spoilt.due(), "another cut"


def test_epochs_that_say_nothing_of_gates_do_not_make_it_forget(spoilt: Studio) -> None:
    spoilt.publish()
    epochs = spoilt.publisher()._epochs
    epochs.end(epochs.begin(), "nothing new")
    assert not spoilt.due()


def test_what_goes_back_to_what_is_served_is_refused_no_more(spoilt: Studio) -> None:
    spoilt.publish()
    assert spoilt.publisher().refusal(*spoilt.look()) is not None
    spoilt.film("alps", media="m1")
    assert not spoilt.due()
    assert spoilt.publisher().refusal(*spoilt.look()) is None


def test_a_mended_cut_is_released_and_nothing_is_remembered(spoilt: Studio) -> None:
    spoilt.publish()
    spoilt.paint = type(spoilt).paint
    spoilt.film("alps", media="m3")
    spoilt.compute()
    assert spoilt.publish().outcome == "released"
    assert standing(spoilt.store, spoilt.reader().id) is None


def test_an_override_stands_in_the_manifest_and_holds_once(spoilt: Studio) -> None:
    assert spoilt.publish().outcome == "refused"
    published = spoilt.override(vectors="the film is black ", titles="not needed")
    assert published.outcome == "released"
    gates = {gate["name"]: gate for gate in spoilt.reader().manifest.gates}
    assert (gates["vectors"]["verdict"], gates["vectors"]["reason"]) == ("overridden", "the film is black")
    assert (gates["titles"]["verdict"], gates["titles"]["reason"]) == ("passed", "")
    assert standing(spoilt.store, spoilt.reader().id) is None
    spoilt.film("bees", media="m2")
    spoilt.compute()
    again = spoilt.publish()
    assert (again.outcome, verdicts(again)["vectors"]) == ("refused", "failed")


def test_one_gate_that_is_overridden_lets_no_other_one_pass(spoilt: Studio) -> None:
    for name in FILMS[1:6]:
        del spoilt.films[name]
    assert spoilt.override(vectors="black").outcome == "refused"
    assert spoilt.override(vectors="black", titles="on purpose").outcome == "released"


def test_an_override_of_no_gate_or_without_a_reason_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="There is no gate 'vector'; there are coverage, titles,"):
        check_override({"vector": "x"})
    with pytest.raises(UsageError, match="Say why"):
        check_override({"vectors": " "})


def test_a_served_table_that_is_gone_does_not_stop_the_next_snapshot(studio: Studio) -> None:
    for media in ("m2", "m3", "m4"):
        studio.film("alps", media=media)
        studio.compute()
        assert studio.publish().outcome == "released"
    shutil.rmtree(studio.store.uri(layout.table(studio.reader().manifest.algorithms["visual"].table)))
    studio.film("alps", media="m5")
    studio.compute()
    published = studio.publish()
    assert published.outcome == "released"
    assert verdicts(published)["canary"] == "skipped"
    assert "is gone" in next(gate["said"] for gate in published.gates if gate["name"] == "canary")
