"""`python -m highlighter.pretraining --output DIR [--extra-text DIR]` makes the shipped checkpoint."""

import argparse
import hashlib
import json
from pathlib import Path

import mlflow
import torch

from highlighter.checkpoint import save_checkpoint
from highlighter.model import build_model
from highlighter.pretraining.batches import BatchMaker
from highlighter.pretraining.pretrain import pretrain
from highlighter.pretraining.settings import Recipe, read_recipe
from highlighter.pretraining.texts import generated_row, read_extra_texts, shuffled_lines
from highlighter.tokenizer import VOCABULARY_FILE, load_tokenizer, train_tokenizer

_RECIPE = Path(__file__).parent / "recipe.yaml"
_EXPERIMENT = "news-highlighter-pretraining"


def main() -> None:
    """Trains the vocabulary and the model; an interrupted run goes on when called again."""
    parser = argparse.ArgumentParser(prog="python -m highlighter.pretraining", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--work", type=Path, help="folder of the resumable state")
    parser.add_argument("--extra-text", type=Path, help="folder of further articles")
    parser.add_argument("--recipe", type=Path, default=_RECIPE)
    options = parser.parse_args()
    work = options.work or options.output.with_name(options.output.name + ".work")
    recipe = read_recipe(options.recipe)
    extra = read_extra_texts(options.extra_text) if options.extra_text else []
    run_id = _identify(recipe, extra)
    tokenizer = _tokenizer(recipe, extra, work / f"vocabulary-{run_id}")
    model = build_model(recipe.model, tokenizer, recipe.seed)
    if torch.cuda.is_available():
        model.cuda()  # type: ignore[call-arg]
    batches = BatchMaker.build(recipe, tokenizer, extra)
    print(f"{model.num_parameters():,} parameters, {len(extra):,} extra texts, work in {work}")
    mlflow.set_experiment(_EXPERIMENT)
    with mlflow.start_run():
        mlflow.log_dict(recipe.model_dump(mode="json"), "recipe.json")
        progress = pretrain(model, batches, run_id, work)
        mlflow.log_dict(progress.model_dump(mode="json"), "progress.json")
    save_checkpoint(options.output, model, tokenizer, recipe.text)
    for stage in progress.stages:
        print(f"{stage.stage.name}: {stage.steps} steps, {stage.seconds:.0f} s, {stage.accuracy:.1%}")


def _identify(recipe: Recipe, extra: list[tuple[str, str]]) -> str:
    content = json.dumps([recipe.model_dump(mode="json", exclude={"stages"}), extra])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _tokenizer(recipe: Recipe, extra: list[tuple[str, str]], folder: Path):
    if not (folder / VOCABULARY_FILE).is_file():
        rows = [generated_row(number) for number in range(recipe.vocabulary_articles)]
        texts = [(row.article, row.highlights) for row in rows] + extra
        train_tokenizer(shuffled_lines(texts, recipe.seed), recipe.model.vocabulary.size, folder)
    return load_tokenizer(str(folder))


if __name__ == "__main__":
    main()
