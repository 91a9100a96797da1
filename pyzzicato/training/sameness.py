"""Which files hold the same piece: doubles, whatever key or tempo, and other performances of it.

A piece is known by the codes of its distinctive grams (`evaluation.fingerprints`): runs of eight
notes in playing order, each by its intervals alone. Neither the key nor the tempo changes them.

How it was tried, on 45 works of MAESTRO v2 in two performances each. Of the codes of the shorter
one, the share that the other holds as well: two performances of one work 0.45 in the median and
0.83 at most; performances of unlike works 0.006 at the 99th percentile (all above 0.1 were one
work under two titles). A performance and itself: transposed 1.0; with its onsets on a grid of 1 ms,
1/960 s or 1/192 s 0.92 or more; 7 % slower 0.88 or more; with each onset moved at random (sd 2 ms)
0.90 or more. Of 25 files of ASAP beside MAESTRO's of the same works (50 files, 8 of them copies)
`find_doubles` found the 8 and no other, and `group_pieces` put all 25 pairs together; the only
unlike works in one group were three studies of which a file holds several.
"""

from collections import defaultdict
from collections.abc import Container, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ..evaluation.fingerprints import distinctive_grams, gram_hashes, playing_order, winnow
from ..notes import Note

DOUBLE_SHARE = 0.86
"""Two files that have so much of the longer one in common are one performance, kept once."""
PIECE_SHARE = 0.2
"""Files that have so much of the shorter one in common are one piece, and go into one split."""
_FEW = 16
# A code that so many pieces share distinguishes none, and counting its pairs would take long.
_EVERYBODYS = 200
# Chance and everybody's figures give a code or two.
_SHARED_AT_LEAST = 4

Codes = NDArray[np.uint32]


def piece_codes(notes: Sequence[Note]) -> Codes:
    """Returns what a piece is known by: at least one code `(n,)`, sorted, each once.

    A piece too short or too plain for distinctive grams is known by all its grams, one of fewer
    than nine notes by its intervals as a whole.

    Args:
        notes: of one piece, in any order; only onsets and pitches matter.
    """
    _, pitches = playing_order(notes)
    hashes = gram_hashes(pitches)
    codes = np.unique(hashes[winnow(hashes, distinctive_grams(pitches))])
    if len(codes) < _FEW:
        codes = np.unique(hashes)
    if len(codes) < 2:
        codes = np.array([crc32(np.diff(pitches).tobytes())], dtype=np.uint32)
    return codes


def find_doubles(pieces: Sequence[Codes]) -> dict[int, int]:
    """Returns for each piece that an earlier one of the list already holds, which that is.

    Args:
        pieces: from `piece_codes`, those to be kept rather than others first.
    """
    doubles: dict[int, int] = {}
    seen: dict[bytes, int] = {}
    for i, codes in enumerate(pieces):
        first = seen.setdefault(codes.tobytes(), i)
        if first != i:
            doubles[i] = first
    for (first, second), shared in sorted(_shared(pieces, leave_out=doubles).items()):
        longer = max(len(pieces[first]), len(pieces[second]))
        if shared >= DOUBLE_SHARE * longer and first not in doubles:
            doubles.setdefault(second, first)
    return doubles


def group_pieces(pieces: Sequence[Codes]) -> list[int]:
    """Returns a number for each piece; those that hold one and the same piece have the same number.

    Args:
        pieces: from `piece_codes`.
    """
    parents = list(range(len(pieces)))

    def root(i: int) -> int:
        while parents[i] != i:
            i = parents[i]
        return i

    for (first, second), shared in _shared(pieces).items():
        shorter = min(len(pieces[first]), len(pieces[second]))
        if shared >= max(PIECE_SHARE * shorter, min(_SHARED_AT_LEAST, shorter)):
            parents[max(root(first), root(second))] = min(root(first), root(second))
    return [root(i) for i in range(len(pieces))]


def _shared(pieces: Sequence[Codes], leave_out: Container[int] = ()) -> dict[tuple[int, int], int]:
    """Returns how many codes each two pieces share, those with none left out."""
    holders: dict[int, list[int]] = defaultdict(list)
    for i, codes in enumerate(pieces):
        if i not in leave_out:
            for code in codes.tolist():
                holders[code].append(i)
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for its in holders.values():
        if len(its) > _EVERYBODYS:
            continue
        for at, second in enumerate(its):
            for first in its[:at]:
                shared[first, second] += 1
    return shared
