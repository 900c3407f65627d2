"""Real films and subtitles through the whole library: everything readable is published and answers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

import mediaflow
from mediaflow.demo.library import make_film
from mediaflow.library import Library
from mediaflow.search.query import Dialogue, Filters, Query
from tests.refreshing import refresh

# A line of each language, as a viewer reads it; those marked were encoded twice in the file and are repaired.
SINTEL = {
    "en": "dark past",
    "de": "Diese Klinge birgt eine finstere Vergangenheit",
    "es": "Esta hoja tiene un pasado oscuro",
    "fr": "un sombre passé",
    "it": "un oscuro passato",
    "nl": "donker verleden",
    "pl": "mroczną przeszłość",
    "pt": "um passado escuro",
    "ru": "с темным прошлым",
}
REPAIRED = {"ru", "pl", "es", "fr", "de"}
TEARS = {
    "en": "You're a jerk, Thom",
    "de": "Du bist ein Vollidiot",
    "es": "Eres un imbécil",
    "fr": "T'es un salaud",
    "it": "Sei un idiota",
    "nl": "een eikel",
}
ABLE = {
    "en": "jaunty piano tune",
    "es": "alegre melodía de piano",
    "pt-BR": "Programação acessível",
    "it": "Basato su una storia vera",
    "de": "Ein blauer Kreis",
    "fr": "Un cercle bleu",
    "ja": "音楽",
}
LINES = [
    *(("sintel", language, line) for language, line in SINTEL.items()),
    *(("tears", language, line) for language, line in TEARS.items()),
    *(("able", language, line) for language, line in ABLE.items()),
]


@pytest.fixture(scope="module")
def subtitled(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Three films with real subtitle files beside them, refreshed."""
    folder = tmp_path_factory.mktemp("subtitled")
    sources = {"sintel": "sintel_full", "tears": "tears_of_steel", "able": "ableplayer"}
    for name, source in sources.items():
        make_film(folder / "films" / name / f"{name}.mp4", seed=7, shots=2, size=(96, 64), shot_seconds=1, fps=12)
        (folder / "films" / name / f"{name}.nfo").unlink()
        for file in (shared_data / "subtitles" / source).glob("*.vtt"):
            shutil.copy(file, folder / "films" / name)
    with mediaflow.open(home=folder / "home", library=folder / "films", settle_s=0, visual_model="none") as library:
        refresh(library)
        yield library


@pytest.mark.parametrize(("film", "language", "line"), LINES, ids=[f"{film}-{tag}" for film, tag, _ in LINES])
def test_real_subtitles_answer_in_each_language(subtitled: Library, film: str, language: str, line: str) -> None:
    hits = subtitled.search(Query((Dialogue(f'"{line}"', language=language),), Filters(titles=(film,)))).hits
    assert hits
    assert hits[0].title_id == film
    text = hits[0].sources[0].text
    assert text is not None
    assert line.casefold() in text.replace("\n", " ").casefold()


def test_files_encoded_twice_are_repaired_and_said(subtitled: Library) -> None:
    notes = subtitled.show("sintel")["notes"]
    assert {note.split(".vtt")[0].removeprefix("sintel-") for note in notes if "repaired" in note} == REPAIRED
    assert not [note for note in subtitled.show("tears")["notes"] if "repaired" in note]


def test_every_readable_film_is_published_and_streams_are_not_films(shared_data: Path, tmp_path: Path) -> None:
    films = shared_data / "video"
    with mediaflow.open(home=tmp_path, library=films, settle_s=0, visual_model="none") as library:
        published = refresh(library)
        files = {file.name for file in films.iterdir() if file.is_file()}
        assert {record.path for record in library.titles()} == files
        assert set(published.added) == {record.title_id for record in library.titles()}
        assert published.manifest is not None
        rows = pl.DataFrame(pl.from_arrow(library.current().table(published.manifest.shots or "").to_table()))
        assert rows["title_no"].n_unique() == len(files)
        ignored = library.last_look()["ignored"]
        assert [one["path"] for one in ignored] == ["livesim2_dash/bbb_hevc_ac3_8s"]
        assert library.publish().outcome == "nothing new"
