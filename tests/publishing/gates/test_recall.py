"""The gate of vector indexes: what an index finds beside exact search, with and without filters."""

from __future__ import annotations

from dataclasses import replace

import lance
import numpy as np
import pytest

from mediaflow.publishing.gates.recall import measure
from mediaflow.storage import layout
from tests.publishing.gates.studio import DIM, FILMS, Studio, verdicts

_SHOTS = 4000


def crowd(film, model):  # type: ignore[no-untyped-def]
    """Return many shots in no order at all, on which an index with many parts does badly; of one film but a few."""
    random = np.random.default_rng([FILMS.index(film.title_id), len(film.media)])
    vectors = random.normal(size=(_SHOTS if film.title_id != "hens" else 100, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def crowded(original: Studio, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A library with 28,100 shots, published."""
    import shutil

    root = tmp_path_factory.mktemp("crowded") / "store"
    shutil.copytree(original.store.root, root)
    studio = Studio(type(original.store)(root), list(original.stages), dict(original.films), paint=crowd)
    studio.limits = replace(studio.limits, rows_lost=1.0)
    studio.stage("visual", code_version="2")
    studio.compute()
    assert verdicts(studio.publish())["recall"] == "skipped"
    return studio


def index(studio: Studio, parts: int) -> None:
    """Make an index of the vectors, or another one in its place."""
    table = studio.reader().manifest.algorithms["visual"].table
    dataset = lance.dataset(studio.store.uri(layout.table(table)))
    dataset.create_index("vector", "IVF_FLAT", metric="l2", num_partitions=parts, replace=True)


def publish(studio: Studio, title: str) -> dict[str, object]:
    """Publish a changed film and return what the gate said."""
    film = studio.films[title]
    studio.film(title, media=f"{film.media}+")
    studio.compute()
    publication = studio.publish()
    return next(dict(gate) for gate in publication.gates if gate["name"] == "recall") | {"outcome": publication.outcome}


def test_an_index_is_measured_when_it_is_new_and_refused_when_it_finds_too_little(crowded: Studio) -> None:
    index(crowded, parts=8)
    good = publish(crowded, "alps")
    assert (good["outcome"], good["verdict"]) == ("released", "passed")
    assert good["value"] > 0.98  # type: ignore[operator]
    again = publish(crowded, "hens")
    assert str(again["said"]).startswith("As in the served snapshot: ") and again["value"] == good["value"]
    index(crowded, parts=1000)
    bad = publish(crowded, "hens")
    assert (bad["outcome"], bad["verdict"]) == ("refused", "failed")
    assert bad["value"] < 0.9  # type: ignore[operator]


def test_within_filters_an_index_of_many_parts_finds_too_little_and_exact_search_finds_all(crowded: Studio) -> None:
    index(crowded, parts=400)
    table = lance.dataset(crowded.store.uri(layout.table(crowded.reader().manifest.algorithms["visual"].table)))
    numbers = [film.title_no for film in crowded.films.values()]
    found = measure(table, numbers, np.random.default_rng(1), exact_rows=2_000)
    assert len(found) == 2
    assert all(0.2 < recall < 0.9 for recall in found.values())
    exact = measure(table, numbers, np.random.default_rng(1), exact_rows=40_000)
    assert exact == {"28100 rows": 1.0}
