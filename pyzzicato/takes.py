"""Takes: what a Python user gets when a seed is carried on, to save, to convert and to show.

`continue_seed` and `stream_continuation` are those of `playing.continuation` for music of any kind
(see `sources.read_source`).
"""

import base64
import html
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .checks import check_whole, show_value
from .midi import Performance, midi_bytes, write_midi
from .notes import end_of
from .playing.continuation import Chunk, Continuation
from .playing.continuation import stream_continuation as stream_notes
from .playing.loaded_model import Model
from .playing.settings import MAX_RNG, GenerationSettings
from .representations.pianoroll import FS, Roll, notes_to_roll
from .sources import SeedPiece, read_source

if TYPE_CHECKING:
    import pretty_midi  # type: ignore[import-untyped]
    from matplotlib.figure import Figure

MAX_TAKES = 64
"""Of one call."""


@dataclass(frozen=True, repr=False)
class Take(Continuation):
    """One continuation of a seed, see `Continuation`.

    Attributes:
        source: the piece its seed was cut from.
    """

    source: SeedPiece = field(default=SeedPiece("", ()), compare=False)
    _row: list["Take"] = field(default_factory=list, compare=False)

    @property
    def takes(self) -> tuple["Take", ...]:
        """Returns all takes that were made at once, this one among them."""
        # A take that has been changed since (`dataclasses.replace`) is none of them.
        return tuple(self._row) if any(take is self for take in self._row) else (self,)

    def __repr__(self) -> str:
        row = self.takes
        which = next(i for i, take in enumerate(row, start=1) if take is self)
        part = f"take {which} of {len(row)}, " if len(row) > 1 else ""
        title = f" after {self.source.title}" if self.source.title else ""
        return (
            f"<{part}{len(self.new_notes)} notes in {self.settings.seconds:g} s{title}, "
            f"rng {self.settings.rng}>"
        )

    def save(self, path: str | Path) -> Path:
        """Writes seed and continuation to a file; its ending says as what. Returns the path.

        `.mid` keeps the tempo, metre, key, title and hands of the seed's file and says where the
        seed ends; `.musicxml` is a score, where the seed lies on a grid; `.wav` and `.mp3` are
        sound, `.png` is the piano roll.

        Raises:
            ValueError: if the ending is none of these, an extra is missing, the piece cannot be
                written in that form, or the file cannot be written.
        """
        target = Path(path)
        writers = {
            ".mid": self._save_midi,
            ".midi": self._save_midi,
            ".musicxml": self._save_score,
            ".wav": self._save_sound,
            ".mp3": self._save_sound,
            ".png": self._save_picture,
        }
        writer = writers.get(target.suffix.lower())
        if writer is None:
            raise ValueError(
                f"path must end in {', '.join(sorted(writers))}, got {show_value(target.name)}; "
                "the ending says what is written"
            )
        # Asked before anything is drawn or played, which takes seconds.
        if not target.parent.is_dir():
            raise ValueError(f"path must be in an existing folder, got {target}")
        try:
            return writer(target)
        except ModuleNotFoundError as error:
            extra = "picture" if target.suffix.lower() == ".png" else "audio"
            raise ValueError(missing_extra(extra, error)) from error

    def to_pretty_midi(self) -> "pretty_midi.PrettyMIDI":
        """Returns seed and continuation as `pretty_midi` has them, as `.mid` would be read."""
        import pretty_midi

        data = midi_bytes(
            self.notes,
            like=self.like,
            like_start_s=self.like_start_s,
            seed_seconds=self.seed_seconds or None,
        )
        return pretty_midi.PrettyMIDI(BytesIO(data))

    def to_roll(self, fs: int = FS) -> Roll:
        """Returns seed and continuation as a `(T, 88)` roll of velocities, `fs` frames a second.

        Args:
            fs: 1 or more.
        """
        check_whole("fs", fs, 1, 1000)
        return notes_to_roll(self.notes, fs=fs)

    def plot(self) -> "Figure":
        """Returns the piano roll as a picture (extra `picture`)."""
        # Imported here: playing needs no matplotlib.
        from .plots import plot_pianoroll

        return plot_pianoroll(
            self.seed_notes,
            self.new_notes,
            self.seed_seconds,
            self.source.title,
            end_seconds=max(self.seed_seconds + self.settings.seconds, end_of(self.notes)),
            returns=[self.seed_seconds + rescue.seconds for rescue in self.rescues],
        )

    def _save_midi(self, path: Path) -> Path:
        return write_continuation(self, path)

    def _save_score(self, path: Path) -> Path:
        # Imported here: most pieces become no scores.
        from .score import write_musicxml

        if self.like is None:
            raise ValueError(
                "a score needs notes on a grid, got notes without a tempo; take a seed from a MIDI "
                "file of a score, or ask for quantise=1"
            )
        return write_musicxml(
            self.notes,
            path,
            self.like,
            like_start_s=self.like_start_s,
            title=self.source.title or None,
            division=self.division,
        )

    def _save_sound(self, path: Path) -> Path:
        from .audio import render, write_mp3, write_wav

        sound = render(self.notes)
        return write_mp3(sound, path) if path.suffix.lower() == ".mp3" else write_wav(sound, path)

    def _save_picture(self, path: Path) -> Path:
        from .plots import save_png

        return save_png(self.plot(), path)

    def _repr_html_(self) -> str:
        """Returns the take as a notebook shows it: the roll, and the sound where it can be made."""
        shown = [html.escape(repr(self))]
        with tempfile.TemporaryDirectory() as folder:
            for name, tag in (
                ("take.png", '<img alt="piano roll" src="data:image/png;base64,{}">'),
                ("take.mp3", '<audio controls src="data:audio/mpeg;base64,{}"></audio>'),
            ):
                try:
                    data = self.save(Path(folder, name)).read_bytes()
                except (ValueError, RuntimeError):
                    continue  # Without the extra, or without an engine, the rest is shown.
                shown.append(tag.format(base64.b64encode(data).decode("ascii")))
        return "<br>".join(shown)


def read_piece(model: Model, piece: Any) -> SeedPiece:
    """Returns a piece as a model takes it.

    Args:
        model: from `load_model`.
        piece: what `sources.read_source` takes, or a take: its notes are a piece.

    Raises:
        ValueError: if `model` is none, or `piece` is no music.
    """
    if not isinstance(model, Model):
        raise ValueError(
            f"model must be what load_model returns, got {show_value(model)}; write "
            "load_model('attention-events'), for example"
        )
    if isinstance(piece, Take):
        return SeedPiece(piece.source.title, tuple(piece.notes), name=piece.source.name)
    return read_source(piece, model.config.sustain, model.config.fs)


def continue_seed(
    model: Model,
    seed: Any,
    settings: GenerationSettings | None = None,
    seed_composer: str | None = None,
    on_progress: Callable[[float], None] | None = None,
    *,
    n: int = 1,
) -> Take:
    """Returns a seed and its continuation; of several takes the first, which has all as `takes`.

    Args:
        model: from `load_model`.
        seed: the piece the seed is cut from: a preset or its name, a MIDI file (path, bytes or open
            file), a `PrettyMIDI`, notes, a piano roll `(T, 88)`, or a take; see `read_piece`.
            Notes without a note in the seed's time, `[]` for example, begin a new piece.
        settings: how to carry on; `GenerationSettings()` by default.
        seed_composer: short name of the seed's composer, if he is known and `seed` does not say so.
        on_progress: called with the seconds made so far, about once a second of music.
        n: how many takes, 1 to 64. Take k, from 0, is what `rng + k` makes by itself.

    Raises:
        ValueError: if `seed` is no music, or as `playing.continuation.stream_continuation` says.
    """
    check_whole("n", n, 1, MAX_TAKES)
    settings = settings or GenerationSettings()
    source = read_piece(model, seed)
    if not isinstance(settings, GenerationSettings):
        raise ValueError(
            f"settings must be GenerationSettings, got {show_value(settings)}; write "
            "GenerationSettings(seconds=20), for example"
        )
    row: list[Take] = []
    for k in range(n):
        drawn = replace(settings, rng=(settings.rng + k) % (MAX_RNG + 1))
        for chunk in stream_continuation(model, source, drawn, seed_composer):
            if on_progress is not None:
                on_progress(k * settings.seconds + chunk.seconds)
        assert isinstance(chunk.piece, Take)  # the last chunk holds the whole
        row.append(replace(chunk.piece, _row=row))
    return row[0]


def stream_continuation(
    model: Model,
    seed: Any,
    settings: GenerationSettings | None = None,
    seed_composer: str | None = None,
) -> Iterator[Chunk]:
    """Yields the continuation of a seed about a second of music at a time, as the model plays it.

    The same settings give the same notes on one machine. The last chunk holds the whole as a
    `Take`.

    Args:
        model: from `load_model`.
        seed: the piece the seed is cut from, as `continue_seed` takes it.
        settings: how to carry on; `GenerationSettings()` by default.
        seed_composer: short name of the seed's composer, if he is known and `seed` does not say so.

    Raises:
        ValueError: if `seed` is no music, or as `playing.continuation.stream_continuation` says.
    """
    source = read_piece(model, seed)
    composer = seed_composer or source.composer
    for chunk in stream_notes(model, source.notes, settings, composer, source.performance):
        if chunk.piece is not None:
            chunk = replace(chunk, piece=as_take(chunk.piece, source))
        yield chunk


def write_continuation(
    piece: Continuation,
    path: Path,
    like: Performance | None = None,
    *,
    continuation_only: bool = False,
) -> Path:
    """Writes a continuation as a MIDI file like the one its seed is from; returns the path.

    Args:
        piece: what was played.
        path: of the file.
        like: what the seed was cut from, where the piece does not know it.
        continuation_only: leave the seed out.

    Raises:
        ValueError: if the file cannot be written.
    """
    start, ends = piece.like_start_s, piece.seed_seconds
    like = piece.like or like
    if continuation_only:
        # Nobody waits for the rest of the bar in which the seed ended.
        return write_midi(
            piece.continuation_only, path, like=like, like_start_s=start + ends, whole_bars=False
        )
    return write_midi(piece.notes, path, like=like, like_start_s=start, seed_seconds=ends or None)


def missing_extra(extra: str, error: ModuleNotFoundError) -> str:
    """Returns what to do about a module that an extra would have brought."""
    return f"{error.name} is not installed; run pip install 'pyzzicato[{extra}]'"


def as_take(piece: Continuation, source: SeedPiece) -> Take:
    """Returns a continuation with the piece that its seed was cut from."""
    values = {f.name: getattr(piece, f.name) for f in fields(Continuation)}
    return Take(**values, source=source)
