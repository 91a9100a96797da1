"""The tables of the report's page: which measures stand in which, and how to read them."""

from dataclasses import dataclass

from ..playing.decoding import PART_NAMES
from ..playing.decoding.guard import (
    CIRCLE_KEYS,
    CIRCLE_STROKES,
    HELD_KEYS,
    MAX_KEYS,
    MAX_PAUSE_S,
    MAX_STROKES,
)
from .stability import (
    DRIED_UP_BELOW,
    DRIED_UP_FLOOR,
    DRIED_UP_RATIO,
    HANGING_S,
    MOSTLY_SILENT,
    RESTRIKE_S,
    STUCK_RUN,
    STUCK_SHARE,
    STUTTER_S,
)


@dataclass(frozen=True)
class Section:
    """A table of the report.

    Attributes:
        title: its heading.
        text: what it shows.
        rates: verdicts and their titles.
        measures: single-number measures and their titles.
    """

    title: str
    text: str
    rates: tuple[tuple[str, str], ...] = ()
    measures: tuple[tuple[str, str], ...] = ()


ORIGINALITY = Section(
    "Does it copy?",
    "The longest passage that is also found in the training music, in any transposition, and the "
    "share of the notes in passages of at least 12, 16 and 24 notes. Scales, trills and other "
    "ordinary figures do not count. *Copied* is the alarm. Real held-out music shows how much "
    "pieces share by chance.",
    (("copied", "copied"),),
    (
        ("longest_notes", "longest match, notes"),
        ("longest_seconds", "longest match, s"),
        ("covered_12", "share in matches of 12"),
        ("covered_16", "share in matches of 16"),
        ("covered_24", "share in matches of 24"),
    ),
)
STYLE = Section(
    "Whom does it sound like?",
    "What a classifier of composers takes the pieces for. How often it knows the real ones shows "
    "how far it can be trusted.",
    (("taken_for_its_composer", "taken for the seed's composer"),),
    (("composer_probability", "probability of the seed's composer"),),
)
SECTIONS = (
    Section(
        "Does the music go on?",
        "A piece has *dried up* if its last third has less than "
        f"{DRIED_UP_RATIO:.0%} of the notes of its first third and fewer than {DRIED_UP_BELOW:g} "
        f"notes a second, or, whatever came before, fewer than {DRIED_UP_FLOOR:g} a second. It is "
        f"*mostly silent* if no note sounds for more than {MOSTLY_SILENT:.0%} of the time. *Drift* "
        "is the number of notes in the last third over that in the first. Models that draw their "
        f"notes are *brought back to the seed* where a key is struck {MAX_STROKES} times in a row, "
        f"{CIRCLE_KEYS} keys or fewer {CIRCLE_STROKES} times with no other between, more than "
        f"{MAX_KEYS} keys sound at once, or {HELD_KEYS} for long, or nothing is struck for "
        f"{MAX_PAUSE_S:g} s.",
        (
            ("dried_up", "dried up"),
            ("mostly_silent", "mostly silent"),
            ("rescued", "brought back to the seed"),
        ),
        (
            ("notes_a_second", "notes a second"),
            ("silent_share", "share of time silent"),
            ("longest_gap_s", "longest gap, s"),
            ("drift", "drift"),
            ("rescues", "times brought back to the seed"),
        ),
    ),
    Section(
        "What steers the draw?",
        "The share of the steps whose draw each part of decoding changed: *top-a*, what keeps to a "
        "*density* and to the *lengths* of the seed's notes, and the *guard*. A model *without* "
        "one of them is a column of its own.",
        (),
        tuple((f"acted_{part}", f"changed by {part}") for part in PART_NAMES),
    ),
    Section(
        "Does it loop, stick or stutter?",
        "*Distinct 8-grams* is 1 if no eight successive pitches ever come back. A key is *stuck* "
        f"if it is struck {STUCK_RUN} times or more with no other between, *struck again at once* "
        f"within {1000 * RESTRIKE_S:g} ms of being let go, *stuttering* if struck twice within "
        f"{STUTTER_S:g} s, and a note *hangs* if it sounds for more than {HANGING_S:g} s. A "
        f"piece is *stuck* if more than {STUCK_SHARE:.0%} of its notes are.",
        (("stuck", "stuck"),),
        (
            ("distinct_8grams", "distinct 8-grams"),
            ("repetition_growth", "growth of repetition"),
            ("stuck_share", "share of notes stuck"),
            ("restruck_share", "share struck again at once"),
            ("stutter_share", "share stuttering"),
            ("hanging_share", "share hanging"),
            ("longest_note_s", "longest note, s"),
        ),
    ),
    Section(
        "Does it come back to what it has said?",
        "A figure is a few notes in a row, chords from low to high. *Recurrence* is the share of "
        "the figures whose intervals (or pitches) stood before in the same piece. *Minor seconds* "
        "and *major sevenths* are shares of the intervals between keys struck together; *clashes* "
        "are both.",
        (),
        (
            ("recurrence_4", "recurrence of 4 notes"),
            ("recurrence_6", "recurrence of 6 notes"),
            ("recurrence_8", "recurrence of 8 notes"),
            ("exact_recurrence_4", "recurrence of 4 pitches"),
            ("exact_recurrence_6", "recurrence of 6 pitches"),
            ("exact_recurrence_8", "recurrence of 8 pitches"),
            ("minor_seconds", "minor seconds"),
            ("major_sevenths", "major sevenths"),
            ("clashes", "clashes"),
        ),
    ),
    Section(
        "Does it keep to a key?",
        "Entropy is low where few pitch classes are used and at most 3.58 bits, where all twelve "
        "are used alike. *Kinship* compares the pitch classes of the seed and of what follows: 1 "
        "is the same mixture. *Key clarity* is how well the best of the 24 keys fits.",
        (),
        (
            ("window_entropy", "pitch-class entropy in 8 s, bits"),
            ("pitch_class_entropy", "pitch-class entropy, bits"),
            ("kinship", "kinship with the seed"),
            ("window_key_clarity", "key clarity in 8 s"),
            ("key_clarity", "key clarity"),
            ("scale_consistency", "scale consistency"),
        ),
    ),
    Section(
        "How is it written and played?",
        "*Polyphony* is how many keys sound at once, on average over the time in which any does.",
        (),
        (
            ("polyphony", "polyphony"),
            ("pitch_count", "different pitches"),
            ("pitch_range", "pitch range, semitones"),
            ("mean_pitch_interval", "mean interval, semitones"),
            ("mean_inter_onset_s", "mean time between onsets, s"),
            ("velocity_sd", "spread of velocity"),
        ),
    ),
    ORIGINALITY,
    STYLE,
)

MEASURE_TITLES = {name: title for section in SECTIONS for name, title in section.measures}
"""Titles of all measures that the page shows."""
OF_MUSIC = tuple(
    name
    for section in SECTIONS
    if section not in (ORIGINALITY, STYLE)
    for name, _ in section.measures
)
"""Measures of the music itself, by which pieces can be alike."""
