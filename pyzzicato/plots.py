"""Pictures: notes and tables -> matplotlib figures.

Figures are built from objects (no pyplot, no global state), so that several threads may draw at
once. Seed and continuation differ in three ways, for readers who see few colours: the seed lies on
a tinted ground and has plain bars, the continuation has outlined bars in a warm colour, and a line
marks where one becomes the other.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from pyzzicato.notes import HIGHEST_PITCH, LOWEST_PITCH, Note, end_of

INK = "#26303b"
"""Colour of the seed, and of text."""
ACCENT = "#c8553d"
"""Colour of the continuation."""
RECURRING = "#2f7f93"
"""Colour of new notes whose figure comes back."""

_PAPER = "#fffdf9"
_SEED_GROUND = "#eceff1"
_ACCENT_EDGE = "#6e2414"
_RECURRING_EDGE = "#123f4a"
_FAINT = "#c9c4ba"
_MUTED = "#6c6a66"

_DPI = 150
_OCTAVE = 12
_BLACK_KEYS = (1, 3, 6, 8, 10)
# At least two octaves are shown, so that a C is among the pitches whatever is played.
_LEAST_SPAN = 2 * _OCTAVE
_MARGIN_PITCHES = 2
_BAR_HEIGHT = 0.84
# The softest note must still be seen on paper.
_LEAST_OPACITY = 0.3
_LONGEST_TITLE = 90
# Fonts with Chinese, Japanese or Korean characters, as systems have them.
_WIDE_FONTS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans JP",
    "Noto Sans SC",
    "Noto Sans KR",
    "Source Han Sans",
    "Source Han Sans JP",
    "Source Han Sans SC",
    "IPAexGothic",
    "IPAGothic",
    "TakaoGothic",
    "VL Gothic",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "Unifont",
    "NanumGothic",
    "Hiragino Sans",
    "Hiragino Sans GB",
    "PingFang SC",
    "Apple SD Gothic Neo",
    "Arial Unicode MS",
    "Yu Gothic",
    "Meiryo",
    "MS Gothic",
    "Microsoft YaHei",
    "SimSun",
    "Malgun Gothic",
)


def plot_pianoroll(
    seed_notes: Iterable[Note],
    new_notes: Iterable[Note],
    seed_seconds: float,
    title: str | None = None,
    end_seconds: float | None = None,
    returns: Sequence[float] = (),
    recurring: Sequence[Note] = (),
) -> Figure:
    """Returns a piano roll of a seed and its continuation.

    Time runs to the right in seconds, pitch upwards with a line at each C, in a range fitted to the
    notes. The harder a note was struck, the more opaque its bar. Without notes an empty roll is
    drawn.

    Args:
        seed_notes: the seed, in seconds from its own beginning.
        new_notes: the continuation, on the same time axis.
        seed_seconds: where the continuation begins, at or above 0.
        title: written above the roll.
        end_seconds: where the time axis ends, for a continuation that ends in silence; at least to
            the last offset.
        returns: where playing was brought back to the seed, drawn as dotted lines; seconds on the
            same axis.
        recurring: those of the new notes that belong to figures which come back; in another colour.

    Raises:
        ValueError: if `seed_seconds` is below 0.
    """
    if seed_seconds < 0:
        raise ValueError(f"seed_seconds must be 0 or above, got {seed_seconds}; 0 is no seed")
    seed, new = list(seed_notes), list(new_notes)
    length = max(end_of(seed + new), seed_seconds, end_seconds or 0.0, 1.0)
    lowest, highest = _pitch_range(seed + new)

    # A long piece is wider, up to what still fits on a page.
    width = float(np.clip(8.0 + length / 15.0, 10.0, 16.0))
    height = float(np.clip(1.6 + 0.072 * (highest - lowest), 4.0, 6.0))
    figure = _new_figure(width, height)
    axes = figure.add_subplot()
    axes.set(xlim=(0.0, length), ylim=(lowest - 0.5, highest + 0.5))
    _draw_keyboard(axes, lowest, highest)
    if seed_seconds > 0:
        axes.axvspan(0, seed_seconds, color=_SEED_GROUND, zorder=0.5, linewidth=0)
        axes.axvline(seed_seconds, color=INK, linewidth=1.1, linestyle=(0, (4, 2)), zorder=4)
    for seconds in returns:
        axes.axvline(seconds, color=INK, linewidth=1.1, linestyle=(0, (1, 3)), zorder=4)
    # Outlines as fine as the bars: in ten minutes of music a bar is a pixel wide.
    outline = float(np.clip(30.0 / length, 0.15, 0.7))
    _draw_notes(axes, seed, INK, None, 0.0)
    back = set(recurring)
    _draw_notes(axes, [note for note in new if note not in back], ACCENT, _ACCENT_EDGE, outline)
    if recurring:
        _draw_notes(axes, recurring, RECURRING, _RECURRING_EDGE, outline)
    _label_roll(axes, len(seed), len(new), seed_seconds, title, len(returns), len(recurring))
    return figure


def plot_composers(rows: Sequence[tuple[str, int, int]], title: str | None = None) -> Figure:
    """Returns a bar chart of how often composers are played: pieces beside distinct works.

    Args:
        rows: composer, pieces (performances), distinct works among them; drawn from top to bottom.
        title: written above the chart.

    Raises:
        ValueError: if there are no rows, or a composer has more works than pieces.
    """
    if not rows:
        raise ValueError("rows must hold at least one composer, got none; is the catalogue empty?")
    for name, n_pieces, n_works in rows:
        if not 0 <= n_works <= n_pieces:
            raise ValueError(
                f"works must be 0 to the number of pieces, got {n_works} works in {n_pieces} "
                f"pieces of {name}; are the columns swapped?"
            )
    figure = _new_figure(9.0, 1.3 + 0.42 * len(rows))
    axes = figure.add_subplot()
    places = np.arange(len(rows))
    series = (
        ("pieces (performances)", 1, INK, -0.19, None),
        ("distinct works", 2, ACCENT, 0.19, "////"),
    )
    for label, column, colour, offset, hatch in series:
        values = [int(row[column]) for row in rows]
        bars = axes.barh(
            places + offset, values, 0.36, color=colour, label=label, hatch=hatch, edgecolor=_PAPER
        )
        axes.bar_label(bars, padding=3, fontsize=8, color=_MUTED)
    axes.set_yticks(places, [row[0] for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, 1.08 * max(1, *(row[1] for row in rows)))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    axes.grid(axis="x", color=_FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel("number in the catalogue")
    axes.legend(loc="lower right", frameon=False, labelcolor=INK)
    _style(axes, title or f"The {len(rows)} most played composers")
    return figure


def plot_losses(
    curves: Mapping[str, Sequence[tuple[float, float, float]]], unit: str, title: str | None = None
) -> Figure:
    """Returns held-out losses of several runs side by side: by what they had seen, and by time.

    Args:
        curves: of each run by name, its looks as (millions of steps seen, minutes, loss).
        unit: of the losses, "nats a note" say.
        title: written above the picture.

    Raises:
        ValueError: if there are no runs, or one without looks.
    """
    empty = [name for name, looks in curves.items() if not looks]
    if empty or not curves:
        raise ValueError(f"curves must hold runs with a look at least, got {empty or 'none'}")
    figure = _new_figure(9.0, 3.6)
    panels = figure.subplots(1, 2, sharey=True)
    lines = ("-", "--", "-.", ":")
    for i, (name, looks) in enumerate(curves.items()):
        seen, minutes, losses = zip(*looks, strict=True)
        look = {
            "color": (INK, ACCENT, RECURRING, _MUTED)[i % 4],
            "linestyle": lines[i % 4],
            "marker": ".",
        }
        for axes, places in zip(panels, (seen, minutes), strict=True):
            axes.plot(places, losses, label=name, **look)
    of_what = unit.rpartition(" ")[2]
    for axes, label in zip(panels, (f"millions of {of_what}s seen", "minutes"), strict=True):
        axes.set_xlabel(label)
        axes.set_xlim(left=0)
        axes.grid(color=_FAINT, linewidth=0.6)
        _style(axes, title if axes is panels[0] else None)
    panels[0].set_ylabel(f"held-out loss, {unit}")
    panels[1].legend(frameon=False, labelcolor=INK)
    return figure


def save_png(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Writes a figure as PNG and returns its path; the same figure gives the same bytes.

    Raises:
        ValueError: if the file cannot be written.
    """
    target = Path(path)
    try:
        # Without the name of the library's version, which PNG files would carry.
        figure.savefig(target, format="png", metadata={"Software": None})
    except OSError as error:
        raise ValueError(
            f"picture {target} cannot be written: {error.strerror}; choose an existing folder you "
            "may write to"
        ) from error
    return target


def _new_figure(width: float, height: float) -> Figure:
    """Returns an empty figure (inches) on a canvas of its own."""
    figure = Figure(figsize=(width, height), dpi=_DPI, facecolor=_PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _pitch_range(notes: Sequence[Note]) -> tuple[int, int]:
    """Returns the lowest and highest pitch to show, ends included; C3 to C5 without notes."""
    lowest = min((note.pitch for note in notes), default=50) - _MARGIN_PITCHES
    highest = max((note.pitch for note in notes), default=70) + _MARGIN_PITCHES
    missing = max(0, _LEAST_SPAN - (highest - lowest))
    lowest -= missing // 2
    highest += missing - missing // 2
    # Moved back onto the keyboard rather than cut, to keep the span.
    shift = max(0, LOWEST_PITCH - lowest) - max(0, highest - HIGHEST_PITCH)
    return max(LOWEST_PITCH, lowest + shift), min(HIGHEST_PITCH, highest + shift)


def _draw_keyboard(axes: Axes, lowest: int, highest: int) -> None:
    """Draws the rows of the black keys, and a line and a name at each C."""
    black = [p for p in range(lowest, highest + 1) if p % _OCTAVE in _BLACK_KEYS]
    axes.barh(black, axes.get_xlim()[1], height=1.0, color=INK, alpha=0.035, zorder=0.6)
    octaves = [p for p in range(lowest, highest + 1) if p % _OCTAVE == 0]
    for pitch in octaves:
        axes.axhline(pitch - 0.5, color=_FAINT, linewidth=0.8, zorder=0.8)
    # MIDI's 60 is C4, the middle C.
    axes.set_yticks(octaves, [f"C{pitch // _OCTAVE - 1}" for pitch in octaves])


def _draw_notes(
    axes: Axes, notes: Sequence[Note], colour: str, edge: str | None, outline: float
) -> None:
    """Draws one bar a note, all in one collection: thousands take no longer than one."""
    if not notes:
        return
    left, right, middle, velocity = np.array(
        [(n.start, n.end, n.pitch, n.velocity) for n in notes], dtype=np.float64
    ).T
    bottom, top = middle - _BAR_HEIGHT / 2, middle + _BAR_HEIGHT / 2
    # (notes, corners, x and y)
    corners = np.stack([left, bottom, left, top, right, top, right, bottom], axis=1)
    bars = PolyCollection(
        list(corners.reshape(-1, 4, 2)),
        facecolors=_shades(colour, velocity),
        edgecolors="none" if edge is None else edge,
        linewidths=outline,
        zorder=3,
    )
    axes.add_collection(bars, autolim=False)


def _shades(colour: str, velocity: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Returns one RGBA row a note, more opaque the harder it is struck (1 to 127)."""
    rgba = np.empty((len(velocity), 4))
    rgba[:, :3] = to_rgb(colour)
    rgba[:, 3] = _LEAST_OPACITY + (1.0 - _LEAST_OPACITY) * velocity / 127.0
    return rgba


def _label_roll(
    axes: Axes,
    n_seed: int,
    n_new: int,
    seed_seconds: float,
    title: str | None,
    n_returns: int,
    n_recurring: int,
) -> None:
    """Writes title, key and axes of a piano roll."""
    key: list[Artist] = [
        Patch(facecolor=INK, label=f"seed: {seed_seconds:g} s, {_counted(n_seed)}"),
        Patch(facecolor=ACCENT, edgecolor=_ACCENT_EDGE, label=f"continuation: {_counted(n_new)}"),
    ]
    if n_recurring:
        label = f"{_counted(n_recurring)} in figures that come back"
        key.append(Patch(facecolor=RECURRING, edgecolor=_RECURRING_EDGE, label=label))
    if n_returns:
        line = Line2D([], [], color=INK, linestyle=(0, (1, 3)), label="brought back to the seed")
        key.append(line)
    inches = axes.figure.dpi_scale_trans
    axes.legend(
        handles=key,
        # In the line of the axis' name, where no title can run into it.
        loc="upper right",
        bbox_to_anchor=(1.0, 0.0),
        bbox_transform=axes.transAxes + ScaledTranslation(0, -16 / 72, inches),
        ncols=len(key),
        frameon=False,
        handlelength=1.4,
        labelcolor=INK,
    )
    axes.set_xlabel("seconds (the darker a note, the harder it is struck)", loc="left")
    axes.set_ylabel("pitch")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=14, steps=[1, 2, 5, 10]))
    _style(axes, title)


def _counted(n_notes: int) -> str:
    """Returns "1 note", "2,000 notes"."""
    return f"{n_notes:,} note" + ("" if n_notes == 1 else "s")


def _style(axes: Axes, title: str | None) -> None:
    """Gives a chart its title and the project's quiet frame."""
    axes.set_facecolor(_PAPER)
    axes.tick_params(colors=_MUTED, labelcolor=INK, length=3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_FAINT)
    axes.xaxis.label.set_color(_MUTED)
    axes.yaxis.label.set_color(_MUTED)
    shown = " ".join((title or "").split())
    if len(shown) > _LONGEST_TITLE:
        shown = shown[: _LONGEST_TITLE - 1] + "…"
    families = _fonts_for(shown)
    if shown and families:
        # A title may be a file's name: a dollar sign in it begins no formula.
        axes.set_title(
            shown,
            loc="left",
            color=INK,
            fontweight="bold",
            fontfamily=families,
            pad=10,
            parse_math=False,
        )


@lru_cache(maxsize=256)
def _fonts_for(text: str) -> tuple[str, ...]:
    """Returns the font families that have all characters of a text; none if there are none.

    The usual font comes first, then the first of `_WIDE_FONTS` that has what it lacks.
    """
    usual = FontProperties().get_family()
    missing = _missing(text, findfont(FontProperties(family=usual)))
    if not missing:
        return tuple(usual)
    installed = {entry.name: entry.fname for entry in fontManager.ttflist}
    for name in _WIDE_FONTS:
        if name in installed and not _missing(missing, installed[name]):
            return (*usual, name)
    return ()


def _missing(text: str, path: str) -> str:
    """Returns the characters of a text that a font file lacks; all of them if it is broken."""
    try:
        known = get_font(path).get_charmap()
    except (OSError, RuntimeError):
        return text
    return "".join(c for c in text if ord(c) not in known)
