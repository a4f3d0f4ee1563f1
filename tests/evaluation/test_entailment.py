"""A learned judge: a tiny random classifier of natural language inference."""

import json
import math
from pathlib import Path

import datasets
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

from highlighter.errors import CheckpointError
from highlighter.evaluation.entailment import EntailmentJudge, score_entailment
from highlighter.settings import EntailmentSettings

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] the bridge closed opened on monday council said it . ##s"
LABELS = {0: "contradiction", 1: "neutral", 2: "entailment"}
ARTICLE = "The bridge closed. The council said it opened on Monday."


def save_classifier(folder: Path, labels: dict[int, str]) -> str:
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS.split()) + "\n")
    BertTokenizerFast.from_pretrained(folder).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(WORDS.split()), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=64, id2label=labels,
        label2id={label: index for index, label in labels.items()},
    )  # fmt: skip
    torch.manual_seed(3)
    model = BertForSequenceClassification(config)
    torch.nn.init.normal_(model.classifier.weight)  # so that texts differ visibly
    model.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_classifier(tmp_path_factory.mktemp("nli") / "model", LABELS)


def _probability(classifier: str, premise: str, hypothesis: str, label: int) -> float:
    tokenizer = BertTokenizerFast.from_pretrained(classifier)
    model = BertForSequenceClassification.from_pretrained(classifier).eval()
    with torch.inference_mode():
        logits = model(**tokenizer(premise, hypothesis, return_tensors="pt")).logits
    return float(logits.softmax(-1)[0, label])


def test_the_score_is_the_mean_over_sentences_of_the_best_premise(classifier: str) -> None:
    judge = EntailmentJudge.load(EntailmentSettings(model=classifier, batch_size=2))
    premises = ["The bridge closed.", "The council said it opened on Monday."]
    sentences = ["The bridge opened on Monday.", "The council closed."]
    expected = [
        max(_probability(classifier, premise, sentence, 2) for premise in premises)
        for sentence in sentences
    ]
    together, first, nothing = judge.score(ARTICLE, [" ".join(sentences), sentences[0], ""])
    assert together == pytest.approx(sum(expected) / 2, abs=1e-5)
    assert first == pytest.approx(expected[0], abs=1e-5)
    assert math.isnan(nothing)
    assert judge.score("", [sentences[0]]) == [0.0]


def test_texts_longer_than_the_classifier_are_cut(classifier: str) -> None:
    judge = EntailmentJudge.load(EntailmentSettings(model=classifier))
    [score] = judge.score("The bridge " * 200 + "closed.", ["The council " * 200 + "closed."])
    assert 0 < score < 1


def test_the_label_is_found_by_its_name(tmp_path: Path, classifier: str) -> None:
    folder = Path(save_classifier(tmp_path / "two", {0: "ENTAILMENT", 1: "not_entailment"}))
    sentence = "The bridge opened."
    judge = EntailmentJudge.load(EntailmentSettings(model=str(folder)))
    assert judge.score("The bridge closed.", [sentence])[0] == pytest.approx(
        _probability(str(folder), "The bridge closed.", sentence, 0), abs=1e-5
    )


@pytest.mark.parametrize(
    "labels", [{0: "LABEL_0", 1: "LABEL_1"}, {0: "positive", 1: "negative", 2: "not entailed"}]
)
def test_a_model_without_an_entailment_label_is_refused(
    tmp_path: Path, labels: dict[int, str]
) -> None:
    folder = save_classifier(tmp_path / "other", labels)
    with pytest.raises(CheckpointError, match="must be entailment") as error:
        EntailmentJudge.load(EntailmentSettings(model=folder))
    assert str(error.value).startswith(f"{folder}: ")
    assert all(label in str(error.value) for label in labels.values())


def test_a_model_that_is_no_classifier_is_refused(tmp_path: Path, classifier: str) -> None:
    folder = Path(save_classifier(tmp_path / "headless", LABELS))
    model = BertForSequenceClassification.from_pretrained(folder)
    model.bert.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "id2label": LABELS}))
    with pytest.raises(CheckpointError, match="weights are missing"):
        EntailmentJudge.load(EntailmentSettings(model=str(folder)))
    with pytest.raises(CheckpointError, match="no classifier can be loaded from this folder"):
        EntailmentJudge.load(EntailmentSettings(model=str(tmp_path)))


def test_the_judge_is_recorded_with_its_scores(classifier: str) -> None:
    rows = datasets.Dataset.from_list(
        [{"article": ARTICLE, "served": "The bridge closed.", "lead": "It opened."}] * 3
    )
    settings = EntailmentSettings(model=classifier, articles=2)
    judge = EntailmentJudge.load(settings)
    scores = score_entailment(judge, rows, ["served", "lead"], settings, resamples=100, seed=1)
    assert (scores.model, scores.revision, scores.rows) == (classifier, "main", 2)
    served, lead = judge.score(ARTICLE, ["The bridge closed.", "It opened."])
    assert scores.systems["served"].mean == pytest.approx(served, abs=1e-5)
    assert scores.systems["lead"].mean == pytest.approx(lead, abs=1e-5)
