"""The report's pictures: measures side by side, and rolls of the best, median and worst piece."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..notes import shift_notes
from ..plots import ACCENT, INK, plot_pianoroll, save_png
from .excerpts import Excerpt
from .measures import REAL, PieceMeasures, scalar_columns
from .recurrence import recurring_notes
from .report_sections import MEASURE_TITLES
from .systems import file_stem

Sets = Mapping[str, Sequence[PieceMeasures]]
Pictures = list[tuple[str, str]]
"""Title and file name of each picture."""

RANKED_BY = (
    "notes_a_second",
    "silent_share",
    "drift",
    "distinct_8grams",
    "window_entropy",
    "kinship",
)
"""Measures by which a continuation is ranked: how far it lies from real music in each."""
FARTHEST = 5.0
"""Farther from real music than this, or undefined, counts as much as this."""

_SHOWN = (*RANKED_BY, "pitch_range", "polyphony", "longest_notes")
_CAPTION = (
    "Points are pieces, boxes the middle half of them, lines 90%; the grey band is 90% of the real "
    "ones"
)
_COLUMNS = 3
_PAPER = "#fffdf9"
_GRID = "#c9c4ba"
_SMALLEST_HALF_RANGE = 1e-6
_NOTHING: dict[str, Any] = {"color": _GRID, "fontsize": 8, "va": "center"}


def draw_measures(sets: Sets, folder: Path, emphasised: Collection[str] = ()) -> Pictures:
    """Draws `measures.png` into a folder.

    Args:
        sets: pieces by the name of who made them, one at least.
        folder: of the report, existing.
        emphasised: sets in full colour.
    """
    file = "measures.png"
    save_png(plot_measures(sets, emphasised), folder / file)
    return [(_CAPTION, file)]


def draw_rolls(name: str, excerpts: Mapping[str, Excerpt], folder: Path) -> Pictures:
    """Draws rolls of some of a set's pieces, seeds included, into a folder.

    New notes that belong to figures of six notes which come back have a colour of their own.

    Args:
        name: of the set.
        excerpts: by what each is an example of ("best").
        folder: of the report, existing.
    """
    pictures = []
    for word, excerpt in excerpts.items():
        border, end = excerpt.seed_seconds, excerpt.seed_seconds + excerpt.seconds
        new = shift_notes(excerpt.notes, border)
        title = f"{name}, {word}: {excerpt.name}"
        file = f"roll-{file_stem(name)}-{word}.png"
        back = recurring_notes(new)
        roll = plot_pianoroll(excerpt.seed, new, border, title, end, recurring=back)
        save_png(roll, folder / file)
        pictures.append((title, file))
    return pictures


def choose_pieces(pieces: Sequence[PieceMeasures], real: Sequence[PieceMeasures]) -> dict[str, int]:
    """Returns the numbers of the "best", the "median" and the "worst" piece by `rank_pieces`."""
    order = rank_pieces(pieces, real)
    return {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}


def rank_pieces(pieces: Sequence[PieceMeasures], real: Sequence[PieceMeasures]) -> list[int]:
    """Returns the pieces' numbers, the one most like real music first; equal ones in their order.

    A piece's distance is the mean over `RANKED_BY` of how far it lies from the real median, in
    halves of the range of 90 % of the real pieces, at most `FARTHEST` each. Measures that no real
    piece has are left out.
    """
    theirs, ours = scalar_columns(real), scalar_columns(pieces)
    distances = np.zeros(len(pieces))
    for name in RANKED_BY:
        known = [value for value in theirs.get(name, ()) if value is not None]
        if not known:
            continue
        low, middle, high = (float(p) for p in np.percentile(known, (5, 50, 95)))
        half = max((high - low) / 2, _SMALLEST_HALF_RANGE)
        distances += [
            FARTHEST if value is None else min(FARTHEST, abs(value - middle) / half)
            for value in ours[name]
        ]
    return [int(i) for i in np.argsort(distances, kind="stable")]


def plot_measures(sets: Sets, emphasised: Collection[str] = ()) -> Figure:
    """Returns a figure with one panel a measure and one row a set.

    Each piece is a point; the bar spans the middle half of the pieces, the line 90 %, the mark is
    the median. The band behind spans 90 % of the real pieces. A set without values has an empty
    row.

    Args:
        sets: pieces by the name of who made them, one set at least.
        emphasised: sets in full colour.
    """
    columns = {name: scalar_columns(pieces) for name, pieces in sets.items()}
    values = {
        measure: {
            name: [v for v in column.get(measure, ()) if v is not None]
            for name, column in columns.items()
        }
        for measure in _SHOWN
    }
    shown = [measure for measure in _SHOWN if any(values[measure].values())]
    n_rows = max(1, -(-len(shown) // _COLUMNS))
    size = (4.2 * _COLUMNS, (1.0 + 0.3 * len(sets)) * n_rows)
    figure = Figure(figsize=size, dpi=110, facecolor=_PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    for i, measure in enumerate(shown):
        axes = figure.add_subplot(n_rows, _COLUMNS, i + 1)
        _draw_panel(axes, values[measure], emphasised)
        axes.set_title(MEASURE_TITLES[measure], fontsize=10, loc="left", color=INK)
        axes.tick_params(axis="y", labelleft=i % _COLUMNS == 0)
    return figure


def _draw_panel(
    axes: Axes, values: Mapping[str, Sequence[float]], emphasised: Collection[str]
) -> None:
    """Draws one measure of all sets."""
    for row, (name, known) in enumerate(values.items()):
        if not known:
            axes.text(0.01, row, "none", transform=axes.get_yaxis_transform(), **_NOTHING)
            continue
        colour = INK if name == REAL else ACCENT
        strength = 1.0 if name == REAL or name in emphasised else 0.5
        p5, p25, p50, p75, p95 = (float(p) for p in np.percentile(known, (5, 25, 50, 75, 95)))
        if name == REAL:
            axes.axvspan(p5, p95, color=INK, alpha=0.07, linewidth=0, zorder=0)
        axes.plot([p5, p95], [row, row], color=colour, alpha=strength, linewidth=1.2, zorder=2)
        axes.barh(row, p75 - p25, 0.5, p25, color=colour, alpha=strength, zorder=3, linewidth=0)
        # On a ground of its own: the box may be too narrow to show a mark.
        axes.plot(p50, row, "|", color=colour, markersize=12, markeredgewidth=5, zorder=4)
        axes.plot(p50, row, "|", color=_PAPER, markersize=10, markeredgewidth=2, zorder=5)
        # Spread over the row's height in a fixed pattern: points that fall together stay countable.
        heights = row + 0.28 * (np.arange(len(known)) * 0.618 % 1 * 2 - 1)
        axes.scatter(known, heights, s=6, color=colour, alpha=0.3, linewidths=0, zorder=1)
    _widen(axes, [value for known in values.values() for value in known])
    axes.set_yticks(range(len(values)), list(values), color=INK, fontsize=9)
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
    axes.grid(axis="x", color=_GRID, linewidth=0.4)
    axes.set_axisbelow(True)
    axes.set_facecolor(_PAPER)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_GRID)
    axes.tick_params(axis="both", colors=INK, length=0, labelsize=8.5)


def _widen(axes: Axes, values: Sequence[float]) -> None:
    """Gives the axis room beyond the values, and some width if all are alike."""
    low, high = min(values), max(values)
    room = 0.04 * (high - low) or 0.5
    axes.set_xlim(low - room, high + room)
