"""What is written over the pictures of a rendered film is read, published, and found where and when it stands."""

from __future__ import annotations

from pathlib import Path

import mediaflow
from mediaflow.demo.library import make_film
from mediaflow.search.query import Query, Where
from tests.refreshing import refresh


def test_written_texts_are_found_in_their_shots_and_places(tmp_path: Path) -> None:
    truth = make_film(tmp_path / "films" / "Signs (1999).mp4", seed=11, shots=12, shot_seconds=1.0)
    settings = {"built_in": ["onscreen_text"], "settle_s": 0}
    with mediaflow.open(home=tmp_path / "home", library=tmp_path / "films", **settings) as library:
        assert refresh(library).outcome == "released"
        assert len(truth.texts) == 3
        for text in truth.texts:
            shot = truth.shots[text.shot_no]
            (hit,) = library.search(Query((Where("onscreen_text", f'"{text.text}"'),)))
            # A dissolve puts its border somewhere between its frames.
            assert abs(hit.start_ms - shot.start_ms) < 400 and abs(hit.end_ms - shot.end_ms) < 400
            (source,) = hit.sources
            assert source.text == text.text and source.box is not None
            assert abs(source.box.x + source.box.w / 2 - 0.5) < 0.02
            assert abs(source.box.y + source.box.h / 2 - 0.875) < 0.02 and source.box.h < 0.15
        rows = library.current().table(library.current().manifest.algorithms["onscreen_text"].table)
        assert sorted(rows.to_table()["text"].to_pylist()) == sorted(text.text for text in truth.texts)
