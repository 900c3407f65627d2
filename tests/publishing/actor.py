"""Readers, engines and operators in a process of their own, which stops at a named step when it is told to.

`python -m tests.publishing.actor`: the parent sends one command a line as JSON and gets one line back;
`Actor` is its side. A process that has stopped sleeps as a whole, its clock excepted.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mediaflow.errors import MediaflowError
from mediaflow.publishing.rollback import resume, rollback
from mediaflow.search.engine import Gateways
from mediaflow.search.query import Dialogue, Query
from mediaflow.snapshots.engine import EngineNotReady, Host
from mediaflow.snapshots.pins import Pin, Pins, hold
from mediaflow.snapshots.reader import SnapshotExpired, SnapshotReader
from mediaflow.storage import steps
from mediaflow.storage.objects import FolderStore
from tests.conftest import ROOT
from tests.deployment.waiting import wait_until
from tests.publishing.world import Film, World, answers
from tests.search.world import RawPictures

LIMIT_S = 60


class Refused(Exception):
    """A command of an actor ended with an error of this name."""

    def __init__(self, name: str, **fields: Any) -> None:
        super().__init__(name)
        self.fields = fields


class Actor:
    """The parent's side of a process."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.publishing.actor"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def start(self, do: str, **said: Any) -> None:
        """Send a command."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"do": do, **said}) + "\n")

    def reply(self) -> Any:
        """Wait for what came of the command; the error that it ended with is `Refused`."""
        assert self.process.stdout
        done = json.loads(self.process.stdout.readline())
        if "error" in done:
            raise Refused(done["error"], **done["fields"])
        return done["value"]

    def ask(self, do: str, **said: Any) -> Any:
        """Send a command and wait for what comes of it."""
        self.start(do, **said)
        return self.reply()

    def stopped(self, step: str, do: str, **said: Any) -> None:
        """Send a command, and wait until the process has stopped at a step of it."""
        self.ask("stop_at", step=step)
        self.start(do, **said)
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), f"it never came to {step!r}"

    def go_on(self) -> Any:
        """Let the process go on, and wait for what comes of the command."""
        self.process.send_signal(signal.SIGCONT)
        return self.reply()

    def freeze(self) -> None:
        """Stop the process wherever it is, as if it had died."""
        self.process.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class Counted:
    """What the counting engine makes of a snapshot."""

    reader: SnapshotReader

    def ask(self) -> list[Any]:
        return [self.reader.id, self.reader.table("titles").count_rows()]


class Counting:
    """An engine of another kind: it needs nothing but tables, and counts titles; it opens nothing before `after`."""

    kind = "count"
    needs = frozenset({"tables"})

    def __init__(self, after: Path | None) -> None:
        self._after = after

    def open(self, reader: SnapshotReader, parts: Mapping[str, Mapping[str, Any]]) -> Counted:
        assert set(parts) == {"tables"} and "titles" in parts["tables"]
        if self._after is not None:
            wait_until(self._after.exists, LIMIT_S, "the engine may open a snapshot", every_s=0.02)
        return Counted(reader)


class AnyModel:
    """Encoders for tests in which nobody asks for what is seen."""

    dim = 2

    def encoder(self, identity: str) -> AnyModel:
        return self

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        return np.zeros((len(texts), self.dim), np.float32)


class Stage:
    """The child's side: what it holds between commands, each of which is a method."""

    def __init__(self) -> None:
        self.stop = ""
        self.host: Host[Any]
        self.pin: Pin
        steps.listen(self.reached)

    def reached(self, step: str) -> None:
        if step == self.stop:
            self.stop = ""
            os.kill(os.getpid(), signal.SIGSTOP)

    def stop_at(self, step: str) -> None:
        self.stop = step

    def use(self, store: str) -> None:
        self.store = FolderStore(Path(store))

    def read(self, ttl_ms: int, pages: int = 1) -> dict[str, Any]:
        """Answer from the current snapshot, page by page."""
        said = []
        with Pins(self.store, ttl_ms) as pins, pins.current() as reader:
            for page in range(pages):
                with reader.reading():
                    steps.reached(f"test: before page {page}")
                    said.append(answers(reader))
                    steps.reached("reader: before answer")
        return {"snapshot": reader.id, "pages": said}

    def hold(self, ttl_ms: int) -> str:
        """Pin the current snapshot, and leave it at that."""
        self.pin, manifest, _ = hold(self.store, None, lambda of: Pin(self.store, of, ttl_ms, "an actor", "a test"))
        return manifest.id

    def renew(self) -> None:
        self.pin.renew()
        self.pin.check()

    def rollback(self, snapshot: str | None = None) -> list[Any]:
        done = rollback(self.store, snapshot, "a test")
        return [done.n, done.snapshot]

    def resume(self) -> list[Any]:
        done = resume(self.store)
        return [done.n, done.snapshot]

    def publish(self, films: Sequence[Mapping[str, Any]], prepare_ms: int = 30_000) -> str:
        world = World(self.store, films={film["title_id"]: Film(**film) for film in films})
        return world.publish(prepare_ms=prepare_ms).outcome

    def engine(self, kind: str, ttl_ms: int = 10_000, after: str | None = None) -> str:
        """Make an engine; it looks when it is told to."""
        kinds = {"count": Counting(Path(after) if after else None), "search": Gateways(AnyModel(), RawPictures())}
        self.host = Host(self.store, kinds[kind], ttl_ms)
        return self.host.id

    def look(self) -> None:
        self.host.look()

    def run(self) -> None:
        """Let it look by itself."""
        self.host.__enter__()

    def answer(self, snapshot: str | None = None) -> list[Any]:
        """Answer one request: the snapshot, and the number of titles, or who says "one"."""
        with self.host.answering(snapshot) as opened:
            if isinstance(opened, Counted):
                return opened.ask()
            return [opened.reader.id, sorted(hit.title_id for hit in opened.search(Query((Dialogue("one"),))))]

    def until_it_answers(self, snapshot: str | None = None) -> list[Any]:
        """Look again and again until a request is answered, from that snapshot where one is named."""

        def answer() -> list[Any] | None:
            self.host.look()
            with suppress(EngineNotReady, SnapshotExpired):
                return self.answer(snapshot)
            return None

        return wait_until(answer, LIMIT_S, "the engine answers", every_s=0.02)

    def close(self) -> None:
        """Close the engine, if there is one."""
        if hasattr(self, "host"):
            self.host.close()


def main() -> None:
    stage = Stage()
    for line in sys.stdin:
        said = json.loads(line)
        try:
            done = {"value": getattr(stage, said.pop("do"))(**said)}
        except MediaflowError as error:
            done = {"error": type(error).__name__, "fields": error.fields}
        print(json.dumps(done), flush=True)


if __name__ == "__main__":
    main()
