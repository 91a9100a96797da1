"""Decoding: everything that stands between a network's logits and the step that is played.

    draw.py       how one step is drawn: the numbers a graph takes
    parts.py      the interface of a part, and the parts that do not listen
    density.py    keeps near the target density
    lengths.py    keeps near the lengths of the seed's notes
    pace.py       keeps a part that is played around others near its target density
    guard.py      brings the piece back to its seed where it has gone astray
    values.py     what suits a model: generation_config.json

`PART_NAMES` are the parts that can be switched off. The settings' temperature and threshold are
parts too, and neutral unless they are asked for.
"""

PART_NAMES = ("top_a", "density", "lengths", "guard")
"""What `GenerationSettings.without` may name."""
