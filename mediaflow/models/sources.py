"""Where a model comes from: what its name means, which local files that is now, and how they are had."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from mediaflow.errors import AlgorithmError
from mediaflow.models import hub
from mediaflow.models.progress import FETCHING, Progress, silent

CONFIG_FILE = "open_clip_config.json"
SAFE_WEIGHTS = "open_clip_model.safetensors"
PICKLED_WEIGHTS = "open_clip_pytorch_model.bin"
VOCABULARY = "vocabulary.gz"
DEMO_FOLDER = Path(__file__).parent.parent / "demo" / "model"
_ADVICE = "name a local file (MEDIAFLOW_VISUAL_MODEL=ViT-B-32@/path/to/weights.safetensors) or set \
MEDIAFLOW_VISUAL_MODEL=demo"

FileFact = tuple[str, int, int]


@dataclass(frozen=True)
class Material:
    """The files of a model, wherever they lie.

    Attributes
    ----------
    architecture : str
        Name of the architecture.
    config : dict
        `model_cfg` and `preprocess_cfg` as in `open_clip_config.json`.
    weights : Path
        A safetensors file, or a pickle that holds tensors only.
    vocabulary : Path, optional
        The tokenizer's own vocabulary (gzip), where it does not use that of CLIP.
    """

    architecture: str
    config: dict[str, Any]
    weights: Path
    vocabulary: Path | None = None


class Source(Protocol):
    """Where one named model comes from."""

    def facts(self) -> tuple[FileFact, ...] | None:
        """Return path, size and mtime_ns of each local file (none: the name says it all), None if one is not there."""
        ...

    def material(self, progress: Progress = silent) -> Material:
        """Return the files, downloaded where need be; `AlgorithmError` where they cannot be had."""
        ...


def source_of(name: str, cache: Path) -> Source:
    """Return where the model `name` comes from.

    Parameters
    ----------
    name : str
        `demo`; a folder (begins with `/`, `./`, `../` or `~`); `ARCHITECTURE@FILE`; or `ARCHITECTURE/TAG` as open_clip
        lists them.
    cache : Path
        Folder for downloads.

    Raises
    ------
    AlgorithmError
        The name is none of these.
    """
    if name == "demo":
        return FolderSource(name, DEMO_FOLDER)
    if name.startswith(("/", "./", "../", "~")):
        return FolderSource(name, Path(name).expanduser().absolute())
    architecture, at, file = name.partition("@")
    if at and architecture and file:
        return FileSource(name, architecture, Path(file).expanduser().absolute())
    architecture, slash, tag = name.partition("/")
    if slash and architecture and tag and "/" not in tag:
        return HubSource(name, architecture, tag, cache)
    here = f"; the file or folder of that name is ./{name}" if name and Path(name).exists() else ""
    raise AlgorithmError(
        f"{name!r} is no model's name{here}; write demo, a folder (/path/to/model), a weights file "
        "(ViT-B-32@/path/to/weights.safetensors) or a model of open_clip (ViT-B-32/laion2b_s34b_b79k).",
        model=name,
    )


def absolute(name: str) -> str:
    """Return a name that means the same from whatever folder it is said; `AlgorithmError` where it is none."""
    source = source_of(name, Path())
    if isinstance(source, FolderSource) and name != "demo":
        return str(source.folder)
    return f"{source.architecture}@{source.file}" if isinstance(source, FileSource) else name


@dataclass(frozen=True)
class FolderSource:
    """An open_clip folder: `open_clip_config.json`, weights, and the vocabulary that the config may name."""

    name: str
    folder: Path

    def facts(self) -> tuple[FileFact, ...] | None:
        try:
            material = self._files()
        except AlgorithmError:
            return None
        files = [self.folder / CONFIG_FILE, material.weights, material.vocabulary]
        return _facts([file for file in files if file])

    def material(self, progress: Progress = silent) -> Material:
        found = self._files()
        _check_text_side(self.name, found.config["model_cfg"])
        # After the files: a folder that is not there is said so without seconds of imports.
        import open_clip

        known = (
            name for name in open_clip.list_models() if open_clip.get_model_config(name) == found.config["model_cfg"]
        )
        return Material(next(known, "own"), found.config, found.weights, found.vocabulary)

    def _files(self) -> Material:
        try:
            config = json.loads((self.folder / CONFIG_FILE).read_bytes())
            text = dict(config["model_cfg"]["text_cfg"])
        except OSError as error:
            raise _refusal(self.name, f"there is no readable {CONFIG_FILE} in {self.folder}") from error
        except (ValueError, TypeError, KeyError) as error:
            raise _refusal(self.name, f"{self.folder / CONFIG_FILE} is no configuration of open_clip") from error
        weights = next(
            (path for path in map(self.folder.joinpath, (SAFE_WEIGHTS, PICKLED_WEIGHTS)) if path.is_file()), None
        )
        if weights is None:
            raise _refusal(self.name, f"there is no {SAFE_WEIGHTS} in {self.folder}")
        vocabulary = text.get("tokenizer_kwargs", {}).get("bpe_path")
        return Material("own", config, weights, self.folder / Path(vocabulary).name if vocabulary else None)


@dataclass(frozen=True)
class FileSource:
    """A weights file for an architecture that open_clip knows by name."""

    name: str
    architecture: str
    file: Path

    def facts(self) -> tuple[FileFact, ...] | None:
        return _facts([self.file])

    def material(self, progress: Progress = silent) -> Material:
        if not self.file.is_file():
            raise _refusal(self.name, f"there is no file {self.file}")
        config = {"model_cfg": _known_architecture(self.name, self.architecture), "preprocess_cfg": {}}
        return Material(self.architecture, config, self.file)


@dataclass(frozen=True)
class HubSource:
    """An architecture with published weights, as open_clip lists them."""

    name: str
    architecture: str
    tag: str
    cache: Path

    def facts(self) -> tuple[FileFact, ...] | None:
        return ()

    def material(self, progress: Progress = silent) -> Material:
        import open_clip

        model_cfg = _known_architecture(self.name, self.architecture)
        published = open_clip.get_pretrained_cfg(self.architecture, self.tag)
        if not published:
            tags = ", ".join(open_clip.list_pretrained_tags_by_model(self.architecture)) or "none"
            raise _refusal(
                self.name, f"open_clip lists no weights {self.tag!r} for {self.architecture} (it has: {tags})"
            )
        owner, repository, file = published["hf_hub"].split("/", 2)
        names = (str(Path(file).with_suffix(".safetensors")), file) if file else (SAFE_WEIGHTS, PICKLED_WEIGHTS)
        try:
            weights = hub.fetch(f"{owner}/{repository}", names, self.cache / "hub", partial(progress, FETCHING))
        except OSError as error:
            raise _refusal(self.name, f"its weights cannot be fetched from the hub ({error})") from error
        if published.get("quick_gelu"):  # the weights were trained with it, the plain architecture does without
            model_cfg["quick_gelu"] = True
        preprocess = {
            key: published[key] for key in ("mean", "std", "interpolation", "resize_mode") if key in published
        }
        return Material(self.architecture, {"model_cfg": model_cfg, "preprocess_cfg": preprocess}, weights)


def _known_architecture(name: str, architecture: str) -> dict[str, Any]:
    import open_clip

    config: dict[str, Any] | None = open_clip.get_model_config(architecture)
    if config is None:
        raise _refusal(name, f"open_clip knows no architecture {architecture!r} (for example: ViT-B-32)")
    _check_text_side(name, config)
    return config


def _check_text_side(name: str, model_cfg: dict[str, Any]) -> None:
    text = model_cfg["text_cfg"]
    if text.get("hf_model_name") or text.get("hf_tokenizer_name"):
        raise _refusal(name, "its text side needs the package transformers, which mediaflow does without")


def _facts(files: list[Path]) -> tuple[FileFact, ...] | None:
    try:
        stats = [(str(file), file.stat()) for file in files]
    except OSError:
        return None
    return tuple((path, stat.st_size, stat.st_mtime_ns) for path, stat in stats)


def _refusal(name: str, reason: str) -> AlgorithmError:
    advice = "install mediaflow anew" if name == "demo" else _ADVICE
    return AlgorithmError(f"The model {name!r} cannot be had: {reason}; {advice}.", model=name, reason=reason)
