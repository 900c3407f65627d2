"""After `mediaflow erase` and one tick more not a byte of a title is in the workspace, Dagster's home included."""

from __future__ import annotations

import json
from pathlib import Path

from tests.deployment.films import Films
from tests.deployment.place import Place
from tests.publishing.erase.scanning import find

ALPHA, BRAVO = "alpha-2001", "bravo-2001"
WORD, ACTOR = "Xylotheque", "Ottoline Quux"

_ASK = """
import json
import dagster as dg
with dg.DagsterInstance.get() as instance:
    said = {}
    for asset in ("media", "frames", "dialogue", "brightness"):
        filter = dg.AssetRecordsFilter(dg.AssetKey(asset))
        records = instance.fetch_materializations(filter, limit=99).records
        said[asset] = sorted({record.partition_key for record in records})
    said["partitions"] = sorted(instance.get_dynamic_partitions("titles"))
    print(json.dumps(said))
"""


def test_nothing_is_left_in_the_workspace_and_what_dagster_knew_of_others_is_there(
    tmp_path: Path, films: Films
) -> None:
    place = Place(tmp_path)
    for seed, title in enumerate((ALPHA, BRAVO)):
        films.put(place.library, title, seed=seed)
    track, nfo = place.library / "Alpha (2001).en.srt", place.library / "Alpha (2001).nfo"
    track.write_text(track.read_text() + f"\n99\n00:00:01,000 --> 00:00:02,000\nThe {WORD} is open.\n")
    nfo.write_text(nfo.read_text().replace("</movie>", f"<actor><name>{ACTOR}</name></actor></movie>"))
    assert place.refresh().returncode == 3, "the model is not there, which is told"
    markers = [word.encode() for word in (ALPHA, "Alpha (2001)", WORD, ACTOR)]
    assert any(name.startswith("dagster/") for name in find(place.home, ALPHA.encode()))

    for file in place.library.glob("Alpha*"):
        file.unlink()
    done = place.python("-m", "mediaflow.cli.main", "erase", ALPHA, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["title_id"] == ALPHA and said["snapshots"] and said["freed"]["bytes"]
    inside = {name for name in find(place.home, *markers) if not name.startswith("dagster/")}
    assert inside == {"store/erasures/00000000000000000001.json"}, "the wish, for those who have not heard it yet"

    assert place.refresh().returncode == 3
    assert find(place.home, *markers) == set()
    asked = place.python("-W", "ignore", "-c", _ASK)
    assert asked.returncode == 0, asked.stderr
    known = json.loads(asked.stdout.splitlines()[-1])
    assert known.pop("partitions") == [BRAVO]
    assert set(map(tuple, known.values())) == {(BRAVO,)}
    assert place.refresh().stdout.count("run:") == 0
