"""Quality of the shipped T5 before fine-tuning: facts, names, content rather than position.

The default run fine-tunes it and reports more rows, with intervals; here, floors a little below
what was measured say that nothing has broken.
"""

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from highlighter.data.sentences import sentence_texts
from highlighter.data.sources import embedded_files
from highlighter.embedded import CHECKPOINT
from highlighter.evaluation.systems import lead, random_sentences
from highlighter.inference.answers import HighlightRequest, Highlights
from highlighter.inference.summarizer import Summarizer
from highlighter.metrics.faithfulness import ArticleFacts
from highlighter.metrics.rouge import score_rouge
from highlighter.model.checkpoint import finish_checkpoint
from pipelines.config import load_config
from tests.conftest import ROOT

_ROWS = 24
_FULL_NAME = re.compile(r"[A-Z][a-z]+ [A-Z][a-z]+")
_OTHER_NAME = ("Wilhelmina", "Stroganov")  # in no split


@dataclass(frozen=True)
class Answered:
    """The first test rows and the answers to them."""

    articles: list[str]
    highlights: list[str]
    facts: list[list[str]]
    answers: list[Highlights]


@pytest.fixture(scope="module")
def summarizer(tmp_path_factory: pytest.TempPathFactory) -> Summarizer:
    shared = load_config(ROOT / "configs" / "embedded.yaml").settings["parameters"]
    folder = tmp_path_factory.mktemp("shipped") / "checkpoint"
    finish_checkpoint(CHECKPOINT, shared["generation"], shared["highlights"], folder)
    return Summarizer.load(folder)


def ask(summarizer: Summarizer, articles: list[str]) -> list[Highlights]:
    requests = [HighlightRequest(article=article) for article in articles]
    return summarizer.summarize(requests, batch_size=20)


@pytest.fixture(scope="module")
def answered(summarizer: Summarizer) -> Answered:
    rows = pd.read_parquet(embedded_files()["test"]).head(_ROWS)
    articles = rows["article"].tolist()
    facts = [list(facts) for facts in rows["facts"]]
    return Answered(articles, rows["highlights"].tolist(), facts, ask(summarizer, articles))


def recalled(answers: list[Highlights], facts: list[list[str]]) -> float:
    """Return the share of the highlights' facts that appear verbatim in the summaries."""
    stated = [
        fact in answer.summary
        for answer, wanted in zip(answers, facts, strict=True)
        for fact in wanted
    ]
    return float(np.mean(stated))


def test_most_summaries_pass_the_checks_and_state_facts_of_the_article(answered: Answered) -> None:
    assert np.mean([answer.doubt is None for answer in answered.answers]) >= 0.6
    for article, answer in zip(answered.articles, answered.answers, strict=True):
        assert not ArticleFacts(article).unsupported(answer.summary)
    assert recalled(answered.answers, answered.facts) >= 0.65


def test_summaries_are_better_than_the_lead(answered: Answered) -> None:
    leads = []
    for article in answered.articles:
        sentences = sentence_texts(article)
        leads.append("\n".join(sentences[index] for index in lead(sentences)))
    scores = {
        name: np.mean(score_rouge(texts, answered.highlights)["rougeLsum"])
        for name, texts in (("written", [a.summary for a in answered.answers]), ("lead", leads))
    }
    assert scores["written"] > scores["lead"] + 0.15


def test_shuffling_the_paragraphs_changes_few_facts(
    summarizer: Summarizer, answered: Answered
) -> None:
    shuffled = []
    for number, article in enumerate(answered.articles):
        paragraphs = article.split("\n\n")
        random.Random(number).shuffle(paragraphs)
        shuffled.append("\n\n".join(paragraphs))
    again = ask(summarizer, shuffled)
    before = recalled(answered.answers, answered.facts)
    assert recalled(again, answered.facts) >= before - 0.2
    for text, answer in zip(shuffled, again, strict=True):
        assert [p.text for p in answer.paragraphs] == text.split("\n\n")


def test_a_replaced_name_is_replaced_in_the_summary(
    summarizer: Summarizer, answered: Answered
) -> None:
    renamed, last_names = [], []
    for article, answer, facts in zip(
        answered.articles, answered.answers, answered.facts, strict=True
    ):
        names = [f for f in facts if _FULL_NAME.fullmatch(f) and f in answer.summary]
        if names:
            first, last = names[0].split()
            changed = article.replace(first, _OTHER_NAME[0]).replace(last, _OTHER_NAME[1])
            renamed.append(changed)
            last_names.append(last)
    assert len(renamed) >= _ROWS // 4
    again = ask(summarizer, renamed)
    assert np.mean([_OTHER_NAME[1] in answer.summary for answer in again]) >= 0.7
    kept = [last in a.summary for a, last in zip(again, last_names, strict=True)]
    assert not any(kept)


def test_real_news_is_summarized_without_invented_facts(
    summarizer: Summarizer, sample_rows: dict[str, list[dict[str, str]]]
) -> None:
    rows = sample_rows["test"][:20]
    answers = ask(summarizer, [row["article"] for row in rows])
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
    assert means["salient"] > means["lead"] - 3


def test_it_is_small_enough_to_commit_and_holds_no_pickle() -> None:
    files = [file for file in Path(CHECKPOINT).iterdir() if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 25e6
    kinds = {file.suffix for file in files}
    assert kinds <= {".json", ".safetensors", ".md", ".model"}
    assert json.loads((CHECKPOINT / "config.json").read_text())["model_type"] == "t5"
