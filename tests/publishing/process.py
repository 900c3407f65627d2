"""A publisher or collector in a process of its own: `python -m tests.publishing.process STORE [PLACE [HOW [WHAT]]]`.

Publishes the films of `world.sample` as they are after their changes, or collects (WHAT: `publish`, `gc`), and prints
the outcome. PLACE is the name of a step, or a part of a key that is about to be touched: there it kills itself, or
(HOW: `stop`) says so in the file STORE.stopped and stops until it is told to go on.
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


def main(root: str, place: str = "", how: str = "kill", what: str = "publish") -> None:
    world = World(FolderStore(Path(root)))
    for name in ("alps", "bees", "cats"):
        world.film(name, lines=(f"{name} one", f"{name} two"), name=name.title())
    world.film("alps", media="m2", name="The Alps")
    world.film("bees", lines=("bees three",))
    world.film("dogs", lines=("dogs one",), name="Dogs")
    told = Path(f"{root}.stopped")

    def reached(step: str) -> None:
        if place and step == place and not told.exists():
            halt()

    def before(operation: str, key: str) -> None:
        if place and place in f"{operation} {key}" and operation not in ("list", "exists") and not told.exists():
            halt()

    def halt() -> None:
        if how == "stop":
            told.touch()
        os.kill(os.getpid(), signal.SIGSTOP if how == "stop" else signal.SIGKILL)

    steps.listen(reached)
    with hooked(world.store, before) as store:
        world.store = store
        print((world.publish() if what == "publish" else collect(world)).outcome)


if __name__ == "__main__":
    main(*sys.argv[1:])
