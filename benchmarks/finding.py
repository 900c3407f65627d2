"""How much of what is right is found: `python -m benchmarks.finding`: all that match, and the nearest within a filter.

Of the demo's films all shots are asked for that show a thing, a colour, a place or a time of day, at several rates of
false positives. Of vectors in clusters the twenty nearest are asked for within ever wider filters, by an index.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks._claims import Claim, tell
from benchmarks._library import RANGE, manifest, titles, write
from mediaflow.demo.captions import Ask, keywords, values_of
from mediaflow.demo.library import make_library
from mediaflow.demo.truth import FilmTruth, ShotTruth
from mediaflow.library import Library
from mediaflow.library.opened import Pictures
from mediaflow.search.gateway import Gateway
from mediaflow.search.query import Filters, Query, SimilarToVector, Visual
from mediaflow.settings import Settings
from mediaflow.snapshots.reader import SnapshotReader
from mediaflow.storage.objects import FolderStore

RATES = (0.001, 0.01, 0.05)
ASKED = ("object", "colour", "place", "time")
FILMS, EPISODES, SHOTS = 8, 4, 8

TITLES, ROWS, DIM, CLUSTERS, NEAREST, QUERIES = 1_000, 200, 128, 300, 20, 40
LEAST_RECALL, SAME = 0.98, 1e-4


@dataclass
class Counted:
    """What was found and what is right."""

    found: int = 0
    right: int = 0
    there: int = 0
    told: int = 0

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.told / self.there


def films(folder: Path) -> tuple[Library, dict[str, FilmTruth]]:
    """Render films, compute their shots' vectors with the demo's model, and publish them; return them and the truth."""
    settings = Settings(home=folder / "home", library=folder / "films", visual_model="demo", built_in=["visual"])
    library = Library(settings.model_copy(update={"settle_s": 0}))
    truth = make_library(library.root, folder / "truth", films=FILMS, episodes=EPISODES, shots=SHOTS)
    library.scan()
    library.ensure_model("visual")
    done = list(library.workshop().run(library.titles(), library.graph().names))
    assert all(one.ok for one in done)
    assert library.publish().outcome == "released"
    return library, {one.title_id: truth[one.path] for one in library.titles()}


def descriptions() -> Iterator[tuple[str, str | int, str]]:
    """Yield an attribute, a value of it, and words for what has it."""
    nothing = Ask(object=None, colour=None, count=None, plural=False, place=None, time=None)
    for attribute in ASKED:
        for value in values_of(attribute):
            yield attribute, value, keywords(replace(nothing, **{attribute: value}))


def everything(library: Library, truth: dict[str, FilmTruth]) -> list[Claim]:
    """Ask for all shots with an attribute, at each rate."""
    claims = []
    for rate in RATES:
        start, counted = time.process_time(), Counted()
        with Gateway(library.current(), library.models, Pictures(library), rate) as gateway:
            for attribute, value, text in descriptions():
                hits = gateway.search(Query((Visual(text, everything=True),), limit=1000)).hits
                seen = [(hit.title_id, _shot(truth[hit.title_id], (hit.start_ms + hit.end_ms) // 2)) for hit in hits]
                fits = {(title, shot.shot_no) for title, shot in seen if getattr(shot.scene, attribute) == value}
                counted.found += len(seen)
                counted.right += sum((title, shot.shot_no) in fits for title, shot in seen)
                counted.told += len(fits)
                counted.there += sum(
                    getattr(shot.scene, attribute) == value for film in truth.values() for shot in film.shots
                )
        cpu_s = time.process_time() - start
        said = f"of all shots, one in {round(1 / rate)} by chance"
        claims.append(Claim(f"precision {said}", counted.precision, cpu_s))
        claims.append(Claim(f"recall {said}", counted.recall, 0.0))
    return claims


def _shot(film: FilmTruth, time_ms: int) -> ShotTruth:
    return next((shot for shot in film.shots if time_ms < shot.end_ms), film.shots[-1])


def clusters(store: FolderStore) -> tuple[Gateway, np.ndarray]:
    """Write vectors of unit norm that lie in clusters, those of a title in a few of them; return them and a gateway."""
    draw = np.random.default_rng(4)
    centres = draw.normal(size=(CLUSTERS, DIM))
    own = draw.integers(0, CLUSTERS, (TITLES, 4))
    of_row = own[np.repeat(np.arange(TITLES), ROWS), draw.integers(0, 4, TITLES * ROWS)]
    vectors = centres[of_row] + draw.normal(size=(TITLES * ROWS, DIM)) * 0.6
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    start = pl.int_range(TITLES * ROWS, eager=True) % ROWS * 2_000
    rows = pl.DataFrame(
        {
            "title_no": pl.Series(np.repeat(np.arange(TITLES), ROWS), dtype=pl.Int32),
            "shot_no": (start // 2_000).cast(pl.Int32),
            "start_ms": start,
            "end_ms": start + 2_000,
            "vector": pl.Series(vectors, dtype=pl.Array(pl.Float16, DIM)),
        }
    )
    columns = {"shot_no": pl.Int32, **RANGE, "vector": pl.Array(pl.Float16, DIM)}
    tables = {**titles(store, TITLES), "visual-g": write(store, "visual-g", columns, rows)}
    shown = manifest(tables, {"visual": "shot_vector"})
    return Gateway(SnapshotReader(store, shown), None, None), vectors.astype(np.float32)  # type: ignore[arg-type]


def nearest(gateway: Gateway, vectors: np.ndarray) -> Claim:
    """Ask for the nearest within filters from one title to all, beside all rows compared one by one."""
    draw, start, shares = np.random.default_rng(5), time.process_time(), {}
    ids = gateway.catalogue.titles.sort("title_no")["title_id"].to_list()
    widths = [*(2**power for power in range(math.ceil(math.log2(TITLES)))), TITLES]
    how: dict[int, str] = {}
    for width in widths:
        chosen = np.sort(draw.permutation(TITLES)[:width])
        rows = (chosen[:, None] * ROWS + np.arange(ROWS)).ravel()
        filters = Filters(titles=tuple(ids[no] for no in chosen)) if width < TITLES else Filters()
        found = []
        for _ in range(QUERIES):
            asked = vectors[draw.integers(len(vectors))] + draw.normal(size=DIM) * 0.05
            unit = asked / np.linalg.norm(asked)
            query = Query((SimilarToVector(tuple(unit.tolist())),), filters, limit=NEAREST)
            near = vectors[rows] @ unit
            least = np.partition(near, -NEAREST)[-NEAREST] - SAME
            hits = gateway.search(query).hits
            places = [hit.title_no * ROWS + hit.start_ms // 2_000 for hit in hits]
            found.append(sum(bool(vectors[place] @ unit >= least) for place in places) / NEAREST)
        how[width] = gateway.explain(query)[0].how
        shares[width] = sum(found) / len(found)
        print(f"{width:>6} titles {width * ROWS:>9} rows  {how[width]:<6} recall@{NEAREST} {shares[width]:.4f}")
    assert {"exact", "index"} == set(how.values())
    what = f"recall@{NEAREST}, least of {len(widths)} widths of the filter"
    return Claim(what, min(shares.values()), time.process_time() - start, least=LEAST_RECALL)


def main() -> int:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder:
        library, truth = films(Path(folder) / "demo")
        with library:
            claims = everything(library, truth)
        claims.append(nearest(*clusters(FolderStore(Path(folder) / "clusters"))))
    return tell(*claims)


if __name__ == "__main__":
    sys.exit(main())
