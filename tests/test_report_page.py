"""The page: whole tables, dashes for what is undefined, and text that stays text."""

import json
import re
from dataclasses import replace

import pytest
from excerpt_builder import CHOPIN, measured, playing, silent, small_classifier, small_index

from pyzzicato.evaluation.adversary import Verdict
from pyzzicato.evaluation.entropy import NumberEntropy
from pyzzicato.evaluation.likelihood import Likelihood
from pyzzicato.evaluation.report import build_report, summarise
from pyzzicato.evaluation.report_page import MOST_FILES, report_page
from pyzzicato.evaluation.report_sections import SECTIONS
from pyzzicato.evaluation.style import Confusion

JUDGES = {"classifier": small_classifier(), "index": small_index()}
NASTY = "a|b [c](d) *e* _f_ <g> `h` #i\nj"


def sets():
    """Returns real music, a system with a nasty name, and silence."""
    return {
        "real": [measured(playing(i), CHOPIN, **JUDGES) for i in range(6)],
        NASTY: [
            replace(measured(playing(10 + i, name=NASTY), CHOPIN, **JUDGES), rescues=i)
            for i in range(3)
        ],
        "quiet": [measured(silent(i), CHOPIN, **JUDGES) for i in range(2)],
    }


def tables(page: str) -> list[list[list[str]]]:
    """Returns the cells of each table of a page."""
    found = re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)
    return [
        [re.split(r"(?<!\\)\|", line)[1:-1] for line in table.strip().split("\n")]
        for table in found
    ]


def cell(page: str, title: str, column: int) -> str:
    """Returns the figure in the row of a title."""
    rows = [row for table in tables(page) for row in table if row[0].strip() == title]
    return rows[0][column].strip()


@pytest.fixture(scope="module")
def page():
    report = build_report(
        sets(),
        description="A description.",
        about={name: f"what {name} is" for name in sets()},
        remarks=[NASTY],
        adversaries={NASTY: {"all figures": Verdict(0.9, 0.85, 0.951, 6, 3, 9)}, "quiet": {}},
        entropies={
            NASTY: {"pitch": NumberEntropy(2.6, (2.5, 2.6, 2.7), 2.32, 0.28)},
            "quiet": {"pitch": NumberEntropy(None, (None,) * 3, None, None)},
        },
        likelihoods={"dear": Likelihood(200.0, 10.0, 10, 20), "cheap": Likelihood(99.0, 10.0, 10)},
    )
    report["files"] = [piece.as_dict() for pieces in sets().values() for piece in pieces]
    report["pictures"] = [[NASTY, "roll-best.png"]]
    return report_page(report)


def test_each_table_has_as_many_cells_in_each_row(page):
    assert len(tables(page)) >= 9
    for table in tables(page):
        assert len({len(row) for row in table}) == 1
        assert all(row[0].strip() or row is table[0] for row in table)


def test_all_questions_are_asked(page):
    headings = re.findall(r"^## (.*)$", page, re.MULTILINE)
    # Nothing steered these pieces: that table has no row.
    titles = [s.title for s in SECTIONS if s.title != "What steers the draw?"]
    assert headings[: len(titles)] == titles
    assert headings[len(titles) :] == [
        "Are all pieces alike?",
        "How far is it from real music?",
        "Can it be told from real music?",
        "How well does it foresee real music?",
        "How sure is it when it plays by itself?",
        "File by file",
        "Pictures",
    ]
    for section in SECTIONS:
        if section.title not in titles:
            continue
        for _, title in (*section.rates, *section.measures):
            assert f"| {title} |" in page


def test_undefined_values_are_dashes(page):
    assert not re.search(r"\b(None|nan|null)\b", page)
    assert cell(page, "drift", 3) == "-"
    assert cell(page, "polyphony", 3) == "-"
    assert cell(page, "notes a second", 3) == "0"
    assert cell(page, "**mean**", 3) == "**-**"
    assert cell(page, "most often taken for", 3) == "-"


def test_figures_are_those_of_the_report(page):
    summary = summarise(sets()["real"])
    spread = summary["measures"]["notes_a_second"]
    match = re.fullmatch(r"(\S+) \((\S+) to (\S+)\)", cell(page, "notes a second", 1))
    assert [float(x) for x in match.groups()] == pytest.approx(
        [spread["median"], spread["p5"], spread["p95"]], rel=0.005
    )
    assert cell(page, "dried up", 3) == "100% (34 to 100)"
    assert cell(page, "copied", 1) == "33% (10 to 70)"


def test_the_cheapest_foresees_best_and_stands_first(page):
    (found,) = [table for table in tables(page) if table[0][1].strip() == "bits a note"]
    names = [row[0].strip() for row in found[2:]]
    assert names == ["cheap", "dear"]
    assert cell(page, "cheap", 3) == "-"
    assert cell(page, "dear", 3) == "10"


def test_adversaries_and_entropies_stand_in_tables(page):
    assert cell(page, "all figures", 1) == "0.9 (0.85 to 0.951)"
    assert cell(page, "pitch, by itself", 1) == "2.6 (2.5, 2.6, 2.7)"
    assert cell(page, "pitch, held-out", 1) == "2.32"
    assert cell(page, "pitch, by itself", 2) == cell(page, "pitch, held-out", 2) == "-"


def test_only_systems_of_the_report_stand_in_its_tables():
    found = {"all figures": Verdict(0.9, 0.8, 0.95, 6, 3, 9)}
    for name, shown in (("real", True), ("other", False)):
        report = build_report({"real": [measured(playing())]}, adversaries={name: found})
        assert ("Can it be told" in report_page(report)) == shown


def test_text_is_not_taken_for_markdown(page):
    assert "a\\|b \\[c\\](d) \\*e\\* \\_f\\_ \\<g\\> \\`h\\` \\#i j" in page
    assert "[c](d)" not in page.replace("\\]", "").replace("\\[", "")
    assert re.search(r"^!\[.*\]\(roll-best\.png\)$", page, re.MULTILINE)


def test_the_longest_matches_are_reported_in_words(page):
    pattern = r"^- \*\*real\*\*, in piece [01]: longest passage also found in training: \d+ notes"
    assert re.search(pattern, page, re.MULTILINE)
    assert "**quiet**, in" not in page


def test_one_piece_has_no_spread():
    piece = measured(playing())
    answer = cell(report_page(build_report({"real": [piece]})), "notes a second", 1)
    assert float(answer) == pytest.approx(piece.stability.notes_a_second, rel=0.005)


def test_sections_without_a_value_are_left_out():
    page = report_page(build_report({"real": [measured(playing())]}))
    assert "Does it copy?" not in page
    assert "Whom does it sound like?" not in page
    assert "Pictures" not in page
    assert "Can it be told" not in page
    assert "How sure is it" not in page
    assert "Left out" not in page
    assert report_page(build_report({})).startswith("# Evaluation")


def test_the_classifiers_accuracy_is_reported():
    classifier = small_classifier()
    table = Confusion.from_dict({"composers": ["Bach", "Chopin"], "counts": [[3, 1], [2, 2]]})
    classifier.confusions["cross_validation_excerpts"] = table
    pieces = [measured(playing(), CHOPIN, classifier=classifier)]
    page = report_page(build_report({"real": pieces}, classifier=classifier))
    assert "named the right one 62% of the time (mean over the composers; 50% would be" in page


def test_a_page_can_be_made_from_the_json():
    report = build_report(sets())
    assert report_page(json.loads(json.dumps(report))) == report_page(report)


def test_many_files_are_cut_short():
    report = build_report({"files": [measured(playing())]})
    one = measured(playing()).as_dict()
    report["files"] = [{**one, "name": f"file {i}.mid"} for i in range(MOST_FILES + 2)]
    page = report_page(report)
    assert f"The first {MOST_FILES} of {MOST_FILES + 2}" in page
    assert f"file {MOST_FILES - 1}.mid" in page
    assert f"file {MOST_FILES}.mid" not in page


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (-0.0001, "0"),
        (0.12345, "0.123"),
        (-0.5, "-0.5"),
        (1.0, "1"),
        (12.345, "12.3"),
        (99.99, "100"),
        (1234.5, "1234"),
    ],
)
def test_numbers_are_short(value, shown):
    likelihood = Likelihood(value, 1.0, 1, 1)
    page = report_page(build_report({}, likelihoods={"it": likelihood}))
    assert cell(page, "it", 3) == shown
