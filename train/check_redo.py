"""Check that a span played anew leads into what follows it, and that its edges are whole.

    python train/check_redo.py --data-dir MAESTRO --spans 5                      # a taste
    python train/check_redo.py --data-dir MAESTRO --model attention-events --out runs/redo

Spans of held-out pieces are played anew. The model then judges the ten notes after the span, once
given the new middle, once the real one, once plain continuations (the mean of those drawn) and once
a passage from elsewhere in the piece: bits a note. `way` is how far the new middle is from plain to
real. It was chosen by these very notes, so it is also judged by what did not choose it: by the
notes 11 to 20 after the span (`further_`), and by another model, given the ten notes (`other_`).
Plain is one continuation there.

An edge has a gap if nothing is struck across it for longer than anywhere in the ten seconds to both
sides, and half a second. A note is stuck if its key is struck again before it ends, or if it rings
past the right edge for longer than anything did before. What was found so far is written after each
span.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bench_pieces import check_parser, held_out, write_table
from tqdm import tqdm

from pyzzicato.hub import open_model
from pyzzicato.notes import Note, end_of, separate_strokes, shift_notes, sort_notes
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.redo import TRIES, redo_span
from pyzzicato.playing.scoring import nats_after
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.playing.span import Span

NEEDED_S, AFTER_NOTES, AROUND_S, GAP_S, RINGS_S = 120.0, 10, 10.0, 0.5, 0.31
KINDS, JUDGES = ("real", "redone", "plain"), ("", "further_", "other_")
FACTS = {"real": "nats_after_before", "redone": "nats_after", "plain": "nats_after_plain"}
BITS = 1 / AFTER_NOTES / np.log(2)


@dataclass(frozen=True)
class RedoConfig:
    """One check: see `--help` for each field."""

    data_dir: Path
    model: str
    judge: str
    spans: int
    seconds: float
    tries: int
    rng: int
    out: Path | None


class Judge:
    """How likely a model thinks the notes after a span, given what else was in it.

    Args:
        model: who judges.
        notes: the piece.
        start: where the span begins, seconds.
        end: where it ends.
    """

    def __init__(self, model: Model, notes: Sequence[Note], start: float, end: float) -> None:
        self._model, self._span = model, Span.cut(notes, start, end)
        density = model.config.density_number(self._span.density())
        self._run = model.start({"density": [density]})
        self._run.feed(model.representation.encode(self._span.context))
        self._here = self._run.mark()

    def bits(self, middle: Sequence[Note]) -> tuple[float, float]:
        """Returns bits a note of the next ten notes after such a middle, and of ten more."""
        span = self._span
        last = span.context_start + span.context[-1].start
        following = [*middle, *span.after[: 2 * AFTER_NOTES]]
        steps = self._model.representation.encode(following, start_s=last)
        self._run.return_to(self._here)
        nats = nats_after(self._model, self._run, steps)[len(middle) :].sum(1)
        first, further = np.split(nats / np.log(2), [AFTER_NOTES])
        return float(first.mean()), float(further.mean())


def passage(notes: Sequence[Note], start: float, seconds: float, place: float) -> list[Note]:
    """Returns a passage from elsewhere in the piece, moved into the span."""
    room = end_of(notes) - seconds - 4 * AROUND_S
    begin = max(0.0, place * room)
    begin += 4 * AROUND_S if begin > start - 2 * AROUND_S else 0.0
    found = [n for n in notes if begin <= n.start < begin + seconds]
    return shift_notes(found, start - begin)


def longest_wait(onsets: Sequence[float]) -> float:
    """Returns the longest time between onsets."""
    return float(np.diff(np.sort(onsets)).max(initial=0.0))


def has_gap(
    before: list[Note], new: list[Note], after: list[Note], start: float, end: float
) -> bool:
    """Returns whether one of the edges of a span has a gap."""
    left = [n.start for n in before if n.start >= start - AROUND_S]
    right = [n.start for n in after if n.start < end + AROUND_S]
    most = max(GAP_S, longest_wait(left), longest_wait(right))
    inside = [n.start for n in new]
    across = [*left[-1:], *inside[:1]], [*inside[-1:], *right[:1]]
    return not inside or any(longest_wait(edge) > most for edge in across)


def has_stuck(piece: list[Note], new: Sequence[Note], real_end: float, end: float) -> bool:
    """Returns whether a note of a piece with a new span is stuck."""
    is_held = any(n.end > max(real_end, end + RINGS_S) for n in new)
    return is_held or separate_strokes(piece)[1] > 0


def main(config: RedoConfig) -> None:
    """Plays and judges all spans, prints the figures."""
    model, other = open_model(config.model)[0], open_model(config.judge)[0]
    rows: list[dict[str, float]] = []
    needed = NEEDED_S + config.seconds
    pieces = held_out(config.data_dir, config.spans, needed, config.rng)
    for i, (_, whole, place, composer) in enumerate(tqdm(pieces, total=config.spans)):
        notes = separate_strokes(whole)[0]
        start = 20 + place * (end_of(notes) - needed)
        end = start + config.seconds
        before = [n for n in notes if n.start < start]
        real = [n for n in notes if start <= n.start < end]
        after = [n for n in notes if n.start >= end]
        settings = GenerationSettings(rng=config.rng + i)
        made = redo_span(model, notes, start, end, settings, composer, config.tries)
        row = {kind: made.facts[fact] * BITS for kind, fact in FACTS.items()}
        elsewhere = passage(notes, start, config.seconds, np.random.default_rng(i).random())
        plain = redo_span(model, notes, start, end, settings, composer, tries=1)
        judge, judge_too = (Judge(one, notes, start, end) for one in (model, other))
        row["elsewhere"] = judge.bits(elsewhere)[0]
        middles = real, made.new_notes, plain.new_notes
        for kind, middle in zip(KINDS, middles, strict=True):
            row[f"further_{kind}"] = judge.bits(middle)[1]
            row[f"other_{kind}"] = judge_too.bits(middle)[0]
        rings = end_of([*before, *real])
        piece = sort_notes([*made.seed_notes, *made.new_notes])
        row["gap"] = has_gap(before, list(made.new_notes), after, start, end)
        row["gap_real"] = has_gap(before, real, after, start, end)
        row["stuck"] = has_stuck(piece, made.new_notes, rings, end)
        row["density"] = len(made.new_notes) / max(1, len(real))
        row["wall_seconds"] = made.wall_seconds
        rows.append(row)
        if config.out is not None:
            result = {
                "model": config.model,
                "judge": config.judge,
                "tries": config.tries,
                **summarise(rows),
                "spans": rows,
            }
            write_table(result, config.out / "redo.json")
    print(json.dumps(summarise(rows), indent=1))


def summarise(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Returns the means over all spans; a `way` is how far it is from plain to real."""
    mean = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    ways = {}
    for by in JUDGES:
        real, redone, plain = (mean[by + kind] for kind in KINDS)
        ways[f"{by}way"] = (plain - redone) / (plain - real)
    medians = {"density": float(np.median([row["density"] for row in rows]))}
    return {**mean, **medians, **ways, "n": len(rows)}


def parse_args() -> RedoConfig:
    """Returns the configuration of the command line."""
    parser = check_parser(__doc__, "spans", 100, 5.0, "span", "redo.json")
    parser.add_argument("--tries", type=int, default=TRIES, help="middles drawn for each")
    parser.add_argument("--judge", default="lstm-events", help="another model, to judge")
    return RedoConfig(**vars(parser.parse_args()))


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
