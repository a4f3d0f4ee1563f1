"""Fitting a new salience head to the frozen encoder."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from scipy.stats import mannwhitneyu

from highlighter.errors import ConfigError
from highlighter.model.build import build_model
from highlighter.model.checkpoint import save_checkpoint
from highlighter.model.model import HighlightModel
from highlighter.model.salience import load_salience
from highlighter.model.tokenizer import load_tokenizer, train_tokenizer
from tests.tools.test_pretraining import RECIPE
from tools.pretraining.__main__ import replace_head
from tools.pretraining.articles import generated_row, shuffled_lines
from tools.pretraining.batches import BatchMaker
from tools.pretraining.recipe import Recipe, SalienceFit
from tools.pretraining.salience import fit_salience, read_segments

FIT = SalienceFit(generated_articles=80, epochs=10, batch_size=64)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[HighlightModel, BatchMaker]:
    """A small T5 with random weights, and extra text that is generated too."""
    folder: Path = tmp_path_factory.mktemp("vocabulary")
    recipe = Recipe.model_validate(RECIPE)
    rows = [generated_row(number) for number in range(10_000, 10_040)]
    texts = [(row.article, row.highlights) for row in rows]
    train_tokenizer(shuffled_lines(texts, 3), recipe.vocabulary_size, folder)
    tokenizer = load_tokenizer(str(folder))
    model = build_model(recipe.model, tokenizer, recipe.seed)
    return model, BatchMaker.build(recipe, tokenizer, texts)


def test_only_the_head_changes_and_it_ranks_salient_segments_of_unseen_articles(
    made: tuple[HighlightModel, BatchMaker],
) -> None:
    model, maker = made
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    loss = fit_salience(model, maker, FIT)
    changed = {
        name for name, weight in model.state_dict().items() if not weight.equal(before[name])
    }
    assert changed
    assert all(name.startswith("salience.") for name in changed)
    assert model.salience.state_dropout.p == 0

    rows = [generated_row(number) for number in range(20_000, 20_030)]
    unseen = read_segments(
        model, maker, maker.encoder.encode([(row.article, row.highlights) for row in rows])
    )
    share = float(unseen.labels.mean())
    chance = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    assert loss < chance
    with torch.inference_mode():
        logits = model.eval().salience(unseen.states, unseen.indices, unseen.features)
    salient, other = logits[unseen.labels == 1], logits[unseen.labels == 0]
    rank = mannwhitneyu(salient, other).statistic / (len(salient) * len(other))  # chance: 0.5
    assert rank > 0.65


def test_fitting_is_deterministic(made: tuple[HighlightModel, BatchMaker]) -> None:
    model, maker = made
    assert fit_salience(model, maker, FIT) == pytest.approx(fit_salience(model, maker, FIT))


def test_a_checkpoint_gets_a_new_head_without_pretraining(
    made: tuple[HighlightModel, BatchMaker], tmp_path: Path
) -> None:
    model, maker = made
    checkpoint, output, extra = (tmp_path / name for name in ("checkpoint", "output", "extra"))
    save_checkpoint(checkpoint, model, maker.tokenizer, maker.recipe.text)
    extra.mkdir()
    row = {"article": "Rain fell on Ashford. Roads closed.", "highlights": "Rain closes roads."}
    (extra / "rows.jsonl").write_text(json.dumps(row), encoding="utf-8")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(RECIPE), encoding="utf-8")
    with pytest.raises(ConfigError, match="salience_fit"):
        replace_head(recipe, extra, checkpoint, output)
    fit = {"generated_articles": 3, "epochs": 1, "state_dropout": 1.0}
    recipe.write_text(yaml.safe_dump(RECIPE | {"salience_fit": fit}), encoding="utf-8")
    replace_head(recipe, extra, checkpoint, output)
    assert {file.name for file in output.iterdir()} == {"salience.json", "salience.safetensors"}
    head = load_salience(output)
    assert head is not None
    assert not head.states.weight.any()  # the encoder was not read
    assert not torch.equal(head.features.weight, model.salience.features.weight)
