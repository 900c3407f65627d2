"""Literals: whatever a value holds, Lance reads it as that value and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lance
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaflow.errors import UsageError
from mediaflow.search.literals import among, both, text_literal


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Any:
    rows = pa.table({"title_no": pa.array(range(300), pa.int32()), "text": ["x"] * 300})
    return lance.write_dataset(rows, str(Path(tmp_path_factory.mktemp("literals")) / "t.lance"))


@given(value=st.text(alphabet=st.sampled_from("'\"\\`%_;-()/* \nxOR1=é\U0001f600"), max_size=12))
def test_a_text_is_read_back_as_itself(table: Any, value: str) -> None:
    literal = text_literal(value)
    assert table.count_rows(f"text = {literal}") == (300 if value == "x" else 0)
    assert table.scanner(columns={"text": "text", "same": literal}, limit=1).to_table()["same"][0].as_py() == value


def test_a_nul_is_refused() -> None:
    with pytest.raises(UsageError, match="NUL"):
        text_literal("a\0b")


@given(numbers=st.sets(st.integers(0, 299) | st.integers(40, 160)))
def test_numbers_are_exactly_the_ones_given(table: Any, numbers: set[int]) -> None:
    found = table.to_table(columns=["title_no"], filter=among("title_no", numbers))["title_no"].to_pylist()
    assert sorted(found) == sorted(numbers)


def test_long_runs_become_ranges() -> None:
    assert among("n", [*range(100), 500]) == "((n >= 0 AND n <= 99) OR n IN (500))"
    assert among("n", [3, 1, 2, 2]) == "(n IN (1, 2, 3))"
    assert among("n", []) == "false"


def test_conditions_hold_together() -> None:
    assert both(None, None) is None
    assert both("a = 1 OR b = 2", None, "c = 3") == "(a = 1 OR b = 2) AND (c = 3)"
