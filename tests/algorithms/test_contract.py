"""What an author's code is given: the features that it asked for and no others."""

from __future__ import annotations

import polars as pl
import pytest

from mediaflow.algorithms.contract import Algorithm, Batch, Parameters, TitleFeatures

SHOTS = pl.DataFrame({"shot_no": [0]})


def test_a_title_has_what_was_asked_for_and_says_what_that_is() -> None:
    title = TitleFeatures("film", {"shots": SHOTS})
    assert title.shots is SHOTS
    with pytest.raises(AttributeError, match="'frames' is not among this algorithm's inputs: shots"):
        title.frames  # noqa: B018


def test_a_batch_is_a_sequence_of_titles() -> None:
    titles = tuple(TitleFeatures(name, {}) for name in "abc")
    batch = Batch(titles, Parameters())
    assert list(batch) == list(titles)
    assert (len(batch), batch[1], batch[-1]) == (3, titles[1], titles[2])


def test_run_has_to_be_written() -> None:
    class Nothing(Algorithm):
        pass

    with pytest.raises(TypeError, match="Nothing must define run"):
        Nothing().run(Batch((), Parameters()))
