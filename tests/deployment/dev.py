"""A real `dagster dev` on a free port, asked and told through its GraphQL, as its own web pages do."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from tests.deployment.place import ROOT, Place
from tests.deployment.waiting import wait_until

UNFINISHED = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING")
# Of the UI: runs that nobody waits for any more are found by these, not by their sensor.
BACKFILL = "dagster/backfill"
_SELECTOR = {"repositoryLocationName": "mediaflow", "repositoryName": "__repository__"}


@dataclass(frozen=True)
class Event:
    """One materialization."""

    asset: str
    partition: str | None
    run: str
    version: str
    description: str


@dataclass(frozen=True)
class Verdict:
    """One evaluation of the check `sound`."""

    asset: str
    partition: str | None
    run: str
    passed: bool
    reason: str


@dataclass(frozen=True)
class Run:
    """One run."""

    id: str
    status: str
    tags: dict[str, str]
    assets: frozenset[str]


class Dev:
    """Starts what `make up` runs at a place, waits until its code location is loaded; use it in a `with` statement."""

    def __init__(self, place: Place) -> None:
        self.port, self.search_port = _free_port(), _free_port()
        place.home.mkdir(exist_ok=True)
        self.log = place.home / "dev.log"
        env = place.env() | {"PORT": str(self.port), "SERVE_PORT": str(self.search_port)}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["bash", "scripts/up.sh"], cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True
            )

    def __enter__(self) -> Dev:
        try:
            wait_until(self._loaded, 120, f"dagster dev has loaded the code location, see {self.log}")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Terminate runs, which would outlive their master, then all processes."""
        if self._process.poll() is not None:
            return
        try:
            if unfinished := [run.id for run in self.runs() if run.status in UNFINISHED]:
                query = "mutation($ids: [String!]!) { terminateRuns(runIds: $ids) { __typename } }"
                self.ask(query, ids=unfinished)
            wait_until(self.idle, 60, "the terminated runs have ended")
        finally:
            self._end()

    def press_ctrl_c(self) -> None:
        """Interrupt all processes of `make up`, as the terminal does."""
        os.killpg(self._process.pid, signal.SIGINT)

    def ended(self) -> bool:
        """Say whether no process of `make up` is left."""
        self._process.poll()
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def _end(self) -> None:
        self._process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(20)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Send a query or mutation; return its data."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        address = f"http://127.0.0.1:{self.port}/graphql"
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                answer: dict[str, Any] = json.load(response)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"GraphQL refused: {error.read().decode()}") from error
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def _loaded(self) -> bool:
        assert self._process.poll() is None, f"dagster dev has ended: see {self.log}"
        query = "{ workspaceOrError { ... on Workspace { locationEntries { loadStatus locationOrLoadError { "
        query += "__typename ... on PythonError { message } } } } } }"
        try:
            entries = self.ask(query)["workspaceOrError"]["locationEntries"]
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        loaded = [entry["locationOrLoadError"] for entry in entries if entry["loadStatus"] == "LOADED"]
        for entry in loaded:
            assert entry["__typename"] == "RepositoryLocation", entry
        return bool(loaded) and len(loaded) == len(entries)

    # What Dagster says

    def idle(self) -> bool:
        """Say whether no run is unfinished."""
        return not [run for run in self.runs() if run.status in UNFINISHED]

    def runs(self) -> list[Run]:
        """Return all runs, newest first."""
        query = (
            "{ runsOrError { ... on Runs { results { runId status tags { key value } assetSelection { path } } } } }"
        )
        return [
            Run(
                one["runId"],
                one["status"],
                {tag["key"]: tag["value"] for tag in one["tags"]},
                frozenset(key["path"][-1] for key in one["assetSelection"] or []),
            )
            for one in self.ask(query)["runsOrError"]["results"]
        ]

    def events(self) -> list[Event]:
        """Return all materializations of all assets, newest first for each asset."""
        query = """{ assetNodes { assetKey { path } assetMaterializations(limit: 10000) {
            partition runId description tags { key value } } } }"""
        found = []
        for node in self.ask(query)["assetNodes"]:
            for one in node["assetMaterializations"]:
                tags = {tag["key"]: tag["value"] for tag in one["tags"]}
                version = tags.get("dagster/data_version", "")
                asset = node["assetKey"]["path"][-1]
                found.append(Event(asset, one["partition"], one["runId"], version, one["description"] or ""))
        return found

    def verdicts(self, assets: list[str]) -> list[Verdict]:
        """Return all evaluations of the check `sound` of these assets, newest first for each."""
        query = """query($key: AssetKeyInput!) { assetCheckExecutions(assetKey: $key, checkName: "sound", limit: 1000) {
            runId evaluation { success partition description } } }"""
        return [
            Verdict(
                asset,
                one["evaluation"]["partition"],
                one["runId"],
                one["evaluation"]["success"],
                one["evaluation"]["description"],
            )
            for asset in assets
            for one in self.ask(query, key={"path": [asset]})["assetCheckExecutions"]
            if one["evaluation"]
        ]

    def partitions(self) -> list[str]:
        """Return the titles, in the order of the partitions."""
        query = '{ assetNodeOrError(assetKey: {path: ["media"]}) { ... on AssetNode { partitionKeys } } }'
        return list(self.ask(query)["assetNodeOrError"]["partitionKeys"])

    def statuses(self) -> dict[tuple[str, str], str]:
        """Return by (asset, title): `materialized`, `failed`, `materializing` or `unmaterialized`."""
        kinds = ("materialized", "failed", "materializing", "unmaterialized")
        asked = " ".join(f"{kind}Partitions" for kind in kinds)
        query = f"""{{ assetNodes {{ assetKey {{ path }} isPartitioned
            assetPartitionStatuses {{ ... on DefaultPartitionStatuses {{ {asked} }} }} }} }}"""
        found: dict[tuple[str, str], str] = {}
        for node in self.ask(query)["assetNodes"]:
            if node["isPartitioned"]:
                # What failed after it was made counts as both; Dagster's pages show it red.
                for kind in ("unmaterialized", "materialized", "materializing", "failed"):
                    for title in node["assetPartitionStatuses"][f"{kind}Partitions"]:
                        found[node["assetKey"]["path"][-1], title] = kind
        return found

    def staleness(self) -> dict[tuple[str, str], str]:
        """Return by (asset, title): `FRESH`, `STALE` or `MISSING`."""
        titles = self.partitions()
        known = self.ask("{ assetNodes { assetKey { path } isPartitioned } }")["assetNodes"]
        query = """query($keys: [AssetKeyInput!], $titles: [String!]) { assetNodes(assetKeys: $keys) {
            assetKey { path } staleStatusByPartition(partitions: $titles) } }"""
        keys = [{"path": node["assetKey"]["path"]} for node in known if node["isPartitioned"]]
        return {
            (node["assetKey"]["path"][-1], title): status
            for node in self.ask(query, keys=keys, titles=titles)["assetNodes"]
            for title, status in zip(titles, node["staleStatusByPartition"], strict=True)
        }

    def failure(self, run: str) -> str:
        """Return the message with which a run failed."""
        query = """query($run: ID!) { runOrError(runId: $run) { ... on Run { eventConnection { events {
            ... on ExecutionStepFailureEvent { error { message } } } } } } }"""
        events = self.ask(query, run=run)["runOrError"]["eventConnection"]["events"]
        return "\n".join(one["error"]["message"] for one in events if one)

    def last_ticks(self) -> dict[str, float]:
        """Return by sensor when its last evaluation that has ended began, in seconds since 1970; 0 if there is none."""
        return {name: max((tick["timestamp"] for tick in ticks), default=0.0) for name, ticks in self._ticks().items()}

    def skip_reasons(self) -> dict[str, str]:
        """Return by sensor why its last evaluation asked for nothing; empty where it asked for something."""
        newest = {
            name: max(ticks, key=lambda tick: tick["timestamp"]) for name, ticks in self._ticks().items() if ticks
        }
        return {name: tick["skipReason"] or "" for name, tick in newest.items()}

    def _ticks(self) -> dict[str, list[dict[str, Any]]]:
        """Return the last evaluations of each sensor that have ended."""
        query = """query($of: RepositorySelector!) { sensorsOrError(repositorySelector: $of) {
            ... on Sensors { results { name sensorState { ticks(limit: 5) { status timestamp skipReason } } } } } }"""
        sensors = self.ask(query, of=_SELECTOR)["sensorsOrError"]["results"]
        return {
            one["name"]: [tick for tick in one["sensorState"]["ticks"] if tick["status"] != "STARTED"]
            for one in sensors
        }

    # What people do in its pages

    def backfill(self, titles: list[str], assets: list[str], *, force: bool) -> str:
        """Launch a backfill over titles and assets; return its id."""
        query = """mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) { __typename
            ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
        params = {
            "partitionNames": titles,
            "assetSelection": [{"path": [asset]} for asset in assets],
            "fromFailure": False,
            "runConfigData": _config(force),
        }
        return str(self.ask(query, p=params)["launchPartitionBackfill"]["backfillId"])

    def backfill_from_failure(self, backfill: str) -> str:
        """Launch what failed in a backfill again; return the new backfill's id."""
        query = """mutation($p: ReexecutionParams!) { reexecutePartitionBackfill(reexecutionParams: $p) { __typename
            ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
        params = {"parentRunId": backfill, "strategy": "FROM_FAILURE"}
        return str(self.ask(query, p=params)["reexecutePartitionBackfill"]["backfillId"])

    def backfill_status(self, backfill: str) -> str:
        """Return the status of a backfill."""
        query = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
            ... on PartitionBackfill { status } } }"""
        return str(self.ask(query, id=backfill)["partitionBackfillOrError"]["status"])

    def reload(self) -> None:
        """Reload the code location, as the button on the page Deployment does."""
        query = """mutation($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) { __typename
            ... on WorkspaceLocationEntry { locationOrLoadError { __typename ... on PythonError { message } } } } }"""
        entry = self.ask(query, name="mediaflow")["reloadRepositoryLocation"]
        assert entry["locationOrLoadError"]["__typename"] == "RepositoryLocation", entry

    def materialize(self, title: str, assets: list[str], *, force: bool = False) -> str:
        """Materialize some assets of one title; return the run's id."""
        query = """mutation($p: ExecutionParams!) { launchPipelineExecution(executionParams: $p) { __typename
            ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
            ... on RunConfigValidationInvalid { errors { message } } } }"""
        params = {
            "selector": {**_SELECTOR, "pipelineName": "__ASSET_JOB", "assetSelection": [{"path": [a]} for a in assets]},
            "mode": "default",
            "runConfigData": _config(force),
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": title}]},
        }
        answer = self.ask(query, p=params)["launchPipelineExecution"]
        assert "run" in answer, answer
        return str(answer["run"]["runId"])


def _config(force: bool) -> str:
    return json.dumps({"resources": {"batch": {"config": {"force": True}}}} if force else {})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
