"""How long work takes: from what was finished last, and no word where nothing is known."""

from __future__ import annotations

from dataclasses import replace

from mediaflow.planning.ledger import DONE, Fact, Ledger
from mediaflow.planning.pace import costs, seconds_a_title, seconds_left
from mediaflow.planning.plan import plan
from mediaflow.planning.stage import StageGraph
from tests.planning.world import STAGES, VISUAL, Title

GRAPH = StageGraph(STAGES)
TITLES = [Title(f"t{number}", number, {"media": f"m{number}", "subtitles": "s"}) for number in range(10)]
SECONDS = {"media": 1.0, "subtitles": 0.5, "frames": 40.0, "visual": 2.0, "dialogue": 0.25}


def fill(ledger: Ledger, graph: StageGraph, titles: list[Title], *stages: str, times: float = 1.0) -> None:
    rows = plan(graph, titles, ledger).stale().iter_rows(named=True)
    facts = [
        Fact(r["title_id"], r["stage"], r["revision"], r["generation"], DONE, facts={"seconds": SECONDS[name] * times})
        for r in rows
        if (name := r["stage"]) in (stages or SECONDS)
    ]
    ledger.append(facts)


def left(ledger: Ledger, graph: StageGraph, **at_once: int) -> dict[str, float]:
    return seconds_left(ledger.look(), graph, plan(graph, TITLES, ledger), at_once)


def test_time_left_is_that_of_the_titles_left_and_of_all_that_is_waited_for(ledger: Ledger) -> None:
    assert left(ledger, GRAPH) == {}, "nothing is known yet"
    fill(ledger, GRAPH, TITLES[:4])
    fill(ledger, GRAPH, TITLES[:8], "media", "frames")
    found = left(ledger, GRAPH, decode=2)
    assert found == {
        "media": 2 * 1.0,
        "subtitles": 6 * 0.5,
        "frames": 2 * 1.0 + 2 * 40.0 / 2,
        "visual": 2 * 1.0 + 2 * 40.0 / 2 + 6 * 2.0,
        "dialogue": 2 * 1.0 + 6 * 0.5 + 6 * 0.25,
    }
    fill(ledger, GRAPH, TITLES)
    assert left(ledger, GRAPH) == {}, "nothing is left"


def test_a_generation_is_measured_by_its_own_titles_alone(ledger: Ledger) -> None:
    fill(ledger, GRAPH, TITLES)
    slow = StageGraph([replace(VISUAL, model="m2") if one is VISUAL else one for one in STAGES])
    assert left(ledger, slow) == {}, "it has finished no title"
    assert costs(ledger.look(), slow) == SECONDS, "a batch is as large as the last generation lets it be"
    fill(ledger, slow, TITLES[:1], times=30)
    assert left(ledger, slow) == {"visual": 9 * 60.0}
    assert costs(ledger.look(), slow)["visual"] == 60.0
    assert costs(ledger.look(), GRAPH)["visual"] == 2.0


def test_what_was_finished_last_counts(ledger: Ledger) -> None:
    for seconds in (9.0, 1.0):
        ledger.append([Fact(f"t{no}", "media", "r", "g", DONE, facts={"seconds": seconds}) for no in range(200)])
    ledger.append([Fact("t", "media", "r", "other", DONE)])
    assert seconds_a_title(ledger.look(), "media", "g") == 1.0
    assert seconds_a_title(ledger.look(), "media", "nothing of it") is None
