"""Prometheus metrics of one server. Labels have few values, all of them the server's own words."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mediaflow.serve.watch.record import Record

CONTENT_TYPE = CONTENT_TYPE_LATEST
_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

State = Callable[[], Mapping[str, float]]
"""Says how things stand: values by name."""


class Metrics:
    """Counts requests, and asks how things stand when somebody looks."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        for kind in (ProcessCollector, PlatformCollector, GCCollector):
            kind(registry=self._registry)
        self._requests = Counter(
            "mediaflow_requests",
            "Requests that were answered, by what came of them.",
            ("face", "operation", "code"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "mediaflow_request_seconds",
            "How long requests took.",
            ("face", "operation"),
            buckets=_BOUNDS_S,
            registry=self._registry,
        )

    def count(self, record: Record) -> None:
        """Count a request that has ended."""
        self._requests.labels(record.face, record.operation, record.code).inc()
        self._seconds.labels(record.face, record.operation).observe(time.perf_counter() - record.begun_s)

    def gauges(self, said: Mapping[str, str], state: State) -> None:
        """Add numbers that are asked for when somebody looks; those whose names end with `_total` only grow.

        Parameters
        ----------
        said : Mapping
            What each is, by name without `mediaflow_`.
        state : callable
            Their values; those that it leaves out are not told.
        """
        self._registry.register(_Gauges(said, state))

    def told(self, name: str, said: str, label: str, value: Callable[[], str | None]) -> None:
        """Add a text, as the label of a gauge that is 1; nothing while there is none."""
        self._registry.register(_Told(name, said, label, value))

    def text(self) -> bytes:
        """Return all of it in the text format of Prometheus."""
        return generate_latest(self._registry)


class _Gauges(Collector):
    def __init__(self, said: Mapping[str, str], state: State) -> None:
        self._said = said
        self._state = state

    def describe(self) -> Iterable[Metric]:
        return [self._family(name) for name in self._said]

    def collect(self) -> Iterator[Metric]:
        for name, value in self._state().items():
            yield self._family(name, value)

    def _family(self, name: str, value: float | None = None) -> Metric:
        kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
        return kind(f"mediaflow_{name}", self._said[name], value)


class _Told(Collector):
    def __init__(self, name: str, said: str, label: str, value: Callable[[], str | None]) -> None:
        self._name, self._said, self._label = name, said, label
        self._value = value

    def describe(self) -> Iterable[Metric]:
        return [GaugeMetricFamily(f"mediaflow_{self._name}", self._said)]

    def collect(self) -> Iterator[Metric]:
        value = self._value()
        if value is not None:
            family = GaugeMetricFamily(f"mediaflow_{self._name}", self._said, labels=[self._label])
            family.add_metric([value], 1)
            yield family
