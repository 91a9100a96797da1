"""The networks: the one place where their arithmetic stands.

`architecture` needs nothing but Python; all else needs torch and transformers. A model is played by
its step, exported as a graph (`export.py`), so that playing needs neither.
"""
