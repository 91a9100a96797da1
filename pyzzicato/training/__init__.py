"""Turning performances into training data, and training data into checkpoints.

catalogue (which pieces there are) -> store (their steps, packed on disk) -> batches -> loop, with
baselines to hold the losses against. The scripts in `train/` call these.
"""
