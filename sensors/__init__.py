"""When it moves: the library is looked at, models are fetched, the plan becomes runs, what is whole is published."""

from __future__ import annotations

from sensors.history import history
from sensors.library import library
from sensors.models import models
from sensors.publish import publish
from sensors.refresh import refresh
from sensors.releases import releases

SENSORS = [library, models, refresh, publish, releases, history]
