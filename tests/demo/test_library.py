"""The rendered library: what lies in the folder, that the truth is true, and that a second call writes nothing."""

from __future__ import annotations

from html import unescape
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pysubs2
import pytest
from defusedxml import ElementTree

from mediaflow.demo.library import make_film, make_library, read_truth
from mediaflow.demo.script import DISSOLVE_FRAMES
from mediaflow.demo.truth import FilmTruth
from mediaflow.errors import UsageError

Made = tuple[Path, Path, dict[str, FilmTruth]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A library of four films and two episodes, one of each codec and container."""
    root = tmp_path_factory.mktemp("world")
    return root / "library", root / "truth", make_library(root / "library", root / "truth", shots=5, size=(160, 90))


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").astype(np.float32) for frame in container.decode(video=0)]


def difference(some: list[np.ndarray], others: list[np.ndarray]) -> float:
    """Mean difference of pixels: encoders do not always give the same bytes for the same frames."""
    return float(np.mean([np.abs(a - b).mean() for a, b in zip(some, others, strict=False)]))


def test_the_folder_looks_like_a_users_and_holds_no_truth(made: Made) -> None:
    library, _, truths = made
    suffixes = sorted(
        file.suffix for file in library.rglob("*") if file.is_file() and str(file.relative_to(library)) in truths
    )
    assert suffixes == [".avi", ".mkv", ".mkv", ".mkv", ".mp4", ".webm"]
    assert not list(library.rglob("*.json"))
    for path, truth in truths.items():
        assert (library / path).with_suffix(".nfo").is_file()
        assert {cue.track.rsplit(".", 2)[1] for cue in truth.cues} == set(truth.languages)
        assert all((library / path).with_name(cue.track).is_file() for cue in truth.cues)
    shows = [path for path, truth in truths.items() if truth.series]
    assert [Path(path).name[-10:] for path in shows] == ["S01E01.mkv", "S01E02.mkv"]
    assert all((library / path).parents[1].joinpath("tvshow.nfo").is_file() for path in shows)


def test_the_films_have_the_frames_size_and_codec_that_the_truth_says(made: Made) -> None:
    library, _, truths = made
    for path, truth in truths.items():
        with av.open(str(library / path)) as container:
            stream = container.streams.video[0]
            assert (stream.width, stream.height) == (truth.width, truth.height)
            assert stream.codec_context.name.removeprefix("lib") == truth.codec
            assert stream.average_rate == truth.fps_num
            assert sum(1 for _ in container.decode(video=0)) == truth.frames


def test_pictures_change_at_cuts_and_slowly_in_dissolves(made: Made) -> None:
    library, _, truths = made
    for path, truth in truths.items():
        frames = frames_of(library / path)
        change = [0.0, *(float(np.abs(b - a).mean()) for a, b in pairwise(frames))]
        mixed = {frame for start, end in truth.dissolves for frame in range(start, end + 1)}
        still = [change[n] for n in range(1, len(change)) if n not in mixed and n not in truth.cuts]
        assert all(change[cut] > 3 * np.percentile(still, 95) for cut in truth.cuts), path
        for start, end in truth.dissolves:
            assert DISSOLVE_FRAMES[0] <= end - start <= DISSOLVE_FRAMES[1]
            assert float(np.abs(frames[end] - frames[start - 1]).mean()) > 2 * max(change[start : end + 1])


def test_shots_cover_the_film_and_hold_their_lines_and_texts(made: Made) -> None:
    for truth in made[2].values():
        borders = [0, *(shot.end_frame for shot in truth.shots)]
        assert borders == [*(shot.start_frame for shot in truth.shots), truth.frames]
        inner = {frame for shot in truth.shots[1:] for frame in [shot.start_frame]}
        assert inner == set(truth.cuts) | {(start + (end - start) // 2) for start, end in truth.dissolves}
        for spoken in (*truth.cues, *truth.texts):
            shot = truth.shots[spoken.shot_no]
            assert shot.start_ms <= spoken.start_ms < spoken.end_ms <= shot.end_ms
        assert all(a.scene.place != b.scene.place for a, b in pairwise(truth.shots))
        assert truth.shots[-1].end_ms == truth.duration_ms


def test_lines_and_pairs_of_colour_and_object_come_once_in_a_library(made: Made) -> None:
    truths = made[2].values()
    english = [cue.text for truth in truths for cue in truth.cues if cue.language == "en"]
    pairs = [(shot.scene.colour, shot.scene.object) for truth in truths for shot in truth.shots]
    assert len(english) > 20
    assert len(set(english)) == len(english)
    assert len(set(pairs)) == len(pairs)


def test_subtitles_say_what_the_truth_says_and_who_says_it(made: Made) -> None:
    library, _, truths = made
    formats = set()
    for path, truth in truths.items():
        for track in {cue.track for cue in truth.cues}:
            file = (library / path).with_name(track)
            formats.add(file.suffix)
            raw = unescape(file.read_text(encoding="utf-8"))
            written = pysubs2.SSAFile.load(str(file))
            for line, cue in zip(written, [cue for cue in truth.cues if cue.track == track], strict=True):
                assert (line.start, line.end) == (cue.start_ms, cue.end_ms)
                says = {".ass": f",{cue.speaker},0,0,0,,{cue.text}", ".vtt": f"<v {cue.speaker}>{cue.text}"}
                assert says.get(file.suffix, f"{cue.speaker}: {cue.text}") in raw
                assert cue.speaker.title() in {role.character for role in truth.cast}
    assert formats == {".srt", ".vtt", ".ass", ".ttml"}


def test_nfo_entries_name_title_year_genres_and_cast(made: Made) -> None:
    library, _, truths = made
    for path, truth in truths.items():
        entry = ElementTree.parse((library / path).with_suffix(".nfo")).getroot()
        assert entry.tag == ("episodedetails" if truth.series else "movie")
        assert entry.findtext("title") == truth.title
        assert entry.findtext("year") == str(truth.year)
        assert tuple(genre.text for genre in entry.iter("genre")) == truth.genres
        cast = [(actor.findtext("name"), actor.findtext("role")) for actor in entry.iter("actor")]
        assert cast == [(role.talent, role.character) for role in truth.cast]
        if truth.series:
            assert (entry.findtext("season"), entry.findtext("episode")) == (str(truth.season), str(truth.episode))


def test_a_second_call_writes_nothing_and_replaces_only_what_is_gone(made: Made) -> None:
    library, folder, truths = made
    files = [file for root in (library, folder) for file in root.rglob("*") if file.is_file()]
    before = {file: file.stat().st_mtime_ns for file in files}
    assert make_library(library, folder, shots=5, size=(160, 90)) == truths
    assert {file: file.stat().st_mtime_ns for file in files} == before
    assert read_truth(folder) == truths

    gone = library / next(iter(truths))
    frames = frames_of(gone)
    gone.unlink()
    make_library(library, folder, shots=5, size=(160, 90))
    assert difference(frames_of(gone), frames) < 1
    others = [file for file in files if file.parent != gone.parent and file.stem != gone.stem]
    assert {file: file.stat().st_mtime_ns for file in others} == {file: before[file] for file in others}


def test_a_seed_decides_the_film(tmp_path: Path) -> None:
    film = {"shots": 2, "size": (96, 54), "shot_seconds": 0.5}
    first = make_film(tmp_path / "a" / "The Same Name (1999).mp4", seed=5, **film)
    again = make_film(tmp_path / "b" / "The Same Name (1999).mp4", seed=5, **film)
    other = make_film(tmp_path / "c" / "The Same Name (1999).mp4", seed=6, **film)
    assert first == again != other
    assert (first.title, first.year, first.path) == ("The Same Name", 1999, "The Same Name (1999).mp4")
    films = [frames_of(tmp_path / folder / "The Same Name (1999).mp4") for folder in "abc"]
    assert difference(films[0], films[1]) < 1
    assert difference(films[0], films[2]) > 20


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"codec": "theora"}, "codec 'theora': take one of h264, hevc, vp9, mpeg4"),
        ({"subtitles": ("en", "tlh")}, "subtitles can be made in 'tlh': take some of en, de, fr, es, ja"),
        ({"size": (97, 54)}, "97x54: take even sides"),
    ],
    ids=["codec", "language", "size"],
)
def test_what_cannot_be_made_is_refused_with_a_sentence(
    tmp_path: Path, wrong: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        make_film(tmp_path / "film.mkv", seed=1, **wrong)
    assert not list(tmp_path.iterdir())


def test_truth_survives_json(made: Made) -> None:
    for truth in made[2].values():
        assert FilmTruth.from_json(truth.to_json()) == truth
