"""The configuration of a model: representation, backbone and head, three independent choices."""

from typing import Any

from transformers import PretrainedConfig

REPRESENTATIONS = ("roll",)
BACKBONES = ("conv1d", "wavenet", "lstm")
HEADS = {"roll": ("independent",)}
SUSTAIN = ("extend", "ignore")

# Upper ends of what a checkpoint may ask for, so that a hostile config cannot exhaust memory.
_MAX_WIDTH = 4096
_MAX_LAYERS = 64
_MAX_KERNEL = 256

# Keys beside the fields that transformers itself writes into or passes with a config.
_FOREIGN_KEYS = {
    "attn_implementation",
    "auto_map",
    "custom_pipelines",
    "model_type",
    "name_or_path",
}


class PyzzicatoConfig(PretrainedConfig):
    """What a checkpoint needs to be used as it was trained.

    Attributes:
        representation: what a step is; "roll" is one frame of 88 keys.
        backbone: "conv1d" (plain causal convolutions), "wavenet" (gated dilated convolutions) or
            "lstm".
        head: "independent" (88 sigmoids, the article's output).
        fs: frames a second of the roll, 1 to 200.
        sustain: "extend" lengthens notes by the sustain pedal before they become a roll, "ignore"
            keeps them as fingered. The same in training and in use.
        hidden_size: channels of the backbone, 1 to 4096.
        n_layers: layers (conv1d, lstm) or dilated blocks (wavenet), 1 to 64.
        kernel_size: frames a convolution spans at dilation 1 (conv1d, wavenet), 1 to 256.
        dense_size: width of the dense layer after the backbone (wavenet, lstm), 1 to 4096.
        dropout: share of activations dropped in training, 0 to below 1.

    Raises:
        ValueError: if a key is unknown or a value of the wrong type or out of range; the message
            names the key, its range and the value.
    """

    model_type = "pyzzicato"

    representation: str = "roll"
    backbone: str = "lstm"
    head: str = "independent"
    fs: int = 20
    sustain: str = "extend"
    hidden_size: int = 320
    n_layers: int = 2
    kernel_size: int = 1
    dense_size: int = 256
    dropout: float = 0.0

    def __post_init__(self, **kwargs: Any) -> None:
        # transformers takes any key; a misspelt one would silently leave its default in place.
        unknown = sorted(k for k in kwargs if k not in _FOREIGN_KEYS and not k.startswith("_"))
        if unknown:
            raise ValueError(f"unknown config key {unknown[0]!r}; check its spelling")
        super().__post_init__(**kwargs)
        check_one_of("representation", self.representation, REPRESENTATIONS)
        check_one_of("backbone", self.backbone, BACKBONES)
        check_one_of("head", self.head, HEADS[self.representation])
        check_one_of("sustain", self.sustain, SUSTAIN)
        check_whole("fs", self.fs, 1, 200)
        check_whole("hidden_size", self.hidden_size, 1, _MAX_WIDTH)
        check_whole("n_layers", self.n_layers, 1, _MAX_LAYERS)
        check_whole("kernel_size", self.kernel_size, 1, _MAX_KERNEL)
        check_whole("dense_size", self.dense_size, 1, _MAX_WIDTH)
        is_number = isinstance(self.dropout, int | float) and not isinstance(self.dropout, bool)
        if not is_number or not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be 0 to below 1, got {self.dropout!r}")


def check_one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raises ValueError unless `value` is one of `allowed`."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")


def check_whole(name: str, value: object, low: int, high: int) -> None:
    """Raises ValueError unless `value` is a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}, got {value!r}")
