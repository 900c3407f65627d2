"""From clauses to searchers: which algorithm of the snapshot answers a clause, and what its table is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mediaflow.algorithms.palette import OKLAB
from mediaflow.algorithms.shapes import BOXED_SHAPES, TEXT_SHAPES, VECTOR_SHAPES
from mediaflow.errors import UsageError
from mediaflow.search.literals import among, at_least, both, text_literal
from mediaflow.search.process.encoding import Encoders, TextVectors
from mediaflow.search.query import (
    Character,
    Dialogue,
    FreeText,
    Label,
    Leaf,
    Onscreen,
    Talent,
    Visual,
    Where,
)
from mediaflow.search.route.asked import TITLES, AnyAsked, Asked, AskedOutside, Index
from mediaflow.search.route.boxes import in_region
from mediaflow.search.route.cutoffs import CutOffs
from mediaflow.search.route.fields import condition_on, no_such_algorithm, number
from mediaflow.search.route.similar import VISUAL, Likeness, Pictures
from mediaflow.search.searchers import Searcher
from mediaflow.search.searchers.colour import ColourSearcher, colour_of
from mediaflow.search.searchers.label import LabelSearcher
from mediaflow.search.searchers.ranges import EverySearcher, RangeSearcher
from mediaflow.search.searchers.text import TextSearcher, words_and_phrases
from mediaflow.search.searchers.vector import VectorSearcher
from mediaflow.search.searchers.whole import WholeSearcher
from mediaflow.search.titles.catalogue import Catalogue
from mediaflow.snapshots.manifest import AlgorithmPart
from mediaflow.snapshots.reader import SnapshotReader

if TYPE_CHECKING:
    import lance

DIALOGUE = "dialogue"
ONSCREEN = "onscreen_text"
CUE_KINDS = ("dialogue", "description", "chapter")
_LABELS, _RANGES = "label", "range"


class Router:
    """Turns clauses into what is asked of the tables of one snapshot.

    Parameters
    ----------
    reader : SnapshotReader
        The snapshot.
    encoders, pictures
        Used when a clause has to be encoded, not before.
    catalogue : Catalogue
        Says which titles and people are meant.
    cutoffs : CutOffs
        Says what is similar enough, where everything is asked for.
    texts : TextVectors
        Encodes texts.
    outside : Mapping[str, Index]
        Indexes that stand outside of the store, by the name under which `Where` asks them.
    """

    def __init__(
        self,
        reader: SnapshotReader,
        encoders: Encoders,
        pictures: Pictures,
        catalogue: Catalogue,
        cutoffs: CutOffs,
        texts: TextVectors,
        outside: Mapping[str, Index],
    ) -> None:
        self._reader = reader
        self._catalogue = catalogue
        self._likeness = Likeness(reader, self.part, encoders, pictures, catalogue, cutoffs, texts)
        self._outside = outside

    def route(self, clause: Leaf) -> Sequence[AnyAsked]:
        """Return what is asked for a clause, one entry a ranked list.

        Raises
        ------
        UsageError
            The snapshot has no algorithm that could answer, or the clause does not fit what the algorithm gives.
        """
        match clause:
            case FreeText():
                return self._free_text(clause)
            case Dialogue():
                self.part(DIALOGUE)
                return [Asked(DIALOGUE, self._words(clause.text), self._of_cues(clause))]
            case Onscreen():
                self.part(ONSCREEN)
                sure = at_least("confidence", clause.least_confidence) if clause.least_confidence > 0 else None
                region = in_region(clause.region) if clause.region else None
                return [Asked(ONSCREEN, self._words(clause.text), both(region, sure))]
            case Label():
                return self._label(clause)
            case Character() | Talent():
                return self._people(clause)
            case Where():
                return [self._outer(clause) if clause.algorithm in self._outside else self._where(clause)]
        return [self._likeness.route(clause)]

    def titles_with(self, wanted: Where) -> frozenset[int]:
        """Return the numbers of the titles in which an algorithm found such a row; `UsageError` for what ranks."""
        (asked,) = self.route(wanted)
        if asked.ranks:
            raise UsageError(
                f"Every title has rows of {wanted.algorithm!r} that are more or less like that: a filter takes what"
                " fits or does not, such as a field.",
                algorithm=wanted.algorithm,
            )
        return frozenset(asked.find(self._table, None, None)["title_no"].unique().to_list())

    def part(self, algorithm: str) -> AlgorithmPart:
        """Return the snapshot's part for an algorithm; `UsageError` where it has none."""
        parts = self._reader.manifest.algorithms
        if algorithm not in parts:
            raise no_such_algorithm(algorithm, sorted(parts))
        return parts[algorithm]

    def _free_text(self, clause: FreeText) -> Sequence[AnyAsked]:
        parts = self._reader.manifest.algorithms
        if VISUAL not in parts and DIALOGUE not in parts:
            self.part(VISUAL)
        asked = list(self.route(Visual(clause.text))) if VISUAL in parts else []
        if DIALOGUE in parts and (any(words_and_phrases(clause.text)) or not asked):
            asked += self.route(Dialogue(clause.text, clause.language, clause.kind))
        return asked

    def _label(self, clause: Label) -> list[Asked]:
        parts = self._reader.manifest.algorithms
        algorithms = [name for name, part in sorted(parts.items()) if part.shape == _LABELS]
        if clause.algorithm is not None:
            if self.part(clause.algorithm).shape != _LABELS:
                raise UsageError(
                    f"{clause.algorithm!r} gives no labels; {_these(algorithms)}.", algorithm=clause.algorithm
                )
            algorithms = [clause.algorithm]
        if not algorithms:
            raise UsageError("No algorithm of the published snapshot gives labels.")
        sure = at_least("confidence", clause.least_confidence) if clause.least_confidence > 0 else None
        return [Asked(name, _labelled(parts[name], clause.name), sure) for name in algorithms]

    def _people(self, clause: Character | Talent) -> list[Asked]:
        """Ask for what somebody says, and for the titles as a whole that have them in the cast."""
        name = (clause.name,)
        voices = self._catalogue.voices(*((name, ()) if isinstance(clause, Character) else ((), name)))
        asked = []
        if clause.presence != "in cast" and DIALOGUE in self._reader.manifest.algorithms:
            asked.append(Asked(DIALOGUE, EverySearcher(), voices.condition))
        if clause.presence != "speaks":
            asked.append(Asked(TITLES, WholeSearcher(), among("title_no", voices.cast)))
        if not asked:
            self.part(DIALOGUE)
        return asked

    def _outer(self, clause: Where) -> AskedOutside:
        if clause.value is None or clause.conditions or clause.region is not None:
            raise UsageError(
                f"{clause.algorithm!r} is an index outside of the store: ask it for a value, without field or region.",
                algorithm=clause.algorithm,
            )
        return AskedOutside(clause.algorithm, self._outside[clause.algorithm], str(clause.value))

    def _table(self, algorithm: str) -> lance.LanceDataset:
        return self._reader.table(self.part(algorithm).table)

    def _where(self, clause: Where) -> Asked:
        part = self.part(clause.algorithm)
        if clause.region is not None and part.shape not in BOXED_SHAPES:
            raise UsageError(
                f"Rows of {clause.algorithm!r} have no boxes: ask for them without a region.",
                algorithm=clause.algorithm,
            )
        region = in_region(clause.region) if clause.region else None
        conditions = (condition_on(clause.algorithm, part, one) for one in clause.conditions)
        return Asked(clause.algorithm, self._searcher(clause, part), both(region, *conditions))

    def _searcher(self, clause: Where, part: AlgorithmPart) -> Searcher:
        shape, value = part.shape, clause.value
        if value is None:
            return EverySearcher(scored=True)
        if shape == _RANGES:
            try:
                return RangeSearcher(number(value))
            except (ValueError, TypeError, OverflowError) as error:
                raise UsageError(
                    f"{clause.algorithm!r} gives time ranges with a score: give the least score as a number, such as"
                    f" {clause.algorithm}=0.5, not {value!r}.",
                    algorithm=clause.algorithm,
                ) from error
        text = str(value)
        if shape in TEXT_SHAPES:
            return self._words(text)
        if shape == _LABELS:
            return _labelled(part, text)
        if shape in VECTOR_SHAPES:
            return VectorSearcher(self._likeness.of_text(clause.algorithm, text))
        raise UsageError(
            f"Rows of {clause.algorithm!r} are of the shape {shape!r}, which this version cannot search; update"
            " mediaflow.",
            algorithm=clause.algorithm,
        )

    def _words(self, text: str) -> TextSearcher:
        return TextSearcher(text, alone=self._catalogue.allowed is not None)

    def _of_cues(self, clause: Dialogue) -> str | None:
        language, kind = clause.language, clause.kind
        if kind is not None and kind not in CUE_KINDS:
            raise UsageError(f"There is no kind of cue {kind!r}; there are {', '.join(CUE_KINDS)}.", kind=kind)
        return both(
            f"language = {text_literal(language)} OR starts_with(language, {text_literal(language + '-')})"
            if language
            else None,
            f"kind = {text_literal(kind)}" if kind else None,
            f"lower(speaker) = lower({text_literal(clause.speaker)})" if clause.speaker else None,
            self._catalogue.voices((clause.character,), ()).condition if clause.character else None,
        )


def _labelled(part: AlgorithmPart, name: str) -> Searcher:
    """Look for a label, or for a colour by its code where the rows have coordinates of theirs."""
    code = name.strip()
    if code.startswith("#") and part.fields.keys() >= set(OKLAB):
        return ColourSearcher(colour_of(code))
    return LabelSearcher(name)


def _these(algorithms: list[str]) -> str:
    return f"these do: {', '.join(algorithms)}" if algorithms else "none of the published snapshot does"
