"""Pictures: what a roll shows is read back from the figure and from its pixels."""

import threading
from pathlib import Path

import matplotlib.pyplot
import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.image import imread

from pyzzicato import plots
from pyzzicato.notes import Note
from pyzzicato.plots import (
    ACCENT,
    INK,
    RECURRING,
    plot_composers,
    plot_losses,
    plot_pianoroll,
    save_png,
)

SEED = [Note(60, 0.0, 1.0, 64), Note(64, 1.0, 2.5, 127), Note(67, 3.0, 5.5, 1)]
NEW = [Note(72, 5.0, 6.0, 100), Note(48, 6.0, 9.0, 30)]
COMPOSERS = [("Frédéric Chopin", 201, 70), ("Johann Sebastian Bach", 145, 80)]


def collections(figure: Figure) -> list[PolyCollection]:
    """Returns the bars of a roll: seed, then continuation."""
    return [c for c in figure.axes[0].collections if isinstance(c, PolyCollection)]


def boxes(bars: PolyCollection) -> list[tuple[float, ...]]:
    """Returns left, right and middle height of each bar."""
    corners = [path.vertices for path in bars.get_paths()]
    return [(c[:, 0].min(), c[:, 0].max(), (c[:, 1].min() + c[:, 1].max()) / 2) for c in corners]


def pixels(figure: Figure) -> npt.NDArray[np.uint8]:
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def tick_names(figure: Figure) -> dict[float, str]:
    axes = figure.axes[0]
    return {
        float(place): label.get_text()
        for place, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
    }


def test_bars_lie_at_the_notes() -> None:
    seed, new = collections(plot_pianoroll(SEED, NEW, 5.0))
    assert boxes(seed) == pytest.approx(np.array([(n.start, n.end, n.pitch) for n in SEED]))
    assert boxes(new) == pytest.approx(np.array([(n.start, n.end, n.pitch) for n in NEW]))


def test_velocity_is_opacity() -> None:
    seed, new = collections(plot_pianoroll(SEED, NEW, 5.0))
    mezzo, forte, soft = np.asarray(seed.get_facecolor())[:, 3]
    assert 0.2 < soft < mezzo < forte == 1.0
    assert np.allclose(np.asarray(seed.get_facecolor())[:, :3], to_rgb(INK))
    assert np.allclose(np.asarray(new.get_facecolor())[:, :3], to_rgb(ACCENT))


def test_seed_and_continuation_differ_without_colour() -> None:
    figure = plot_pianoroll(SEED, NEW, 5.0)
    seed, new = collections(figure)
    # Outlined bars against plain ones, a line between the two, and words.
    assert len(seed.get_edgecolor()) == 0
    assert len(new.get_edgecolor()) == 1
    assert new.get_linewidth()[0] > 0.5
    lines = [line.get_xdata() for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert lines == [[5.0, 5.0]]
    legend = figure.axes[0].get_legend()
    assert legend is not None
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["seed: 5 s, 3 notes", "continuation: 2 notes"]
    # The ground of the seed is darker than that of the continuation, in grey too.
    grey = pixels(figure)[:, :, :3].mean(axis=2)
    axes = figure.axes[0]
    heights = [len(grey) - int(axes.transData.transform((0, 62))[1])]
    left, right = (int(axes.transData.transform((x, 62))[0]) for x in (4.5, 8.5))
    assert grey[heights[0], left] < grey[heights[0], right] - 5


def test_returns_to_the_seed_are_dotted_lines_and_named() -> None:
    notes = [Note(60, 0.0, 30.0, 64)]
    plain = plot_pianoroll([], notes, 4.0)
    marked = plot_pianoroll([], notes, 4.0, returns=[12.5, 20.0])
    n_plain = len(plain.axes[0].lines)
    added = marked.axes[0].lines[n_plain:]
    assert [list(line.get_xdata()) for line in added] == [[12.5, 12.5], [20.0, 20.0]]
    texts = [[t.get_text() for t in f.axes[0].get_legend().get_texts()] for f in (plain, marked)]
    assert texts[1] == [*texts[0], "brought back to the seed"]


def test_notes_of_figures_that_come_back_have_a_colour_and_are_counted() -> None:
    new = [Note(60, 2.0, 3.0, 70), Note(64, 3.0, 4.0, 70), Note(67, 4.0, 5.0, 70)]
    figure = plot_pianoroll([], new, 1.0, recurring=new[1:])
    plain, back = collections(figure)
    assert [len(boxes(bars)) for bars in (plain, back)] == [1, 2]
    assert to_rgb(back.get_facecolor()[0][:3]) == pytest.approx(to_rgb(RECURRING))
    (legend,) = [axes.get_legend() for axes in figure.axes]
    assert "2 notes in figures that come back" in [text.get_text() for text in legend.get_texts()]


def test_octaves_are_named_and_the_range_is_fitted() -> None:
    figure = plot_pianoroll(SEED, NEW, 5.0)
    assert tick_names(figure) == {48.0: "C3", 60.0: "C4", 72.0: "C5"}
    bottom, top = figure.axes[0].get_ylim()
    assert (bottom, top) == (45.5, 74.5)


@pytest.mark.parametrize("pitch", [21, 22, 61, 66, 107, 108])
def test_two_octaves_are_shown_whatever_is_played(pitch: int) -> None:
    figure = plot_pianoroll([Note(pitch, 0, 1, 90)], [], 1.0)
    bottom, top = figure.axes[0].get_ylim()
    assert top - bottom == 25
    assert bottom >= 20.5
    assert top <= 108.5
    assert bottom < pitch < top
    assert len(tick_names(figure)) in (2, 3)


def test_the_whole_keyboard_fits() -> None:
    figure = plot_pianoroll([Note(21, 0, 1, 90)], [Note(108, 1, 2, 90)], 1.0)
    assert figure.axes[0].get_ylim() == (20.5, 108.5)
    assert tick_names(figure)[108.0] == "C8"
    assert min(tick_names(figure).values()) == "C1"


def test_time_runs_in_seconds_to_the_last_offset_or_beyond() -> None:
    assert plot_pianoroll(SEED, NEW, 5.0).axes[0].get_xlim() == (0, 9.0)
    assert plot_pianoroll(SEED, [], 5.0).axes[0].get_xlim() == (0, 5.5)
    assert plot_pianoroll(SEED, [], 10.0).axes[0].get_xlim() == (0, 10.0)
    assert plot_pianoroll(SEED, NEW, 5.0, end_seconds=35.0).axes[0].get_xlim() == (0, 35.0)
    assert plot_pianoroll(SEED, NEW, 5.0).axes[0].get_xlabel().startswith("seconds")


def test_nothing_to_draw_is_an_empty_roll() -> None:
    figure = plot_pianoroll([], [], 0.0)
    assert collections(figure) == []
    assert tick_names(figure) == {48.0: "C3", 60.0: "C4", 72.0: "C5"}
    assert len(pixels(figure)) > 0


def test_negative_seed_length() -> None:
    with pytest.raises(ValueError, match="seed_seconds must be 0 or above, got -1"):
        plot_pianoroll(SEED, NEW, -1)


def test_title_is_taken_as_it_is_and_shortened() -> None:
    def title(text: str) -> str:
        figure = plot_pianoroll(SEED, NEW, 5.0, text)
        pixels(figure)
        return figure.axes[0].get_title(loc="left")

    assert title("two $ signs $") == "two $ signs $"
    assert title("x" * 200) == "x" * 89 + "…"


def test_ten_minutes_of_thousands_of_notes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    starts = np.sort(rng.uniform(0, 599, 8000))
    notes = [
        Note(int(p), float(s), float(s) + 0.4, int(v))
        for s, p, v in zip(
            starts, rng.integers(21, 109, 8000), rng.integers(1, 128, 8000), strict=True
        )
    ]
    figure = plot_pianoroll(notes[:130], notes[130:], 10.0)
    assert [len(bars.get_paths()) for bars in collections(figure)] == [130, 7870]
    # A handful of artists, not one a note.
    assert len(figure.axes[0].get_children()) < 150
    picture = imread(save_png(figure, tmp_path / "long.png"))
    red = (picture[:, :, 0] - picture[:, :, 2] > 0.2).sum(axis=0)
    assert (red[len(red) // 20 : -len(red) // 20] > 0).mean() > 0.95


def test_figures_leave_no_global_state_and_agree_between_threads(tmp_path: Path) -> None:
    def draw(name: str) -> None:
        save_png(plot_pianoroll(SEED, NEW, 5.0, "Title"), tmp_path / name)

    threads = [threading.Thread(target=draw, args=(f"{i}.png",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    drawn = [(tmp_path / f"{i}.png").read_bytes() for i in range(4)]
    assert drawn[0][:8] == b"\x89PNG\r\n\x1a\n"
    assert len(set(drawn)) == 1
    assert matplotlib.pyplot.get_fignums() == []


def test_save_png_says_where_it_cannot_write(tmp_path: Path) -> None:
    figure = plot_composers(COMPOSERS)
    assert save_png(figure, str(tmp_path / "a.png")) == tmp_path / "a.png"
    for place in (tmp_path / "absent" / "a.png", tmp_path):
        with pytest.raises(ValueError, match="cannot be written: .*; choose an existing folder"):
            save_png(figure, place)


def test_composers_are_drawn_in_order_with_both_numbers() -> None:
    figure = plot_composers(COMPOSERS)
    axes = figure.axes[0]
    assert list(tick_names(figure).values()) == ["Frédéric Chopin", "Johann Sebastian Bach"]
    # The first row is the upper one.
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert [bar.get_width() for bar in axes.patches] == [201, 145, 70, 80]
    assert [text.get_text() for text in axes.texts] == ["201", "145", "70", "80"]
    works = [bar.get_hatch() for bar in axes.patches[2:]]
    assert works == ["////", "////"]
    assert axes.get_title(loc="left") == "The 2 most played composers"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "rows must hold at least one composer"),
        ([("Bach", 3, 4)], "works must be 0 to the number of pieces, got 4 works in 3"),
        ([("Bach", 3, -1)], "got -1 works"),
    ],
)
def test_bad_composer_rows(rows: list[tuple[str, int, int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plot_composers(rows)


def test_losses_are_drawn_by_steps_and_by_time() -> None:
    curves = {"a": [(1.0, 5.0, 9.0), (2.0, 10.0, 8.0)], "b": [(3.0, 4.0, 7.5)]}
    figure = plot_losses(curves, "nats a note", "Two runs")
    seen, minutes = figure.axes
    assert [list(map(float, line.get_xdata())) for line in seen.lines] == [[1, 2], [3]]
    assert [list(map(float, line.get_xdata())) for line in minutes.lines] == [[5, 10], [4]]
    assert [list(map(float, line.get_ydata())) for line in minutes.lines] == [[9, 8], [7.5]]
    assert (seen.get_xlabel(), minutes.get_xlabel()) == ("millions of notes seen", "minutes")
    assert seen.get_ylabel() == "held-out loss, nats a note"
    assert [text.get_text() for text in minutes.get_legend().get_texts()] == ["a", "b"]
    for wrong, words in (
        ({}, "got none"),
        ({"c": []}, "got ..c"),
    ):
        with pytest.raises(ValueError, match=f"curves must hold runs with a look .*{words}"):
            plot_losses(wrong, "nats a note")


# --- Titles in any script


def title_of(figure: Figure) -> str:
    return figure.axes[0].get_title(loc="left")


def test_a_title_that_no_font_has_is_left_out_without_a_warning(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.setattr(plots, "_WIDE_FONTS", ())
    plots._fonts_for.cache_clear()
    for title in ("月の光", "Étude 月", "\U0001f3b9", "a\udce9"):
        figure = plot_pianoroll(SEED, NEW, 5.0, title)
        assert title_of(figure) == ""
        pixels(figure)
    assert title_of(plot_pianoroll(SEED, NEW, 5.0, "Étude, Ноктюрн, Σπουδή ♪")) != ""
    assert not [w for w in recwarn if "Glyph" in str(w.message)]
    plots._fonts_for.cache_clear()


def test_a_title_is_drawn_in_a_font_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    path = square_font(tmp_path / "squares.ttf", "Squares", "月の光")
    monkeypatch.setattr(plots, "_WIDE_FONTS", ("Squares",))
    monkeypatch.setattr(fontManager, "ttflist", list(fontManager.ttflist))
    fontManager.addfont(path)
    plots._fonts_for.cache_clear()
    drawn = plot_pianoroll(SEED, NEW, 5.0, "Étude 月の光")
    assert title_of(drawn) == "Étude 月の光"
    assert (pixels(drawn) != pixels(plot_pianoroll(SEED, NEW, 5.0, "Étude"))).any()
    assert title_of(plot_pianoroll(SEED, NEW, 5.0, "日")) == ""
    assert not [w for w in recwarn if "Glyph" in str(w.message)]
    plots._fonts_for.cache_clear()


def square_font(path: Path, family: str, characters: str) -> Path:
    """Writes a font in which each of the characters is a square."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for corner in ((100, 800), (900, 800), (900, 0)):
        pen.lineTo(corner)
    pen.closePath()
    square = pen.glyph()
    names = [".notdef", *(f"c{i}" for i in range(len(characters)))]
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord(c): f"c{i}" for i, c in enumerate(characters)})
    font.setupGlyf(dict.fromkeys(names, square))
    font.setupHorizontalMetrics(dict.fromkeys(names, (1000, 100)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": family, "styleName": "Regular"})
    font.setupOS2(sTypoAscender=800, usWeightClass=400)
    font.setupPost()
    font.save(path)
    return path
