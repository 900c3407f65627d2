"""Settings: `mediaflow.toml` in the working folder, each overridden by an environment variable `MEDIAFLOW_<NAME>`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from mediaflow.errors import UsageError

CONFIG_FILE = "mediaflow.toml"
_PREFIX = "MEDIAFLOW_"
_FILE_VARIABLE = "MEDIAFLOW_CONFIG"


class Settings(BaseSettings):
    """All settings, with their defaults; `load()` reads them."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    home: Path = Field(Path(".mediaflow"), description="The workspace: store, Dagster's home and caches.")
    library: Path | None = Field(None, description="The folder of films that is kept searchable.")
    settle_s: float = Field(5.0, ge=0, description="A file counts once its size and time have held still so long.")
    loss_limit: float = Field(0.2, ge=0, le=1, description="A larger share of titles gone at once removes nothing.")
    visual_model: str = Field(
        "ViT-B-32/laion2b_s34b_b79k",
        description="The model of `visual`: `demo`, an open_clip hub name, or a folder or file of weights.",
    )
    built_in: Annotated[list[str], NoDecode] = Field(
        ["visual", "dialogue", "palette"],
        description="Algorithms of mediaflow's own that are used; `onscreen_text` is one more. In the variable by `,`.",
    )
    algorithm_folders: Annotated[list[Path], NoDecode] = Field(
        [], description="Further folders whose files are algorithms; in the variable separated by `:`."
    )
    algorithms: dict[str, dict[str, Any]] = Field({}, description="Parameters by algorithm: `[algorithms.NAME]`.")
    batch_titles: int = Field(50, ge=1, description="Titles in one run.")
    batch_s: float = Field(60.0, gt=0, description="Seconds that one run over titles is meant to take at most.")
    decode_workers: int = Field(0, ge=0, description="Decoding processes in a run; 0: one a processor.")
    nice: int = Field(
        19, ge=0, le=19, description="How far runs stand back for searches on the same machine, as in `nice`; 0: not."
    )
    hash_bytes_per_tick: int = Field(4_000_000_000, ge=1, description="New bytes hashed in one look at the library.")
    engine_ttl_s: float = Field(10.0, ge=0.1, description="How long an engine answers after its last look.")
    pin_ttl_s: float = Field(60.0, ge=0.1, description="How long what a process reads is kept if the process dies.")
    prepare_s: float = Field(30.0, ge=0, description="A release waits so long for engines to open its snapshot.")
    retry_delays_s: list[Annotated[float, Field(ge=0)]] = Field(
        [5.0, 60.0], description="Waits between tries; after the last, quarantine."
    )
    keep_snapshots: int = Field(10, ge=0, description="Snapshots that `mediaflow gc` keeps beside the current one.")
    compact_fragments: int = Field(
        100,
        ge=1,
        description="With more small fragments, a table is compacted; a small, plain one with a fifth of them.",
    )
    compact_deleted_share: float = Field(
        0.25, gt=0, le=1, description="A table of which a larger share of rows is deleted is compacted."
    )
    index_lag_share: float = Field(
        0.05, ge=0, le=1, description="An index that lacks a larger share of the rows is brought up to date."
    )
    vector_index_rows: int = Field(
        100_000, ge=256, description="From so many vectors on, a table of them gets an index; fewer are compared."
    )
    false_positive_rate: float = Field(
        0.001,
        gt=0,
        lt=1,
        description="The share of the rows that an unrelated query lets through where everything is asked for.",
    )
    score_folders: Annotated[list[Path], NoDecode] = Field(
        [], description="Folders whose files are scores that queries can name; in the variable separated by `:`."
    )
    cursor_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="Signs cursors and links, the same in processes that share readers; without it each has its own.",
    )
    preview_cache_bytes: int = Field(
        1_000_000_000, ge=0, description="Previews that are kept on disk; of more, those used last."
    )
    auth: bool | None = Field(
        None, description="Whether servers take keys alone; without it where others reach them, or once there is a key."
    )
    host_names: Annotated[list[str], NoDecode] = Field(
        [], description="Names by which servers are asked beside their own; in the variable separated by `,`."
    )
    rate_per_minute: int = Field(
        60_000, ge=0, description="What requests with one key may cost in a minute, in each server; 0: no limit."
    )
    open_rate_per_minute: int = Field(
        0, ge=0, description="The same for requests of one address where no key is needed; 0: no limit."
    )
    server: str | None = Field(
        None, min_length=1, description="A server that `search`, `titles` and `algorithms` ask, not the workspace here."
    )
    key: SecretStr | None = Field(None, min_length=1, description="The API key that such a server wants.")
    golden: Path | None = Field(None, description="A file of questions with their answers, for the gate `golden`.")
    gate_coverage_least: float = Field(
        0.0, ge=0, le=1, description="The least share of the titles that a snapshot has, as a whole and per algorithm."
    )
    gate_coverage_drop: float = Field(
        0.1, ge=0, le=1, description="The largest share of the titles that may lose an algorithm's rows at once."
    )
    gate_titles_lost: float = Field(
        0.2, ge=0, le=1, description="The largest share of the served titles that a snapshot may lose."
    )
    gate_rows_lost: float = Field(
        0.1, ge=0, le=1, description="The largest share of the titles whose rows may be gone, or five times as many."
    )
    gate_vectors_cosine: float = Field(
        0.99, ge=-1, le=1, description="The greatest mean cosine of two vectors; above it they are all the same."
    )
    gate_recall_least: float = Field(
        0.9, ge=0, le=1, description="The least share of the 20 nearest rows that a vector index finds."
    )
    gate_golden_drop: float = Field(
        0.05, ge=0, le=1, description="How much nDCG@10 of the questions in `golden` may fall."
    )
    gate_canary_moved: float = Field(
        0.1, ge=0, le=1, description="The largest share of questions whose answers may move without a declared change."
    )

    @field_validator("algorithm_folders", "score_folders", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value

    @field_validator("built_in", "host_names", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("home", "library", "golden", mode="before")
    @classmethod
    def _folder(cls, value: Any) -> Any:
        if value == "":
            raise PydanticCustomError("folder", "It names no folder")
        return Path(value).expanduser() if isinstance(value, str) else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the file below the environment."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())


def config_file() -> Path:
    """Return the settings file: `MEDIAFLOW_CONFIG`, or `mediaflow.toml` in the working folder."""
    return Path(os.environ.get(_FILE_VARIABLE) or CONFIG_FILE)


def load(**overrides: Any) -> Settings:
    """Read the settings; `UsageError` names the one that is wrong, and where it stands.

    Parameters
    ----------
    **overrides
        Settings that win over file and environment.
    """
    import tomllib

    try:
        _check_file()
        _check_variables()
        settings = Settings(**overrides)
    except ValidationError as error:
        raise _refusal(error, overrides) from error
    except SettingsError as error:
        # The only one that is raised before validation: a list or table in a variable that is no JSON.
        name = re.sub(r'.*field "(\w+)".*', r"\1", str(error))
        where = f"the variable {_PREFIX}{name.upper()}"
        raise UsageError(
            f"The setting {name!r} in {where} is wrong: it has to be JSON, such as [5, 60].", setting=name
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{config_file()} is no valid TOML: {error}.", file=str(config_file())) from error
    except OSError as error:
        raise UsageError(
            f"{config_file()} cannot be read ({error.strerror}): check its permissions.", file=str(config_file())
        ) from error
    _check_folders(settings)
    return settings


def _check_file() -> None:
    """Raise `UsageError` where there is no file at the place named, or a folder: the defaults are not what is meant."""
    file, named = config_file(), bool(os.environ.get(_FILE_VARIABLE))
    if file.is_dir() or (named and not file.exists()):
        what = "a folder and no settings file" if file.is_dir() else "no settings file"
        where = f"the variable {_FILE_VARIABLE} names it: correct or unset it" if named else "remove it"
        raise UsageError(f"At {str(file)!r} is {what}; {where}.", file=str(file))


def _check_variables() -> None:
    """Raise `UsageError` for a variable that is no setting: it would be passed over without a word."""
    known = {f"{_PREFIX}{name.upper()}" for name in Settings.model_fields} | {_FILE_VARIABLE}
    for variable in os.environ:
        if variable.startswith(_PREFIX) and variable not in known:
            raise _unknown(variable.removeprefix(_PREFIX).lower(), f"the variable {variable}")


def _check_folders(settings: Settings) -> None:
    """Raise `UsageError` where the workspace lies among the films; in a hidden folder, which no look enters, it may."""
    if settings.library is None:
        return
    home, library = settings.home.resolve(), settings.library.resolve()
    if home.is_relative_to(library) and not any(part.startswith(".") for part in home.relative_to(library).parts):
        raise UsageError(
            f"The workspace {home} lies in the library {library}, among the films: "
            "set 'home' to a folder elsewhere, or to a hidden one such as .mediaflow.",
            home=str(home),
            library=str(library),
        )


def _refusal(error: ValidationError, overrides: Mapping[str, Any]) -> UsageError:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    variable = f"{_PREFIX}{str(first['loc'][0]).upper()}"
    where = f"the variable {variable}" if variable in os.environ else str(config_file())
    if first["loc"][0] in overrides:
        where = "the call"
    if first["type"] == "extra_forbidden":
        return _unknown(name, where)
    return UsageError(f"The setting {name!r} in {where} is wrong: {first['msg']}.", setting=name)


def _unknown(name: str, where: str) -> UsageError:
    known = ", ".join(sorted(Settings.model_fields))
    return UsageError(f"There is no setting {name!r} (in {where}); there are: {known}.", setting=name)
