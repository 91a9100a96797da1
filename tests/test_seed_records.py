"""Records of finished seeds: whole or not there, and back as they were."""

from dataclasses import replace

import pytest
from excerpt_builder import (
    CHOPIN,
    SECONDS,
    SEED_SECONDS,
    measured,
    playing,
    silent,
    small_classifier,
    small_index,
)

from pyzzicato.evaluation.likelihood import Likelihood
from pyzzicato.evaluation.seed_records import SeedRecord, SeedRecords, total_likelihoods
from pyzzicato.evaluation.stability import measure_stability


def record(piece: str = "2004/a.midi", nats: float = 100.0) -> SeedRecord:
    """Returns a finished seed of two systems."""
    judges = {"classifier": small_classifier(), "index": small_index()}
    return SeedRecord(
        piece,
        {
            "real": measured(playing(), CHOPIN, **judges),
            "quiet, threshold": measured(silent(), CHOPIN, **judges),
        },
        {"lstm": Likelihood(nats, 10.0, 50, 200), "copy": Likelihood(2 * nats, 10.0, 50, 200)},
    )


def test_a_record_is_there_once_it_is_written(tmp_path):
    records = SeedRecords(tmp_path)
    assert not records.is_finished(3)
    records.write_notes(3, "real", playing())
    assert not records.is_finished(3)
    records.write(3, record())
    assert records.is_finished(3)
    assert not records.is_finished(4)
    assert records.read(3).as_dict() == record().as_dict()
    assert not list(tmp_path.rglob("*.part"))


def test_a_record_cut_short_is_no_record(tmp_path):
    records = SeedRecords(tmp_path)
    broken = record()
    stability = replace(broken.measures["real"].stability, drift=float("nan"))
    measures = {"real": replace(broken.measures["real"], stability=stability)}
    with pytest.raises(ValueError, match="JSON"):
        records.write(0, replace(broken, measures=measures))
    assert not records.is_finished(0)


def test_a_seed_left_out_says_why(tmp_path):
    records = SeedRecords(tmp_path)
    records.write(0, SeedRecord("2004/b.midi", {}, {}, left_out="too short"))
    assert records.read(0).left_out == "too short"


@pytest.mark.parametrize("excerpt", [playing(), silent()], ids=["music", "silence"])
def test_notes_come_back_to_the_millisecond(tmp_path, excerpt):
    records = SeedRecords(tmp_path)
    records.write_notes(0, "quiet, threshold", excerpt)
    back = records.read_notes(0, "quiet, threshold", SEED_SECONDS, SECONDS)
    assert len(back.seed) == len(excerpt.seed)
    assert [n.pitch for n in back.notes] == [n.pitch for n in excerpt.notes]
    assert [n.start for n in back.notes] == pytest.approx(
        [n.start for n in excerpt.notes], abs=1e-3
    )
    assert measure_stability(back.notes, SECONDS).dried_up == (not excerpt.notes)


def test_a_piece_drawn_twice_counts_once():
    records = {0: record("a", 100.0), 1: record("b", 10.0), 2: record("a", 100.0)}
    totals = total_likelihoods(records)
    assert totals["lstm"] == Likelihood(110.0, 20.0, 100, 400)
    assert totals["copy"].nats == 220.0
    assert total_likelihoods({}) == {}
