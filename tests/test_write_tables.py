"""The tables of README and docs are those of the newest report and the bundled models."""

import json

import pytest
import write_tables
from write_tables import TablesConfig, figures_table, fill, weight_licences

from pyzzicato.hub import list_models


def system(median, share, area=None):
    return {
        "measures": {"drift": {"median": median}, "kinship": area and {"median": area}},
        "rates": {"dried_up": {"share": share}},
        "distribution": {"mean_oa": area},
    }


REPORT = {
    "systems": {"real": system(1.0816, 0.01), "tiny": system(0.5, 0.994, 0.25)},
    "ceiling": {"mean_oa": 0.935},
    "likelihood": {"tiny": {"bits_a_note": 9.6266}},
    "adversary": {"tiny": {"all figures": {"auc": 0.9751, "low": 0.9, "high": 1.0}}},
}


def row(table, title):
    (found,) = [line for line in table.splitlines() if line.startswith(f"| {title}")]
    return [cell.strip() for cell in found.split("|")[2:-1]]


def test_figures_stand_beside_those_of_real_music():
    table = figures_table(REPORT, ["tiny"])
    assert row(table, "drift") == ["1.08", "0.5"]
    assert row(table, "pieces that dry up") == ["1 %", "99 %"]
    assert row(table, "overlapped area") == ["0.935", "0.25"]
    assert row(table, "bits a note") == ["-", "9.63"]
    assert row(table, "classifier against real music, by figures") == ["-", "0.975"]
    # What was not measured is no zero, and has no row where it was measured nowhere.
    assert row(table, "kinship") == ["-", "0.25"]
    assert "guard" not in table
    assert "by a network" not in table


def test_licences_of_earlier_runs_bind_the_weights():
    record = {"data": {"licence": "A, B"}, "earlier_runs": [{"data": {"licence": "C, A"}}]}
    assert weight_licences(record) == ["A", "B", "C"]


def test_all_bundled_models_are_in_the_tables():
    names = [info.name for info in list_models()]
    for table in ("models", "licences"):
        text = write_tables.TABLES[table]()
        assert all(f"`{name}`" in text for name in names)
    # A report is of the models that there were.
    figures = write_tables.TABLES["all-figures"]()
    measured = [name for name in names if f"`{name}`" in figures]
    assert names[0] in measured and len(measured) > 4


def test_a_table_is_replaced_and_nothing_else(monkeypatch):
    monkeypatch.setitem(write_tables.TABLES, "models", lambda: "| new |")
    page = "before\n<!-- table: models -->\n| old |\n<!-- end of table -->\nafter"
    assert fill(page) == page.replace("| old |", "| new |")
    with pytest.raises(ValueError, match="table must be one of .*, got 'model'"):
        fill(page.replace("models", "model"))


def test_what_is_out_of_date_is_named_or_written(tmp_path, monkeypatch):
    monkeypatch.setattr(write_tables, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    page = tmp_path / "README.md"
    page.write_text("<!-- table: licences -->\n<!-- end of table -->\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"README.md is out of date"):
        write_tables.main(TablesConfig(check=True))
    write_tables.main(TablesConfig())
    assert "CC BY" in page.read_text(encoding="utf-8")
    write_tables.main(TablesConfig(check=True))


def test_the_pages_are_up_to_date():
    write_tables.main(TablesConfig(check=True))


def test_the_newest_report_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(write_tables, "REPORTS", tmp_path)
    with pytest.raises(ValueError, match="must hold a report, got none"):
        write_tables.newest_report()
    for release in ("v0.1", "v0.2"):
        (tmp_path / release).mkdir()
        (tmp_path / release / "report.json").write_text(json.dumps({"of": release}))
    assert write_tables.newest_report() == {"of": "v0.2"}


def test_the_article_has_a_model_in_the_report():
    assert write_tables.ARTICLE in write_tables.newest_report()["systems"]
