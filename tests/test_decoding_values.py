"""The values of decoding that suit a model: what is taken, refused, and left neutral."""

import json
from pathlib import Path

import pytest

from pyzzicato.hub.checkpoints import read_decoding
from pyzzicato.models.architecture import Architecture
from pyzzicato.playing.decoding.values import DecodingValues, read_values
from pyzzicato.representations import representation_of

EVENTS = representation_of(Architecture("events"))
ROLL = representation_of(Architecture())


def test_numbers_have_the_order_of_the_representation_and_are_neutral_where_not_named() -> None:
    values = DecodingValues({"duration": 0.02})
    assert values.row_of_top_a(EVENTS).tolist() == [0.0, 0.0, 0.02, 0.0]
    assert DecodingValues({"keys": 0.01}).row_of_top_a(ROLL).tolist() == [0.01]
    assert DecodingValues().row_of_top_a(ROLL).tolist() == [0.0]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    values = DecodingValues({"pitch": 0.04})
    table = values.as_table()
    assert table["do_sample"] is True
    (tmp_path / "generation_config.json").write_text(json.dumps({**table, "transformers": "5"}))
    assert read_decoding(tmp_path) == values
    assert read_values({}) == DecodingValues()


def test_a_folder_without_them_is_neutral(tmp_path: Path) -> None:
    assert read_decoding(tmp_path) == DecodingValues()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"top_a": {"keys": 1.6}}, "top_a of keys must be 0 to 1, got 1.6"),
        ({"top_a": {"keys": -0.1}}, "top_a of keys must be 0 to 1, got -0.1"),
        ({"top_a": None}, "top_a must be a table, got None"),
        ({"top_a": {"keys": True}}, "top_a of keys must be 0 to 1, got True"),
        ({"top_a": {"keys": float("nan")}}, "top_a of keys must be 0 to 1, got nan"),
        ({"top_a": {"keys": "x" * 1000}}, "top_a of keys must be 0 to 1, got 'x{60}'$"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(
    tmp_path: Path, table: dict[str, object], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        read_values(table)
    (tmp_path / "generation_config.json").write_text(json.dumps(table))
    with pytest.raises(ValueError, match="generation_config.json in .* is of no use"):
        read_decoding(tmp_path)


def test_values_of_an_older_release_are_left_out_and_said(caplog: pytest.LogCaptureFixture) -> None:
    neutral = {"temperatures": {}, "top_a": {"pitch": 0.04}, "pacing": 0.0, "holding": 0.0}
    assert read_values(neutral) == DecodingValues({"pitch": 0.04}) and not caplog.text
    assert read_values({**neutral, "pacing": -0.07}) == DecodingValues({"pitch": 0.04})
    assert "pacing are of release 0.2" in caplog.text


@pytest.mark.parametrize("data", [b"", b"[]", b"{" * 50_000, b"\xff", b" " * 200_000])
def test_a_file_that_is_none_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "generation_config.json").write_bytes(data)
    with pytest.raises(ValueError, match="generation_config.json in .* is of no use"):
        read_decoding(tmp_path)
