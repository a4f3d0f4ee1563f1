"""The salience head that is fitted last: alone, and of use on articles that nobody has read."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu

from highlighter.model.build import build_model
from highlighter.model.model import HighlightModel
from highlighter.model.tokenizer import load_tokenizer, train_tokenizer
from tests.tools.test_pretraining import RECIPE
from tools.pretraining.batches import BatchMaker
from tools.pretraining.recipe import Recipe, SalienceFit
from tools.pretraining.salience import fit_salience, read_segments
from tools.pretraining.texts import generated_row, shuffled_lines

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


def test_only_the_head_changes_and_it_tells_unread_articles_salient_segments(
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
    unread = read_segments(
        model, maker, maker.encoder.encode([(row.article, row.highlights) for row in rows])
    )
    share = float(unread.labels.mean())
    chance = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    assert loss < chance
    with torch.inference_mode():
        logits = model.eval().salience(unread.states, unread.indices, unread.features)
    salient, other = logits[unread.labels == 1], logits[unread.labels == 0]
    rank = mannwhitneyu(salient, other).statistic / (len(salient) * len(other))  # chance: 0.5
    assert rank > 0.65


def test_a_fit_is_the_same_again(made: tuple[HighlightModel, BatchMaker]) -> None:
    model, maker = made
    assert fit_salience(model, maker, FIT) == pytest.approx(fit_salience(model, maker, FIT))
