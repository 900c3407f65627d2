"""The table of hits says what each of the algorithms found."""

from __future__ import annotations

import io

from rich.console import Console

from mediaflow.cli.output import print_table
from mediaflow.search.results import Hit, Results, Source


def source(algorithm: str, text: str, speaker: str | None = None) -> Source:
    return Source(algorithm, "g", None, "r", 1.0, 0, 1_000, text=text, speaker=speaker)


def test_a_hit_of_a_label_and_a_line_says_both_and_of_several_lines_the_first() -> None:
    sources = (source("light", "lamps"), source("dialogue", "the glass\nbroke", "Ada"), source("dialogue", "did it"))
    hit = Hit(0, "harbour", "Harbour", 0, 1_000, 0.5, sources, "1-aaaaaaaa")
    console = Console(file=io.StringIO(), width=200)
    print_table(Results("1-aaaaaaaa", (hit,)), [None], console)
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    assert "lamps | Ada: the glass / broke" in told and "did it" not in told and "light, dialogue" in told
