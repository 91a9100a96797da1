"""The scripts that check what models play: endurance, composers and speed."""

import json
from dataclasses import replace
from pathlib import Path

import benchmark
import check_composers
import check_endurance
import pytest
from conftest import tiny_config, tune
from graph_store import save_playable

from pyzzicato.evaluation.stability import measure_stability
from pyzzicato.evaluation.style import StyleClassifier
from pyzzicato.models.architecture import COMPOSERS
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.notes import Note
from pyzzicato.seeds import list_seeds


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    """Returns the folder of an untrained model of note events that knows three composers."""
    config = tiny_config(
        representation="events", head="notes", composers=["bach", "chopin", "debussy"]
    )
    return str(save_playable(PyzzicatoModel(config), tmp_path / "model"))


def test_every_kind_of_seed_is_what_it_says() -> None:
    seeds = {kind: make() for kind, make in check_endurance.KINDS.items()}
    assert len(seeds["presets"]) == len(list_seeds())
    assert [len(seeds[kind][0]) for kind in ("silence", "one note")] == [0, 1]
    assert len({note.start for note in seeds["one chord"][0]}) == 1 < len(seeds["one chord"][0])
    slow, fast = (seeds[kind][0][-1].start for kind in ("very slow", "very fast"))
    assert slow == pytest.approx(9 * fast)


def test_takes_are_summed_up_by_verdict_and_median() -> None:
    steady = measure_stability(tune(30), 30.0)
    stuck = measure_stability([Note(60, i / 4, i / 4 + 0.2, 60) for i in range(120)], 30.0)
    dry = measure_stability(tune(8), 30.0)
    why = ["circling", "circling"]
    answer = check_endurance.summarise([(steady, []), (steady, why), (stuck, ["stuck"]), (dry, [])])
    assert (answer["takes"], answer["stuck"], answer["dried_up"], answer["mostly_silent"]) == (
        4,
        1,
        1,
        1,
    )
    assert (answer["astray"], answer["why"]) == (2, "circling 1 stuck 1")
    assert answer["notes_a_second"] == round((steady.notes_a_second + 4.0) / 2, 3)
    lines = check_endurance.table({"presets": answer}).splitlines()
    assert lines[0].startswith("| seed | takes | dried up |")
    assert lines[2].startswith("| presets | 4 | 1 |")


def test_endurance_is_measured_and_written(
    checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = check_endurance.EnduranceConfig(
        (checkpoint,), ("silence",), 1, 6.0, processes=1, without=("guard",), out=tmp_path / "out"
    )
    check_endurance.main(config)
    answer = json.loads((tmp_path / "out" / "endurance.json").read_text())
    row = answer["models"][checkpoint]["silence"]
    assert row["takes"] == len(list_seeds())
    # Steps are drawn nearly evenly, about a note a second, and held towards what is meant.
    assert 0.3 < row["notes_a_second"] < 10
    assert f"{row['notes_a_second']}" in capsys.readouterr().out


def test_verdicts_are_counted_by_composer() -> None:
    asked = ["bach", "bach", "chopin", "chopin"]
    table = check_composers.count_verdicts(
        asked, ["bach", "chopin", "chopin", None], ["bach", "chopin"]
    )
    assert table["bach"] == {"bach": 1, "chopin": 1, "nobody": 0}
    assert table["chopin"] == {"bach": 0, "chopin": 1, "nobody": 1}
    assert check_composers.share_right(table) == 0.5


def test_the_classifier_itself_tells_the_three_apart() -> None:
    share = check_composers.real_share(StyleClassifier.load(), ["bach", "chopin", "debussy"])
    assert share is not None and 0.8 < share < 1


def test_composers_are_asked_for_and_judged(checkpoint: str, tmp_path: Path) -> None:
    config = check_composers.ComposersConfig(
        model=(checkpoint,),
        composers=("bach", "chopin"),
        guidance=2.0,
        takes=2,
        seconds=30.0,
        processes=1,
        out=tmp_path / "out",
    )
    check_composers.main(config)
    answer = json.loads((tmp_path / "out" / "composers.json").read_text())
    heard = answer["models"][checkpoint]["heard_as"]
    assert {name: sum(row.values()) for name, row in heard.items()} == {"bach": 2, "chopin": 2}
    assert answer["chance"] == 0.5
    with pytest.raises(ValueError, match="composer must be one of bach, chopin, debussy"):
        check_composers.main(replace(config, composers=("liszt",)))
    assert set(config.composers) <= set(COMPOSERS)


def test_the_benchmark_measures_both_ways(
    checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = benchmark.BenchmarkConfig(
        (checkpoint,), lengths=(2.0,), repeats=1, rng=0, out=tmp_path / "out"
    )
    benchmark.main(config)
    found = json.loads((tmp_path / "out" / "speed.json").read_text())[checkpoint]
    assert found["times_real_time"]["2 s"] > 0 and found["naive"] > 0
    assert 0 < found["ms_a_step"]["2 s"] < 2000
    assert found["seed_heard_s"] > 0
    assert "| naive |" in capsys.readouterr().out
