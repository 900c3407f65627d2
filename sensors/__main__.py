"""`python -m sensors`: evaluates the sensors and executes the runs that they request, until nothing is left.

Exit code: 0 all fresh, 3 some titles quarantined, an algorithm stopped, a gate refused to publish or releases held
(listed with reasons), 1 failed, or no film.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

import dagster as dg

from mediaflow.errors import MediaflowError
from mediaflow.library import Library
from mediaflow.planning.ledger import FAILED, QUARANTINED
from mediaflow.publishing.refusals import sentences
from resources.library import LibraryResource, open_library
from resources.priority import give_way
from sensors.prepare import prepare_home

FRESH, FAILED_CODE, INCOMPLETE = 0, 1, 3
# A file that is still being written after so many waits is left for the next time.
_MOST_WAITS = 12
# A run that is asked for so often without a new fact in the ledger changes nothing.
_MOST_REPEATS = 3
# How long to wait where another process has claimed what is left.
_OTHERS_S = 2.0
# What failed is reported in sentences; the full story is in the run's own log.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_ORDER = ["library", "models", "refresh", "publish", "releases", "history"]


def main() -> int:
    """Run until quiet; return the exit code."""
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    try:
        with open_library() as library:
            library.root  # noqa: B018 - says at once that no library is set
            give_way(library.settings.nice)
            return _until_quiet(library)
    except MediaflowError as error:
        print(error.message, file=sys.stderr)
        return FAILED_CODE
    except KeyboardInterrupt:
        print("Stopped. What was finished is kept; run it again to go on.", file=sys.stderr)
        return 130


def _until_quiet(library: Library) -> int:
    from definitions import defs

    prepare_home(library)
    repository = defs.get_repository_def()
    with dg.DagsterInstance.get() as instance:
        return Rounds(library, repository, instance).run()


class Rounds:
    """Rounds of all sensors, each followed by the runs that they asked for."""

    def __init__(self, library: Library, repository: dg.RepositoryDefinition, instance: dg.DagsterInstance) -> None:
        self._library = library
        self._repository = repository
        self._instance = instance
        self._cursors: dict[str, str | None] = {}
        self._seen = self._said = ""
        self._runs = 0
        self._repeated: Counter[str] = Counter()
        self._failure = ""

    def run(self) -> int:
        """Go on until no sensor asks for a run and nothing is waited for."""
        waits = 0
        while True:
            before = self._library.ledger.told()
            asked = sum(self._evaluate(name) for name in _ORDER)
            if self._library.ledger.told() != before:
                self._repeated.clear()
            if asked and max(self._repeated.values(), default=0) < _MOST_REPEATS:
                waits = 0
                continue
            if asked:
                return self._give_up()
            others = self._library.claimed()
            wait_s = self._for_others(others) if others else self._waiting()
            if wait_s is None or waits == _MOST_WAITS:
                return self._end()
            waits += not others
            time.sleep(wait_s)

    def _evaluate(self, name: str) -> int:
        """Evaluate one sensor, execute and record what it asks for; return how many runs and events that were."""
        sensor = self._repository.get_sensor_def(name)
        with dg.build_sensor_context(
            instance=self._instance,
            cursor=self._cursors.get(name),
            repository_def=self._repository,
            sensor_name=name,
            resources={"library": LibraryResource(own_process=True)},
        ) as context:
            tick = sensor.evaluate_tick(context)
        self._cursors[name] = tick.cursor or self._cursors.get(name)
        for request in tick.dynamic_partitions_requests or []:
            if isinstance(request, dg.AddDynamicPartitionsRequest):
                self._instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
            else:
                for key in request.partition_keys:
                    self._instance.delete_dynamic_partition(request.partitions_def_name, key)
        if name == "library" and tick.skip_message and tick.skip_message != self._seen:
            self._seen = tick.skip_message
            _say(f"library: {tick.skip_message}")
        for run in tick.run_requests or []:
            self._execute(name, run)
        for event in tick.asset_events:
            self._instance.report_runless_asset_event(event)
        return len(tick.run_requests or []) + len(tick.asset_events)

    def _execute(self, sensor: str, request: dg.RunRequest) -> None:
        keys = list(request.asset_selection or [])
        stages = ", ".join(key.path[-1] for key in keys)
        titles = request.tags.get("mediaflow/titles")
        _say(f"run: {stages}" + _of(titles) + _why(request.tags))
        start = time.monotonic()
        job = self._repository.get_implicit_job_def_for_assets(keys)
        assert job is not None
        result = job.execute_in_process(
            run_config={**request.run_config, **_QUIET},
            instance=self._instance,
            asset_selection=keys,
            raise_on_error=False,
            tags={**request.tags, "dagster/sensor_name": sensor},
        )
        self._runs += 1
        self._repeated[f"{stages} {request.run_config}"] += 1
        if not result.success:
            self._failure = _reason(result)
        _say(f"     {'done' if result.success else 'done, with failures'} in {time.monotonic() - start:.1f} s")

    def _end(self) -> int:
        code = self._report()
        if code == FRESH:
            _say("All fresh.")
        return code

    def _give_up(self) -> int:
        """Say that a run was asked for again and again and changed nothing, which would go on for ever."""
        self._report()
        _say(f"Given up: a run was asked for {_MOST_REPEATS} times and changed nothing. {self._failure}".rstrip())
        return FAILED_CODE

    def _for_others(self, titles: Collection[str]) -> float:
        """Return how long to wait for other processes, which say from time to time that they are still at it."""
        said = f"waiting for another process, which is at work on {len(titles)} titles"
        if said != self._said:
            self._said = said
            _say(said)
        return _OTHERS_S

    def _waiting(self) -> float | None:
        """Return how long to wait for a file to settle or a failure to be tried again; None where nothing is due."""
        look = self._library.last_look()
        if look["settling"]:
            _say(f"waiting {self._library.settings.settle_s:g} s: {look['settling']} files may still be being written")
            return max(0.2, self._library.settings.settle_s)
        stale = self._library.plan().to_do()
        due = [row["due_ms"] for row in stale.iter_rows(named=True) if row["state"] == FAILED]
        if not due:
            return None
        wait_s = max(0.2, min(due) / 1000 - time.time())
        _say(f"waiting {wait_s:.0f} s to try {len(due)} failed artifacts again")
        return wait_s

    def _report(self) -> int:
        plan, look = self._library.plan(), self._library.last_look()
        if plan.frame.is_empty():
            return self._without_titles(look)
        given_up = [row for row in plan.frame.iter_rows(named=True) if row["state"] == QUARANTINED]
        stale = plan.to_do()
        if not self._runs:
            _say("Nothing changed: nothing was computed.")
        for name, reason in plan.stopped.items():
            _say(f"stopped: {name}: {reason}")
        for row in given_up:
            _say(f"quarantined: {row['title_id']} ({row['stage']}): {row['reason']}")
        for line in _problems(look["problems"]):
            _say(line)
        if len(stale) or look["guard"]:
            for row in stale.head(20).iter_rows(named=True):
                _say(f"not done: {row['title_id']} ({row['stage']}): {row['reason']}")
            return FAILED_CODE
        newest = self._library.releases.told()
        if held := newest is not None and newest.held:
            _say(newest.holding())
        refusal = self._library.refusal(plan)
        for sentence in sentences(refusal.gates) if refusal else ():
            _say(f"refused: {sentence}")
        return INCOMPLETE if given_up or plan.stopped or held or refusal else FRESH

    def _without_titles(self, look: dict[str, Any]) -> int:
        """Say why there is no title at all; a library that cannot be read has said so when it was looked at."""
        if not look["guard"]:
            _say(f"There is no film in {self._library.root}: put some there, or mend the setting 'library'.")
        for line in _problems(look["problems"]):
            _say(line)
        return FAILED_CODE


def _reason(result: dg.ExecuteInProcessResult) -> str:
    """Return the first error of a failed run; `KeyboardInterrupt` where that is Ctrl-C, which Dagster took for it."""
    for event in result.filter_events(lambda event: event.is_step_failure):
        failure = event.step_failure_data
        error = failure.error
        if error is None:
            continue
        # What an asset says itself, without the name of Dagster's class before it.
        if failure.user_failure_data is not None:
            return str(failure.user_failure_data.description)
        if "DagsterExecutionInterruptedError" in (error.cls_name, error.cause and error.cause.cls_name):
            raise KeyboardInterrupt
        return (error.cause or error).message.strip()
    return ""


def _problems(problems: Iterable[dict[str, str]]) -> list[str]:
    return [f"problem: {one['path']}: {one['message']}" for one in problems]


def _of(titles: str | None) -> str:
    return f" of {titles} {'title' if titles == '1' else 'titles'}" if titles else ""


def _why(tags: dict[str, str]) -> str:
    return f" ({tags['mediaflow/why']})" if "mediaflow/why" in tags else ""


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
