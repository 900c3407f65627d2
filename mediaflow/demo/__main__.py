"""The demo, as `make demo` runs it: `films` renders a small library, `ask` asks it a few questions.

Both work on the library and workspace that the settings name; between them the library is refreshed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from mediaflow.demo.golden import write_golden
from mediaflow.demo.questions import Question, questions
from mediaflow.demo.truth import FilmTruth
from mediaflow.errors import MediaflowError, UsageError
from mediaflow.library import Library, open_library
from mediaflow.search.query import Clause, Dialogue, Query, SimilarToPicture, Visual
from mediaflow.search.results import Hit

_SHOWN = 3


def main(words: list[str]) -> int:
    """Run one of the two parts; return the exit code."""
    try:
        if words not in (["films"], ["ask"]):
            raise UsageError("Say which part of the demo: films or ask.")
        with open_library() as library:
            return _films(library) if words == ["films"] else _ask(library)
    except MediaflowError as error:
        print(error.message, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. What was finished is kept; run it again to go on.", file=sys.stderr)
        return 130


def truth_of(library: Library) -> dict[str, FilmTruth]:
    """Render the demo's films where they are missing, and return what is true of them."""
    from mediaflow.demo.library import make_library

    return make_library(library.root, library.home / "truth")


def first(library: Library, question: Question) -> tuple[list[Hit], bool]:
    """Ask a question; return the answers, and whether the first one is the right shot of the right film.

    A hit is right when the middle of it lies in the shot that the truth names.
    """
    hits = list(library.search(Query(tuple(clauses(library.root, question)), limit=_SHOWN)).hits)
    if not hits:
        return hits, False
    record = library.catalog.titles[hits[0].title_id]
    middle = (hits[0].start_ms + hits[0].end_ms) // 2
    return hits, record.path == question.expected_path and question.start_ms <= middle < question.end_ms


def golden_of(library: Library, asked: list[Question]) -> Path:
    """Write the questions with their answers into the workspace, for `mediaflow evaluate`; return the file."""
    file = library.home / "golden" / "golden.toml"
    titles = {record.path: record.title_id for record in library.titles()}
    write_golden(file, asked, titles, lambda path, time_ms: picture_at(library.root / path, time_ms))
    return file


def settings_of(library: Library) -> Path:
    """Write the demo's settings into its workspace, for `MEDIAFLOW_CONFIG`; return the file.

    Without the library and the model that it was made with, every command would take the demo for out of date.
    """
    settings = library.settings
    file = library.home / "mediaflow.toml"
    said = {"home": settings.home, "library": settings.library, "visual_model": settings.visual_model}
    lines = [f"{name} = {json.dumps(str(value), ensure_ascii=False)}\n" for name, value in said.items()]
    file.write_text("".join(lines) + f"settle_s = {settings.settle_s}\n", encoding="utf-8")
    return file


def clauses(root: Path, question: Question) -> list[Clause]:
    """Return a question as clauses of a query."""
    found: list[Clause] = []
    if question.visual:
        found.append(Visual(question.visual))
    if question.dialogue:
        found.append(Dialogue(question.dialogue))
    if question.image_from:
        path, time_ms = question.image_from
        found.append(SimilarToPicture(picture_at(root / path, time_ms), f"{path} at {time_ms} ms"))
    return found


def picture_at(film: Path, time_ms: int) -> bytes:
    """Return the frame that a film shows at a time, as PNG."""
    import av
    import cv2

    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        start = stream.start_time or 0
        for frame in container.decode(stream):
            if stream.time_base and (frame.pts or 0) - start >= time_ms / 1000 / stream.time_base:
                done, png = cv2.imencode(".png", frame.to_ndarray(format="bgr24"))
                assert done
                return png.tobytes()
    raise UsageError(f"{film.name} has no frame at {time_ms} ms.", path=str(film), time_ms=time_ms)


def _films(library: Library) -> int:
    new = not (library.home / "truth").is_dir()
    if new:
        print("Rendering a small library of films …", flush=True)
    truth = truth_of(library)
    seconds = sum(film.duration_ms for film in truth.values()) / 1000
    print(f"{len(truth)} films and episodes ({seconds:.0f} s) in {library.settings.library}", flush=True)
    return 0


def _ask(library: Library) -> int:
    from mediaflow.cli.output import print_table
    from mediaflow.search.results import Results

    asked = questions(truth_of(library))
    right = 0
    for question in asked:
        hits, correct = first(library, question)
        right += correct
        print(f"\n{question.kind}: {question.words}")
        if hits:
            print_table(Results(hits[0].snapshot, tuple(hits)), library.thumbnails(hits))
        print(
            "   the first answer is right" if correct else "   the first answer is not the one the films' truth names"
        )
    print(f"\n{right} of {len(asked)} questions got the right film and shot first.")
    home = library.settings.home
    golden = home / golden_of(library, asked).relative_to(library.home)
    command = f"MEDIAFLOW_CONFIG={home / settings_of(library).name} .venv/bin/mediaflow"
    print(
        "\nTry next:\n"
        f"  {command} search 'a red car at night'\n"
        f"  {command} status\n"
        f"  {command} evaluate {golden}\n"
        "  your own films: library = \"/path/to/films\" in mediaflow.toml, then 'make up'"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
