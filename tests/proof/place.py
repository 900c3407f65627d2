"""A library folder of tiny films, its algorithms and its workspace, changed as people change them.

Decoding is remembered by the bytes of a film: a history puts the same few films under many names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from mediaflow.errors import TitleError
from mediaflow.library import Library
from mediaflow.media.options import DecodeOptions
from mediaflow.media.pool import Decoded, DecodePool, Probe
from mediaflow.models.registry import ModelRegistry
from mediaflow.settings import Settings
from tests.proof.model import NOWHERE, OWN, UNREADABLE, Code, Title
from tests.proof.retained import KEEP

_Result = TypeVar("_Result")

_ALGORITHM = """
import json
from pathlib import Path

import polars as pl

from mediaflow.algorithms import contract
from mediaflow.errors import AlgorithmError


class {kind}(contract.Algorithm):
    name = "{name}"
    version = "{version}"
    owner = "team:proof"
    inputs = {inputs}
    shape = contract.Shape.{shape}

    class Parameters(contract.Parameters):
        mark: str = "a"

    def run(self, batch):
        trouble = json.loads((Path(__file__).parent / "trouble.json").read_text())
        mark = f"{{self.version}}{{batch.parameters.mark}}"
        if [self.name, mark] in trouble["whole"]:
            raise AlgorithmError(f"{{self.name}} {{mark}} is broken")
        for title in batch:
            if [self.name, title.title_id.partition("-")[0]] in trouble["titles"]:
                raise RuntimeError(f"{{self.name}} cannot do {{title.title_id}}")
            yield {rows}
"""
_ROWS = {
    "loud": (
        ("cues",),
        "TEXT",
        'title.cues.select("start_ms", "end_ms", text=pl.col("text").str.to_uppercase() + f" {mark}")',
    ),
    "cuts": (
        ("shots",),
        "LABEL",
        'title.shots.select("start_ms", "end_ms", label=pl.format("shot {} {}", "shot_no", pl.lit(mark)), '
        "confidence=pl.lit(0.5, pl.Float32))",
    ),
    "billing": (
        ("catalogue", "loud"),
        "LABEL",
        'pl.DataFrame({"start_ms": [0], "end_ms": [1], "confidence": [1.0], "label": ['
        """f"{title.catalogue['genres'][0][0]} {'; '.join(title.loud['text'])} {mark}"]})""",
    ),
}
# Few titles are a large share of few: what is meant here would often be a loss elsewhere.
_OPEN = {
    f"gate_{name}": 1.0 for name in ("coverage_drop", "titles_lost", "rows_lost", "vectors_cosine", "canary_moved")
}
_NFO = """<movie><title>{title}</title><year>200{entry}</year><genre>genre {entry}</genre>
<actor><name>Talent {entry}</name><role>Hero of {title}</role></actor></movie>"""
_CUES = "1\n00:00:00,100 --> 00:00:00,400\nline {0}\n\n2\n00:00:00,500 --> 00:00:00,900\nand {0}\n"


class RememberingPool:
    """The decode pool, asked once for each film and question, whatever the film is called."""

    def __init__(self, pool: DecodePool) -> None:
        self._pool = pool
        self._known: dict[tuple[str, str], Any] = {}

    def probe(self, path: Path) -> Probe:
        return self._remembered("probe", path, lambda: self._pool.probe(path))

    def decode(self, path: Path, options: DecodeOptions) -> Decoded:
        return self._remembered(f"decode {options}", path, lambda: self._pool.decode(path, options))

    def _remembered(self, question: str, path: Path, ask: Callable[[], _Result]) -> _Result:
        key = (question, hashlib.sha256(path.read_bytes()).hexdigest())
        if key not in self._known:
            try:
                self._known[key] = ask()
            except TitleError as error:
                self._known[key] = error
        known: Any = self._known[key]
        if isinstance(known, TitleError):
            raise known
        return known  # type: ignore[no-any-return]


class ProofLibrary(Library):
    """A library that decodes with a pool of the tests' own, and keeps loaded models while it is opened anew."""

    decoding: Any = None
    loaded: ModelRegistry | None = None

    def pool(self) -> Any:
        return self.decoding

    @cached_property
    def models(self) -> ModelRegistry:
        return self.loaded or ModelRegistry(self.store, self.cache / "models")


class Place:
    """A library folder, its algorithms, and a workspace.

    Parameters
    ----------
    folder : Path
        A folder of its own.
    films : Mapping[str, bytes]
        Films by the name that the model has for them.
    models : Mapping[str, Path]
        Folders of models by name.
    pool : RememberingPool
        Decodes.
    """

    def __init__(
        self, folder: Path, films: Mapping[str, bytes], models: Mapping[str, Path], pool: RememberingPool
    ) -> None:
        self.folder, self.films, self.model_folders = folder, films, models
        self._pool = pool
        self.home, self.root, self.algorithms = folder / "home", folder / "films", folder / "algorithms"
        for one in (self.root, self.algorithms):
            one.mkdir(parents=True)
        self._settings: dict[str, Any] = {}
        self._library: ProofLibrary | None = None
        self._models: dict[Path, ModelRegistry] = {}
        self.trouble(set(), set())

    def title(self, name: str, said: Title) -> None:
        """Bring a title's files to what is said; files that are so already are left alone."""
        self._write(f"{name}.mp4", self.films[said.film])
        subtitles = b"no subtitles at all" if said.lines == UNREADABLE else _CUES.format(said.lines).encode()
        self._write(f"{name}.en.srt", None if said.lines is None else subtitles)
        self._write(f"{name}.nfo", _NFO.format(title=name.title(), entry=said.entry).encode())

    def touch(self, name: str) -> None:
        """Write a title's files anew, with the same bytes."""
        for file in self.root.glob(f"{name}.*"):
            file.write_bytes(file.read_bytes())

    def remove(self, name: str) -> None:
        for file in self.root.glob(f"{name}.*"):
            file.unlink()

    def use(self, code: Mapping[str, Code], visual_model: str, shut: bool = False) -> None:
        """Bring the algorithms' files and the settings to what is said; `shut`: a gate asks for all of all titles."""
        for name in OWN:
            one = code[name]
            inputs, shape, rows = _ROWS[name]
            text = _ALGORITHM.format(
                kind=name.title(), name=name, version=one.version, inputs=inputs, shape=shape, rows=rows
            )
            for file in self.algorithms.glob(f"{name}_*.py"):
                file.unlink()
            # A file name of its own for each text, so that no compiled one is taken for another's.
            way, text = (
                (one.version, text) if one.imports else ("broken", f"{text}\nraise ImportError('no such thing')\n")
            )
            (self.algorithms / f"{name}_{way}.py").write_text(text)
        self._settings = {
            "visual_model": self.model_folder(visual_model),
            "algorithms": {name: {"mark": one.mark} for name, one in code.items()},
            "gate_coverage_least": float(shut),
        }
        self.close()

    def choose(self, model: str | None) -> None:
        """Take a model in under its name and choose it, or have the setting say it again."""
        shelf = self.library.shelf()
        if model is None:
            shelf.use_setting()
            return
        shelf.add(f"model-{model}", self.model_folder(model))
        shelf.use(f"model-{model}")

    def model_folder(self, model: str) -> str:
        return str(self.folder / "no such model" if model == NOWHERE else self.model_folders[model])

    def trouble(self, whole: set[tuple[str, str, str]], titles: set[tuple[str, str]]) -> None:
        """Say with which version and parameters an algorithm fails as a whole, and which titles it fails on."""
        said = {"whole": [[name, version + mark] for name, version, mark in whole], "titles": list(map(list, titles))}
        (self.algorithms / "trouble.json").write_text(json.dumps(said))

    @property
    def library(self) -> ProofLibrary:
        """The library with the algorithms and settings of now."""
        if self._library is None:
            self._library = self.open(self.home)
        return self._library

    def open(self, home: Path, **changes: Any) -> ProofLibrary:
        """Open the library in a workspace, with the settings of now but for some changes."""
        library = ProofLibrary(Settings(**self.settings(home) | changes))
        library.decoding, library.loaded = self._pool, self._models.get(home)
        self._models[home] = library.models
        return library

    def close(self) -> None:
        """Close the library; what is asked next opens it anew."""
        if self._library is not None:
            self._library.close()
        self._library = None

    def settings(self, home: Path) -> dict[str, Any]:
        """Return the settings of this library in a workspace."""
        return {
            "home": home,
            "library": self.root,
            "settle_s": 0,
            "loss_limit": 1,
            "algorithm_folders": [self.algorithms],
            "built_in": "visual,dialogue",
            "retry_delays_s": [0.0],
            "decode_workers": 1,
            "keep_snapshots": KEEP,
            **_OPEN,
            **self._settings,
        }

    def variables(self) -> dict[str, str]:
        """Return the same settings as a process gets them: in variables of its environment, and nothing else."""
        settings = {**self.settings(self.home), "algorithm_folders": self.algorithms}
        texts = {
            name: str(value) if isinstance(value, Path | str) else json.dumps(value) for name, value in settings.items()
        }
        return {f"MEDIAFLOW_{name.upper()}": text for name, text in texts.items()}

    def names(self, library: Library | None = None) -> dict[str, str]:
        """Return by id the name of each title that ever was."""
        titles = (library or self.library).catalog.titles.values()
        return {record.title_id: Path(record.path).stem for record in titles}

    def _write(self, name: str, data: bytes | None) -> None:
        file = self.root / name
        if data is None:
            file.unlink(missing_ok=True)
        elif not file.exists() or file.read_bytes() != data:
            file.write_bytes(data)
