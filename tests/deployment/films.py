"""Small films for the deployment's tests, and two ways in which a film is broken."""

from __future__ import annotations

import random
from pathlib import Path

from mediaflow.demo.library import make_film


def file_name(title_id: str) -> str:
    """Return the name that a file has for its title to get this id: `Alpha (2001)` for `alpha-2001`."""
    name, year = title_id.rsplit("-", 1)
    return f"{name.capitalize()} ({year})"


class Films:
    """Films of three short shots, rendered once a seed.

    Parameters
    ----------
    folder : Path
        Where rendered films are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def render(self, title_id: str, *, seed: int) -> Path:
        """Render a film with its subtitles and `.nfo`, once; return the media file."""
        source = self._folder / str(seed) / f"{file_name(title_id)}.mp4"
        if not source.is_file():
            make_film(source, seed=seed, shots=3, size=(96, 64), shot_seconds=1.0, fps=12)
        return source

    def put(self, library: Path, title_id: str, *, seed: int) -> Path:
        """Put a film with its subtitles and `.nfo` into the library, or others in its place; return the media file."""
        source = self.render(title_id, seed=seed)
        return self._put(library, source, source.read_bytes())

    def put_garbage(self, library: Path, title_id: str) -> Path:
        """Put a file that is no film at all: the stage `media` fails."""
        file = library / f"{file_name(title_id)}.mp4"
        file.write_bytes(random.Random(title_id).randbytes(5_000))
        return file

    def put_damaged(self, library: Path, title_id: str, *, seed: int) -> Path:
        """Put a film whose picture is noise after its beginning: `media` reads it, the stage `frames` fails."""
        source = self.render(title_id, seed=seed)
        data = source.read_bytes()
        first, last = data.find(b"mdat") + 4, data.find(b"moov") - 4
        first += (last - first) // 5
        assert 0 < first < last
        noise = random.Random(seed).randbytes(last - first)
        return self._put(library, source, data[:first] + noise + data[last:])

    def _put(self, library: Path, source: Path, media: bytes) -> Path:
        for part in sorted(source.parent.glob(f"{source.stem}.*")):
            (library / part.name).write_bytes(media if part == source else part.read_bytes())
        return library / source.name
