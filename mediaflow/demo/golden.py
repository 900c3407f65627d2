"""The demo's questions as a file that `mediaflow evaluate` takes, with their answers by the films' truth."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mediaflow.demo.questions import Question

_HEAD = "# The demo's questions: right is what comes less than half a shot from the middle of the right one.\n"
# A cut may be found a frame early or late: the shots beside it are not right.
_EDGE_MS = 50


def write_golden(
    file: Path, asked: Sequence[Question], titles: Mapping[str, str], picture_at: Callable[[str, int], bytes]
) -> None:
    """Write questions with their answers, and beside the file the pictures that they bring.

    Parameters
    ----------
    file : Path
        The TOML file to write; its folder is made where missing.
    asked : sequence of Question
        The questions.
    titles : Mapping[str, str]
        Path of a media file in the library to the id of its title.
    picture_at : callable
        Gives the frame of a media file, by its path in the library, at a time in milliseconds, as PNG.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    parts = [_HEAD]
    for number, question in enumerate(asked, start=1):
        values = {"visual": question.visual, "dialogue": question.dialogue, "language": question.language}
        if question.image_from is not None:
            picture = file.with_name(f"{file.stem}-{number}.png")
            picture.write_bytes(picture_at(*question.image_from))
            values["image"] = picture.name
        half_ms = (question.end_ms - question.start_ms) // 2
        values["title"] = titles[question.expected_path]
        values["time"] = _seconds(question.start_ms + half_ms)
        values["tolerance"] = _seconds(max(0, half_ms - _EDGE_MS))
        lines = [f"{name} = {_quoted(value)}" for name, value in values.items() if value is not None]
        parts.append("\n".join(["[[question]]", *lines, ""]))
    file.write_text("\n".join(parts), encoding="utf-8")


def _seconds(time_ms: int) -> str:
    return f"{time_ms / 1000:.3f}"


def _quoted(text: str) -> str:
    """Return a basic string of TOML, which escapes as JSON does."""
    return json.dumps(text, ensure_ascii=False)
