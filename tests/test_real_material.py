"""Real films and subtitles through the whole library: everything readable is published and answers."""

from __future__ import annotations

import io
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

import mediaflow
from mediaflow.demo.library import make_film
from mediaflow.library import Library
from mediaflow.publishing.publisher import Publication
from mediaflow.search.query import Dialogue, Filters, Query, SimilarToClip, SimilarToPicture
from mediaflow.search.results import Hit
from tests.clips import encoded, jpeg_of, lying, small_frames, timed
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


@pytest.fixture(scope="module")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Library, Publication]]:
    """The real films, in place, refreshed with the demo model."""
    home = tmp_path_factory.mktemp("real")
    with mediaflow.open(home=home, library=shared_data / "video", settle_s=0, visual_model="demo") as library:
        yield library, refresh(library)


def test_every_readable_film_is_published_and_streams_are_not_films(real: tuple[Library, Publication]) -> None:
    library, published = real
    files = {file.name for file in library.root.iterdir() if file.is_file()}
    assert {record.path for record in library.titles()} == files
    assert set(published.added) == {record.title_id for record in library.titles()}
    assert published.manifest is not None
    assert set(published.manifest.algorithms) == {"visual", "dialogue", "palette"}
    rows = pl.DataFrame(pl.from_arrow(library.current().table(published.manifest.shots or "").to_table()))
    assert rows["title_no"].n_unique() == len(files)
    ignored = library.last_look()["ignored"]
    assert [one["path"] for one in ignored] == ["livesim2_dash/bbb_hevc_ac3_8s"]
    assert library.publish().outcome == "nothing new"


# Moments of each film, as shares of its length.
MOMENTS = (0.15, 0.3, 0.5, 0.7, 0.9)
# Pictures that are as alike as this show the same: some of the films are excerpts or trailers of one another.
SAME = 0.96


def test_a_frame_that_was_not_kept_finds_its_scene_from_a_reencoding(real: tuple[Library, Publication]) -> None:
    library, _ = real
    asked, missed = 0, []
    for record in library.titles():
        frames = library.plan().frame.filter(title_id=record.title_id, stage="frames").row(0, named=True)
        kept = library.artifact("frames", record.title_id, frames["revision"], frames["attempt"], "frames")
        duration_ms = library.show(record.title_id)["facts"]["duration_ms"]
        moments = [round(share * duration_ms) for share in MOMENTS]
        for time_ms, jpeg in reencoded(library.root / record.path, moments, set(kept["time_ms"])):
            asked += 1
            hit = library.search(Query((SimilarToPicture(jpeg),), limit=1)).hits[0]
            here = hit.title_id == record.title_id and hit.start_ms <= time_ms < hit.end_ms
            if not here and not shows(library.root / library.catalog.titles[hit.title_id].path, hit, jpeg):
                missed.append((record.title_id, time_ms, hit.title_id, hit.start_ms))
    assert asked == len(MOMENTS) * len(library.titles())
    assert len(missed) <= asked // 10, missed


def test_a_clip_whose_middle_is_of_another_film_finds_its_place_and_its_middle_does_not(
    real: tuple[Library, Publication], record_property: Callable[[str, object], None]
) -> None:
    library, _ = real
    records, placed, missed, lied = library.titles(), 0, [], 0
    for number, record in enumerate(records):
        other = records[(number + 5) % len(records)]
        duration_ms = library.show(record.title_id)["facts"]["duration_ms"]
        start_ms, length_ms = duration_ms * 3 // 10, min(5_000 * (1 + number % 5), duration_ms // 2)
        frames = small_frames(library.root / record.path, start_ms, start_ms + length_ms)
        clip, middle = lying(frames, small_frames(library.root / other.path, 1_000, 1_000 + length_ms // 4))
        hit = library.search(Query((SimilarToClip(clip),), limit=1)).hits[0]
        here = hit.title_id == record.title_id and hit.start_ms < start_ms + length_ms and hit.end_ms > start_ms
        here = here or shows(library.root / library.catalog.titles[hit.title_id].path, hit, jpeg_of(frames[0]))
        placed += here
        missed += [] if here else [(record.title_id, start_ms, hit.title_id, hit.start_ms)]
        seen = library.search(Query((SimilarToPicture(middle),), limit=1)).hits[0]
        lied += seen.title_id not in (record.title_id, hit.title_id)
    record_property("tried", f"{placed} of {len(records)} clips, their middles lead astray {lied} times")
    assert len(records) >= 14
    assert len(missed) <= len(records) // 10, missed
    assert lied >= len(records) * 9 // 10


def test_a_clip_of_a_film_finds_all_copies_of_its_scene_first(real: tuple[Library, Publication]) -> None:
    library, _ = real
    film = library.root / "bbb_480p_30s.mp4"
    hits = library.search(Query((SimilarToClip(encoded(small_frames(film, 2_000, 22_000))),), limit=2)).hits
    assert {hit.title_id for hit in hits} == {"bbb-480p-30s", "bbb-720p24-run-00-02"}
    assert all(hit.start_ms <= 2_000 and 20_000 <= hit.end_ms <= 25_000 for hit in hits)


def reencoded(film: Path, moments: list[int], kept: set[int]) -> Iterator[tuple[int, bytes]]:
    """Yield a time (ms) from each moment on at which no frame was kept, and the film's picture there, much worse.

    It is made smaller, encoded as MPEG-4 at a low rate together with the frames before it, decoded, and written as
    a poor JPEG.
    """
    last: deque[av.VideoFrame] = deque(maxlen=6)
    waiting = deque(moments)
    with av.open(str(film)) as source:
        for time_ms, frame in timed(source):
            last.append(frame)
            if time_ms >= waiting[0] and time_ms not in kept:
                waiting.popleft()
                yield time_ms, degraded(list(last))
            if not waiting:
                return


def degraded(frames: list[av.VideoFrame]) -> bytes:
    """Return the last of some frames as a poor JPEG of a poor film."""
    small = [one.reformat(width=one.width * 3 // 8 * 2, height=one.height * 3 // 8 * 2) for one in frames]
    packed = io.BytesIO()
    with av.open(packed, "w", format="avi") as sink:
        out = sink.add_stream("mpeg4", rate=25)
        out.width, out.height, out.pix_fmt, out.bit_rate = small[0].width, small[0].height, "yuv420p", 600_000
        for number, one in enumerate(small):
            one.pts, one.time_base = number, Fraction(1, 25)
            sink.mux(out.encode(one))
        sink.mux(out.encode())
    packed.seek(0)
    with av.open(packed) as again:
        picture = list(again.decode(video=0))[-1].to_ndarray(format="bgr24")
    done, jpeg = cv2.imencode(".jpg", np.ascontiguousarray(picture), [cv2.IMWRITE_JPEG_QUALITY, 60])
    assert done
    return jpeg.tobytes()


def shows(film: Path, hit: Hit, jpeg: bytes) -> bool:
    """Say whether a frame of the hit shows what the picture shows: another cut of the same moment."""
    asked = fingerprint(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))
    with av.open(str(film)) as source:
        return any(
            float((fingerprint(frame.to_ndarray(format="bgr24")) * asked).mean()) >= SAME
            for time_ms, frame in timed(source)
            if hit.start_ms <= time_ms < hit.end_ms
        )


def fingerprint(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the picture small and grey, with mean 0 and deviation 1: the mean product of two is their correlation."""
    small = cv2.resize(picture, (64, 36), interpolation=cv2.INTER_AREA).mean(axis=2)
    return (small - small.mean()) / max(float(small.std()), 1e-9)
