"""The text form of a score: what small texts mean, and how wrong ones are refused."""

from fractions import Fraction

import pytest

from pyzzicato import scores
from pyzzicato.scores import Score, parse_score

HEADER = """\
title: A test
composer: Nobody
key: C major
year: 1900
source: typed for the test
metre: 4/4
beat: 4
voices: tune +8, bass -4
"""
CONTROLS = "tempo | 60\ndyn | mf\n"


def read(rows: str, header: str = HEADER, bars: str = "bars 1") -> Score:
    """Returns the score of one block at 60 quarters a minute, mezzo forte (68)."""
    return parse_score(f"{header}\n{bars}\n{CONTROLS}{rows}", "test.txt")


def pitches(score: Score) -> list[int]:
    """Returns the played pitches in order."""
    return [note.pitch for note in score.notes]


def test_header_fields_are_kept() -> None:
    score = read("tune | C4/1")
    assert (score.title, score.composer, score.key) == ("A test", "Nobody", "C major")
    assert (score.year, score.source) == (1900, "typed for the test")


@pytest.mark.parametrize(
    ("token", "pitch"),
    [
        ("C4", 60), ("A0", 21), ("C8", 108), ("F#3", 54), ("Bb5", 82),
        ("Cb4", 59), ("B#3", 60), ("F##4", 67), ("Bbb4", 69),
    ],
)  # fmt: skip
def test_pitches(token: str, pitch: int) -> None:
    assert pitches(read(f"tune | {token}/1")) == [pitch]


@pytest.mark.parametrize(
    ("value", "rest", "whole_notes"),
    [
        ("1", "", Fraction(1)),
        ("4", "r/2.", Fraction(1, 4)),
        ("4.", "r/8 r/2", Fraction(3, 8)),
        ("2..", "r/8", Fraction(7, 8)),
        ("8t", "r/8t r/8t r/4 r/2", Fraction(1, 12)),
        ("16q", "r/16q r r r r/4 r/2", Fraction(1, 20)),
        ("64", "r/64 r/32 r/16 r/8 r/4 r/2", Fraction(1, 64)),
    ],
)
def test_note_values(value: str, rest: str, whole_notes: Fraction) -> None:
    (note,) = read(f"tune | C4/{value} {rest}").notes
    assert note.end - note.start == pytest.approx(4 * whole_notes)  # a second a quarter


def test_a_token_without_value_takes_the_one_before() -> None:
    notes = read("tune | C4/4 D4 r E4").notes
    assert [(n.pitch, n.start, n.end) for n in notes] == [(60, 0, 1), (62, 1, 2), (64, 3, 4)]


def test_chord_top_is_louder_and_first_beat_is_stressed() -> None:
    notes = read("tune | C4+E4+G4/2 E4").notes
    # mf is 68, the voice 8 above it, the first beat 3, lower notes of a chord -4.
    assert [(n.pitch, n.velocity) for n in notes] == [(60, 75), (64, 75), (67, 79), (64, 76)]


def test_voices_have_their_own_level() -> None:
    notes = read("tune | r/4 C5/4 r/2\nbass | r/4 C3/4 r/2").notes
    assert [(n.pitch, n.velocity) for n in notes] == [(48, 64), (72, 76)]


def test_accent_and_staccato() -> None:
    first, second = read("tune | r/4 C4/4> D4/2' ").notes
    assert (first.velocity, second.velocity) == (86, 76)
    assert (first.end - first.start, second.end - second.start) == (1.0, 1.0)


def test_tie_joins_over_the_bar_line_and_over_blocks() -> None:
    text = f"{HEADER}\nbars 1-2\ntempo|60|60\ndyn|mf|mf\ntune | r/2 C4~+E4/2 | C4~/1\n\n"
    score = parse_score(text + "bars 3\ntune | C4/4 D4 r/2", "test.txt")
    assert [(n.pitch, n.start, n.end) for n in score.notes] == [(60, 0, 7), (64, 0, 2), (62, 7, 8)]


def test_grace_notes_come_before_the_beat() -> None:
    score = read("tune | C4/4 grace:D5 grace:E5 D4/4 r/2")
    times = [(n.pitch, round(n.start, 3), round(n.end, 3)) for n in score.notes]
    assert times == [(60, 0.0, 1.0), (74, 0.82, 0.91), (76, 0.91, 1.0), (62, 1.0, 2.0)]


def test_first_note_starts_at_zero_even_after_a_rest_or_with_a_grace_note() -> None:
    assert read("tune | r/2 C4/2").notes[0].start == 0.0
    graced = read("tune | grace:D5 C4/1").notes
    assert [round(n.start, 3) for n in graced] == [0.0, 0.09]


def test_beat_is_the_value_that_the_tempo_counts() -> None:
    (note,) = read("tune | C4/1", HEADER.replace("beat: 4", "beat: 2.")).notes
    assert note.end == pytest.approx(4 / 3)  # 60 dotted halves a minute


def test_tempo_that_moves_takes_the_time_of_the_integral() -> None:
    text = f"{HEADER}\nbars 1\ntempo | 60..120\ndyn | mf\ntune | C4/1"
    (note,) = parse_score(text).notes
    # 4 beats while the tempo goes from 60 to 120: integral of 60 / (60 + 15 x) = 4 ln 2.
    assert note.end == pytest.approx(4 * 0.693147, abs=1e-5)


def test_dynamics_move_and_stay() -> None:
    text = f"{HEADER}\nbars 1\ntempo | 60\ndyn | p..f\nbass | r/4 C3/4 r/4 C3\n"
    velocities = [n.velocity for n in parse_score(f"{text}\nbars 2\nbass | C3/2 C3").notes]
    # p is 47, f 82: 8.75 a quarter; the voice is 4 below.
    assert velocities == [52, 69, 81, 78]


def test_pedal_holds_until_it_changes() -> None:
    rows = "pedal | P/2 P/4 -/4\ntune | C4/4 D4 E4 r/4"
    notes = {n.pitch: n.end for n in read(rows).notes}
    assert notes == {60: 2.0, 62: 2.0, 64: 3.0}


def test_whole_bar_rest_and_odd_bars() -> None:
    text = f"{HEADER}\nbars 0 (1/8)\n{CONTROLS}tune | C4/8\n\nbars 1-2\ntune | R | D4/1\n"
    score = parse_score(text)
    assert [(n.pitch, n.start, n.end) for n in score.notes] == [(60, 0, 0.5), (62, 4.5, 8.5)]


def test_struck_notes_keep_their_places_in_whole_notes() -> None:
    score = read("tune | C4/8t D4 E4 F4/2.")
    assert [n.start for n in score.struck] == [0, Fraction(1, 12), Fraction(1, 6), Fraction(1, 4)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("tune | H4/1", r"test\.txt:13: bar 1: 'H4/1': a pitch must be like C4"),
        ("tune | C9/1", r"test\.txt:13: bar 1: 'C9/1': .*A0 to C8"),
        ("tune | C4/3", r"'C4/3': a note value must be 1 to 64"),
        ("tune | C4", r"'C4': the first note or rest of a row must have a value"),
        ("tune | C4/1/2", r"'C4/1/2': a note must be like"),
        ("tune | C4/2", r"test\.txt:13: bar 1: must add up to 1 of a whole note, got 1/2"),
        ("tune | C4/1 D4/4", r"must add up to 1 of a whole note, got 5/4"),
        ("tune | |", r"must add up to 1 of a whole note, got 0"),
        ("tune |", r"the row 'tune' must have as many bars as its heading says \(1\), .* got 0"),
        ("tune | C4~/2 D4", r"'D4': the tie of pitch \[60\] must lead to the same pitch"),
        ("tune | C4~/2 r", r"'r': the tie of pitch \[60\]"),
        ("tune | C4~/1", r"test\.txt: end of tune: the tie of pitch \[60\]"),
        ("tune | grace:D4 R", r"'R': a grace note must be followed by its main note"),
        ("tune | C4/1 grace:D4", r"test\.txt: end of tune: a grace note must be followed"),
        ("tune | R", r"test\.txt: a score must have at least one note"),
        ("alto | C4/1", r"test\.txt:13: a row must begin with one of tune, bass, tempo.*'alto'"),
        ("tune | C4/1\ntune | C4/1", r"test\.txt:14: the row 'tune' must come once"),
        ("tune | C4/1 | D4/1", r"test\.txt:13: the row 'tune' must have as many bars .* got 2"),
        ("nonsense", r"test\.txt:13: a row must begin with"),
        ("pedal | X\ntune | C4/1", r"'X': a pedal item must be P \(down\) or - \(up\)"),
        ("pedal | P/2\ntune | C4/1", r"test\.txt:13: bar 1: must add up to 1"),
        ("pedal | P -\ntune | C4/1", r"'P': an item must have a value unless it is alone"),
    ],
)
def test_wrong_rows_are_refused(rows: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(rows)


@pytest.mark.parametrize(
    ("controls", "message"),
    [
        ("dyn | mf", r"test\.txt:10: the first block must have a row 'tempo'"),
        ("tempo | 60", r"the first block must have a row 'dyn'"),
        ("tempo | fast\ndyn | mf", r"test\.txt:11: bar 1: 'fast': a tempo must be 10 to 400"),
        ("tempo | 5\ndyn | mf", r"a tempo must be 10 to 400 beats a minute, got '5'"),
        ("tempo | 60..\ndyn | mf", r"'60\.\.': a tempo must be"),
        ("tempo | 60\ndyn | loud", r"'loud': a dynamic must be one of ppp, pp"),
    ],
)
def test_wrong_controls_are_refused(controls: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_score(f"{HEADER}\nbars 1\n{controls}\ntune | C4/1", "test.txt")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "key: C major\n",
            "",
            r"test\.txt: the header must have all its fields, missing \['key'\]",
        ),
        ("key: C major", "key:", r"missing \['key'\]"),
        (
            "key: C major",
            "mode: C major",
            r"test\.txt:3: 'mode: C major' must be one of the fields",
        ),
        ("key: C major", "title: B", r"test\.txt:3: the field 'title' must come once"),
        ("year: 1900", "year: c. 1900", r"test\.txt: year must be a number, got 'c\. 1900'"),
        ("metre: 4/4", "metre: common", r"test\.txt: metre must be like 3/4, got 'common'"),
        ("beat: 4", "beat: quarter", r"test\.txt: beat: a note value must be"),
        ("bass -4", "bass", r"test\.txt: voices must be a list like .* got 'bass'"),
        ("bass -4", "tune -4", r"voices must be a list .* of different names, got 'tune -4'"),
        ("bass -4", "pedal -4", r"voices must be a list .* got 'pedal -4'"),
    ],
)
def test_wrong_headers_are_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read("tune | C4/1", HEADER.replace(old, new))


@pytest.mark.parametrize(
    ("bars", "message"),
    [
        ("bars one", r"test\.txt:10: 'bars one' must be like 'bars 1-4'"),
        ("bars 1 (0/8)", r"must be like 'bars 1-4'"),
        ("bars 4-1", r"test\.txt:10: 'bars 4-1' must not count backwards"),
    ],
)
def test_wrong_headings_are_refused(bars: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read("tune | C4/1", bars=bars)


def test_bars_must_follow_one_another() -> None:
    with pytest.raises(ValueError, match=r"test\.txt:14: 'bars 3' must go on with bar 2"):
        read("tune | C4/1\nbars 3\ntune | C4/1")


def test_tie_into_a_block_without_the_voice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"test\.txt:14: tune: the tie of pitch \[60\]"):
        read("tune | C4~/1\nbars 2\nbass | C3/1")


def test_a_text_without_bars_is_refused() -> None:
    with pytest.raises(ValueError, match=r"test\.txt: a score must have bars, got none"):
        parse_score(HEADER, "test.txt")


def test_the_example_in_the_documentation_is_a_score() -> None:
    lines = (scores.__doc__ or "").splitlines()
    example = "\n".join(line[4:] for line in lines if line.startswith("    "))
    score = parse_score(example)
    assert pitches(score) == [48, 55, 72, 74, 76, 74, 72]
    assert [note.grace for note in score.struck] == [0, 0, 0, 1, 0, 0, 0]
