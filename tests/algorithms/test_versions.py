"""A change of an algorithm's source without a new version is told by the function's name; a change of form is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediaflow.algorithms.registry import Registered, find
from mediaflow.algorithms.versions import ChangedSource, changed, remember
from mediaflow.storage.objects import FolderStore

TEXT = '''
from mediaflow.algorithms.contract import Algorithm, Parameters, Shape

LOUD = 10
_UNUSED = 5

def shout(text):
    return text.upper() * LOUD

def never_named():
    return 1

class Base(Algorithm):
    def prepare(self, batch):
        return list(batch)

class Loud(Base):
    """Shouts."""

    name = "loud"
    version = "1"
    owner = "ann@example.org"
    inputs = ("cues",)
    shape = Shape.LABEL
    again = 2

    class Parameters(Parameters):
        above: int = 3

        def twice(self):
            return self.above * 2

    def run(self, batch):
        """Gives what is loud."""
        for title in self.prepare(batch):  # one after the other
            yield shout("a"), self.again, 1000
'''


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def loud(folder: Path, *changes: tuple[str, str]) -> Registered:
    """Return the algorithm as it is found with some of its text changed."""
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "loud.py").write_text(text)
    one = next(one for one in find((folder,)) if one.name == "loud")
    assert one.broken == ""
    return one


def told(store: FolderStore, one: Registered) -> list[str]:
    return [name for said in changed(store, [one]) for name in said.functions]


@pytest.mark.parametrize(
    ("change", "function"),
    [
        (("yield shout", "yield 1, shout"), "Loud.run"),
        (("list(batch)", "list(batch)[:1]"), "Base.prepare"),
        (("self.above * 2", "self.above * 3"), "Loud.Parameters.twice"),
        (("text.upper()", "text.lower()"), "shout"),
        (("LOUD = 10", "LOUD = 11"), "LOUD"),
        (("again = 2", "again = 3"), "Loud.again"),
        (("    def prepare", "    def new(self):\n        pass\n\n    def prepare"), "Base.new"),
        (("in self.prepare(batch)", "in batch"), "Loud.run"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_change_without_a_new_version_is_told_by_name(
    tmp_path: Path, store: FolderStore, change: tuple[str, str], function: str
) -> None:
    remember(store, loud(tmp_path))
    assert told(store, loud(tmp_path, change)) == [function]
    assert told(store, loud(tmp_path)) == [], "the change was taken back"


@pytest.mark.parametrize(
    "change",
    [
        ('"""Shouts."""', '"""Shouts at everybody."""'),
        ('        """Gives what is loud."""\n', ""),
        ("  # one after the other", ""),
        ("1000\n", "1_000   \n\n\n"),
        ('shout("a")', "shout('a')"),
        ("return 1", "return 2"),
        ("_UNUSED = 5", "_UNUSED = 6"),
        ("above: int = 3", "above: int = 4"),
        ("ann@example.org", "bob@example.org"),
        ("def shout", "# about to shout\n\n\ndef shout"),
    ],
    ids=lambda change: change[0].strip(),
)
def test_form_words_and_what_the_revision_holds_never_warn(
    tmp_path: Path, store: FolderStore, change: tuple[str, str]
) -> None:
    remember(store, loud(tmp_path))
    assert told(store, loud(tmp_path, change)) == []


def test_a_new_version_ends_the_warning_and_is_held_to_its_own_source(tmp_path: Path, store: FolderStore) -> None:
    edit, version = ("text.upper()", "text.lower()"), ('version = "1"', 'version = "2"')
    remember(store, loud(tmp_path))
    remember(store, loud(tmp_path, edit))
    assert told(store, loud(tmp_path, edit)) == ["shout"], "what was there first counts"
    remember(store, loud(tmp_path, edit, version))
    assert told(store, loud(tmp_path, edit, version)) == []
    assert told(store, loud(tmp_path, version)) == ["shout"]


def test_the_warning_says_what_where_and_what_to_do(tmp_path: Path, store: FolderStore) -> None:
    assert changed(store, [loud(tmp_path)]) == [], "never used"
    remember(store, loud(tmp_path))
    said = changed(store, [*find(), loud(tmp_path, ("text.upper()", "text"), ("again = 2", "again = 3"))])
    assert said == [ChangedSource("loud", "1", "loud.py", ("Loud.again", "shout"))]
    assert said[0].warning == (
        "The source of Loud.again, shout of the algorithm 'loud' has changed, and its version is still '1': "
        "change 'version' in loud.py to compute all titles anew, or take the change back."
    )


def test_an_algorithm_whose_source_cannot_be_read_never_warns(tmp_path: Path, store: FolderStore) -> None:
    one = loud(tmp_path)
    blind = Registered(one.name, one.owner, one.source, one.algorithm, one.parameters)
    remember(store, blind)
    assert not list(store.list("")), "nothing is kept of it"
    remember(store, one)
    assert changed(store, [blind]) == []
