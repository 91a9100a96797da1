"""The config of a model: what it takes, and what it refuses by name."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import tiny_config

from pyzzicato.models.architecture import ANYBODY, COMPOSERS, RECENT, SPANS
from pyzzicato.models.config import PyzzicatoConfig
from pyzzicato.models.model import PyzzicatoModel


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("backbone", "gru", "conv1d, wavenet, lstm, attention, transformer, got 'gru'"),
        ("backbone", 3, "got 3"),
        ("head", "joint!", "independent, joint, got 'joint!'"),
        ("head", "notes", "independent, joint, got 'notes'"),
        ("representation", "audio", "roll, events, got 'audio'"),
        ("sustain", "maybe", "extend, ignore, got 'maybe'"),
        ("fs", 0, "from 1 to 200, got 0"),
        ("fs", 20.0, "a whole number from 1 to 200, got 20.0"),
        ("hidden_size", 0, "from 1 to 4096, got 0"),
        ("hidden_size", 5000, "from 1 to 4096, got 5000"),
        ("hidden_size", "8", "whole number .* got '8'"),
        ("n_layers", 65, "from 1 to 64, got 65"),
        ("n_layers", True, "whole number .* got True"),
        ("kernel_size", -1, "from 1 to 256, got -1"),
        ("dense_size", None, "whole number .* got None"),
        ("dropout", 1.0, "0 to below 1, got 1.0"),
        ("dropout", -0.1, "0 to below 1, got -0.1"),
        ("dropout", float("nan"), "0 to below 1, got nan"),
        ("dropout", "0.1", "0 to below 1, got '0.1'"),
        ("embedding_size", 0, "from 1 to 4096, got 0"),
        ("embedding_size", 4097, "from 1 to 4096, got 4097"),
        ("head_size", 0, "from 1 to 4096, got 0"),
        ("head_size", 24.0, "whole number .* got 24.0"),
        ("spans", "", "a list .* got ''"),
        ("recent", 2, "from 1 to 1, got 2"),
        ("recent", "1", "whole number .* got '1'"),
        ("composers", "bach", "a list of at most 256 names, got 'bach'"),
        ("composers", [1], "a list of at most 256 names, got .1."),
        ("composers", [""], "a list of at most 256 names, got .''."),
        ("composers", ["bach", "liszt", "bach"], "named once each, none 'any', got"),
        ("composers", ["bach", "any"], "named once each, none 'any', got"),
        ("composers", [str(i) for i in range(257)], "a list of at most 256 names"),
        ("densities", 3.0, "a list of at most 64 numbers above 0, got 3.0"),
        ("densities", [0.0, 1.0], "a list of at most 64 numbers above 0, got"),
        ("densities", ["3"], "a list of at most 64 numbers above 0, got"),
        ("densities", [float(i + 1) for i in range(65)], "a list of at most 64 numbers"),
        ("recall_heads", 65, "from 0 to 64, got 65"),
        ("n_heads", 0, "from 1 to 64, got 0"),
        ("n_blocks", 0, "from 1 to 64, got 0"),
        ("view", 1, "from 2 to 16384, got 1"),
        ("endings", [0.0, 1.0], "a list of at most 64 numbers above 0, got"),
        ("endings", [4.0], "empty but on note events, got .4.0."),
        ("hears_ends", 1, "true or false, got 1"),
        ("lets_ring", None, "true or false, got None"),
    ],
)
def test_bad_config_values_are_refused_by_name(key: str, value: object, words: str) -> None:
    with pytest.raises(ValueError, match=f"{key} must be .*{words}"):
        PyzzicatoConfig(**{key: value})


@pytest.mark.parametrize(
    "spans",
    [3.0, "3", [0], [-1.0], [float("nan")], [float("inf")], [1e6], ["3"], [True], [1.0] * 17],
)
def test_spans_must_be_a_few_numbers_above_0(spans: object) -> None:
    with pytest.raises(ValueError, match="spans must be a list of at most 16 numbers above 0, got"):
        PyzzicatoConfig(head="joint", spans=spans)


def test_heads_that_read_memories_need_one() -> None:
    for choices in ({"head": "joint"}, {"representation": "events", "head": "notes"}):
        assert PyzzicatoConfig(**choices).spans == list(SPANS[choices["head"]])
        with pytest.raises(ValueError, match=f"at least one for the {choices['head']} head, got "):
            PyzzicatoConfig(**choices, spans=[])
    assert PyzzicatoConfig().spans == []
    with pytest.raises(ValueError, match="head must be one of notes, got 'joint'"):
        PyzzicatoConfig(representation="events", head="joint")


def test_heads_read_as_many_recent_steps_as_the_config_says() -> None:
    for choices in ({"head": "joint"}, {"representation": "events", "head": "notes"}):
        assert PyzzicatoConfig(**choices).n_recent == RECENT[choices["head"]]
        assert [PyzzicatoConfig(**choices, recent=n).n_recent for n in (1, 64)] == [1, 64]
        for wrong in (0, 65, True, 2.0):
            with pytest.raises(ValueError, match=f"recent must be .* from 1 to 64, got {wrong}"):
                PyzzicatoConfig(**choices, recent=wrong)
    assert PyzzicatoConfig().n_recent == 1
    assert PyzzicatoConfig(spans=[4.0], recent=3).n_recent == 3


def test_chords_are_for_rolls_with_memories() -> None:
    assert PyzzicatoConfig().chords == 0
    assert [PyzzicatoConfig(head="joint", chords=n).chords for n in (0, 64)] == [0, 64]
    for wrong in (-1, 65, True, 2.0, None):
        with pytest.raises(ValueError, match=f"chords must be .* from 0 to 64, got {wrong}"):
            PyzzicatoConfig(head="joint", chords=wrong)
    for choices in ({}, {"representation": "events", "head": "notes"}):
        with pytest.raises(ValueError, match="chords must be 0 but on a roll with spans, got 1"):
            PyzzicatoConfig(**choices, chords=1)


def test_composers_have_the_numbers_of_their_places() -> None:
    config = PyzzicatoConfig(composers=["chopin", "bach"])
    names = (None, ANYBODY, "chopin", "bach")
    assert [config.composer_number(name) for name in names] == [0, 0, 1, 2]
    with pytest.raises(ValueError, match="composer must be one of chopin, bach, any; got 'Bach'"):
        config.composer_number("Bach")
    assert [PyzzicatoConfig().composer_number(name) for name in (None, ANYBODY)] == [0, 0]
    with pytest.raises(ValueError, match="one of none: this model knows no composers; got 'bach'"):
        PyzzicatoConfig().composer_number("bach")
    assert len(COMPOSERS) == 14 and sorted(COMPOSERS) == list(COMPOSERS)


def test_a_density_has_the_number_of_the_level_with_the_least_ratio_to_it() -> None:
    config = PyzzicatoConfig(densities=[2, 4.0, 16.0])
    assert config.densities == [2.0, 4.0, 16.0]
    asked = (0.0, 0.1, 2.7, 2.9, 7.9, 8.1, 500.0)
    assert [config.density_number(density) for density in asked] == [1, 1, 1, 2, 2, 3, 3]
    assert config.density_number(None) == PyzzicatoConfig().density_number(3.0) == 0
    for wrong in ([3.0, 2.0], [2.0, 2.0]):
        with pytest.raises(ValueError, match="densities must rise, got"):
            PyzzicatoConfig(densities=wrong)


def test_keys_of_other_releases_are_kept_with_a_warning(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="unknown config keys hiden_size: of another release"):
        config = PyzzicatoConfig(hiden_size=8)
    assert config.to_dict()["hiden_size"] == 8
    PyzzicatoModel(tiny_config()).save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "n_tomorrow": 2}))
    with pytest.warns(UserWarning, match="unknown config keys n_tomorrow"):
        model = PyzzicatoModel.from_pretrained(tmp_path)
    model.save_pretrained(tmp_path)
    assert json.loads(file.read_text())["n_tomorrow"] == 2


@pytest.mark.parametrize("name", ["dtype", "torch_dtype"])
def test_a_network_is_loaded_in_the_precision_asked_for(tmp_path: Path, name: str) -> None:
    PyzzicatoModel(tiny_config()).save_pretrained(tmp_path)
    for dtype in (torch.float16, torch.bfloat16):
        model = PyzzicatoModel.from_pretrained(tmp_path, **{name: dtype})
        assert model.dtype == dtype
        with torch.no_grad():
            logits = model(torch.zeros(1, 3, 88, dtype=torch.uint8)).logits
        assert logits.dtype == dtype and torch.isfinite(logits).all()


def test_what_reads_notes_is_for_note_events() -> None:
    given: list[dict[str, Any]] = [
        {"backbone": "attention"},
        {"recall_heads": 2},
        {"hears_ends": True},
        {"lets_ring": True},
    ]
    for choices in given:
        with pytest.raises(ValueError, match="representation must be 'events' .* got 'roll'"):
            PyzzicatoConfig(**choices)
    with pytest.raises(ValueError, match=r"dense_size must be a multiple of 4 \* n_heads, got 30"):
        PyzzicatoConfig(
            representation="events", head="notes", backbone="attention", dense_size=30, n_heads=4
        )


def test_what_is_left_of_a_piece_has_the_number_of_the_next_level() -> None:
    config = tiny_config(representation="events", head="notes", endings=[1.0, 4.0, 16.0])
    seconds = np.array([-1.0, 0.0, 1.0, 1.5, 4.0, 16.0, 17.0, 500.0])
    assert config.ending_numbers(seconds).tolist() == [1, 1, 1, 2, 2, 3, 3, 3]
