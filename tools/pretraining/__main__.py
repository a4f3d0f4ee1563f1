"""Make the small T5 that ships with the project: train its vocabulary and its weights."""

import argparse
import hashlib
import json
import platform
import shutil
import sys
from pathlib import Path

import mlflow
import torch
from mlflow.entities import Run
from transformers import AutoModelForSeq2SeqLM, PreTrainedTokenizerBase

from highlighter.errors import ConfigError
from highlighter.model.build import build_model
from highlighter.model.checkpoint import save_checkpoint
from highlighter.model.model import HighlightModel
from highlighter.model.salience import save_salience
from highlighter.model.tokenizer import VOCABULARY_FILE, load_tokenizer, train_tokenizer
from highlighter.system.cpu import keep_to_usable_cores
from highlighter.system.failures import exit_code_of
from highlighter.system.memory import keep_freed_memory
from highlighter.system.templates import render
from tools.pretraining.articles import generated_row, read_extra_texts, shuffled_lines
from tools.pretraining.batches import BatchMaker
from tools.pretraining.recipe import Recipe, TextStage, read_recipe
from tools.pretraining.salience import fit_salience
from tools.pretraining.training import find_state, pretrain, read_progress

_COMMAND = "python -m tools.pretraining"
_FOLDER = Path(__file__).parent
_EXPERIMENT = "news-highlighter-pretraining"


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog=_COMMAND, description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument(
        "--head-of",
        type=Path,
        help="checkpoint to fit a new salience head to, without pretraining",
    )
    parser.add_argument("--work", type=Path, help="folder of the state to resume from")
    parser.add_argument("--extra-text", type=Path, help="folder of .txt, .jsonl, .csv, .parquet")
    parser.add_argument("--recipe", type=Path, default=_FOLDER / "recipe.yaml")
    parser.add_argument("--workers", type=int, default=0, help="processes that make batches")
    options = parser.parse_args()
    keep_freed_memory()
    torch.set_float32_matmul_precision("high")  # allows TF32 on a GPU; no effect on a CPU
    keep_to_usable_cores()
    work = options.work or options.output.with_name(options.output.name + ".work")
    if options.head_of:
        return exit_code_of(
            lambda: replace_head(
                options.recipe, options.extra_text, options.head_of, options.output
            ),
            "interrupted: nothing was written",
        )
    return exit_code_of(
        lambda: make_checkpoint(
            options.recipe, options.extra_text, work, options.output, options.workers
        ),
        f"interrupted: the same command resumes from the state in {work}",
    )


def make_checkpoint(
    recipe_file: Path, extra_folder: Path | None, work: Path, output: Path, workers: int = 0
) -> None:
    """Train by the recipe, resuming from `work` if it holds a state, and write the checkpoint."""
    recipe = read_recipe(recipe_file)
    extra = read_extra_texts(extra_folder) if extra_folder else []
    run_id = _identify(recipe, extra)
    vocabulary = work / f"vocabulary-{run_id}"
    tokenizer = _tokenizer(recipe, extra, vocabulary)
    model = build_model(recipe.model, tokenizer, recipe.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    print(f"{model.num_parameters():,} parameters, {len(extra):,} extra texts, state in {work}")
    mlflow.set_experiment(_EXPERIMENT)
    with _mlflow_run(work):
        mlflow.log_dict(recipe.model_dump(mode="json"), "recipe.json")
        maker = BatchMaker.build(recipe, tokenizer, extra)
        progress = pretrain(model, maker, run_id, work, workers)
        mlflow.log_dict(progress.model_dump(mode="json"), "progress.json")
        if recipe.salience_fit:
            loss = fit_salience(model, maker, recipe.salience_fit)
            mlflow.log_metric("fitted_salience_loss", loss)
    save_checkpoint(output, model, tokenizer, recipe.text)
    shutil.copy(vocabulary / VOCABULARY_FILE, output)
    extra_option = f" --extra-text {extra_folder.name}" if extra_folder else ""
    card = render(
        _FOLDER / "model_card.md",
        recipe=recipe,
        stages=progress.stages,
        seconds=progress.seconds,
        command=f"{_COMMAND} --output {output.name}{extra_option}",
        parameters=model.num_parameters(),
        megabytes=(output / "model.safetensors").stat().st_size / 1e6,
        extra_texts=len(extra),
        rows=sum(
            done.steps * done.stage.batch_size
            for done in progress.stages
            if isinstance(done.stage, TextStage)
        ),
        machine=f"{torch.get_num_threads()} threads of {platform.machine()}"
        if device.type == "cpu"
        else torch.cuda.get_device_name(),
    )
    (output / "README.md").write_text(card, encoding="utf-8")
    print(f"The checkpoint is in {output}.")


def replace_head(
    recipe_file: Path, extra_folder: Path | None, checkpoint: Path, output: Path
) -> None:
    """Fit a new salience head to a checkpoint, and write only the head to `output`.

    Raises:
        ConfigError: the recipe has no `salience_fit`.
    """
    recipe = read_recipe(recipe_file)
    if recipe.salience_fit is None:
        raise ConfigError(f"{recipe_file}: --head-of needs the settings salience_fit; add them.")
    extra = read_extra_texts(extra_folder) if extra_folder else []
    tokenizer = load_tokenizer(str(checkpoint))
    seq2seq = AutoModelForSeq2SeqLM.from_pretrained(checkpoint, dtype=torch.float32)
    model = HighlightModel(seq2seq)  # an earlier version's head is not read
    model.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    fit_salience(model, BatchMaker.build(recipe, tokenizer, extra), recipe.salience_fit)
    output.mkdir(parents=True, exist_ok=True)
    save_salience(model.salience, output)
    print(f"The salience head is in {output}.")


def _identify(recipe: Recipe, extra: list[tuple[str, str]]) -> str:
    """Return a hash of what must not change before a resume; stages are compared one by one."""
    fixed = recipe.model_dump(mode="json", exclude={"stages", "salience_fit"})
    content = json.dumps([fixed, extra])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _tokenizer(
    recipe: Recipe, extra: list[tuple[str, str]], folder: Path
) -> PreTrainedTokenizerBase:
    if not (folder / VOCABULARY_FILE).is_file():
        rows = [generated_row(number) for number in range(recipe.vocabulary_articles)]
        texts = [(row.article, row.highlights) for row in rows] + extra
        train_tokenizer(shuffled_lines(texts, recipe.seed), recipe.vocabulary_size, folder)
    return load_tokenizer(str(folder))


def _mlflow_run(work: Path) -> Run:
    """Resume the interrupted run's MLflow run if this store has it; otherwise start a new one."""
    state = find_state(work)
    known = read_progress(state).mlflow_run if state else None
    runs = mlflow.search_runs(experiment_names=[_EXPERIMENT], output_format="list")
    return mlflow.start_run(run_id=known if known in {run.info.run_id for run in runs} else None)


if __name__ == "__main__":
    sys.exit(main())
