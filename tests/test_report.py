"""The report: sets side by side, small sets, empty pieces, and numbers JSON can hold."""

import json
from dataclasses import replace

import numpy as np
import pytest
from excerpt_builder import BACH, CHOPIN, measured, playing, silent, small_classifier, small_index

from pyzzicato.evaluation.likelihood import Likelihood
from pyzzicato.evaluation.report import (
    build_report,
    make_folder,
    summarise,
    variety,
    write_report,
)
from pyzzicato.evaluation.spread import rate_of, spread_of
from pyzzicato.evaluation.style import Style

REAL = [measured(playing(i, rate=4 + i)) for i in range(8)]
OTHERS = [measured(playing(20 + i, rate=5)) for i in range(4)]
QUIET = [measured(silent(i)) for i in range(4)]


def judged(number: int, composer: str | None, taken_for: str | None):
    """Returns a piece taken for some composer by a classifier that knows two."""
    probabilities = {BACH: 0.3, CHOPIN: 0.7} if taken_for else {BACH: 0.5, CHOPIN: 0.5}
    style = Style(taken_for, probabilities.get(taken_for), probabilities)
    return replace(measured(playing(number)), composer=composer, style=style)


def test_every_measure_is_spread_over_the_pieces():
    summary = summarise(REAL)
    values = [piece.stability.notes_a_second for piece in REAL]
    assert summary["n"] == 8
    assert summary["measures"]["notes_a_second"]["median"] == np.median(values)
    assert summary["measures"]["notes_a_second"]["p95"] == np.percentile(values, 95)
    assert "longest_match" not in summary
    assert summary["rates"].keys() == {"dried_up", "mostly_silent", "stuck"}
    stuck = [
        replace(piece, stability=replace(piece.stability, stuck_share=share))
        for piece, share in zip(REAL, (0.02, 0.01, None, 1.0), strict=False)
    ]
    assert summary["rates"]["stuck"]["share"] == 0
    assert summarise(stuck)["rates"]["stuck"]["share"] == 0.5


def test_rescues_are_counted_where_somebody_watched():
    assert "rescued" not in summarise(REAL)["rates"]
    watched = [replace(piece, rescues=n) for n, piece in enumerate(REAL[:4])]
    summary = summarise([*watched, REAL[4]])
    assert (summary["rates"]["rescued"]["count"], summary["rates"]["rescued"]["n"]) == (3, 4)
    assert summary["measures"]["rescues"]["median"] == 1.5


def test_verdicts_are_counted():
    rates = summarise([*REAL[:1], *QUIET[:3]])["rates"]
    for name in ("dried_up", "mostly_silent"):
        assert (rates[name]["count"], rates[name]["n"], rates[name]["share"]) == (3, 4, 0.75)
        assert rates[name]["low"] == rate_of([True, True, True, False]).low


def test_only_composers_the_classifier_knows_are_asked_for():
    pieces = [
        judged(0, CHOPIN, CHOPIN),
        judged(1, CHOPIN, None),
        judged(2, BACH, CHOPIN),
        judged(3, "Clara Schumann", CHOPIN),
        judged(4, None, BACH),
    ]
    summary = summarise(pieces)
    taken = summary["rates"]["taken_for_its_composer"]
    assert (taken["count"], taken["n"]) == (1, 3)
    assert summary["sounds_like"] == {CHOPIN: 3, BACH: 1}
    probability = summary["measures"]["composer_probability"]
    assert (probability["n"], probability["n_undefined"]) == (2, 1)
    assert probability["mean"] == pytest.approx((0.7 + 0.3) / 2)


def test_the_longest_match_is_reported_in_words():
    index = small_index()
    pieces = [measured(playing(i), index=index) for i in (5, 1, 6)]
    summary = summarise(pieces)
    assert summary["longest_match"]["piece"] == "piece 1"
    assert "Frédéric Chopin, Study 1" in summary["longest_match"]["sentence"]
    assert summary["rates"]["copied"]["count"] == 1
    assert "longest_match" not in summarise([measured(silent(), index=index)])


def test_variety_is_the_spread_as_a_multiple_of_real_musics():
    def spreads(values):
        spread = spread_of(values)
        return {"drift": {"n": spread.n, "sd": spread.sd}}

    real = spreads([1.0, 3.0])
    assert variety(spreads([1.0, 2.0]), real) == {"drift": 0.5}
    assert variety(spreads([2.0, 2.0]), real) == {"drift": 0.0}
    assert variety(real, real) == {"drift": 1.0}
    for undefined in ([], [None], [2.0], [2.0, None]):
        assert variety(spreads(undefined), real) == {"drift": None}
        assert variety(real, spreads(undefined)) == {"drift": None}
    assert variety(real, spreads([2.0, 2.0])) == {"drift": None}
    assert variety(real, {}) == {}


def test_each_set_is_compared_with_real_music_and_real_music_with_itself():
    report = build_report({"real": REAL, "lstm": OTHERS})
    found = report["systems"]["lstm"]
    assert 0 < found["distribution"]["mean_oa"] < 1
    assert found["distribution"]["features"]["polyphony"]["n_other"] == 4
    assert found["variety"].keys() == found["measures"].keys()
    assert report["ceiling"]["features"]["polyphony"]["n_reference"] == 4
    assert not report["systems"]["real"].keys() & {"distribution", "variety"}


@pytest.mark.parametrize("n_real", [0, 1, 2, 3, 5, 6])
def test_few_real_pieces_give_what_they_can(n_real, tmp_path):
    report = build_report({"real": REAL[:n_real], "lstm": OTHERS[:1]})
    assert ("real" in report["systems"]) == (n_real >= 1)
    assert ("variety" in report["systems"]["lstm"]) == (n_real >= 1)
    assert ("distribution" in report["systems"]["lstm"]) == (n_real >= 3)
    assert ("ceiling" in report) == (n_real >= 6)
    page = write_report(report, tmp_path).read_text()
    assert ("## How far is it from real music?" in page) == (n_real >= 3)
    assert ("half against half" in page) == (n_real >= 6)


def test_silence_has_no_mean_overlap_to_flatter_it():
    report = build_report({"real": REAL, "quiet": QUIET, "some": [*QUIET, *OTHERS]})
    quiet, some = (report["systems"][name]["distribution"] for name in ("quiet", "some"))
    assert quiet["features"]["note_count"]["oa"] is not None
    assert quiet["features"]["polyphony"]["oa"] is None
    assert quiet["mean_oa"] is None
    assert quiet["mean_kl"] is None
    assert some["mean_oa"] > 0
    assert some["features"]["polyphony"]["n_other"] == 4


def test_sets_without_pieces_are_left_out():
    report = build_report({"real": REAL, "nobody": []})
    assert list(report["systems"]) == ["real"]
    assert build_report({})["systems"] == {}


def test_what_was_given_stands_in_the_report():
    report = build_report(
        {"real": REAL[:1]},
        description="How it was made.",
        about={"real": "the composer"},
        settings={"rng": 3},
        remarks=["a.mid: broken"],
        likelihoods={"lstm": Likelihood(693.1, 10.0, 100, 200)},
        classifier=small_classifier(),
    )
    assert report["description"] == "How it was made."
    assert report["about"] == {"real": "the composer"}
    assert report["settings"] == {"rng": 3}
    assert report["remarks"] == ["a.mid: broken"]
    assert report["likelihood"]["lstm"]["bits_a_note"] == pytest.approx(10.0, abs=1e-3)
    assert report["classifier"] == {"composers": [BACH, CHOPIN], "balanced_accuracy": {}}


def test_the_files_hold_the_report(tmp_path):
    judges = {"classifier": small_classifier(), "index": small_index()}
    sets = {
        "real": [measured(playing(i), CHOPIN, **judges) for i in range(6)],
        "quiet": [measured(silent(i), CHOPIN, **judges) for i in range(2)],
    }
    report = build_report(sets)
    folder = make_folder(tmp_path / "deep" / "report")
    page = write_report(report, folder)
    assert page == folder / "report.md"

    def refuse(name):
        raise AssertionError(f"{name} in report.json")

    text = (folder / "report.json").read_text()
    assert json.loads(text, parse_constant=refuse) == json.loads(json.dumps(report))


def test_a_measure_that_is_no_number_is_refused(tmp_path):
    piece = replace(REAL[0], tonality=replace(REAL[0].tonality, kinship=float("nan")))
    report = build_report({"real": [piece]})
    with pytest.raises(ValueError, match="JSON"):
        write_report(report, tmp_path)
    assert not (tmp_path / "report.md").exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot be made"):
        make_folder(tmp_path / "file" / "report")
