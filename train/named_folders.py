"""Folders that a command line names: NAME=FOLDER, one after the other."""

import argparse
from pathlib import Path


def read_named_folders(parser: argparse.ArgumentParser, words: list[str]) -> dict[str, Path]:
    """Returns the folders by name; a word of another form ends the command with a message."""
    folders = {}
    for word in words:
        name, is_named, folder = word.partition("=")
        if not (name and is_named and folder):
            parser.error(f"a folder must have a short name, NAME=FOLDER, got {word!r}")
        folders[name] = Path(folder)
    return folders
