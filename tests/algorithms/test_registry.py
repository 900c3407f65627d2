"""Finding algorithms, wherever they stand; whatever is wrong with one, it is one broken algorithm with its owner."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mediaflow.algorithms.registry import BUILT_IN, Registered, find
from mediaflow.stages.graph import build

GOOD = """
import polars as pl
from mediaflow.algorithms.contract import Algorithm, Parameters, Shape

class Loud(Algorithm):
    name = "loud"
    version = "1"
    owner = "ann@example.org"
    inputs = ("cues",)
    shape = Shape.TEXT

    def run(self, batch):
        return [title.cues.select("start_ms", "end_ms", "text") for title in batch]
"""


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def found(folder: Path, parameters: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Registered]:
    return {one.name: one for one in find((folder,), parameters)}


def altered(**changes: str) -> str:
    """Return the text of the good algorithm with some of its lines changed."""
    lines = []
    for line in GOOD.splitlines():
        name = line.split("=")[0].strip()
        lines.append(f"    {name} = {changes.pop(name)}" if name in changes else line)
        if line.startswith("class"):
            lines += [f"    {new} = {changes.pop(new)}" for new in list(changes) if f"    {new} =" not in GOOD]
    return "\n".join(lines)


def test_a_file_in_a_folder_is_an_algorithm(tmp_path: Path) -> None:
    algorithms = find((write(tmp_path, loud=GOOD, _helper="raise RuntimeError"),))
    assert [one.name for one in algorithms][:2] == ["visual", "dialogue"]
    loud = {one.name: one for one in algorithms}["loud"]
    assert (loud.owner, loud.source, loud.broken) == ("ann@example.org", "loud.py", "")
    assert build(algorithms, {})["loud"].inputs == ("media", "subtitles")


BROKEN = {
    "import": ("import nowhere_to_be_found" + GOOD, "loud", r"loud\.py cannot be imported: ModuleNotFoundError"),
    "syntax": (GOOD + "\n    def run(self, batch:\n", "loud", "cannot be imported: SyntaxError"),
    "exits": (GOOD + "\nraise SystemExit(3)", "loud", "cannot be imported: SystemExit"),
    "null byte": (GOOD + "\n\0", "loud", "cannot be imported"),
    "constructor": (GOOD + "\n    def __init__(self):\n        raise OSError('no card')", "loud", "OSError: no card"),
    "inputs are no tuple": (altered(inputs='"cues"'), "loud", "'inputs' must be a tuple"),
    "inputs are no strings": (altered(inputs="([],)"), "loud", "'inputs' must be a tuple of strings"),
    "no inputs": (altered(inputs="()"), "loud", "'inputs' is empty"),
    "unknown input": (
        altered(inputs='("smells",)'),
        "loud",
        "reads 'smells', which is neither a feature nor an algorithm",
    ),
    "itself": (altered(inputs='("loud",)'), "loud", "reads itself"),
    "no version": (altered(version="None"), "loud", "'version' must be a str"),
    "no shape": (altered(shape='"text"'), "loud", "'shape' must be a Shape"),
    "a vector without a model": (altered(shape="Shape.SHOT_VECTOR"), "loud", "needs a 'model'"),
    "a vector with a model and a length": (
        altered(shape="Shape.FRAME_VECTOR", model='"visual_model"') + "\n    dim = 4",
        "loud",
        "'dim' is said by the 'model'",
    ),
    "a vector without length": (
        altered(shape="Shape.FRAME_VECTOR") + "\n    dim = 0",
        "loud",
        "'dim' must be a number from 1 to 8192",
    ),
    "a length without vectors": (GOOD + "\n    dim = 4", "loud", "its shape has none"),
    "an imported title": (
        altered(inputs='("imported",)', fields='{"title": pl.String}'),
        "loud",
        "a field cannot be called 'title'",
    ),
    "unknown model": (altered(model='"ears"'), "loud", "'model' names no setting: 'ears'"),
    "field name": (altered(fields='{"Loud ness": pl.Int64}'), "loud", "a field cannot be called 'Loud ness'"),
    "field of the engine": (altered(fields='{"revision": pl.Int64}'), "loud", "a field cannot be called 'revision'"),
    "field of the shape": (altered(fields='{"text": pl.String}'), "loud", "a column that the shape has already"),
    "field type": (altered(fields='{"loudness": "number"}'), "loud", "'loudness' must be a polars"),
    "field that cannot be kept": (altered(fields='{"it": pl.List(pl.Object)}'), "loud", "'it' must be a polars"),
    "fields are no mapping": (altered(fields='["it"]'), "loud", "'fields' must be a Mapping"),
    "parameters": (altered(Parameters="int"), "loud", "'Parameters' must be a subclass"),
    "bad name": (altered(name='"Loud!"'), "loud", "must be lower case letters"),
    "no algorithm's name": (altered(name="None"), "loud", "must be lower case letters"),
}


@pytest.mark.parametrize(("text", "name", "said"), BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_with_one_is_said_with_its_owner_and_the_rest_works(
    tmp_path: Path, text: str, name: str, said: str
) -> None:
    there = found(write(tmp_path, loud=text, other=altered(name='"other"')))
    one = there[name]
    assert one.algorithm is None
    assert one.owner == "ann@example.org"
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(one.broken)
    assert there["other"].broken == there["dialogue"].broken == there["visual"].broken == ""
    stage = build(list(there.values()), {})[name]
    assert (stage.broken, stage.owner) == (one.broken, one.owner)


@pytest.mark.parametrize("name", ["frames", "media", "titles", "visual_model", "type", "class"])
def test_a_name_that_is_taken_by_mediaflow_breaks_one_algorithm_and_not_the_graph(tmp_path: Path, name: str) -> None:
    there = found(write(tmp_path, loud=altered(name=f'"{name}"')))
    (broken,) = (one for one in there.values() if one.broken)
    assert broken.name.startswith(f"{name}_") and not broken.name.endswith("_model")
    assert broken.broken == f"The name {name!r} in loud.py is taken by mediaflow itself: rename one of them."
    assert broken.name in build(list(there.values()), {}).names


def test_a_file_that_does_not_import_and_is_called_like_a_stage_does_not_stop_the_others(tmp_path: Path) -> None:
    there = found(write(tmp_path / "media", frames="import nowhere_to_be_found"))
    (broken,) = (one for one in there.values() if one.broken)
    assert "frames.py cannot be imported" in broken.broken
    build(list(there.values()), {})


def test_of_two_with_one_name_the_first_works_and_the_second_is_said(tmp_path: Path) -> None:
    there = found(write(tmp_path, a=GOOD, b=altered(owner='"bob@example.org"'), c=altered(name='"dialogue"')))
    assert there["loud"].owner == "ann@example.org"
    reasons = {one.owner: one.broken for one in there.values() if one.broken}
    assert reasons["bob@example.org"] == "The name 'loud' in b.py is taken by a.py: rename one of them."
    assert "The name 'dialogue' in c.py is taken by mediaflow.algorithms.dialogue" in reasons["ann@example.org"]
    build(list(there.values()), {})


def test_algorithms_that_read_each_other_in_a_circle_are_broken_and_so_is_what_reads_them(tmp_path: Path) -> None:
    there = found(
        write(
            tmp_path,
            a=altered(name='"one"', inputs='("two",)'),
            b=altered(name='"two"', inputs='("one", "cues")'),
            c=altered(name='"three"', inputs='("one",)'),
            d=altered(name='"four"', inputs='("dialogue",)'),
        )
    )
    assert "'one' reads itself by way of" in there["one"].broken
    assert "'two' reads itself by way of" in there["two"].broken
    assert there["three"].broken == "c.py: 'three' reads 'one', which is broken."
    assert there["four"].broken == ""
    assert build(list(there.values()), {})["four"].inputs == ("dialogue",)


def test_what_reads_a_broken_algorithm_says_which(tmp_path: Path) -> None:
    there = found(write(tmp_path, a=altered(version="None"), b=altered(name='"more"', inputs='("loud",)')))
    assert there["more"].broken == "b.py: 'more' reads 'loud', which is broken."


PARAMETERS = altered(Parameters="Own").replace(
    "class Loud", "class Own(Parameters):\n    above: float = 0.5\n    words: list[str] = []\n\nclass Loud"
)


def test_parameters_are_typed_and_part_of_what_the_stage_is(tmp_path: Path) -> None:
    folder = write(tmp_path, loud=PARAMETERS)
    plain, given = found(folder), found(folder, {"loud": {"above": 1, "words": ["a"]}})
    parameters: Any = given["loud"].parameters
    assert (parameters.above, parameters.words) == (1.0, ["a"])
    before, after = (build(list(one.values()), {}).generations["loud"] for one in (plain, given))
    assert before != after


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"above": "high"}, r"The setting \[algorithms.loud\] above is wrong: Input should be a valid number"),
        ({"below": 1}, r"The setting \[algorithms.loud\] below is wrong: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_parameter_is_a_sentence(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    one = found(write(tmp_path, loud=PARAMETERS), {"loud": given})["loud"]
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(one.broken)


def test_parameters_that_cannot_be_made_break_one_algorithm(tmp_path: Path) -> None:
    text = PARAMETERS.replace("above: float = 0.5", "above: object = object()")
    assert "parameters of loud.py cannot be made" in found(write(tmp_path, loud=text))["loud"].broken


def test_other_declared_columns_are_another_generation_though_the_version_is_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    plain = build(list(found(write(folder, loud=GOOD)).values()), {}).generations["loud"]
    other = build(list(found(write(folder, loud=altered(fields='{"n": pl.Int64}'))).values()), {}).generations["loud"]
    again = build(list(found(write(folder, loud=GOOD + "\n# a comment")).values()), {}).generations["loud"]
    assert plain != other
    assert plain == again


def test_a_folder_that_is_not_there_is_one_broken_algorithm_whatever_it_is_called(tmp_path: Path) -> None:
    for name in ("own", "visual", "frames"):
        algorithms = find((tmp_path / name,))
        (broken,) = (one for one in algorithms if one.broken)
        assert f"The folder {tmp_path / name} of the setting 'algorithm_folders' is not there" in broken.broken
        assert broken.owner == "team:unknown"
        build(algorithms, {})


@pytest.mark.parametrize("name", ["brightnes", "Visual", "frames", "two words"])
def test_parameters_of_no_algorithm_are_said_and_stop_nothing_else(name: str) -> None:
    algorithms = find((), {name: {"threshold": 1}})
    (broken,) = (one for one in algorithms if one.broken)
    assert broken.broken.startswith(f"There is no algorithm {name!r}, but [algorithms.{name}] sets its parameters")
    assert {"visual", "dialogue"} < {one.name for one in algorithms}
    build(algorithms, {})


def test_the_setting_says_which_built_in_algorithms_there_are(tmp_path: Path) -> None:
    assert [one.name for one in find(built_in=("palette", "visual", "palette"))] == ["visual", "palette"]
    assert find(built_in=()) == []
    own = find((write(tmp_path, own=altered(name='"palette"')),), built_in=("visual",))
    assert [(one.name, one.source, one.broken) for one in own][1:] == [("palette", "own.py", "")]


def test_a_built_in_algorithm_that_is_none_or_not_wanted_is_said_and_stops_nothing_else() -> None:
    *good, broken = find(built_in=("dialogue", "Smells"))
    assert [one.broken for one in good] == [""] and broken.name == "smells"
    assert broken.broken == (
        f"The setting 'built_in' names 'Smells', and there are {', '.join(BUILT_IN)}: correct the name or take it out."
    )
    *good, broken = find((), {"onscreen_text": {"least_confidence": 0.5}}, ("visual", "dialogue"))
    assert [one.broken for one in good] == ["", ""] and broken.name == "onscreen_text"
    assert broken.broken == (
        "'onscreen_text' is not in the setting 'built_in', but [algorithms.onscreen_text] sets its parameters: add it "
        "there or take them out."
    )
    build([*good, broken], {})


def test_what_cannot_be_read_in_a_folder_is_one_broken_algorithm_or_no_algorithm(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "lost.py").symlink_to(tmp_path / "nowhere")
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "notes.txt").write_text("not Python")
    broken = {one.source: one.broken for one in find((tmp_path,)) if one.broken}
    assert set(broken) == {"lost.py", "bytes.py"}
    assert all("cannot be imported" in reason for reason in broken.values())
