"""The architecture of a model: representation, backbone and head, three independent choices.

What is written here needs neither torch nor transformers: a model is played by its graph, and for
that its architecture is read from `config.json` as plain JSON.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import check_one_of, check_whole, show_value

REPRESENTATIONS = ("roll", "events")
LOOKING_BACK = ("attention", "transformer")
"""Backbones with blocks of attention, for note events."""
BACKBONES = ("conv1d", "wavenet", "lstm", *LOOKING_BACK)
COMPOSERS = {
    "bach": "Johann Sebastian Bach",
    "beethoven": "Ludwig van Beethoven",
    "brahms": "Johannes Brahms",
    "chopin": "Frédéric Chopin",
    "debussy": "Claude Debussy",
    "haydn": "Joseph Haydn",
    "liszt": "Franz Liszt",
    "mendelssohn": "Felix Mendelssohn",
    "mozart": "Wolfgang Amadeus Mozart",
    "rachmaninoff": "Sergei Rachmaninoff",
    "scarlatti": "Domenico Scarlatti",
    "schubert": "Franz Schubert",
    "schumann": "Robert Schumann",
    "scriabin": "Alexander Scriabin",
}
"""The fourteen composers most played in MAESTRO: short name -> name in its catalogue."""
ANYBODY = "any"
"""Asks for no composer in particular."""

HEADS = {"roll": ("independent", "joint"), "events": ("notes",)}
SPANS = {
    "independent": (),
    # Frames: 0.2, 1, 4, 15 s at 20 frames a second, and a piece.
    "joint": (4.0, 20.0, 80.0, 300.0, 3000.0),
    # Notes: a chord, a second, a phrase, a section, a piece.
    "notes": (3.0, 10.0, 33.0, 100.0, 1000.0),
}
"""Spans of the memories that each head reads, unless a config names others."""
RECENT = {"independent": 1, "joint": 2, "notes": 8}
"""Steps that each head reads one by one, the present one first, unless a config says otherwise."""
SUSTAIN = ("extend", "ignore")

# Upper ends of what a checkpoint may ask for, so that a hostile config cannot exhaust memory.
_MAX_WIDTH = 4096
_MAX_LAYERS = 64
_MAX_KERNEL = 256
_MAX_SPANS = 16
_MAX_RECENT = 64
_MAX_CHORDS = 64
_MAX_RECALL = 1000
_MAX_COMPOSERS = 256
_MAX_DENSITIES = 64
_MAX_HEADS = 64
_MAX_VIEW = 16384
_MAX_ENDINGS = 64


@dataclass
class Architecture:
    """What a checkpoint needs to be used as it was trained.

    Attributes:
        representation: what a step is; "roll" is one frame of 88 keys, "events" one note.
        backbone: "conv1d" (plain causal convolutions), "wavenet" (gated dilated convolutions),
            "lstm" or, on note events, "attention" (blocks of attention above the LSTM) or
            "transformer" (the blocks alone).
        head: on a roll "independent" (88 sigmoids, the article's output) or "joint" (each key
            given those below it); on events "notes" (the four numbers of a note in a row).
        fs: frames a second of the roll, 1 to 200.
        sustain: "extend" lengthens notes by the sustain pedal before they become a roll, "ignore"
            keeps them as fingered. The same in training and in use.
        hidden_size: channels of the backbone, 1 to 4096.
        n_layers: layers (conv1d, lstm, attention) or dilated blocks (wavenet), 1 to 64.
        kernel_size: frames a convolution spans at dilation 1 (conv1d, wavenet), 1 to 256.
        dense_size: width of the dense layer after the backbone (wavenet, lstm), and of the
            blocks (attention, transformer), 1 to 4096.
        dropout: share of activations dropped in training, 0 to below 1.
        embedding_size: channels of a note event's vector (events), 1 to 4096.
        head_size: channels of each key in the joint head and the head of notes, 1 to 4096.
        spans: steps after which each memory of the keys struck has faded to 1/e, above 0, at most
            16 of them; None for the head's own (`SPANS`). The independent head, like the article's,
            has none unless it is given some.
        recent: last steps that the head reads one by one, 1 to 64; None for the head's own
            (`RECENT`). Without memories the independent head reads the present frame alone.
        chords: last chords struck that the head reads one by one, 0 to 64: the keys struck in one
            frame, however long ago. On a roll with memories; of note events `recent` are the same.
        recalls: lengths in steps, rising, 1 to 1000, at most 16: what followed the last time that
            the last so many frames or pitches sounded is shown to the head (see `PitchRecall`); on
            a roll of use for scores. With memories; empty for none.
        recall_heads: heads of the learnt recall (see `SoftRecall`), on note events; 0 for none. At
            most 64.
        hears_ends: whether the head is told how long each key goes on sounding (see
            `sounding.py`), on note events.
        lets_ring: whether the lengths of notes are as if no key were struck twice (see
            `representations/ringing.py`), on note events.
        n_heads: heads of each block (attention, transformer), 1 to 64; `dense_size` is a multiple
            of four times as many.
        view: notes that attention and the learnt recall look back on, 2 to 16384.
        n_blocks: blocks (attention, transformer), 1 to 64.
        composers: short names of the composers that the model can be asked for (see `COMPOSERS`),
            in the order of their numbers; empty if it knows none. At most 256.
        densities: levels of the condition of notes struck a second, rising, above 0;
            empty for no such condition. At most 64.
        endings: levels of the condition of seconds left of a piece, rising, above 0, on note
            events; empty for no such condition. At most 64.

    Raises:
        ValueError: by `check`, if a value is of the wrong type or out of range; the message names
            the key, its range and the value.
    """

    representation: str = "roll"
    backbone: str = "lstm"
    head: str = "independent"
    fs: int = 20
    sustain: str = "extend"
    hidden_size: int = 320
    n_layers: int = 2
    kernel_size: int = 1
    dense_size: int = 256
    dropout: float = 0.0
    embedding_size: int = 128
    head_size: int = 24
    spans: list[float] | None = None
    recent: int | None = None
    chords: int = 0
    recalls: list[int] | None = None
    recall_heads: int = 0
    hears_ends: bool = False
    lets_ring: bool = False
    n_heads: int = 4
    view: int = 1024
    n_blocks: int = 2
    composers: list[str] | None = None
    densities: list[float] | None = None
    endings: list[float] | None = None

    @property
    def memory_spans(self) -> list[float]:
        """Returns the spans of the memories, none for the independent head."""
        return self.spans or []

    @property
    def n_recent(self) -> int:
        """Returns how many of the last steps the head reads one by one."""
        return self.recent or RECENT[self.head]

    def check(self) -> None:
        """Puts defaults in place of None and raises ValueError if a value is out of its range."""
        check_one_of("representation", self.representation, REPRESENTATIONS)
        check_one_of("backbone", self.backbone, BACKBONES)
        check_one_of("head", self.head, HEADS[self.representation])
        check_one_of("sustain", self.sustain, SUSTAIN)
        check_whole("fs", self.fs, 1, 200)
        check_whole("hidden_size", self.hidden_size, 1, _MAX_WIDTH)
        check_whole("n_layers", self.n_layers, 1, _MAX_LAYERS)
        check_whole("kernel_size", self.kernel_size, 1, _MAX_KERNEL)
        check_whole("dense_size", self.dense_size, 1, _MAX_WIDTH)
        check_whole("embedding_size", self.embedding_size, 1, _MAX_WIDTH)
        check_whole("head_size", self.head_size, 1, _MAX_WIDTH)
        self._take_spans()
        self.recent = RECENT[self.head] if self.recent is None else self.recent
        check_whole("recent", self.recent, 1, _MAX_RECENT if self.spans else 1)
        check_whole("chords", self.chords, 0, _MAX_CHORDS)
        if self.chords and (self.representation != "roll" or not self.spans):
            raise ValueError(
                f"chords must be 0 but on a roll with spans, got {show_value(self.chords)}"
            )
        self._take_recalls()
        self._take_composers()
        self._take_densities()
        self._take_endings()
        self._check_attention()
        if not _is_number(self.dropout) or not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be 0 to below 1, got {show_value(self.dropout)}")

    def _take_spans(self) -> None:
        given = SPANS[self.head] if self.spans is None else self.spans
        spans = _check_list("spans", given, _MAX_SPANS, "numbers above 0", _is_positive)
        if not spans and self.head != "independent":
            raise ValueError(
                f"spans must be at least one for the {self.head} head, got {show_value(spans)}"
            )
        self.spans = [float(span) for span in spans]

    def _take_recalls(self) -> None:
        self.recalls = _check_list(
            "recalls",
            [] if self.recalls is None else self.recalls,
            _MAX_SPANS,
            "whole numbers",
            _is_positive,
        )
        for length in self.recalls:
            check_whole("recalls", length, 1, _MAX_RECALL)
        _check_rising("recalls", self.recalls)
        if self.recalls and not self.spans:
            raise ValueError(
                f"recalls must be empty without memories (spans), got {show_value(self.recalls)}"
            )

    def _take_composers(self) -> None:
        given = [] if self.composers is None else self.composers
        names = _check_list("composers", given, _MAX_COMPOSERS, "names", _is_name)
        if len({*names, ANYBODY}) < len(names) + 1:
            raise ValueError(
                f"composers must be named once each, none {ANYBODY!r}, got {show_value(names)}"
            )
        self.composers = names

    def _take_densities(self) -> None:
        given = [] if self.densities is None else self.densities
        levels = _check_list("densities", given, _MAX_DENSITIES, "numbers above 0", _is_positive)
        _check_rising("densities", levels)
        self.densities = [float(level) for level in levels]

    def _take_endings(self) -> None:
        given = [] if self.endings is None else self.endings
        levels = _check_list("endings", given, _MAX_ENDINGS, "numbers above 0", _is_positive)
        _check_rising("endings", levels)
        if levels and self.representation != "events":
            raise ValueError(
                f"endings must be empty but on note events, got {show_value(self.endings)}"
            )
        self.endings = [float(level) for level in levels]

    def _check_attention(self) -> None:
        check_whole("recall_heads", self.recall_heads, 0, _MAX_HEADS)
        check_whole("n_blocks", self.n_blocks, 1, _MAX_LAYERS)
        check_whole("n_heads", self.n_heads, 1, _MAX_HEADS)
        check_whole("view", self.view, 2, _MAX_VIEW)
        for name in ("hears_ends", "lets_ring"):
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise ValueError(f"{name} must be true or false, got {show_value(value)}")
        is_of_notes = self.recall_heads or self.hears_ends or self.lets_ring
        if self.representation != "events" and (is_of_notes or self.backbone in LOOKING_BACK):
            raise ValueError(
                "representation must be 'events' for attention, recall_heads, hears_ends and "
                f"lets_ring, got {show_value(self.representation)}"
            )
        if self.backbone in LOOKING_BACK and self.dense_size % (4 * self.n_heads):
            raise ValueError(f"dense_size must be a multiple of 4 * n_heads, got {self.dense_size}")

    def choices(self) -> dict[str, Any]:
        """Returns the attributes above by name, to build an architecture like this one."""
        return {f.name: getattr(self, f.name) for f in fields(Architecture)}

    def composer_number(self, name: str | None) -> int:
        """Returns the number the model takes for a composer's short name, 0 for None and "any".

        Raises:
            ValueError: if the model does not know the composer.
        """
        known = self.composers or []
        if name is None or name == ANYBODY:
            return 0
        if name not in known:
            names = ", ".join((*known, ANYBODY)) if known else "none: this model knows no composers"
            raise ValueError(f"composer must be one of {names}; got {show_value(name)}")
        return 1 + known.index(name)

    def density_number(self, notes_a_second: float | None) -> int:
        """Returns the number the model takes for a density, 0 for None and where it knows none.

        It is that of the level with the least ratio to it, either way.
        """
        levels = self.densities or []
        if not levels or notes_a_second is None:
            return 0
        asked = max(notes_a_second, levels[0])
        return 1 + min(range(len(levels)), key=lambda i: abs(math.log(levels[i] / asked)))

    def ending_numbers(self, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
        """Returns the numbers the model takes for seconds left of a piece, alike in shape.

        Each is that of the next level above, or of the last, which stands for all beyond.
        """
        levels = self.endings or []
        return 1 + np.minimum(np.searchsorted(levels, seconds), max(0, len(levels) - 1))


def read_architecture(table: Mapping[str, Any]) -> Architecture:
    """Returns the architecture that a table of values (a `config.json`) describes, checked.

    Keys that are not of the architecture are left out: transformers writes its own beside them, and
    later releases may write more.

    Raises:
        ValueError: if a value is of the wrong type or out of its range.
    """
    known = {f.name for f in fields(Architecture)}
    architecture = Architecture(**{name: v for name, v in table.items() if name in known})
    architecture.check()
    return architecture


def check_choices(choices: Mapping[str, Any]) -> None:
    """Raises ValueError unless a table's keys are all an architecture's, none misspelt say."""
    if not isinstance(choices, Mapping):
        raise ValueError(f"model must be a table of config values, got {show_value(choices)}")
    known = [f.name for f in fields(Architecture)]
    for name in choices:
        if name not in known:
            raise ValueError(f"model must hold keys of {', '.join(known)}; got {show_value(name)}")


def _check_list(
    name: str, value: Any, most: int, kind: str, fits: Callable[[object], bool]
) -> list[Any]:
    """Returns a short list whose parts all fit."""
    is_list = isinstance(value, list | tuple) and len(value) <= most
    if not is_list or not all(map(fits, value)):
        raise ValueError(f"{name} must be a list of at most {most} {kind}, got {show_value(value)}")
    return list(value)


def _check_rising(name: str, numbers: Sequence[float]) -> None:
    if any(low >= high for low, high in pairwise(numbers)):
        raise ValueError(f"{name} must rise, got {show_value(numbers)}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_positive(value: object) -> bool:
    return _is_number(value) and 0 < value < 1e6  # type: ignore[operator]
