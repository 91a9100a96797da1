"""The networks. They need torch, transformers and numpy: the Hub can ship them alone."""

from .config import PyzzicatoConfig
from .model import ModelState, PyzzicatoModel, PyzzicatoOutput
from .rules import SamplingRule
from .stepping import Stepper

__all__ = [
    "ModelState",
    "PyzzicatoConfig",
    "PyzzicatoModel",
    "PyzzicatoOutput",
    "SamplingRule",
    "Stepper",
]
