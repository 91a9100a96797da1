"""What is published on the Hub: models, the Space, the training set, each with its card.

shipped_code, endpoint, cards (facts -> text) -> model_repo, space_repo, dataset_repo (a folder,
laid out as its repository) -> plans (what would change there) -> commits. Before all that, access
asks whether the token may write. `train/publish.py` calls these.
"""
