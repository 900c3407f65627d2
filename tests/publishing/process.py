"""A publisher or collector in a process of its own: `python -m tests.publishing.process STORE PLACE HOW WHAT TIMES`.

Publishes the films of `world.sample` as they are after their changes, or collects (WHAT: `publish`, `gc`), and prints
the outcome. PLACE is the name of a step, or a part of an operation and key that is about to be touched; when it comes
there for the TIMES-th time (once), HOW says what it does: `kill` itself, `stop` (SIGSTOP, after it has said so in the
file STORE.stopped; whoever started it lets it go on), or `lose` (it fails there as when a reply is lost). All but STORE
may be left out.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from mediaflow.storage import steps
from mediaflow.storage.objects import FolderStore
from tests.publishing.collector.keeping import collect
from tests.publishing.world import World, hooked


def main(root: str, place: str = "", how: str = "kill", what: str = "publish", times: str = "1") -> None:
    world = World(FolderStore(Path(root)))
    for name in ("alps", "bees", "cats"):
        world.film(name, lines=(f"{name} one", f"{name} two"), name=name.title())
    world.film("alps", media="m2", name="The Alps")
    world.film("bees", lines=("bees three",))
    world.film("dogs", lines=("dogs one",), name="Dogs")
    left = int(times)

    def come() -> None:
        nonlocal left
        left -= 1
        if left:
            return
        if how == "lose":
            raise ConnectionError("the reply was lost")
        if how == "stop":
            Path(f"{root}.stopped").touch()
        os.kill(os.getpid(), signal.SIGSTOP if how == "stop" else signal.SIGKILL)

    def reached(step: str) -> None:
        if step == place:
            come()

    def before(operation: str, key: str) -> None:
        if place and place in f"{operation} {key}" and operation not in ("list", "exists"):
            come()

    steps.listen(reached)
    with hooked(world.store, before) as store:
        world.store = store
        print((world.publish() if what == "publish" else collect(world)).outcome)


if __name__ == "__main__":
    main(*sys.argv[1:])
