"""What both faces of a server stand on: what answers, in which threads, behind which door, and who looks on."""

from __future__ import annotations

from dataclasses import dataclass, field

from mediaflow.serve.access.door import Door
from mediaflow.serve.media.routes import Media
from mediaflow.serve.service import Service
from mediaflow.serve.watch.watcher import Watcher
from mediaflow.serve.work import Work


@dataclass(frozen=True)
class Desk:
    """One for all faces of a server.

    Attributes
    ----------
    service : Service
        What answers.
    work : Work
        Where it is called.
    door : Door
        Says who asks; open to all where none is given.
    media : Media or None
        Shows hits; without it they come without links to pictures.
    watcher : Watcher
        Counts and logs requests.
    """

    service: Service
    work: Work
    door: Door = field(default_factory=Door)
    media: Media | None = None
    watcher: Watcher = field(default_factory=Watcher)
