"""What ships with the project."""

from pathlib import Path

CHECKPOINT = Path(__file__).parent / "pretrained"  # made by `python -m highlighter.pretraining`
