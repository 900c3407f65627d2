"""What an algorithm reads: the inputs that it asked for and no others, with the times of the whole film."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from mediaflow.algorithms.contract import Algorithm, Batch, Parameters, Shape
from tests.stages.loud import Loud
from tests.stages.room import CUE, Room


def test_an_algorithm_gets_only_the_inputs_that_it_asked_for(heard: Room) -> None:
    class Curious(Algorithm):
        name, version, owner, inputs, shape = "curious", "1", "team:x", ("catalogue",), Shape.TEXT

        def run(self, batch: Batch) -> Iterator[pl.DataFrame]:
            for title in batch:
                yield title.cues

    heard.use(Curious())
    outcome = heard.run("curious")["alps"]
    assert "'cues' is not among this algorithm's inputs: catalogue" in outcome.reason


def test_an_algorithm_reads_what_another_one_found_and_has_its_parameters(heard: Room) -> None:
    class Long(Parameters):
        letters: int = 9

    class Longer(Algorithm):
        name, version, owner, inputs, shape = "longer", "1", "team:x", ("loud", "catalogue"), Shape.LABEL
        Parameters = Long

        def run(self, batch: Batch) -> Iterator[pl.DataFrame]:
            for title in batch:
                long = title.loud.filter(pl.col("letters") > batch.parameters.letters)
                label = pl.lit(f"{title.catalogue['title'][0]} is long")
                yield long.select("start_ms", "end_ms", label=label, confidence=pl.lit(1.0))

    heard.use(Loud(), Longer())
    assert heard.states("longer", titles=["alps"]) == {"alps": "blocked"}
    done = heard.run("loud", "longer")
    assert heard.part(done["alps"])["label"].to_list() == ["alps is long"]
    assert set(done["alps"].inputs) == {"loud", "catalogue"}
    assert done["alps"].inputs["loud"] == heard.run("loud")["alps"].revision


def test_subtitles_of_a_later_part_begin_where_that_part_does(long: Room) -> None:
    long.use(Loud())
    done = long.run("media", "subtitles", "loud", titles=["long"])["long"]
    start = long.run("media")["alps"].facts["duration_ms"]
    assert long.part(done).select("start_ms", "text").rows() == [
        (100, "HELLO LONG CD1"),
        (1_000, "AND MORE"),
        (100 + start, "HELLO LONG CD2"),
        (1_000 + start, "AND MORE"),
    ]


def test_cues_of_all_tracks_are_counted_once(room: Room) -> None:
    class Count(Loud):
        def run(self, batch: Batch) -> Iterator[pl.DataFrame]:
            for title in batch:
                yield title.cues.select("start_ms", "end_ms", "text", letters="cue_no")

    (room.folder / "alps.de.srt").write_text(CUE.format("hallo"))
    room.scan()
    room.use(Count())
    done = room.run("media", "subtitles", "loud", titles=["alps"])["alps"]
    assert room.part(done)["letters"].to_list() == [0, 1, 2, 3]
