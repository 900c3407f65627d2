"""Runs one algorithm over titles: loads the features it asked for, in parts that fit in memory, and blames fairly."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mediaflow.algorithms.contract import Algorithm, Batch, TitleFeatures
from mediaflow.algorithms.registry import Registered
from mediaflow.algorithms.shapes import WrongResult, conform
from mediaflow.errors import AlgorithmError, MediaflowError, SystemFault, TitleError
from mediaflow.models.registry import ModelRegistry
from mediaflow.planning.stage import OWN_COLUMNS, Stage
from mediaflow.stages.features import Inputs, read_features
from mediaflow.stages.graph import ROWS, vector_dim
from mediaflow.stages.sources import Made
from mediaflow.storage.objects import ObjectStore

# Kept frames in one call of an algorithm: some hundred megabytes of JPEG and a few of their pixels.
_FRAMES_AT_ONCE = 2_000
# So many first titles with one and the same error mean that the algorithm is broken, not the titles.
_FIRST_TITLES = 3


class Blamed(Exception):
    """What an algorithm raised on one title, after that title failed alone."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Annotator:
    """Runs algorithms; models are loaded once a process.

    Parameters
    ----------
    store : ObjectStore
        Where the features are.
    algorithms : sequence of Registered
        What was found.
    models : ModelRegistry
        Gives the encoder of a model's identity.
    """

    def __init__(self, store: ObjectStore, algorithms: Sequence[Registered], models: ModelRegistry) -> None:
        self._store = store
        self._found = {one.name: one for one in algorithms}
        self._models = models

    def run(
        self, stage: Stage, titles: Mapping[str, Inputs], unproven: bool
    ) -> Iterator[list[tuple[str, Made | Exception, float]]]:
        """Yield, part by part, (title_id, result or error, seconds) of each title.

        Raises
        ------
        AlgorithmError
            The algorithm is broken as a whole: it said so, or (`unproven`: it never finished a title of this
            generation) its first titles all failed in the same way. None of them is blamed.
        """
        one = self._found[stage.name]
        assert one.algorithm is not None
        parameters = typed_parameters(one, stage)
        model = self._models.encoder(stage.model) if stage.model else None
        # Failures are held back as long as they may turn out to be the algorithm's.
        held: list[tuple[str, Made | Exception, float]] = []
        for part in _parts(one.algorithm, titles):
            start = time.monotonic()
            read = {title_id: self._read(one.algorithm, title_id, titles[title_id]) for title_id in part}
            # What cannot be read of a title is the title's, and no matter of the algorithm.
            unread = {title_id: error for title_id, error in read.items() if isinstance(error, Blamed)}
            part = [*unread, *(title_id for title_id in part if title_id not in unread)]
            results: list[Made | Exception] = list(unread.values())
            features = tuple(of for of in read.values() if not isinstance(of, Blamed))
            for result in _results(one.algorithm, Batch(features, parameters, model)) if features else ():
                results.append(result)
                if unproven:
                    unproven = _on_trial(one.algorithm, [*(failure for _, failure, _ in held), *results])
            seconds = (time.monotonic() - start) / len(part)
            held += [(title_id, result, seconds) for title_id, result in zip(part, results, strict=True)]
            if not unproven:
                yield held
                held = []
        if held:
            yield held

    def _read(self, algorithm: Algorithm, title_id: str, inputs: Inputs) -> TitleFeatures | Blamed:
        try:
            return read_features(self._store, algorithm, title_id, inputs)
        except TitleError as error:
            return Blamed(error)


def typed_parameters(one: Registered, stage: Stage) -> Any:
    """Return the parameters of a stage as its algorithm knows them: those of now, or those of what is served.

    Raises
    ------
    AlgorithmError
        The algorithm takes such parameters no more, though its version is still the same.
    """
    from pydantic import ValidationError

    assert one.algorithm is not None
    given = {name: value for name, value in stage.parameters.items() if name != OWN_COLUMNS}
    if given == one.parameters.model_dump(mode="json"):
        return one.parameters
    try:
        return one.algorithm.Parameters.model_validate_json(json.dumps(given))
    except ValidationError as error:
        raise AlgorithmError(
            f"{one.name} takes the parameters no more that it is served with ({error.errors()[0]['msg']}), and its "
            f"version is still {stage.code_version!r}: change 'version' in {one.source}.",
            algorithm=one.name,
            owner=one.owner,
        ) from error


def _parts(algorithm: Algorithm, titles: Mapping[str, Inputs]) -> Iterator[list[str]]:
    part: list[str] = []
    held = 0
    for title_id, inputs in titles.items():
        size = inputs["frames"][2].get("frames", 0) if "frames" in algorithm.inputs else 0
        if part and held + size > _FRAMES_AT_ONCE:
            yield part
            part, held = [], 0
        part.append(title_id)
        held += size
    yield part


def _results(algorithm: Algorithm, batch: Batch) -> Iterator[Made | Exception]:
    """Run the batch; where it raises, run title by title, so that only the title that fails alone is blamed."""
    try:
        results = _run(algorithm, batch)
    except (AlgorithmError, SystemFault, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - somebody else's code
        if len(batch) == 1:
            yield Blamed(error)
            return
    else:
        yield from results
        return
    for title in batch:
        yield from _results(algorithm, Batch((title,), batch.parameters, batch.model))


def _on_trial(algorithm: Algorithm, results: Sequence[Made | Exception]) -> bool:
    """Say whether all results so far are one and the same failure; `AlgorithmError` where they are enough of it."""
    first, last = results[0], results[-1]
    if not isinstance(first, Blamed) or not isinstance(last, Blamed) or isinstance(first.cause, TitleError):
        return False
    if (type(first.cause), str(first)) != (type(last.cause), str(last)):
        return False
    if len(results) == _FIRST_TITLES:
        raise AlgorithmError(
            f"{algorithm.name} failed on its first {_FIRST_TITLES} titles in the same way ({sentence(first.cause)}): "
            f"mend it and change its version; its owner is {algorithm.owner}.",
            algorithm=algorithm.name,
            owner=algorithm.owner,
        ) from first.cause
    return True


def sentence(error: Exception) -> str:
    """Return what an error says: our own are sentences, the kind of others says more than their text."""
    return error.message if isinstance(error, MediaflowError) else f"{type(error).__name__}: {error}"


def _run(algorithm: Algorithm, batch: Batch) -> list[Made | Exception]:
    import polars as pl

    dim = vector_dim(algorithm, batch.model)
    given = algorithm.run(batch)
    if isinstance(given, pl.DataFrame) or not isinstance(given, Iterable):
        raise WrongResult(f"{algorithm.name} gave a {type(given).__name__}; it must give one frame a title, in order.")
    frames = [conform(algorithm, result, dim) for result in given]
    if len(frames) != len(batch):
        raise WrongResult(
            f"{algorithm.name} gave {len(frames)} results for {len(batch)} titles; it must give one each."
        )
    return [Made({ROWS: frame}, {"annotations": len(frame)}) for frame in frames]
