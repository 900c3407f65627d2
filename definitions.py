"""The table of contents of the Dagster code location."""

from __future__ import annotations

import warnings

import dagster as dg

warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

from assets import models, published, titles  # noqa: E402 - after the filters
from resources import code  # noqa: E402
from resources.library import Batch, LibraryResource, open_library  # noqa: E402
from sensors import SENSORS  # noqa: E402

code.loaded()
_library = open_library()
_graph = _library.graph()

defs = dg.Definitions(
    assets=[
        titles.build(_graph, _library.algorithms),
        *models.build(_library.algorithms, set(_library.model_names())),
        published.build(_graph),
    ],
    resources={"library": LibraryResource(), "batch": Batch()},
    sensors=SENSORS,
    executor=dg.in_process_executor,
)
