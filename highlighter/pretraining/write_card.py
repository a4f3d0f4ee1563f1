"""The checkpoint's model card: what it is, how it was made, what it measured on the way."""

from pathlib import Path

from highlighter.pretraining.progress import Progress
from highlighter.pretraining.settings import Recipe, TextStage
from highlighter.render import render


def write_card(
    folder: Path,
    recipe: Recipe,
    progress: Progress,
    *,
    command: str,
    parameters: int,
    extra_texts: int,
    machine: str,
) -> None:
    """Write `README.md` into the checkpoint's folder."""
    generated = sum(
        done.steps * done.stage.batch_size
        for done in progress.stages
        if isinstance(done.stage, TextStage)
    )
    weights = folder / "model.safetensors"
    card = render(
        "model_card.md",
        recipe=recipe,
        stages=progress.stages,
        seconds=progress.seconds,
        command=command,
        parameters=parameters,
        megabytes=weights.stat().st_size / 1e6,
        extra_texts=extra_texts,
        rows=generated,
        machine=machine,
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
