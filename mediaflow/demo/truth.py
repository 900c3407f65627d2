"""What is true of a rendered film: its cuts, shots, spoken lines, written texts and catalogue entry, as JSON."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter

from mediaflow.demo.world import Scene


@dataclass(frozen=True, slots=True)
class Role:
    """One member of the invented cast; `character` is the name that speaks in the subtitles."""

    talent: str
    character: str


@dataclass(frozen=True, slots=True)
class ShotTruth:
    """One shot: frames and milliseconds, half-open. Where two shots dissolve, the border is the middle of it."""

    shot_no: int
    start_frame: int
    end_frame: int
    start_ms: int
    end_ms: int
    scene: Scene
    caption: str


@dataclass(frozen=True, slots=True)
class CueTruth:
    """One spoken line in one language, wholly within one shot.

    `speaker` is the character's name as the track writes it (in capitals where it stands before a colon), `track` the
    sidecar's file name.
    """

    shot_no: int
    start_ms: int
    end_ms: int
    language: str
    speaker: str
    text: str
    track: str


@dataclass(frozen=True, slots=True)
class TextTruth:
    """A text written over the picture, wholly within one shot."""

    shot_no: int
    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class FilmTruth:
    """All that is true of one rendered film.

    Attributes
    ----------
    path : str
        The media file, relative to the library folder, with forward slashes.
    title, year : str, int
        For an episode the episode's own title and the year of the series.
    series, season, episode : str, int, int or None
        None for a film.
    genres, languages : tuple of str
        Languages (BCP 47) are those of the sidecar subtitles.
    cast : tuple of Role
        Who plays whom; all names are invented.
    codec : str
        ``h264``, ``hevc``, ``vp9`` or ``mpeg4``.
    width, height, fps_num, fps_den, frames, duration_ms : int
        Facts of the picture track.
    cuts : tuple of int
        Hard cuts: 0-based index, in the order in which a decoder gives frames, of the first frame of the new shot.
    dissolves : tuple of (int, int)
        Frames, half-open, in which two shots are mixed.
    """

    path: str
    title: str
    year: int
    series: str | None
    season: int | None
    episode: int | None
    genres: tuple[str, ...]
    languages: tuple[str, ...]
    cast: tuple[Role, ...]
    codec: str
    width: int
    height: int
    fps_num: int
    fps_den: int
    frames: int
    duration_ms: int
    cuts: tuple[int, ...]
    dissolves: tuple[tuple[int, int], ...]
    shots: tuple[ShotTruth, ...]
    cues: tuple[CueTruth, ...]
    texts: tuple[TextTruth, ...]

    def to_json(self) -> str:
        """Give the truth as indented JSON."""
        return _ADAPTER.dump_json(self, indent=1).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> FilmTruth:
        """Read back what `to_json` gave; raises `pydantic.ValidationError` where it is something else."""
        return _ADAPTER.validate_json(text)


_ADAPTER = TypeAdapter(FilmTruth)


def frame_ms(frame: int, fps: int) -> int:
    """Time at which a frame begins, in milliseconds, rounded half up."""
    return (2000 * frame + fps) // (2 * fps)
