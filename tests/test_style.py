"""Tests of pyzzicato.evaluation.style and of the script that trains its classifier."""

import math
from pathlib import Path

import numpy as np
import pytest
from conftest import tune
from style_data import (
    FileFeatures,
    Source,
    cut_excerpts,
    extra_sources,
    group_works,
    hold_out_new,
    measure_notes,
    note_runs,
    read_source,
    vary,
)
from train_style import StyleConfig, balance, split_works, temperature_of, train

from pyzzicato.evaluation.style import (
    BUNDLED,
    MIN_NOTES,
    Confusion,
    StyleClassifier,
    measure_style,
    style_windows,
)
from pyzzicato.evaluation.style_features import N_FEATURES, style_features
from pyzzicato.midi import midi_bytes
from pyzzicato.notes import Note, end_of, shift_notes, transpose_notes
from pyzzicato.representations.pianoroll import notes_to_roll, roll_to_notes
from pyzzicato.seeds import list_seeds

CHORALE, WALTZ = "Chora Le", "Wal Tz"


@pytest.fixture(scope="module")
def bundled() -> StyleClassifier:
    """Returns the classifier that comes with the package."""
    return StyleClassifier.load()


def chorale(draw: np.random.Generator, seconds: float = 70.0) -> list[Note]:
    """Returns four slow voices in major, a chord a second."""
    scale = (0, 2, 4, 5, 7, 9, 11)
    tonic = int(draw.integers(41, 53))
    notes = []
    for beat in range(int(seconds)):
        root = int(draw.integers(7))
        for octave in range(4):
            step = (root + 2 * int(draw.integers(3))) % 7
            pitch = tonic + 12 * octave + scale[step]
            notes.append(Note(pitch, float(beat), beat + 0.95, 60))
    return notes


def waltz(draw: np.random.Generator, seconds: float = 70.0) -> list[Note]:
    """Returns a fast chromatic line over a leaping bass."""
    notes = []
    pitch = 72
    for i in range(int(seconds * 6)):
        pitch = int(np.clip(pitch + draw.integers(-3, 4), 60, 90))
        notes.append(Note(pitch, i / 6, i / 6 + 0.12, 80))
        if i % 3 == 0:
            notes.append(Note(36 + int(draw.integers(12)), i / 6, i / 6 + 0.3, 70))
    return notes


def measured_pieces(
    composer: str, n: int, first: int = 0, split: str = "train"
) -> list[FileFeatures]:
    """Returns `n` synthetic pieces of one of the two composers."""
    compose = chorale if composer == CHORALE else waltz
    return [
        measure_notes(
            Source(Path(f"{composer}{i}.mid"), composer, f"No. {i}", split, "maestro"),
            compose(np.random.default_rng(i)),
        )
        for i in range(first, first + n)
    ]


@pytest.fixture(scope="module")
def tiny() -> StyleClassifier:
    """Returns a classifier of two synthetic composers, trained by the script's functions."""
    heard = [
        piece
        for composer in (CHORALE, WALTZ)
        for first, n, split in ((0, 6, "train"), (50, 2, "validation"))
        for piece in measured_pieces(composer, n, first, split)
    ]
    config = StyleConfig(Path(), None, Path("out.npz"), 2, 5, 0.03, None, 1)
    return train(heard, [WALTZ, CHORALE], config)


# --- the features


def test_features_are_finite_for_the_least_of_music() -> None:
    one = style_features([Note(60, 3.0, 3.01, 1)])
    cluster = style_features([Note(60 + i, 0.0, 1.0, 60) for i in range(12)])
    repeated = style_features([Note(60, i * 0.1, i * 0.1 + 0.05, 60) for i in range(50)])
    for features in (one, cluster, repeated):
        assert features.shape == (N_FEATURES,)
        assert np.isfinite(features).all()
    with pytest.raises(ValueError, match="at least one note"):
        style_features([])


def test_features_ignore_velocity_place_in_time_and_what_a_roll_loses() -> None:
    notes = chorale(np.random.default_rng(0))
    features = style_features(notes)
    softer = [Note(n.pitch, n.start, n.end, 20) for n in notes]
    assert np.array_equal(style_features(softer), features)
    assert np.array_equal(style_features(shift_notes(notes, 2.5)), features)
    assert np.array_equal(style_features(roll_to_notes(notes_to_roll(notes))), features)
    early = [Note(n.pitch, n.start + 0.015 * (n.pitch % 2), n.end, 60) for n in notes]
    assert np.array_equal(style_features(early), features)


def test_features_but_registers_do_not_change_with_the_key() -> None:
    notes = chorale(np.random.default_rng(1))
    changed = style_features(transpose_notes(notes, 5)) - style_features(notes)
    # 22 bands of all notes, of the highest and of the lowest, three mean keys, four mean lengths.
    assert np.count_nonzero(np.abs(changed) > 1e-9) <= 3 * 22 + 3 + 4
    assert np.abs(changed).max() > 0


def test_interval_features_by_hand() -> None:
    # Two notes, a fifth apart, one frame after the other.
    features = style_features([Note(60, 0.0, 0.05, 60), Note(67, 0.05, 0.1, 60)])
    assert not features[:36].any()  # nothing is struck together
    lags = features[36 : 36 + 9 * 49].reshape(9, 49)
    assert lags[0, 24 + 7] == pytest.approx(math.sqrt(1 / 2))  # one pair, two notes
    assert np.count_nonzero(lags) == 1


# --- the bundled classifier


def test_bundled_classifier_says_how_good_it_is(bundled: StyleClassifier) -> None:
    assert {"Johann Sebastian Bach", "Frédéric Chopin", "Claude Debussy"} <= set(bundled.composers)
    assert BUNDLED.stat().st_size < 2**20
    everybody = bundled.confusions["cross_validation_excerpts"]
    assert everybody.composers == bundled.composers
    assert everybody.accuracy > 4 / len(bundled.composers)  # four times chance
    assert bundled.confusions["held_out_pieces"].accuracy > 4 / len(bundled.composers)
    assert bundled.confusions["cross_validation_excerpts_of_three"].accuracy > 0.85
    assert bundled.record["works_learned"].keys() == set(bundled.composers)
    assert "train_style.py" in bundled.record["command"]


@pytest.mark.parametrize("semitones", [-3, -1, 1, 3])
def test_bundled_classifier_hardly_hears_the_key(bundled: StyleClassifier, semitones: int) -> None:
    for seed in list_seeds():
        before = bundled.probabilities(seed.notes)
        after = bundled.probabilities(transpose_notes(seed.notes, semitones))
        distance = sum(abs(before[c] - after[c]) for c in before) / 2
        assert distance < 0.25, seed.name


def test_probabilities_sum_to_one_and_repeat(bundled: StyleClassifier) -> None:
    for notes in (tune(60.0), tune(20.0), chorale(np.random.default_rng(2), 300.0)):
        probabilities = bundled.probabilities(notes)
        assert tuple(probabilities) == bundled.composers
        assert sum(probabilities.values()) == pytest.approx(1.0)
        assert min(probabilities.values()) >= 0
        assert bundled.probabilities(notes[::-1]) == probabilities


def test_too_few_notes_make_all_composers_alike(bundled: StyleClassifier) -> None:
    few = tune(1.0)[: MIN_NOTES - 1]
    sparse = [Note(60, 60.0 * i, 60.0 * i + 1, 60) for i in range(30)]
    for notes in ([], few, sparse):
        style = measure_style(notes, bundled)
        assert style.composer is None and style.probability is None
        assert set(style.probabilities.values()) == {1 / len(bundled.composers)}
    assert measure_style(tune(), bundled).composer in bundled.composers


# --- a classifier trained here


def test_script_separates_two_composers(tiny: StyleClassifier) -> None:
    assert tiny.composers == (CHORALE, WALTZ)
    for name in ("cross_validation_excerpts", "held_out_excerpts", "held_out_varied_pieces"):
        assert tiny.confusions[name].accuracy == 1.0
    assert tiny.record["works_learned"] == {CHORALE: 6, WALTZ: 6}
    assert tiny.record["pieces_tested"] == 4
    draw = np.random.default_rng(99)
    style = measure_style(chorale(draw), tiny)
    assert style.composer == CHORALE
    assert style.probability == style.probabilities[CHORALE] > 0.9
    assert measure_style(waltz(draw), tiny).composer == WALTZ


def test_script_refuses_too_few_works() -> None:
    config = StyleConfig(Path(), None, Path("out.npz"), 2, 5, 0.03, None, 1)
    with pytest.raises(ValueError, match="smaller --min-works"):
        train(measured_pieces(CHORALE, 5) + measured_pieces(WALTZ, 2), [CHORALE, WALTZ], config)


def test_saved_classifier_judges_alike(tiny: StyleClassifier, tmp_path: Path) -> None:
    loaded = StyleClassifier.load(tiny.save(tmp_path / "style.npz"))
    assert loaded.composers == tiny.composers
    assert loaded.record == tiny.record
    assert loaded.confusions.keys() == tiny.confusions.keys()
    for name, table in tiny.confusions.items():
        assert np.array_equal(loaded.confusions[name].counts, table.counts)
    notes = waltz(np.random.default_rng(3), 30.0)
    assert loaded.probabilities(notes) == pytest.approx(tiny.probabilities(notes), abs=1e-4)


def test_damaged_files_are_refused(tiny: StyleClassifier, tmp_path: Path) -> None:
    good = tiny.save(tmp_path / "good.npz")
    data = good.read_bytes()
    arrays = dict(np.load(good))
    path = tmp_path / "bad.npz"

    def refused(match: str) -> None:
        with pytest.raises(ValueError, match=match):
            StyleClassifier.load(path)

    refused("No such file")
    middle = len(data) // 2
    flipped = data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]
    for broken in (b"", b"not a classifier", data[:middle], data[:-30], flipped):
        path.write_bytes(broken)
        refused("cannot be read")
    np.savez(path, **{**arrays, "weights": arrays["weights"][:-1]})
    refused("weights must be")
    np.savez(path, **{**arrays, "bias": np.array([0.0, np.nan])})
    refused("bias must be")
    np.savez(path, **{**arrays, "scale": arrays["scale"] * 0})
    refused("scale must be above 0")
    np.savez(path, **{k: v for k, v in arrays.items() if k != "mean"})
    refused("cannot be read")
    record = str(arrays["record"])
    for value in (record.replace('"format": 1', '"format": 0'), "[]", record[:-1], "7"):
        np.savez(path, **{**arrays, "record": np.array(value)})
        refused("cannot be read")
    np.savez(path, **{**arrays, "record": np.array([{"format": 1}], dtype=object)})
    refused("cannot be read")  # needs a pickle
    path.write_bytes(data)
    assert StyleClassifier.load(path).composers == tiny.composers


def test_confusion_counts_composers_alike() -> None:
    table = Confusion(("a", "b", "c"), np.array([[8, 2, 0], [1, 1, 0], [0, 0, 0]]))
    assert table.accuracy == pytest.approx((0.8 + 0.5) / 2)  # c has no piece
    for counts in ([[1, 2]], [[1.5, 0, 0], [0, 1, 0], [0, 0, 1]], [[-1, 0, 0]] * 3, [[0] * 3] * 3):
        with pytest.raises(ValueError, match="confusion must"):
            Confusion.from_dict({"composers": ["a", "b", "c"], "counts": counts})


# --- windows, works, splits


def test_windows_follow_each_other_and_keep_every_note() -> None:
    notes = [Note(60 + i % 12, 5 + i * 0.5, 5 + i * 0.5 + 0.4, 60) for i in range(300)]  # 150 s
    windows = style_windows(notes)
    assert [len(window) for window in windows] == [120, 120, 60]
    assert all(window[0].start == pytest.approx(0.0) for window in windows)
    joined = style_windows(notes[:270])  # 135 s: the last 15 s join the window before
    assert [len(window) for window in joined] == [120, 150]
    assert style_windows(notes[: MIN_NOTES - 1]) == []


def test_excerpts_lie_within_the_piece_and_vary() -> None:
    notes = waltz(np.random.default_rng(0), 200.0)
    excerpts = cut_excerpts(notes)
    assert len(excerpts) == 4
    assert all(50 < end_of(excerpt) <= 60 for excerpt in excerpts)
    part = vary(excerpts[0], np.random.default_rng(1))
    assert 19 <= end_of(part) <= 60
    assert {n.pitch for n in part} != {n.pitch for n in excerpts[0]}
    assert len(cut_excerpts(waltz(np.random.default_rng(0), 5.0))) == 1
    assert cut_excerpts(notes[:3]) == []


def source(name: str, title: str, composer: str = "a", kind: str = "maestro") -> Source:
    """Returns a training file."""
    return Source(Path(name), composer, title, "train", kind)


def test_files_that_share_music_or_title_are_one_work() -> None:
    one, other, third = (waltz(np.random.default_rng(i), 60.0) for i in range(3))
    played_freely = [
        Note(n.pitch, n.start * 1.1 + 0.02 * (i % 2), n.end * 1.1 + 0.1, 60)
        for i, n in enumerate(one)
    ]
    both = [*one, *shift_notes(other, 60.0)]
    files = [
        (source("0", "Waltz"), one),
        (source("1", "Valse"), played_freely),
        (source("2", "Waltz No. 2"), other),
        (source("3", "Two waltzes"), both),
        (source("4", "Waltz No. 3"), third),
        (source("5", "Waltz No. 3"), chorale(np.random.default_rng(5))),
        (source("6", "Valse", "b"), one),
        (source("7", "Waltz No. 3", kind="score"), chorale(np.random.default_rng(6))),
    ]

    def works(chosen: list[int]) -> list[int]:
        picked = [files[i] for i in chosen]
        return list(group_works([s for s, _ in picked], [note_runs(n) for _, n in picked]))

    first, second, unlike = works([0, 1, 2])
    assert first == second != unlike
    assert len(set(works([0, 2, 3]))) == 1  # joined by the recital that holds both
    a, b, c, d, e = works([0, 4, 5, 6, 7])
    assert b == c and len({a, b, d, e}) == 4  # one title; two composers; a title outside MAESTRO


def test_split_never_puts_a_work_on_both_sides() -> None:
    draw = np.random.default_rng(0)
    for _ in range(50):
        works, held_out = draw.integers(0, 12, 40), draw.random(40) < 0.2
        learn, test = split_works(works, held_out)
        assert not set(works[learn]) & set(works[test])
        assert np.array_equal(test, held_out)
        assert set(works) == set(works[learn]) | set(works[test])


def test_weights_make_composers_alike_and_soften_frequent_works() -> None:
    composer, work = np.array([0, 0, 0, 0, 0, 1]), np.array([0, 0, 0, 0, 1, 2])
    weights = balance(composer, work)
    assert weights[composer == 0].sum() == pytest.approx(0.5) == weights[5]
    assert weights[:4].sum() == pytest.approx(2 * weights[4])  # the root of four excerpts


def test_temperature_undoes_overconfidence() -> None:
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(4000, 3))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = np.array([draw.choice(3, p=p) for p in chances])
    even = np.full(4000, 1 / 4000)
    assert temperature_of(logits * 5, truth, even) == pytest.approx(5, rel=0.15)


def test_extra_folder_is_read_by_its_manifest(tmp_path: Path) -> None:
    columns = "path,composer,title,source,performance_or_score,leak_safe_split,matched_maestro_file"
    rows = (
        "x/1.mid,a,One,supra,piano-roll performance,train,",
        "x/2.mid,a,Two,mutopia,score,train,",
        "x/3.mid,a,Three,supra,piano-roll performance,validation,",
        "x/4.mid,b,Four,supra,piano-roll performance,train,2004/4.midi",
        "x/5.mid,b,Five,asap_performance,performance,train,2004/5.midi",
        "x/6.mid,c,Six,supra,piano-roll performance,train,",
    )
    (tmp_path / "manifest.csv").write_text("\n".join([columns, *rows]), encoding="utf-8")
    found = extra_sources(tmp_path, {"a", "b"})
    assert [(s.title, s.kind, s.new) for s in found] == [
        ("One", "performance", True),
        ("Two", "score", True),
        ("Four", "performance", False),
    ]
    # Nobody has a validation piece yet: the new performance is held out.
    assert [s.split for s in hold_out_new(found)] == ["validation", "train", "train"]
    known = Source(Path("v.mid"), "a", "V", "validation", "maestro")
    assert hold_out_new([known, *found]) == [known, *found]
    with pytest.raises(ValueError, match="manifest"):
        extra_sources(tmp_path / "nowhere", {"a"})


def test_unreadable_file_is_a_reason_and_not_an_error(tmp_path: Path) -> None:
    path = tmp_path / "piece.mid"
    path.write_bytes(midi_bytes(waltz(np.random.default_rng(0))))
    found = read_source(Source(path, "a", "One", "train", "maestro"))
    assert isinstance(found, FileFeatures)
    assert found.plain.shape == found.varied.shape == (1, N_FEATURES)
    path.write_bytes(b"noise")
    assert "cannot be read" in str(read_source(Source(path, "a", "One", "train", "maestro")))
