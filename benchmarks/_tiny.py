"""Libraries of many tiny titles, for measuring what does not depend on the length of films."""

from __future__ import annotations

import struct
from pathlib import Path

from mediaflow.demo.library import make_film

# Vectors that are all the same are taken for a broken model.
_LOOKS = 12


def make_tiny_library(library: Path, titles: int, first: int = 0) -> None:
    """Make titles of films of a few frames, each with bytes of its own in a box that players skip."""
    sources = [library.parent / "source" / f"Tiny {look}.mp4" for look in range(_LOOKS)]
    for look, source in enumerate(sources):
        make_film(source, seed=1 + look, shots=1, size=(32, 32), shot_seconds=0.4, fps=12)
    rendered = [(source.read_bytes(), source.with_suffix(".en.srt").read_text()) for source in sources]
    library.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + titles):
        film, words = rendered[number % _LOOKS]
        name = f"Tiny {number:05d}"
        own = f"{number:08d}".encode()
        (library / f"{name}.mp4").write_bytes(film + struct.pack(">I", 8 + len(own)) + b"free" + own)
        (library / f"{name}.en.srt").write_text(f"{words}\n99\n00:00:00,100 --> 00:00:00,200\nNumber {number}.\n")
        (library / f"{name}.nfo").write_text(f"<movie><title>{name}</title><genre>Tiny</genre></movie>")
