"""Reading `title.json`, the user's own word about a title: typed, and checked field by field."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from mediaflow.catalog.text import language_tag, line, paragraphs

MAX_BYTES = 1_000_000
_Line = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


def _check_value(value: Any) -> Any:
    """Let a custom value be what a table's column can be: text, truth, 64-bit number, list of texts."""
    fits = (
        isinstance(value, str | bool)
        or (isinstance(value, int) and -(2**63) <= value < 2**63)
        or (isinstance(value, float) and math.isfinite(value))
        or (isinstance(value, list) and all(isinstance(each, str) for each in value))
    )
    if not fits:
        raise ValueError("no value of a custom field")
    return value


class _Person(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    talent: _Line
    character: _Line | None = None


class TitleFile(BaseModel):
    """All that a `title.json` may say; every field is optional, `null` takes a value away."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: _Line = "title"
    original_title: _Line | None = None
    kind: Literal["movie", "episode", "video"] = "video"
    year: Annotated[int, Field(ge=1850, le=2200)] | None = None
    genres: list[_Line] = []
    languages: list[str] = []
    series: _Line | None = None
    season: Annotated[int, Field(ge=0, lt=100_000)] | None = None
    episode: Annotated[int, Field(ge=0, lt=100_000)] | None = None
    episode_end: Annotated[int, Field(ge=0, lt=100_000)] | None = None
    plot: str | None = None
    people: list[_Person] = []
    fields: dict[_Name, Annotated[Any, AfterValidator(_check_value)]] = {}

    @field_validator("languages")
    @classmethod
    def _tags(cls, stated: list[str]) -> list[str]:
        tags = [language_tag(each) for each in stated]
        bad = [each for each, tag in zip(stated, tags, strict=True) if tag is None]
        if bad:
            raise ValueError(f"{bad[0]!r} is no language tag such as 'en' or 'pt-BR'")
        return [tag for tag in tags if tag is not None]


def parse_overlay(data: bytes) -> tuple[dict[str, Any], list[str]]:
    """Read a `title.json`.

    Returns
    -------
    facts : dict
        The fields that stand in it and are right, by the names of `CatalogueEntry`.
    problems : list of str
        A sentence for the file, or for each field that was left out.
    """
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        return {}, [f"is no JSON ({error}): mend it; until then nothing is taken from it"]
    if not isinstance(value, dict):
        return {}, ['must be one JSON object such as {"title": "…", "year": 1999}: nothing was taken from it']
    problems: list[str] = []
    try:
        checked = TitleFile.model_validate(value)
    except ValidationError as error:
        problems = _take_out(value, error)
        checked = TitleFile.model_validate(value)
    facts = {name: _plain(name, getattr(checked, name)) for name in checked.model_fields_set}
    if facts.get("title", "-") is None:
        del facts["title"]
        problems.append("field 'title' was left out: it has no visible character")
    return facts, problems


def _take_out(value: dict[str, Any], error: ValidationError) -> list[str]:
    """Remove what is wrong from `value`: whole fields, but single ones inside of `fields`."""
    wrong: dict[tuple[str, ...], str] = {}
    for each in error.errors(include_url=False, include_context=False):
        where = tuple(str(part) for part in each["loc"])
        path = where[:2] if where[0] == "fields" and len(where) > 1 else where[:1]
        wrong.setdefault(path, each["msg"])
    problems = []
    for path, message in wrong.items():
        inner = value["fields"] if len(path) == 2 else value
        del inner[path[-1]]
        name = ".".join(path)
        if path[0] not in TitleFile.model_fields:
            message = (
                f'no such field; your own go into "fields", the known ones are {", ".join(TitleFile.model_fields)}'
            )
        elif len(path) == 2:
            message = "a name of a-z, 0-9 and _ with a text, number, true, false or list of texts is needed"
        problems.append(f"field {name[:80]!r} was left out: {message}")
    return problems


def _plain(name: str, value: Any) -> Any:
    """Give the form that `CatalogueEntry` holds, with clean texts."""
    if name == "people":
        return tuple((line(each.talent), line(each.character or "") or None) for each in value)
    if name == "fields":
        return {key: _field(each) for key, each in value.items()}
    if name == "plot":
        return paragraphs(value or "") or None
    if isinstance(value, list):
        return tuple(dict.fromkeys(filter(None, (line(each) for each in value))))
    return line(value) or None if isinstance(value, str) else value


def _field(value: Any) -> Any:
    if isinstance(value, list):
        return [paragraphs(each) for each in value]
    return paragraphs(value) if isinstance(value, str) else value
