"""The gate `vectors`: vectors are finite, of unit norm, of the declared length, and not all the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mediaflow.publishing.gates.gate import Found, Trial, vector_parts
from mediaflow.search.literals import among
from mediaflow.snapshots.manifest import AlgorithmPart

if TYPE_CHECKING:
    import numpy as np

_TITLES = 64
_ROWS = 4096
# Half precision leaves about three digits.
_NORM = 5e-3
# Of fewer vectors nothing is said about how alike they are: two shots of one place are.
_ENOUGH = 32


def judge(trial: Trial) -> Found:
    """Fail on a vector that is not finite or not of unit norm, on a wrong length, and where vectors have collapsed.

    Looks at a sample of titles, changed ones first. How alike vectors are is their mean pairwise cosine.
    """
    parts, limit = vector_parts(trial.candidate.manifest), trial.limits.vectors_cosine
    if not parts:
        return Found(None, "No algorithm of the snapshot gives vectors.")
    carried = trial.carried("vectors", limit, all(trial.same_table(part.table) for part in parts.values()))
    if carried is not None:
        return carried
    worst = None
    for name, part in parts.items():
        declared = re.search(r"shape=\(?(\d+)", part.fields.get("vector", ""))
        dim = trial.candidate.table(part.table).schema.field("vector").type.list_size
        if declared is not None and int(declared[1]) != dim:
            said = f"The vectors of {name!r} have {dim} numbers, and its model gives {declared[1]}: {_mend(name)}"
            return Found(False, said, float(dim), float(declared[1]))
        vectors = _sample(trial, name, part)
        bad = _bad(vectors)
        if bad:
            said = f"{bad} of {len(vectors)} vectors of {name!r} are not finite or not of unit norm: {_mend(name)}"
            return Found(False, said, bad / len(vectors), 0.0)
        if len(vectors) >= _ENOUGH:
            cosine = mean_pairwise_cosine(vectors)
            worst = cosine if worst is None else max(worst, cosine)
            if cosine > limit:
                said = (
                    f"The vectors of {name!r} are nearly all the same (the mean cosine of two is {cosine:.4f}): "
                    f"every question would get the same answers. {_mend(name)}"
                )
                return Found(False, said, cosine, limit)
    said = "The vectors that were looked at are finite and of unit norm"
    return Found(True, f"{said}, and not all alike." if worst is not None else f"{said}.", worst, limit)


def mean_pairwise_cosine(vectors: np.ndarray) -> float:
    """Return the mean cosine of two different ones of n vectors, (n, dim) float, n at least 2, none of them zero.

    The sum over all pairs follows from the norm of the sum of the unit vectors: (|Σv|² − n) / (n (n − 1)).
    """
    import numpy as np

    count = len(vectors)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return (float((unit.sum(axis=0, dtype=np.float64) ** 2).sum()) - count) / (count * (count - 1))


def _sample(trial: Trial, name: str, part: AlgorithmPart) -> np.ndarray:
    """Return vectors, (n, dim) float32, of some titles; none where all of the sampled titles are without."""
    import numpy as np
    import pyarrow as pa

    table, titles = trial.candidate.table(part.table), trial.titles
    numbers = sorted(titles.catalogue[title] for title in titles.after)
    random = trial.random(f"vectors {name}")
    first = sorted(titles.catalogue[title] for title in {*titles.changed, *(titles.after - titles.before)})
    chosen = {int(no) for of in (first, numbers) for no in random.permutation(of)[: _TITLES // 2]}
    found = table.to_table(columns=["vector"], filter=among("title_no", chosen), limit=_ROWS)["vector"]
    flat = pa.chunked_array([chunk.flatten() for chunk in found.chunks], found.type.value_type).to_numpy()
    vectors: np.ndarray = flat.astype(np.float32).reshape(-1, found.type.list_size)
    return vectors


def _bad(vectors: np.ndarray) -> int:
    import numpy as np

    with np.errstate(invalid="ignore", over="ignore"):
        norms = np.linalg.norm(vectors, axis=1)
    return int((~(np.abs(norms - 1) < _NORM)).sum())


def _mend(name: str) -> str:
    return f"Compute {name!r} anew with 'force' in Dagster; if it stays so, look at its model and its code."
