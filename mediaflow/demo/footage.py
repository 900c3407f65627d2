"""Films given scenes and takes the pictures back out of the films, as the decode pass keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mediaflow.demo import film
from mediaflow.demo.script import Script, Shot
from mediaflow.demo.world import Scene
from mediaflow.media.pool import DecodePool

_SIZE, _FPS, _SHOT_FRAMES, _FILM_SHOTS, _ROUNDS = (320, 180), 24, 16, 50, 5


def film_scenes(scenes: Sequence[Scene], folder: Path, seed: int) -> list[bytes]:
    """Render scenes into H.264 films and take pictures of them out of a decode pass over these.

    Where the detector missed the cuts around a shot so that none of the kept frames shows it, the shot is filmed
    again between others.

    Parameters
    ----------
    scenes : sequence of Scene
        One shot each.
    folder : Path
        Where the films may lie.
    seed : int
        Of all that the scenes leave open.

    Returns
    -------
    list of bytes
        One JPEG a scene, in the order of the scenes: the kept frame nearest to the middle of its shot.

    Raises
    ------
    ValueError
        A shot left no kept frame in any of several films.
    """
    rng = np.random.default_rng([seed, 43])
    seeds = [int(number) for number in rng.integers(2**31, size=len(scenes))]
    jpegs: dict[int, bytes] = {}
    with DecodePool() as pool:
        for _ in range(_ROUNDS):
            order = _alternating(scenes, [index for index in range(len(scenes)) if index not in jpegs], rng)
            for start in range(0, len(order), _FILM_SHOTS):
                chosen = order[start : start + _FILM_SHOTS]
                shots = tuple(Shot(scenes[i], seeds[i], _SHOT_FRAMES, None, "", None, 0) for i in chosen)
                jpegs |= _film(Script("", 0, (), (), shots), chosen, folder / "film.mp4", pool)
            if len(jpegs) == len(scenes):
                return [jpegs[index] for index in range(len(scenes))]
    raise ValueError(f"{len(scenes) - len(jpegs)} shots left no kept frame in {_ROUNDS} films each")


def _film(script: Script, numbers: Sequence[int], path: Path, pool: DecodePool) -> dict[int, bytes]:
    film.encode(path, film.frames(script, _SIZE, _FPS), size=_SIZE, fps=_FPS, codec="h264")
    kept = list(pool.decode(path).frames.select("frame_no", "jpeg").iter_rows())
    found = {}
    for number, border in zip(numbers, film.borders(script)[:-1], strict=True):
        inside = [
            (abs(frame - border - _SHOT_FRAMES / 2), jpeg) for frame, jpeg in kept if 0 <= frame - border < _SHOT_FRAMES
        ]
        if inside:
            found[number] = min(inside)[1]
    return found


def _alternating(scenes: Sequence[Scene], chosen: Sequence[int], rng: np.random.Generator) -> list[int]:
    """Shuffle scenes so that day and night take turns as long as both last: such cuts no detector misses."""
    shuffled = [int(index) for index in rng.permutation(chosen)]
    days = [index for index in shuffled if scenes[index].time == "day"]
    nights = [index for index in shuffled if scenes[index].time == "night"]
    turns = [index for pair in zip(days, nights, strict=False) for index in pair]
    return turns + [index for index in shuffled if index not in set(turns)]
