"""What the default run's model is worth: facts, content over position, names, and real news."""

import json
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import pytest

from highlighter.baselines import lead, random_sentences
from highlighter.checkpoint import finish_checkpoint, save_checkpoint
from highlighter.corpus.sources import embedded_files, load_splits
from highlighter.evaluation.judge import judge
from highlighter.evaluation.record import Evaluation
from highlighter.features import tokenize_splits
from highlighter.inference import Summarizer
from highlighter.metrics.faithfulness import ArticleFacts
from highlighter.metrics.rouge import score_rouge
from highlighter.model import build_model
from highlighter.segmentation import sentence_texts
from highlighter.tokenizer import prepare_tokenizer
from highlighter.training import train
from pipelines.config import load_config
from tests.conftest import ROOT, SHARED

_FULL_NAME = re.compile(r"[A-Z][a-z]+ [A-Z][a-z]+")
_OTHER_NAME = ("Wilhelmina", "Stroganov")  # in no split


@dataclass(frozen=True)
class DefaultRun:
    """What the default configuration's pipeline makes, without its stores."""

    summarizer: Summarizer
    evaluation: Evaluation
    rows: datasets.Dataset
    facts: list[list[str]]
    unseen: list[bool]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> DefaultRun:
    """Fine-tune and judge by the default configuration."""
    folder = tmp_path_factory.mktemp("default")
    config = load_config(ROOT / "configs" / "embedded.yaml")
    shared = config.settings["parameters"]
    steps = {
        name: config.settings[f"steps.{name}.parameters"]
        for name in ("tokenize", "fine_tune", "evaluate")
    }
    splits = load_splits(config.source, shared["seed"], folder)
    tokenizer = prepare_tokenizer(config.model, splits["train"], folder / "tokenizer")
    learned = datasets.DatasetDict({name: splits[name] for name in ("train", "validation")})
    features, _ = tokenize_splits(
        learned, tokenizer, shared["text"], steps["tokenize"]["mapping"], folder
    )
    model = build_model(config.model, tokenizer, shared["seed"])
    train(
        model,
        tokenizer,
        features,
        text=shared["text"],
        settings=steps["fine_tune"]["training"],
        seed=shared["seed"],
        work_folder=folder / "training",
        callbacks=[],
    )
    save_checkpoint(folder / "tuned", model, tokenizer, shared["text"])
    evaluation, rows = judge(
        folder / "tuned",
        splits["test"],
        test_fingerprint="default",
        highlights=shared["highlights"],
        generation=shared["generation"],
        settings=steps["evaluate"]["evaluation"],
        seed=shared["seed"],
    )
    finish_checkpoint(
        folder / "tuned", shared["generation"], shared["highlights"], folder / "registered"
    )
    test_split = pd.read_parquet(embedded_files()["test"]).head(len(rows))
    assert test_split["id"].tolist() == rows["id"][:]
    return DefaultRun(
        Summarizer.load(folder / "registered"),
        evaluation,
        rows,
        [list(facts) for facts in test_split["facts"]],
        test_split["unseen_names"].tolist(),
    )


def fact_recall(summaries: Iterable[str], facts: Iterable[list[str]]) -> float:
    """Share of the highlights' facts that stand, word for word, in the summaries."""
    stated = [
        fact in text for text, wanted in zip(summaries, facts, strict=True) for fact in wanted
    ]
    return float(np.mean(stated))


@pytest.mark.parametrize("system", ["abstractive", "served"])
def test_it_states_the_facts_even_about_names_it_has_never_seen(
    run: DefaultRun, system: str
) -> None:
    for unseen in (True, False):
        rows = [row for row, value in enumerate(run.unseen) if value == unseen]
        assert len(rows) >= 80
        recall = fact_recall((run.rows[system][r] for r in rows), (run.facts[r] for r in rows))
        assert recall >= 0.9, f"unseen names: {unseen}"


def test_its_facts_stand_in_the_article(run: DefaultRun) -> None:
    assert run.evaluation.systems["abstractive"].faithfulness.mean >= 0.95
    assert run.evaluation.systems["served"].faithfulness.mean >= 0.95
    assert run.evaluation.doubted <= 0.25, "most summaries are the model's own"


def test_it_writes_better_than_it_extracts_and_extracts_better_than_the_lead(
    run: DefaultRun,
) -> None:
    systems = run.evaluation.systems
    for system in ("abstractive", "served"):
        assert systems[system].over_extractive["rougeLsum"].low > 0
        assert systems[system].over_lead3["rougeLsum"].low > 0
    assert systems["extractive"].over_lead3["rougeLsum"].low > 5


def test_shuffled_paragraphs_change_little(run: DefaultRun) -> None:
    rows = range(60)
    shuffled = []
    for row in rows:
        paragraphs = run.rows["article"][row].split("\n\n")
        random.Random(row).shuffle(paragraphs)
        shuffled.append("\n\n".join(paragraphs))
    again = run.summarizer.summarize(shuffled, batch_size=32)
    before = fact_recall(run.rows["served"][: len(rows)], run.facts[: len(rows)])
    after = fact_recall([answer.summary for answer in again], run.facts[: len(rows)])
    assert after >= before - 0.1
    for text, answer in zip(shuffled, again, strict=True):
        assert [p.text for p in answer.paragraphs] == text.split("\n\n")


def test_a_replaced_name_is_replaced_in_the_summary(run: DefaultRun) -> None:
    cases = []
    for article, summary, facts in zip(
        run.rows["article"], run.rows["served"], run.facts, strict=True
    ):
        names = [fact for fact in facts if _FULL_NAME.fullmatch(fact) and fact in summary]
        if names:
            first, last = names[0].split()
            renamed = article.replace(first, _OTHER_NAME[0]).replace(last, _OTHER_NAME[1])
            cases.append((renamed, last))
    cases = cases[:60]
    assert len(cases) == 60
    again = run.summarizer.summarize([article for article, _ in cases], batch_size=32)
    renamed = [_OTHER_NAME[1] in answer.summary for answer in again]
    kept = [last in answer.summary for answer, (_, last) in zip(again, cases, strict=True)]
    assert np.mean(renamed) >= 0.9
    assert not any(kept)


def test_real_news_gets_sane_sentences_and_no_invented_facts(run: DefaultRun) -> None:
    file = SHARED / "cnn_dm_sample" / "test.jsonl"
    if not file.is_file():
        pytest.skip("the sample of real articles is not here")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    answers = run.summarizer.summarize([row["article"] for row in rows], batch_size=16)
    invented = [
        bool(ArticleFacts(row["article"]).unsupported(answer.summary))
        for row, answer in zip(rows, answers, strict=True)
    ]
    assert np.mean(invented) <= 0.05
    references = [row["highlights"].replace(" .", ".") for row in rows]
    sentences = [sentence_texts(row["article"]) for row in rows]
    texts = {
        "salient": [
            "\n".join(p.text for p in answer.paragraphs if p.important) for answer in answers
        ],
        "lead": ["\n".join(s[i] for i in lead(s)) for s in sentences],
        "random": [
            "\n".join(s[i] for i in random_sentences(s, seed=str(n)))
            for n, s in enumerate(sentences)
        ],
    }
    means = {
        name: 100 * np.mean(score_rouge(summaries, references)["rougeLsum"])
        for name, summaries in texts.items()
    }
    assert means["salient"] > means["random"]
    assert means["salient"] > means["lead"] - 1.0


def test_a_checkpoint_without_git_lfs_is_small_enough_to_commit() -> None:
    folder = Path(ROOT) / "highlighter" / "pretrained"
    assert sum(file.stat().st_size for file in folder.iterdir()) < 25e6
    assert not [
        f for f in folder.iterdir() if f.suffix not in (".json", ".safetensors", ".md", ".model")
    ]
