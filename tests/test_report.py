"""The report: real music beside itself, models beside real music, and nothing undefined in JSON."""

import json
import random

import pytest
from conftest import tune

from pyzzicato.evaluation.excerpts import Excerpt
from pyzzicato.evaluation.likelihood import Likelihood
from pyzzicato.evaluation.measures import REAL, measure_excerpt
from pyzzicato.evaluation.page import report_page
from pyzzicato.evaluation.report import build_report, summarise, variety, write_report
from pyzzicato.notes import Note


def pieces(kind, n=8):
    drawn = random.Random(1)
    made = []
    for i in range(n):
        if kind == "noise":
            notes = [
                Note(drawn.randint(21, 108), t / 10, t / 10 + 0.1, drawn.randint(1, 127))
                for t in range(99)
            ]
        elif kind == "silence":
            notes = []
        else:
            notes = tune(10, i % 5)
        made.append(measure_excerpt(Excerpt(f"{kind} {i}", (), 0.0, tuple(notes), 12.0)))
    return made


@pytest.fixture(scope="module")
def report():
    sets = {REAL: pieces("tune"), "noise": pieces("noise"), "silence": pieces("silence")}
    scored = {"model": Likelihood(30.0, 2.0, 10, 40), "events": Likelihood(20.0, 2.0, 10)}
    return build_report(sets, description="Made for a test.", likelihoods=scored)


def test_every_set_has_spreads_rates_and_its_distance_from_real_music(report):
    noise, silence = report["systems"]["noise"], report["systems"]["silence"]
    assert noise["n"] == 8
    assert noise["measures"]["notes_a_second"]["median"] == pytest.approx(99 / 12)
    assert silence["rates"]["mostly_silent"]["share"] == 1.0
    assert silence["rates"]["dried_up"]["share"] == 1.0
    assert report["systems"][REAL]["rates"]["mostly_silent"]["share"] == 0.0
    assert noise["distribution"]["mean_oa"] < report["ceiling"]["mean_oa"]
    # Two features out of twelve would flatter a set that never plays.
    assert silence["distribution"]["mean_oa"] is None


def test_likelihoods_of_unlike_representations_stand_in_units_they_share(report):
    model, events = report["likelihood"]["model"], report["likelihood"]["events"]
    assert model["nats_a_frame"] == pytest.approx(30 / 40)
    assert events["nats_a_frame"] is None
    assert events["nats_a_second"] == pytest.approx(10.0)


def test_the_page_shows_undefined_values_as_a_dash_and_never_none_or_nan(report):
    page = report_page(report)
    assert "Made for a test." in page
    assert " nan" not in page.lower()
    assert "None" not in page
    assert " - |" in page
    for name in ("noise", "silence", REAL):
        assert name in page


def test_files_are_written_and_a_nan_is_refused(report, tmp_path):
    path = write_report(report, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text())["systems"].keys() == {
        REAL,
        "noise",
        "silence",
    }
    assert path.read_text().startswith("#")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_report({**report, "settings": {"x": float("nan")}}, tmp_path)


def test_few_real_pieces_give_no_distance_and_none_at_all_no_comparison():
    few = build_report({REAL: pieces("tune", 2), "noise": pieces("noise", 2)})
    assert "distribution" not in few["systems"]["noise"]
    assert "ceiling" not in few
    alone = build_report({"noise": pieces("noise", 2)})
    assert alone["systems"].keys() == {"noise"}
    assert report_page(alone)


def test_sets_that_are_all_alike_have_no_variety():
    alike = summarise([pieces("tune", 1)[0]] * 4)["measures"]
    varied = summarise(pieces("noise", 6))["measures"]
    assert variety(alike, varied)["pitch_range"] == 0.0
    assert variety(varied, varied)["pitch_range"] == 1.0
