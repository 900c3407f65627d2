"""What tells two titles' artifacts apart, and the sum of hashes that titles are put into and taken out of."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from mediaflow.publishing import state
from mediaflow.publishing.state import Served

FILM = {"media": Served("r1", "a1", {"media": 1}), "frames": Served("r2", "a2", {"shots": 2, "thumbnails": 0})}


def of(*attempts: str) -> dict[str, Served]:
    return {f"stage{at}": Served(f"r{attempt}", attempt, {}) for at, attempt in enumerate(attempts)}


def test_what_is_written_is_read_again() -> None:
    assert state.read(state.written(FILM)) == FILM
    assert state.written(dict(reversed(FILM.items()))) == state.written(FILM)


def test_the_same_attempts_of_other_stages_are_other_artifacts() -> None:
    paired = {"media": FILM["media"], "frames:0123": FILM["frames"]}
    assert state.attempts(paired) != state.attempts(FILM)
    assert state.attempts(dict(reversed(FILM.items()))) == state.attempts(FILM)


titles = st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from(["1", "2", "3"]), max_size=2))


@given(titles, titles)
def test_titles_are_served_just_so_when_all_their_artifacts_are(
    before: Mapping[str, list[str]], after: Mapping[str, list[str]]
) -> None:
    numbers = {title: number for number, title in enumerate("abcdef")}
    served = pl.DataFrame(
        [(title, numbers[title], state.attempts(of(*attempts))) for title, attempts in before.items()],
        schema={"title_id": pl.String, "title_no": pl.Int32, "attempts": pl.String},
        orient="row",
    )
    artifacts = pl.DataFrame(
        [(numbers[title], f"stage{at}", one) for title, attempts in after.items() for at, one in enumerate(attempts)],
        schema={"title_no": pl.Int32, "stage": pl.String, "attempt": pl.String},
        orient="row",
    )
    same = {title for title in before if before[title] == after.get(title) and len(before[title]) == 2}
    assert state.just_so(served, artifacts, 2) == same


@given(titles, titles)
def test_the_sum_without_some_titles_and_with_others_is_that_of_all(
    before: Mapping[str, list[str]], after: Mapping[str, list[str]]
) -> None:
    def weight(titles: Mapping[str, list[str]]) -> str:
        return state.changed_weight("", (), [(title, of(*attempts)) for title, attempts in titles.items()])

    gone = [(title, of(*attempts)) for title, attempts in before.items()]
    come = [(title, of(*attempts)) for title, attempts in after.items()]
    assert state.changed_weight(weight(before), gone, come) == weight(after)
    assert (weight(before) == weight(after)) == (dict(before) == dict(after))
