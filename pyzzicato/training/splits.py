"""Which pieces are learnt from and which are kept apart, the same whenever it is asked again.

Files of one piece go into one split, so that nothing a model is validated on has been learnt in
another performance. What was decided once is kept: more music later moves no piece.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

VALIDATION_SHARE = 0.1


def split_pieces(
    ids: Sequence[str],
    groups: Sequence[int],
    share: float = VALIDATION_SHARE,
    kept: Mapping[str, str] | None = None,
) -> list[str]:
    """Returns "train" or "validation" for each file.

    Args:
        ids: of each file's contents; which piece is kept apart depends on nothing else.
        groups: a number for each file; equal ones are files of one piece, see `group_pieces`.
        share: of the files that are kept apart, above 0 and below 1; at least one piece is.
        kept: splits that were decided before, by id.

    Raises:
        ValueError: if `share` is out of its range, there are not two pieces to tell apart, or what
            was decided before leaves nothing to learn from or to validate on.
    """
    if not 0 < share < 1:
        raise ValueError(f"share must be above 0 and below 1, got {share}; 0.1 is usual")
    members: dict[int, list[str]] = defaultdict(list)
    for its_id, group in zip(ids, groups, strict=True):
        members[group].append(its_id)
    if len(members) < 2:
        raise ValueError(
            f"there must be 2 different pieces at least, one of them to validate on, got "
            f"{len(members)}; add music"
        )
    before = kept or {}
    decided: dict[int, str] = {}
    for group, its in members.items():
        found = {before[i] for i in its if i in before}
        if found:
            # A performance that ties two splits together is not learnt from.
            decided[group] = next(s for s in ("validation", "test", "train") if s in found)
    wanted = max(1, round(share * len(ids)))
    n_apart = sum(len(members[g]) for g, split in decided.items() if split == "validation")
    waiting = sorted((g for g in members if g not in decided), key=lambda g: _rank(members[g]))
    for group in waiting:
        # One at least is learnt from.
        is_last = group == waiting[-1] and "train" not in decided.values()
        apart = n_apart < wanted and not is_last
        decided[group] = "validation" if apart else "train"
        n_apart += len(members[group]) if apart else 0
    if not {"train", "validation"} <= set(decided.values()):
        raise ValueError(
            "the splits that were decided before must leave a piece to learn from and one to "
            "validate on; change them, or add music"
        )
    return [before.get(its_id, decided[group]) for its_id, group in zip(ids, groups, strict=True)]


def _rank(ids: Sequence[str]) -> str:
    """Returns a random draw for a piece that its files' contents alone decide."""
    return hashlib.sha256(min(ids).encode()).hexdigest()
