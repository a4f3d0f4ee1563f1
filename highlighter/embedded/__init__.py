"""The corpus and the small T5 that ship with the project, as data."""

from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"  # made by `python -m tools.newswire`
CHECKPOINT = Path(__file__).parent / "model"  # made by `python -m tools.pretraining`
