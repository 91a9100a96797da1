"""The networks. They need torch and transformers only, so that the Hub can ship them alone."""

from .config import PyzzicatoConfig
from .heads import SamplingRule
from .model import PyzzicatoModel, PyzzicatoOutput

__all__ = ["PyzzicatoConfig", "PyzzicatoModel", "PyzzicatoOutput", "SamplingRule"]
