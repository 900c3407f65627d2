"""Libraries of many tiny titles, for measuring what does not depend on the length of films."""

from __future__ import annotations

import struct
from pathlib import Path

from mediaflow.demo.library import make_film


def make_tiny_library(library: Path, titles: int) -> None:
    """Make titles of one film of a few frames, each with bytes of its own in a box that players skip."""
    source = library.parent / "source" / "Tiny.mp4"
    make_film(source, seed=1, shots=1, size=(32, 32), shot_seconds=0.4, fps=12)
    film, words = source.read_bytes(), source.with_name("Tiny.en.srt").read_text()
    library.mkdir(parents=True, exist_ok=True)
    for number in range(titles):
        name = f"Tiny {number:05d}"
        own = f"{number:08d}".encode()
        (library / f"{name}.mp4").write_bytes(film + struct.pack(">I", 8 + len(own)) + b"free" + own)
        (library / f"{name}.en.srt").write_text(f"{words}\n99\n00:00:00,100 --> 00:00:00,200\nNumber {number}.\n")
        (library / f"{name}.nfo").write_text(f"<movie><title>{name}</title><genre>Tiny</genre></movie>")
