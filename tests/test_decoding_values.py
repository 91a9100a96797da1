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
    values = DecodingValues({"velocity": 1.5, "pitch": 0.9}, {"duration": 0.02}, 0.1, -0.2)
    assert values.row_of_temperatures(EVENTS).tolist() == [1.0, 0.9, 1.0, 1.5]
    assert values.row_of_min_p(EVENTS).tolist() == [0.0, 0.0, 0.02, 0.0]
    assert DecodingValues({"keys": 0.7}).row_of_temperatures(ROLL).tolist() == [0.7]
    assert DecodingValues().row_of_min_p(ROLL).tolist() == [0.0]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    values = DecodingValues({"pitch": 0.93}, {"pitch": 0.04}, -0.07, 0.34)
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
        ({"temperatures": {"pitch": 0.4}}, "temperatures of pitch must be 0.5 to 2, got 0.4"),
        ({"temperatures": {"pitch": "1"}}, "temperatures of pitch must be 0.5 to 2, got '1'"),
        ({"temperatures": [1.0]}, "temperatures must be a table"),
        ({"min_p": {"keys": 0.6}}, "min_p of keys must be 0 to 0.5, got 0.6"),
        ({"min_p": {"keys": -0.1}}, "min_p of keys must be 0 to 0.5, got -0.1"),
        ({"min_p": None}, "min_p must be a table, got None"),
        ({"pacing": 2.1}, "pacing must be -2 to 2, got 2.1"),
        ({"pacing": True}, "pacing must be -2 to 2, got True"),
        ({"holding": float("nan")}, "holding must be -2 to 2, got nan"),
        ({"holding": "x" * 1000}, "holding must be -2 to 2, got 'x{60}'$"),
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


@pytest.mark.parametrize("data", [b"", b"[]", b"{" * 50_000, b"\xff", b" " * 200_000])
def test_a_file_that_is_none_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "generation_config.json").write_bytes(data)
    with pytest.raises(ValueError, match="generation_config.json in .* is of no use"):
        read_decoding(tmp_path)
