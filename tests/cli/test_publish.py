"""`mediaflow publish`, and what `status` and `diff` say of gates: a worse model is refused, overridden, and told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

import mediaflow
from mediaflow.cli.main import app
from mediaflow.demo.library import make_film
from mediaflow.library import Library
from mediaflow.search.query import Query, Visual
from tests.models.conftest import MakeModel, make_model
from tests.refreshing import compute

__all__ = ["make_model"]


class Shop:
    """A library of two films whose model changes, with a golden question that the first model answers right."""

    def __init__(self, folder: Path, models: tuple[Path, Path]) -> None:
        self.folder, self.films, self.models = folder, folder / "films", models
        self.model = models[0]
        self.golden = folder / "golden.toml"
        (folder / "mediaflow.toml").touch()

    @property
    def settings(self) -> dict[str, Any]:
        golden = {"golden": str(self.golden)} if self.golden.is_file() else {}
        home, films, model = str(self.folder / "home"), str(self.films), str(self.model)
        return {"home": home, "library": films, "visual_model": model, "settle_s": 0, "decode_workers": 1, **golden}

    def library(self) -> Library:
        return mediaflow.open(**self.settings)

    def run(self, *words: str) -> Result:
        variables = {f"MEDIAFLOW_{name.upper()}": str(value) for name, value in self.settings.items()}
        variables["MEDIAFLOW_CONFIG"] = str(self.folder / "mediaflow.toml")
        return CliRunner(env=variables).invoke(app, list(words))

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json").stdout)

    def compute(self) -> None:
        with self.library() as library:
            compute(library)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, make_model: MakeModel) -> Shop:
    """One release with one model; all is computed with another one, which answers the golden question worse."""
    folder = tmp_path_factory.mktemp("shop")
    shop = Shop(folder, (make_model(folder / "one", seed=1), make_model(folder / "two", seed=2)))
    for seed, name in ((1, "One (1991)"), (2, "Two (1992)")):
        make_film(shop.films / f"{name}.mp4", seed=seed, shots=3, size=(96, 64), shot_seconds=1.0, fps=12)
    shop.compute()
    first = shop.run("publish")
    assert first.exit_code == 0, first.output
    assert first.stdout.startswith("Release 1, snapshot ") and "2 titles added" in first.stdout
    words = [f"a {colour} {thing}" for colour in ("red", "blue", "dark") for thing in ("car", "tree", "house", "ship")]
    with shop.library() as library:
        answers = {one: library.search(Query((Visual(one),))).hits for one in words}
    shop.model = shop.models[1]
    shop.compute()
    entry = '[[question]]\nvisual = "{}"\ntitle = "{}"\ntime = "{}"\n'
    found = [entry.format(one, hits[0].title_id, (hits[0].start_ms + 500) / 1000) for one, hits in answers.items()]
    shop.golden.write_text("\n".join(found))
    return shop


def test_a_worse_model_is_refused_shown_and_overridden_with_a_reason(shop: Shop) -> None:
    refused = shop.run("publish")
    assert refused.exit_code == 3
    assert refused.stdout.splitlines()[0].split() == ["gate", "verdict", "value", "limit", "what", "it", "says"]
    assert "golden    failed" in refused.stdout and "canary    passed" in refused.stdout
    (sentence,) = refused.stderr.splitlines()
    assert sentence.startswith("The gate 'golden' refused the next snapshot: nDCG@10 over 12 questions is 0.")
    assert "and 1.000 in what is served. Worst: 'a " in sentence
    assert sentence.endswith(
        "To publish it all the same, this once: mediaflow publish --override golden --reason TEXT."
    )
    assert f"refused: {sentence}\n" in shop.run("status").stdout
    status = shop.json("status")
    assert [gate["verdict"] for gate in status["refused"]["gates"]].count("failed") == 1
    assert status["release"]["number"] == 1
    assert shop.json("publish")["outcome"] == "refused", "asked by a person, it is tried again"
    for words, said in (
        (["--override", "gold", "--reason", "x"], "There is no gate 'gold'; there are coverage, titles, rows,"),
        (["--override", "golden"], "Say why, for those who will read the manifest: --reason TEXT."),
        (["--override", "golden", "--reason", "x", "--reason", "y"], "There are 1 --override and 2 --reason:"),
    ):
        wrong = shop.run("publish", *words)
        assert (wrong.exit_code, wrong.stdout, wrong.stderr.startswith(said)) == (2, "", True), wrong.stderr
    done = shop.run("publish", "--override", "golden", "--reason", "a trial\nof two days")
    assert done.exit_code == 0
    assert done.stdout.startswith("Release 2, snapshot ") and "2 titles changed" in done.stdout
    assert "(overridden: a trial" in done.stdout
    assert shop.json("status")["refused"] is None
    again = shop.run("publish")
    assert (again.exit_code, again.stdout) == (0, "")
    assert again.stderr == "Nothing new: what is served is what is whole.\n"


def test_diff_tells_gates_and_shows_the_answers_that_moved(shop: Shop) -> None:
    found = shop.json("diff", "1", "2")
    assert found["gates"]["golden"][0] == ["skipped", None, ""]
    assert found["gates"]["golden"][1][0::2] == ["overridden", "a trial\nof two days"]
    answers = found["answers"]
    assert answers["asked"] > 12 + 6, "six shots and some words are asked for that nobody wrote down"
    assert 1 <= len(answers["moved"]) <= answers["asked"]
    by_question = {one["question"]: one for one in answers["moved"]}
    with shop.library() as library:
        snapshots = [library.releases.entry(number).snapshot for number in (1, 2)]
        for words, one in by_question.items():
            if not words.startswith("a "):
                continue
            for side, snapshot in zip(("before", "after"), snapshots, strict=True):
                hits = list(library.at(snapshot).search(Query((Visual(words),))))[:3]
                assert [(hit.title_id, hit.start_ms) for hit in hits] == [
                    (hit["title_id"], hit["start_ms"]) for hit in one[side]
                ]
    printed = shop.run("diff", "1", "2").stdout
    assert "\ngate golden: skipped -> overridden at 0." in printed and "(a trial / of two days)" in printed
    assert f"\nanswers: {len(answers['moved'])} of {answers['asked']} questions moved\n" in printed
    first = answers["moved"][0]
    assert f"\n  {first['question']}\n    before: {first['before'][0]['title']} at 00:00:0" in printed
    same = shop.json("diff", "2", "2")["answers"]
    assert (same["moved"], same["asked"]) == ([], answers["asked"])
