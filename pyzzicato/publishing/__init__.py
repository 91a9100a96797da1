"""What is published on the Hub: models, the Space, the training set, each with its card.

shipped_code, cards (facts -> text) -> model_repo, space_repo, dataset_repo (a folder, laid out as
its repository) -> commits (from folder to repository). `train/publish.py` calls these.
"""
