"""The films and models of the histories, and what decoder and encoders make of each film: asked once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from mediaflow.algorithms.contract import Batch, TitleFeatures
from mediaflow.algorithms.visual import Visual
from mediaflow.media.options import DecodeOptions
from mediaflow.media.pool import Decoded, DecodePool
from mediaflow.models.registry import ModelRegistry
from mediaflow.storage.objects import FolderStore
from tests.deployment.films import Films
from tests.proof.model import NO_FILM, TORN
from tests.proof.place import RememberingPool

SEEDS = {"red": 1, "green": 2, "blue": 3}


class Material:
    """Films by name as bytes, models by name as folders.

    Parameters
    ----------
    folder : Path
        Where the films are rendered.
    models : Mapping[str, Path]
        Folders of models.
    pool : DecodePool
        Decodes.
    """

    def __init__(self, folder: Path, models: Mapping[str, Path], pool: DecodePool) -> None:
        self.models, self.pool = models, RememberingPool(pool)
        self._folder = folder
        self._registry = ModelRegistry(FolderStore(folder / "store"), folder / "cache")
        rendered = Films(folder / "rendered")
        self.films = {name: rendered.render("film-2001", seed=seed).read_bytes() for name, seed in SEEDS.items()}
        broken = folder / "broken"
        broken.mkdir()
        self.films[NO_FILM] = rendered.put_garbage(broken, "film-2001").read_bytes()
        self.films[TORN] = rendered.put_damaged(broken, "film-2001", seed=1).read_bytes()
        self.decoded = cache(self._decoded)
        self.vectors = cache(self._vectors)

    def shots(self, film: str) -> list[tuple[int, int, int]]:
        """Return shot_no, start_ms and end_ms of a film's shots."""
        return list(self.decoded(film).shots.select("shot_no", "start_ms", "end_ms").iter_rows())

    def _decoded(self, film: str) -> Decoded:
        file = self._folder / f"{film}.mp4"
        file.write_bytes(self.films[film])
        return self.pool.decode(file, DecodeOptions())

    def _vectors(self, film: str, model: str) -> list[list[float]]:
        encoder = self._registry.encoder(self._registry.ensure(str(self.models[model])).identity)
        decoded = self.decoded(film)
        title = TitleFeatures(film, {"shots": decoded.shots, "frames": decoded.frames})
        (rows,) = Visual().run(Batch((title,), Visual.Parameters(), encoder))
        return [list(map(float, vector)) for vector in np.asarray(rows["vector"].to_numpy(), np.float16)]
