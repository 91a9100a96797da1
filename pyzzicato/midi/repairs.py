"""What was done to a file to read it, one sentence for each kind of thing."""

from collections import Counter

_SENTENCES = {
    "container": ("The MIDI file lies inside another file: only the MIDI in it is read.", ""),
    "cut_short": (
        "The file ends in the middle of a track: the end of the music may be missing.",
        "",
    ),
    "damaged": (
        "A track is damaged: what follows in it is left out.",
        "{n} tracks are damaged: what follows in them is left out.",
    ),
    "missing": (
        "The file should hold 1 more track: it may be incomplete.",
        "The file should hold {n} more tracks: it may be incomplete.",
    ),
    "second_file": ("Another MIDI file follows in the same file: left out.", ""),
    "format": ("The file is of no known format: read as format 1.", ""),
    "patterns": ("", "The file holds {n} separate patterns: read one after the other."),
    "junk": (
        "1 byte between the tracks belongs to none: passed over.",
        "{n} bytes between the tracks belong to none: passed over.",
    ),
    "values": (
        "1 value above 127, which MIDI does not have: taken as 127, or passed over.",
        "{n} values above 127, which MIDI does not have: taken as 127, or passed over.",
    ),
    "live": (
        "1 event that belongs on a cable and not in a file: passed over.",
        "{n} events that belong on a cable and not in a file: passed over.",
    ),
    "tempos": (
        "1 tempo change that no music has (0, or faster than 3,000 a minute): passed over.",
        "{n} tempo changes that no music has (0, or faster than 3,000 a minute): passed over.",
    ),
    "signs": (
        "1 metre or key signature that does not exist: passed over.",
        "{n} metres or key signatures that do not exist: passed over.",
    ),
    "out_of_range": (
        "1 note outside the piano's 88 keys: left out.",
        "{n} notes outside the piano's 88 keys: left out.",
    ),
    "drums": ("1 note for drums: left out.", "{n} notes for drums: left out."),
    "unended": (
        "1 note never let go: held to the end of its track.",
        "{n} notes never let go: held to the end of their tracks.",
    ),
    "zero_length": (
        "1 note let go at once (a grace note): made short.",
        "{n} notes let go at once (grace notes): made short.",
    ),
    "overlapping": (
        "1 note on a key already held down: the earlier note ends there.",
        "{n} notes on a key already held down: the earlier note ends there.",
    ),
}


class Repairs(Counter[str]):
    """Counts of what was done to a file, by the names of `_SENTENCES`."""

    def sentences(self) -> tuple[str, ...]:
        """Returns a sentence for each kind of thing that was done, in a fixed order."""
        return tuple(
            one if self[name] == 1 or not many else many.format(n=self[name])
            for name, (one, many) in _SENTENCES.items()
            if self[name]
        )
