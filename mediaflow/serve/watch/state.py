"""How a server stands, for its metrics: what it serves, what waits, what its models and its workers have done."""

from __future__ import annotations

from collections.abc import Mapping

from mediaflow.serve.media.routes import Media
from mediaflow.serve.service import Service
from mediaflow.serve.watch.metrics import Metrics
from mediaflow.serve.work import Work

SAID = {
    "ready": "Whether requests are answered from the current snapshot.",
    "release": "Number of the release that is answered from.",
    "answers_taken": "Answers that are worked on, or wait for a thread.",
    "answers_threads": "Threads that answer.",
    "encoded_batches_total": "Batches of texts that models have encoded.",
    "encoded_texts_total": "Texts that models have encoded.",
    "encoded_seconds_total": "How long that took.",
    "previews_cut_total": "Previews that were cut.",
    "previews_kept_total": "Previews that were there already when they were asked for.",
    "previews_waiting": "Previews that are being cut, or wait for that.",
    "preview_cache_bytes": "How large the kept previews are together.",
}


def observe(metrics: Metrics, service: Service, work: Work, media: Media | None) -> None:
    """Have metrics tell how a server stands."""

    def state() -> Mapping[str, float]:
        status, encoded = service.status(), service.encoded()
        previews = media.previews.state() if media and media.previews else {}
        release = {} if status["release"] is None else {"release": status["release"]}
        return release | {
            "ready": float(status["ready"]),
            "answers_taken": work.taken,
            "answers_threads": work.threads,
            "encoded_batches_total": encoded.batches,
            "encoded_texts_total": encoded.texts,
            "encoded_seconds_total": encoded.seconds,
            **previews,
        }

    metrics.gauges(SAID, state)
    metrics.told(
        "snapshot_info", "The snapshot that is answered from.", "snapshot", lambda: service.status()["snapshot"]
    )
