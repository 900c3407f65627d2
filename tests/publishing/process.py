"""A publisher in a process of its own: `python -m tests.publishing.process STORE [PLACE | HOW STEP [TIMES]]`.

Publishes the changed films of `world.sample`, and prints the outcome. It kills itself before it touches a key that
has PLACE in it, or, when it comes to a step of the protocol for the TIMES-th time (once): HOW is `kill`, `stop`
(SIGSTOP: whoever started it lets it go on), or `lose` (the step fails as when a reply is lost).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from mediaflow.storage import steps
from mediaflow.storage.objects import FolderStore
from tests.publishing.world import World, hooked


def heed(how: str, step: str, times: int) -> None:
    """Do as told at a step, once."""
    left = times

    def at(reached: str) -> None:
        nonlocal left
        left -= reached == step
        if reached != step or left:
            return
        if how == "lose":
            raise ConnectionError("the reply was lost")
        os.kill(os.getpid(), signal.SIGSTOP if how == "stop" else signal.SIGKILL)

    steps.listen(at)


def main(root: str, place: str = "", step: str = "", times: str = "1") -> None:
    if step:
        heed(place, step, int(times))
        place = ""
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
