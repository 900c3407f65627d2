"""A publisher in a process of its own: `python -m tests.publishing.process STORE [PLACE]`.

Publishes the changed films of `world.sample`, and prints the outcome; kills itself before it touches a key that
has PLACE in it.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from mediaflow.storage.objects import FolderStore
from tests.publishing.world import World, hooked


def main(root: str, place: str = "") -> None:
    world = World(FolderStore(Path(root)))
    for name in ("alps", "bees", "cats"):
        world.film(name, lines=(f"{name} one", f"{name} two"), name=name.title())
    world.film("alps", media="m2", name="The Alps")
    world.film("bees", lines=("bees three",))
    world.film("dogs", lines=("dogs one",), name="Dogs")

    def before(operation: str, key: str) -> None:
        if place and place in key and operation not in ("list", "exists"):
            os.kill(os.getpid(), signal.SIGKILL)

    with hooked(world.store, before) as store:
        print(world.publish(store).outcome)


if __name__ == "__main__":
    main(*sys.argv[1:])
