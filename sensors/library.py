"""Looks at the library folder and keeps the partitions equal to its titles."""

import dagster as dg

from assets.titles import TITLES
from mediaflow.errors import MediaflowError
from mediaflow.snapshots.reader import NothingPublished
from resources.library import LibraryResource
from sensors.pace import SELDOM_S


@dg.sensor(
    target=dg.AssetSelection.all(),
    minimum_interval_seconds=SELDOM_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Looks at the library folder: new, changed and removed titles.",
)
def library(context: dg.SensorEvaluationContext, library: LibraryResource) -> dg.SensorResult:
    """Scan the folder, add partitions of new titles, drop those of titles that no snapshot serves any more."""
    opened = library.get()
    try:
        looked = opened.scan()
    except MediaflowError as error:
        return dg.SensorResult(skip_reason=error.message)
    there = set(context.instance.get_dynamic_partitions("titles"))
    wanted = {title.title_id for title in opened.titles()}
    try:
        served = opened.current().table("titles").to_table(columns=["title_id"])["title_id"].to_pylist()
    except NothingPublished:
        served = []
    added = sorted(wanted - there)
    gone = sorted(there - wanted - set(served))
    requests: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if added:
        requests.append(TITLES.build_add_request(added))
    if gone:
        requests.append(TITLES.build_delete_request(gone))
    change = looked.change
    said = [
        f"{len(wanted)} titles",
        *(
            f"{len(ids)} {word}"
            for word in ("added", "changed", "moved", "returned", "removed")
            if (ids := getattr(change, word))
        ),
    ]
    if looked.settling:
        said.append(f"{looked.settling} files still being written")
    if looked.hashing_bytes_left:
        said.append(f"{looked.hashing_bytes_left / 1e9:.1f} GB still to be read")
    message = looked.guard or ", ".join(said)
    return dg.SensorResult(dynamic_partitions_requests=requests, skip_reason=message)
