"""What has sounded, step by step, in numpy, and what the networks along the keys read of it.

The first layer of a `PitchNet` is linear in the planes, and a step changes few of their numbers: a
stroke adds the same to the layer's sums wherever it falls, moved along the keys. So the sums of the
memories fade like the memories themselves, and the layer costs a few additions a step instead of
two convolutions.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from numpy.typing import NDArray
from torch import Tensor

from .backbone_steps import Dense, Vector, as_array
from .pitch import N_KEYS, OCTAVE, PitchMemory, PitchNet
from .recall import RecallStep

Sums = NDArray[np.float32]
"""`(88 * H,)`: H numbers for each key."""


def by_interval(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns what each key says to all keys, `(88, 88 * H)`, a view of the kernel's numbers.

    Args:
        kernel: `(175, H)`, what a key says to the keys from 87 below to 87 above itself.
    """
    kernel = np.ascontiguousarray(kernel)
    size, number = kernel.shape[1], kernel.itemsize
    # Key k speaks to key 0 at the distance -k: row k begins k intervals before the middle.
    rows = as_strided(
        kernel[N_KEYS - 1 :], (N_KEYS, N_KEYS * size), (-size * number, number), writeable=False
    )
    return rows


class FirstLayer:
    """The sums of a `PitchNet`'s first layer, before the backbone bends them.

    Args:
        net: the network along the keys.
        memory: gives the memories, the last planes that the network reads.
    """

    def __init__(self, net: PitchNet, memory: PitchMemory) -> None:
        weight = as_array(net.conv1.weight)[:, :, 0]  # (H, F, taps)
        size, n_planes, n_taps = weight.shape
        kernels = np.zeros((n_planes, 2 * N_KEYS - 1, size), dtype=np.float32)
        reach = n_taps // 2
        # A tap that looks up hears a key from above: what a key says goes the other way.
        kernels[:, N_KEYS - 1 - reach : N_KEYS + reach] = weight[:, :, ::-1].transpose(1, 2, 0)
        self.says = [by_interval(kernel) for kernel in kernels]
        self._bias = np.tile(as_array(cast(Tensor, net.conv1.bias)), N_KEYS)
        n = net.n_memories
        self._memories = self.says[n_planes - n :]
        classes = as_array(net.classes.weight).reshape(size, OCTAVE, n)
        twelve, keys = np.arange(OCTAVE), np.arange(N_KEYS)
        # (F, 12, 88 * H): what a stroke of each class says to all keys.
        away = (twelve[:, None] - keys) % OCTAVE
        self._circle = classes[:, away].transpose(3, 1, 2, 0).reshape(n, OCTAVE, -1)
        self._decay = as_array(memory.decay)
        self._gain = np.float32(memory.GAIN)
        self._faded = np.zeros((n, N_KEYS * size), dtype=np.float32)
        self._counts = np.zeros(n, dtype=np.float32)
        self._all_say: dict[int, Sums] = {}

    def strike(self, keys: Sequence[int]) -> None:
        """Takes the keys struck at one more step into the memories."""
        self._faded *= self._decay[:, None]
        self._counts *= self._decay
        for key in keys:
            self._faded += self._circle[:, key % OCTAVE]
            for faded, says in zip(self._faded, self._memories, strict=True):
                faded += says[key]
        self._counts += len(keys)

    def remembered(self) -> Sums:
        """Returns the layer's sums over the memories, new, for the other planes to be added to."""
        sums: Sums = (self._gain / (self._counts + 1)).dot(self._faded)
        sums += self._bias
        return sums

    def recalled(self, plane: int, keys: NDArray[np.intp]) -> Sums:
        """Returns what a plane says that has 1 at some keys and -1 at the others."""
        if plane not in self._all_say:
            self._all_say[plane] = self.says[plane].sum(0)
        said: Sums = 2 * np.add.reduce(self.says[plane][keys])
        said -= self._all_say[plane]
        return said


class RollPast:
    """The frames of a roll so far: the embedding's vectors, and the sums of its planes.

    Args:
        first_layer: of the head; None for a head that reads the present frame alone.
        n_recent: frames that have a plane each.
        n_chords: last chords struck that have a plane each.
        recalls: lengths of what is recalled, see `PitchRecall`.
    """

    def __init__(
        self,
        first_layer: FirstLayer | None,
        n_recent: int = 1,
        n_chords: int = 0,
        recalls: Sequence[int] = (),
    ) -> None:
        self._layer = first_layer
        self._n_recent = n_recent
        self.present: NDArray[np.uint8] = np.zeros(N_KEYS, dtype=np.uint8)
        # Keys of the last frames, the present one first.
        self._recent: list[NDArray[np.intp]] = []
        self._n_chords = n_chords
        self._chords: list[NDArray[np.intp]] = []
        self._recall = RecallStep(recalls) if recalls else None
        self._recalled: tuple[int, NDArray[np.intp]] | None = None

    def take(self, frame: NDArray[np.uint8]) -> Vector:
        """Takes one more `(88,)` frame; returns what the backbone is given of it."""
        if self._layer is not None:
            struck = (frame > self.present).nonzero()[0]
            self._layer.strike(struck.tolist())
            if len(struck):
                self._chords = [struck, *self._chords][: self._n_chords]
            self._recent = [frame.nonzero()[0], *self._recent[: self._n_recent - 1]]
        if self._recall is not None:
            self._recalled = self._recall.take(self._recent[0])
        self.present = frame.copy()
        return frame.astype(np.float32)

    def sums(self) -> Sums:
        """Returns the sums of the head's first layer."""
        assert self._layer is not None  # only heads that have the layer ask
        sums = self._layer.remembered()
        planes = self._layer.says
        for first, heard in ((0, self._recent), (self._n_recent, self._chords)):
            for says, keys in zip(planes[first:], heard, strict=False):
                if len(keys):
                    sums += np.add.reduce(says[keys])
        if self._recalled is not None:
            level, keys = self._recalled
            sums += self._layer.recalled(self._n_recent + self._n_chords + level, keys)
        return sums


class EventPast:
    """The note events so far: the embedding's vectors, and the sums of its planes.

    Args:
        tables: of the embedding, one for each number of an event.
        first_layer: of the head.
        n_recent: notes that have a plane each.
        recalls: lengths of what is recalled, see `PitchRecall`.
    """

    def __init__(
        self,
        tables: Sequence[NDArray[np.float32]],
        first_layer: FirstLayer,
        n_recent: int,
        recalls: Sequence[int] = (),
    ) -> None:
        self._tables = tables
        self._layer = first_layer
        self._n_recent = n_recent
        self._recent: list[int] = []
        self._recall = RecallStep(recalls) if recalls else None
        self._recalled: tuple[int, NDArray[np.intp]] | None = None

    def take(self, event: NDArray[np.uint8]) -> Vector:
        """Takes one more `(4,)` event; returns what the backbone is given of it."""
        key = int(event[1])
        self._recent = [*self._recent, key][-self._n_recent :]
        self._layer.strike([key])
        if self._recall is not None:
            self._recalled = self._recall.take(np.array([key]))
        onset, pitch, duration, velocity = (
            table[number] for table, number in zip(self._tables, event.tolist(), strict=True)
        )
        vector: Vector = onset + pitch
        vector += duration
        vector += velocity
        return vector

    def sums(self) -> Sums:
        """Returns the sums of the head's first layer."""
        sums = self._layer.remembered()
        first = self._n_recent - len(self._recent)
        for says, key in zip(self._layer.says[first : self._n_recent], self._recent, strict=True):
            sums += says[key]
        if self._recalled is not None:
            level, keys = self._recalled
            sums += self._layer.recalled(self._n_recent + level, keys)
        return sums


class PitchStep:
    """The rest of a `PitchNet`: the backbone's bending, and the second convolution."""

    def __init__(self, net: PitchNet) -> None:
        self._film = Dense(net.film)
        weight = as_array(net.conv2.weight)[:, :, 0]  # (H, H, taps)
        size, _, n_taps = weight.shape
        self._weight = np.ascontiguousarray(weight.transpose(2, 1, 0).reshape(-1, size))
        self._bias = as_array(cast(Tensor, net.conv2.bias))
        self._units = np.zeros((N_KEYS + n_taps - 1, size), dtype=np.float32)
        self._inside = self._units[n_taps // 2 : n_taps // 2 + N_KEYS]
        windows = sliding_window_view(self._units.ravel(), n_taps * size)
        self._windows = windows[::size]  # (88, taps * H)
        # Products want their rows apart from each other; numpy would find new room each time.
        self._apart = np.empty_like(self._windows, order="C")

    def __call__(self, sums: Sums, context: Vector) -> NDArray[np.float32]:
        """Returns `(88, H)` for the first layer's sums and the backbone's vector `(C,)`."""
        film = self._film(context)
        size = len(self._bias)
        units = sums.reshape(N_KEYS, size) * (film[:size] + 1)
        units += film[size:]
        np.maximum(units, 0, out=self._inside)
        np.copyto(self._apart, self._windows)
        out: NDArray[np.float32] = self._apart.dot(self._weight)
        out += self._bias
        return out
