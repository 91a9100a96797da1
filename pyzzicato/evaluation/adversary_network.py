"""A small network as adversary: it looks at the notes themselves.

It sees crops of some hundred notes in reading order (see `arrays`), in two ways. Convolutions along
the notes see what follows what: keys, intervals, waits, lengths, loudness. Convolutions over two
square pictures of the crop, in which a point is set where two notes have one pitch or two steps one
interval, see what comes back: a figure that recurs is a diagonal there (J. Foote, "Visualizing
music and audio using self-similarity", ACM Multimedia 1999).

It learns from passages of some pieces and is tested on passages of others. A tenth of the pieces it
might learn from are kept apart, to decide when to stop. Give it thousands of crops of each kind.
"""

import copy
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ..checks import MAX_WHOLE, check_whole, show_value
from ..notes import LOWEST_PITCH, N_PITCHES
from .adversary import Verdict, verdict
from .arrays import Floats, note_arrays
from .passage_folders import Passage

WIDEST_LEAP = 24
"""Wider intervals, in semitones, look alike along the notes."""
NUMBERS = ("keys", "waits", "lengths", "loudness")
"""What the network sees of each note."""
_N_NUMBERS = 3
_TRANSPOSE = 4
_MIDDLE = 44

Crops = NDArray[np.float32]
"""`(B, L, 5)`: key 0 to 87, wait, length, loudness, and 1 for a note or 0 for padding."""


@dataclass(frozen=True)
class NetworkSettings:
    """How the network learns.

    Attributes:
        crop_notes: notes it sees at once, 16 or more.
        updates: at most so many, 1 or more.
        batch_size: crops an update, half of them real; 2 or more.
        learning_rate: of Adam, at its highest.
        check_every: updates between two looks at the pieces kept apart.
        patience: it stops after so many looks without gain.
        rng: number of the random draw.
        shown: which of `NUMBERS` it sees, one at least; the others are the same for all notes.

    Raises:
        ValueError: if a number is out of its range, or nothing known is shown.
    """

    crop_notes: int = 128
    updates: int = 4000
    batch_size: int = 32
    learning_rate: float = 1e-3
    check_every: int = 200
    patience: int = 5
    rng: int = 0
    shown: tuple[str, ...] = NUMBERS

    def __post_init__(self) -> None:
        names = (self.shown,) if isinstance(self.shown, str) else self.shown
        if not isinstance(names, list | tuple) or not names or any(n not in NUMBERS for n in names):
            raise ValueError(f"shown must be of {', '.join(NUMBERS)}; got {show_value(self.shown)}")
        object.__setattr__(self, "shown", tuple(names))
        least = {"crop_notes": 16, "updates": 1, "batch_size": 2, "check_every": 1, "patience": 1}
        for name, bound in least.items():
            check_whole(name, getattr(self, name), bound, MAX_WHOLE)


class NoteJudge(nn.Module):
    """Takes crops of notes and returns how suspicious each looks, as log-odds `(B,)`."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.key = nn.Embedding(N_PITCHES, 16)
        self.leap = nn.Embedding(2 * WIDEST_LEAP + 1, 16)
        self.along = nn.Sequential(
            *_layer(nn.Conv1d(32 + _N_NUMBERS, width, 5, padding=2)),
            *_layer(nn.Conv1d(width, width, 5, stride=2, padding=2)),
            *_layer(nn.Conv1d(width, width, 5, stride=2, padding=2)),
        )
        self.across = nn.Sequential(
            *_layer(nn.Conv2d(2, 8, 5, stride=2, padding=2)),
            *_layer(nn.Conv2d(8, 16, 5, stride=2, padding=2)),
            *_layer(nn.Conv2d(16, 16, 3, stride=2, padding=1)),
        )
        self.verdict = nn.Sequential(
            nn.Dropout(0.3), nn.Linear(2 * width + 32, 32), nn.ReLU(), nn.Linear(32, 1)
        )

    def forward(self, crops: Tensor) -> Tensor:
        """Returns `(B,)` log-odds of being made.

        Args:
            crops: `(B, L, 5)`, see `Crops`.
        """
        keys, there = crops[..., 0].long(), crops[..., 4]
        leaps = F.pad(keys[:, 1:] - keys[:, :-1], (1, 0))
        near = leaps.clamp(-WIDEST_LEAP, WIDEST_LEAP) + WIDEST_LEAP
        notes = torch.cat([self.key(keys), self.leap(near), crops[..., 1 : 1 + _N_NUMBERS]], -1)
        along = self.along((notes * there[..., None]).transpose(1, 2))  # (B, width, L / 4)
        across = self.across(_similarity(keys, leaps, there)).flatten(2)  # (B, 16, (L / 8) ** 2)
        seen = torch.cat([along.mean(-1), along.amax(-1), across.mean(-1), across.amax(-1)], -1)
        logits: Tensor = self.verdict(seen)[:, 0]
        return logits


def judge_network(
    learnt: tuple[Sequence[Passage], Sequence[Passage]],
    tested: tuple[Sequence[Passage], Sequence[Passage]],
    settings: NetworkSettings | None = None,
    on_check: Callable[[int, float], None] | None = None,
) -> Verdict:
    """Returns how well a network tells made from real on pieces it has not learned from.

    Args:
        learnt: real and made passages to learn from, in the system's representation.
        tested: real and made passages of other pieces.
        settings: `NetworkSettings()` by default.
        on_check: called after each look at the pieces kept apart with the updates so far and the
            AUC there.

    Raises:
        ValueError: if a piece stands on both sides, or a side has no passages of a kind.
    """
    settings = settings or NetworkSettings()
    both = {p.piece for kind in learnt for p in kind} & {p.piece for kind in tested for p in kind}
    if both:
        raise ValueError(f"tested pieces must not be learned from, got {min(both)} in both")
    known = _Side(*learnt, settings.shown)
    apart = known.kept_apart(settings.rng)
    torch.manual_seed(settings.rng)
    judge = _learn(known.part(~apart), known.part(apart), settings, on_check)
    new = _Side(*tested, settings.shown)
    scores = new.scores(judge, settings.crop_notes)
    return verdict(scores, new.is_made, new.pieces, known.n_crops(~apart, settings.crop_notes))


class _Side:
    """Real and made passages as rows of numbers."""

    def __init__(
        self, real: Sequence[Passage], made: Sequence[Passage], shown: Collection[str]
    ) -> None:
        if not real or not made:
            raise ValueError("there must be real and made passages, got none of a kind")
        passages = [*real, *made]
        self.rows = [passage_rows(p, shown) for p in passages]
        self.is_made = np.arange(len(passages)) >= len(real)
        names = [p.piece for p in passages]
        self.pieces = np.unique(names, return_inverse=True)[1].astype(np.int64)

    def part(self, wanted: NDArray[np.bool_]) -> "_Side":
        some = copy.copy(self)
        some.rows = [self.rows[i] for i in np.flatnonzero(wanted)]
        some.is_made = self.is_made[wanted]
        some.pieces = np.unique(self.pieces[wanted], return_inverse=True)[1].astype(np.int64)
        return some

    def kept_apart(self, rng: int) -> NDArray[np.bool_]:
        """Returns which passages are of the tenth of the pieces that decides when to stop."""
        n_pieces = int(self.pieces.max()) + 1
        drawn = np.random.default_rng(rng).permutation(n_pieces)[: max(1, n_pieces // 10)]
        return np.isin(self.pieces, drawn)

    def n_crops(self, wanted: NDArray[np.bool_], length: int) -> int:
        """Returns how many crops there are that do not overlap."""
        return sum(max(1, len(self.rows[i]) // length) for i in np.flatnonzero(wanted))

    def draw(self, rng: np.random.Generator, size: int, length: int) -> tuple[Crops, Floats]:
        """Returns crops at random, half of them made, and which are."""
        kinds = np.arange(size) % 2
        crops = np.zeros((size, length, 5), dtype=np.float32)
        for i, kind in enumerate(kinds):
            row = self.rows[rng.choice(np.flatnonzero(self.is_made == kind))]
            first = rng.integers(0, max(0, len(row) - length) + 1)
            crop = row[first : first + length]
            crops[i, : len(crop)] = crop
            moved = crops[i, :, 0] + rng.integers(-_TRANSPOSE, _TRANSPOSE + 1)
            crops[i, :, 0] = np.clip(moved, 0, N_PITCHES - 1)
        return crops, kinds.astype(np.float64)

    def scores(self, judge: NoteJudge, length: int) -> Floats:
        """Returns the log-odds of each passage, the mean over crops that cover it."""
        judge.eval()
        found = []
        for row in self.rows:
            n = max(1, -(-len(row) // length))
            crops = np.zeros((n, length, 5), dtype=np.float32)
            for i, first in enumerate(np.linspace(0, max(0, len(row) - length), n).astype(int)):
                crop = row[first : first + length]
                crops[i, : len(crop)] = crop
            with torch.inference_mode():
                found.append(float(judge(torch.from_numpy(crops)).mean()))
        return np.array(found)


def passage_rows(passage: Passage, shown: Collection[str] = NUMBERS) -> Crops:
    """Returns `(N, 5)` what the network sees of a passage's notes, in reading order.

    Args:
        passage: any.
        shown: of `NUMBERS`; of the others all notes have the same.
    """
    a = note_arrays(passage.notes, passage.seconds)
    waits = np.diff(a.starts, prepend=a.starts[:1])
    columns = [
        a.pitches - LOWEST_PITCH,
        np.log1p(np.maximum(waits, 0.0) / 0.05),
        np.log(np.maximum(a.ends - a.starts, 0.01)),
        a.velocities / 32 - 2,
        np.ones(len(a)),
    ]
    for number, name in enumerate(NUMBERS):
        if name not in shown:
            columns[number] = np.full(len(a), _MIDDLE if name == "keys" else 0.0)
    return np.stack(columns, axis=1).astype(np.float32)


def _learn(
    known: _Side,
    apart: _Side,
    settings: NetworkSettings,
    on_check: Callable[[int, float], None] | None,
) -> NoteJudge:
    """Returns the network as it was when it did best on what it had not learned from."""
    judge, rng = NoteJudge(), np.random.default_rng(settings.rng)
    optimiser = torch.optim.AdamW(judge.parameters(), lr=settings.learning_rate, weight_decay=0.01)
    best, best_auc, waited = copy.deepcopy(judge.state_dict()), -1.0, 0
    for update in range(1, settings.updates + 1):
        judge.train()
        crops, is_made = known.draw(rng, settings.batch_size, settings.crop_notes)
        logits = judge(torch.from_numpy(crops))
        loss = F.binary_cross_entropy_with_logits(logits, torch.from_numpy(is_made).float())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if update % settings.check_every and update < settings.updates:
            continue
        auc = verdict(apart.scores(judge, settings.crop_notes), apart.is_made, apart.pieces).auc
        if on_check is not None:
            on_check(update, auc)
        waited += 1
        if auc > best_auc:
            best, best_auc, waited = copy.deepcopy(judge.state_dict()), auc, 0
        if waited >= settings.patience:
            break
    judge.load_state_dict(best)
    return judge


def _layer(convolution: nn.Conv1d | nn.Conv2d) -> tuple[nn.Module, ...]:
    channels = int(convolution.out_channels)
    return convolution, nn.GroupNorm(4, channels), nn.ReLU()


def _similarity(keys: Tensor, leaps: Tensor, there: Tensor) -> Tensor:
    """Returns `(B, 2, L, L)`: which two notes have one pitch, which two steps one interval."""
    earlier = torch.ones(keys.shape[1], keys.shape[1], device=keys.device).tril(-1)
    both = there[:, :, None] * there[:, None, :] * earlier
    alike = [values[:, :, None] == values[:, None, :] for values in (keys, leaps)]
    return torch.stack([same * both for same in alike], dim=1)
