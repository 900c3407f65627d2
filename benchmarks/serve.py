"""What the faces cost: `python -m benchmarks.serve`: CPU of the server beside bare Lance, many clients, being ready.

A library of a million vectors and as many cues is written, and served by a process of its own. For each kind of
question and each protocol the server's CPU time stands beside that of the same plan put to Lance itself, in turn: as
many candidates, found in the same way, with the columns that an answer shows. Lance is called in a process of its own
too, which is asked over a pipe, one question at a time like the server: a process that sleeps in between pays for its
threads to wake up. Then sixteen clients ask at once: the server has one processor and the clients the other; the bare
calls, with as many threads as the server has, have had the first one alone.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import polars as pl

from benchmarks._claims import Claim, tell
from benchmarks._library import CUES, RANGE, manifest, release, spoken, timed, titles, write
from mediaflow.search.searchers.text import full_text_query
from mediaflow.search.searchers.vector import VectorSearcher
from mediaflow.serve.grpc import search_pb2 as messages
from mediaflow.serve.grpc import search_pb2_grpc as stubs
from mediaflow.serve.work import THREADS
from mediaflow.snapshots.reader import Releases, SnapshotReader
from mediaflow.storage.objects import FolderStore

ROOT = Path(__file__).parent.parent
TITLES, ROWS, DIM, CENTRES = 5_000, 200, 512, 500
TURNS, FIRST_TURNS, A_TURN, CLIENTS, ASKED = 20, 5, 20, 16, 640
MOST_GRAPHQL_MS, MOST_GRPC_MS, LEAST_SHARE, MOST_SPREAD, MOST_READY_S = 2.5, 1.0, 0.8, 5.0, 3.0
OFTEN_SAID = 25
# As many as the gateway asks for, for a page of twenty.
CANDIDATES = 201
_COLUMNS = ["title_no", "start_ms", "end_ms", "revision"]
_QUESTION = "query($clauses: [Clause!]!) { search(clauses: $clauses) { hits { titleId title startMs endMs score } } }"


def library(store: FolderStore, count: int, rows: int, dim: int) -> None:
    """Write and release a library of shots with vectors around some centres, and of cues."""
    draw = np.random.default_rng(9)
    shots = timed(count, rows, draw)
    centres = draw.normal(size=(CENTRES, dim)).astype(np.float32)
    vectors = np.empty((len(shots), dim), np.float16)
    for at in range(0, len(shots), 50_000):
        some = centres[draw.integers(0, CENTRES, len(shots[at : at + 50_000]))]
        some = some + draw.normal(size=some.shape).astype(np.float32)
        vectors[at : at + len(some)] = some / np.linalg.norm(some, axis=1, keepdims=True)
    seen = shots.with_columns(shot_no=pl.int_range(pl.len(), dtype=pl.Int32), vector=pl.Series(vectors))
    shape = {"shot_no": pl.Int32, **RANGE, "vector": pl.Array(pl.Float16, dim)}
    tables = {
        **titles(store, count),
        "visual-g": write(store, "visual-g", shape, seen),
        "dialogue-g": write(store, "dialogue-g", CUES, spoken(shots, draw), "text"),
    }
    release(store, manifest(tables, {"visual": "shot_vector", "dialogue": "text"}))


@dataclass(frozen=True)
class Question:
    """One question, and what Lance itself is asked: words or a vector."""

    clause: dict[str, Any]
    asked: str | np.ndarray


def questions(kind: str, seed: int) -> Iterator[Question]:
    """Yield questions, each another one: of vectors, or of words that are said."""
    draw = np.random.default_rng(seed)
    while True:
        if kind == "dialogue":
            text = " ".join(f"word{one}" for one in draw.choice(OFTEN_SAID, 2, replace=False))
            yield Question({"dialogue": {"text": text}}, text)
        else:
            vector = draw.normal(size=DIM).astype(np.float32)
            vector /= np.linalg.norm(vector)
            yield Question({"similar": {"vector": {"vector": vector.tolist()}}}, vector)


def bare(reader: SnapshotReader, asked: str | np.ndarray) -> None:
    """Put the plan of a question to Lance itself."""
    if isinstance(asked, str):
        table, columns = reader.table("dialogue-g"), [*_COLUMNS, "text", "language", "speaker", "_score"]
        plan: dict[str, Any] = {"full_text_query": full_text_query(asked), "limit": CANDIDATES}
    else:
        table, columns = reader.table("visual-g"), [*_COLUMNS, "_distance"]
        plan = {"nearest": VectorSearcher(asked).plan(table, None, CANDIDATES)}
    assert table.scanner(columns=columns, with_row_address=True, prefilter=True, **plan).to_table().num_rows


def bare_process(folder: Path, pipe: Connection) -> None:
    """Answer with `bare` what comes through a pipe."""
    reader = Releases(FolderStore(folder)).current()
    while (asked := pipe.recv()) is not None:
        bare(reader, asked)
        pipe.send(True)


class Bare:
    """A process that does nothing but call Lance."""

    def __init__(self, folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, end = context.Pipe()
        self._process = context.Process(target=bare_process, args=(folder, end), daemon=True)
        self._process.start()

    def ask(self, question: Question) -> None:
        self._pipe.send(question.asked)
        assert self._pipe.recv()

    def cpu_s(self) -> float:
        """Return the CPU time that it has used, all threads together."""
        return cpu_s(self._process.pid)

    def close(self) -> None:
        self._pipe.send(None)
        self._process.join()


class Server:
    """A server of a library, in a process of its own; `ready_s` says how long it took beyond imports to be ready."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "benchmarks._library", str(folder)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        assert self.process.stdout.readline() == "imported\n"
        imported_s = time.monotonic()
        said = self.process.stdout.readline() + self.process.stdout.readline()
        found = re.search(r"(http://\S+?)/graphql\.\s+gRPC answers at (\S+)\.", said)
        assert found, said
        self.url, self.grpc = found[1], found[2]
        while httpx.get(f"{self.url}/readyz").status_code != 200:
            assert self.process.poll() is None
        self.ready_s = time.monotonic() - imported_s

    def cpu_s(self) -> float:
        """Return the CPU time that it has used, all threads together."""
        return cpu_s(self.process.pid)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(60)


def cpu_s(process: int | None) -> float:
    """Return the CPU time that a process has used, all threads together."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def asking(server: Server, face: str) -> Iterator[Callable[[Question], None]]:
    """Yield what puts a question to a server over one protocol, on a connection of its own."""
    if face == "graphql":
        with httpx.Client(timeout=60) as client:

            def graphql(question: Question) -> None:
                body = {"query": _QUESTION, "variables": {"clauses": [question.clause]}}
                answer = client.post(f"{server.url}/graphql", json=body).json()
                assert len(answer["data"]["search"]["hits"]) == 20, answer

            yield graphql
    else:
        with grpc.insecure_channel(server.grpc, [("grpc.use_local_subchannel_pool", 1)]) as channel:
            search = stubs.SearchStub(channel).Search

            def call(question: Question) -> None:
                query = messages.Query(clauses=[question.clause])
                assert len(search(messages.SearchRequest(query=query)).hits) == 20

            yield call


def overhead(server: Server, lance: Bare, kind: str, face: str, most_ms: float) -> Claim:
    """Ask a server and Lance in turn; claim how much more CPU the server takes for a question."""
    found, ours_s = [], 0.0
    asked = questions(kind, len(face))
    with asking(server, face) as ask:
        for turn in range(FIRST_TURNS + TURNS):
            some = [next(asked) for _ in range(A_TURN)]
            before_s = server.cpu_s()
            for question in some:
                ask(question)
            server_s = server.cpu_s() - before_s
            before_s = lance.cpu_s()
            for question in some:
                lance.ask(question)
            bare_s = lance.cpu_s() - before_s
            # In the first turns both sides start threads and read what all further ones find in memory.
            if turn >= FIRST_TURNS:
                found.append((1e3 * server_s / A_TURN, 1e3 * bare_s / A_TURN))
                ours_s += server_s
    server_ms, bare_ms = (statistics.median(side) for side in zip(*found, strict=True))
    above_ms = statistics.median(one - other for one, other in found)
    print(f"{kind:<9}{face:<8}: {server_ms:5.1f} ms, bare {bare_ms:5.1f} ms", flush=True)
    return Claim(f"{kind} over {face}: CPU ms above bare Lance", above_ms, ours_s, most=most_ms)


def crowd(server: Server, reader: SnapshotReader, face: str) -> list[Claim]:
    """Have many clients ask at once, and as many threads as the server has call Lance; claim the throughput."""
    asked = questions("visual", 100 + len(face))
    processors = sorted(os.sched_getaffinity(0))
    alone, ours = [], []
    took_ms: list[float] = []
    for _ in range(3):
        some = [next(asked) for _ in range(ASKED)]
        _pin(os.getpid(), processors[:1])
        alone.append(_a_second(THREADS, some, lambda: nullcontext(lambda question: bare(reader, question.asked))))
        _pin(os.getpid(), processors[1:] or processors)
        _pin(server.process.pid, processors[:1])
        ours.append(_a_second(CLIENTS, some, lambda: asking(server, face), took_ms))
        _pin(server.process.pid, processors)
        _pin(os.getpid(), processors)
    share = statistics.median(one / other for one, other in zip(ours, alone, strict=True))
    middle, slow = statistics.median(took_ms), statistics.quantiles(took_ms, n=100)[98]
    print(
        f"{CLIENTS} clients, {face}: {statistics.median(ours):.0f} a second, bare {statistics.median(alone):.0f}; ",
        end="",
    )
    print(f"p50 {middle:.0f} ms, p99 {slow:.0f} ms", flush=True)
    return [
        Claim(f"{CLIENTS} clients over {face}: throughput / bare", share, 0.0, least=LEAST_SHARE),
        Claim(f"{CLIENTS} clients over {face}: p99 / p50", slow / middle, 0.0, most=MOST_SPREAD),
    ]


def _a_second(
    threads: int, some: list[Question], connected: Callable[[], Any], took_ms: list[float] | None = None
) -> float:
    """Put questions from so many threads at once; return how many a second were answered."""
    left, lock = list(some), threading.Lock()

    def client() -> None:
        with connected() as ask:
            while True:
                with lock:
                    if not left:
                        return
                    question = left.pop()
                begun = time.monotonic()
                ask(question)
                if took_ms is not None:
                    took_ms.append(1e3 * (time.monotonic() - begun))

    begun = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(client) for _ in range(threads)]:
            done.result()
    return len(some) / (time.monotonic() - begun)


def _pin(process: int, processors: list[int]) -> None:
    for thread in Path(f"/proc/{process}/task").iterdir():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), processors)


def main() -> int:
    """Measure all."""
    with tempfile.TemporaryDirectory() as folder:
        store = FolderStore(Path(folder))
        library(store, TITLES, ROWS, DIM)
        lance, server = Bare(Path(folder)), Server(Path(folder))
        what = f"ready on {TITLES} titles, s beyond imports"
        claims = [Claim(what, server.ready_s, server.cpu_s(), most=MOST_READY_S)]
        claims += [
            overhead(server, lance, kind, face, most_ms)
            for kind in ("visual", "dialogue")
            for face, most_ms in (("graphql", MOST_GRAPHQL_MS), ("grpc", MOST_GRPC_MS))
        ]
        lance.close()
        reader = Releases(store).current()
        for face in ("graphql", "grpc"):
            claims += crowd(server, reader, face)
        server.close()
    return tell(*claims)


if __name__ == "__main__":
    sys.exit(main())
