"""Measure an evaluation next to transformers' `generate` followed by `rouge_score`.

Each run is a process of its own; loading is not counted. `baseline` and `project` read the same
text of each article, what fits into one window; `project` also scores seven further systems.
`project, all text` is the evaluation as the pipeline does it: it reads articles to their end and
writes long ones from two sources.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import datasets
import torch
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.scoring import BootstrapAggregator
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, GenerationConfig

from benchmarks.command import make_parser, parse, positive_int, run_command
from benchmarks.inputs import Article, random_model, read_articles
from benchmarks.processes import Measured, measure
from benchmarks.report import ratio, report
from highlighter.data.windows import encode_articles, encode_prefix, window_budget
from highlighter.embedded import CHECKPOINT
from highlighter.evaluation.aggregate import sum_up
from highlighter.evaluation.scoring import score_rows
from highlighter.evaluation.systems import run_systems
from highlighter.inference.summarizer import Summarizer
from highlighter.metrics.rouge import one_sentence_a_line
from highlighter.model.build import build_model
from highlighter.model.checkpoint import finish_checkpoint, read_text_settings, save_checkpoint
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import (
    ROUGE_TYPES,
    EvaluationSettings,
    GenerationSettings,
    HighlightSettings,
    TextSettings,
)
from highlighter.system.memory import keep_freed_memory

BASELINE, PROJECT, ALL_TEXT = SYSTEMS = ("baseline", "project", "project, all text")
_BASELINE_BATCH = 4
_ROUGE = {"rouge1": "R-1", "rouge2": "R-2", "rougeLsum": "R-Lsum"}


def main() -> None:
    """Measure the systems in turns, print the table, write evaluation.json."""
    parser = make_parser("evaluation", __doc__, "articles")
    model = parser.add_mutually_exclusive_group()
    model.add_argument(
        "--checkpoint", type=Path, default=CHECKPOINT, help="folder; default: the small T5"
    )
    model.add_argument(
        "--vocabulary",
        type=Path,
        help="folder with T5's spiece.model: measure T5-small's shape with random weights, which "
        "write --max-new-tokens for every article",
    )
    parser.add_argument("--rows", type=positive_int, default=32, help="articles, from the start")
    parser.add_argument("--beams", type=positive_int, default=4)
    parser.add_argument("--max-new-tokens", type=positive_int, default=64)
    parser.add_argument("--rounds", type=positive_int, default=3, help="runs of each system")
    options = parse(parser)
    read_articles(options.articles, options.rows)
    checkpoint = options.checkpoint.resolve()
    if options.vocabulary:
        checkpoint, tokenizer = options.output / "t5_small", load_tokenizer(str(options.vocabulary))
        t5 = build_model(random_model("t5-small", options.vocabulary), tokenizer, seed=13)
        save_checkpoint(checkpoint, t5, tokenizer, TextSettings())
    generation = {
        "num_beams": options.beams,
        "max_new_tokens": options.max_new_tokens,
        "length_penalty": 1.0,
    }
    runs: dict[str, list[Measured]] = {system: [] for system in SYSTEMS}
    for _ in range(options.rounds):
        for system in SYSTEMS:
            print(f"{system} ...", file=sys.stderr, flush=True)
            run = measure(
                "benchmarks.evaluation:run_system", options.output / "evaluation.log",
                system=system, checkpoint=checkpoint, articles=options.articles.resolve(),
                rows=options.rows, generation=generation,
            )  # fmt: skip
            runs[system].append(run)
    report(
        "evaluation", compare(runs), options.output, articles=options.rows, generation=generation
    )


def compare(runs: dict[str, list[Measured]]) -> list[dict[str, Any]]:
    """Return a row for each system with medians over its runs.

    `same texts %`: summaries that are equal to the baseline's.
    """
    seconds = {
        system: median(run.result["writing"] + run.result["scoring"] for run in each)
        for system, each in runs.items()
    }
    written = runs[BASELINE][-1].result["summaries"]
    rows = []
    for system, each in runs.items():
        last = each[-1].result
        same = sum(a == b for a, b in zip(last["summaries"], written, strict=True))
        rows.append(
            {
                "system": system,
                "runs": len(each),
                "writing s": median(run.result["writing"] for run in each),
                "scoring s": median(run.result["scoring"] for run in each),
                "articles/s": ratio(len(written), seconds[system]),
                "/ baseline": ratio(seconds[BASELINE], seconds[system]),
                "peak RSS MB": median(run.peak_rss for run in each),
                **{label: last["rouge"][name] for name, label in _ROUGE.items()},
                "same texts %": 100 * same / len(written),
            }
        )
    return rows


def run_system(
    system: str, checkpoint: str, articles: str, rows: int, generation: dict[str, Any]
) -> dict[str, Any]:
    """Evaluate a checkpoint once.

    Returns:
        `writing` and `scoring` in seconds, `rouge` (mean F1 in percent by type), and `summaries`.
    """
    some = read_articles(Path(articles))[:rows]
    if system != ALL_TEXT:
        some = cut_to_window(some, Path(checkpoint))
    evaluate = evaluate_plainly if system == BASELINE else evaluate_project
    return evaluate(Path(checkpoint), some, GenerationSettings(**generation))


def cut_to_window(articles: Sequence[Article], checkpoint: Path) -> list[Article]:
    """Return the articles, each cut after the last sentence that fits into the model's window."""
    tokenizer = load_tokenizer(str(checkpoint))
    text = read_text_settings(checkpoint)
    budget = window_budget(encode_prefix(tokenizer, text), text)
    encoded = encode_articles([article.article for article in articles], tokenizer, budget)
    cut = []
    for article, source in zip(articles, encoded, strict=True):
        end, room = 0, budget
        for sentence, tokens in zip(source.sentence_of_segment, source.segments, strict=True):
            room -= len(tokens)
            if room < 0:
                break
            end = source.sentences[sentence].end
        cut.append(Article(article.article[:end], article.highlights))
    return cut


@torch.inference_mode()
def evaluate_plainly(
    checkpoint: Path, articles: Sequence[Article], generation: GenerationSettings
) -> dict[str, Any]:
    """Evaluate with transformers and rouge_score: fp32, batches of 4 in order, one process."""
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    model = AutoModelForSeq2SeqLM.from_pretrained(checkpoint, dtype=torch.float32)
    model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    started = time.perf_counter()
    summaries: list[str] = []
    for start in range(0, len(articles), _BASELINE_BATCH):
        batch = articles[start : start + _BASELINE_BATCH]
        inputs = tokenizer(
            ["summarize: " + article.article for article in batch],
            max_length=512, padding=True, truncation=True, return_tensors="pt",
        ).to(model.device)  # fmt: skip
        ids = model.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            generation_config=GenerationConfig(
                num_beams=generation.num_beams,
                early_stopping=generation.num_beams > 1,
                length_penalty=generation.length_penalty,
                min_new_tokens=generation.min_new_tokens,
                max_new_tokens=generation.max_new_tokens,
                no_repeat_ngram_size=generation.no_repeat_ngram_size,
                pad_token_id=model.config.pad_token_id,
                eos_token_id=model.config.eos_token_id,
                decoder_start_token_id=model.config.decoder_start_token_id,
            ),
        )
        summaries += [t.strip() for t in tokenizer.batch_decode(ids, skip_special_tokens=True)]
    written = time.perf_counter()
    scorer, aggregator = RougeScorer(list(ROUGE_TYPES), use_stemmer=True), BootstrapAggregator()
    for summary, article in zip(summaries, articles, strict=True):
        texts = one_sentence_a_line(article.highlights), one_sentence_a_line(summary)
        aggregator.add_scores(scorer.score(*texts))
    means = {name: 100 * score.mid.fmeasure for name, score in aggregator.aggregate().items()}
    scored = time.perf_counter()
    return _result(started, written, scored, means, summaries)


def evaluate_project(
    checkpoint: Path, articles: Sequence[Article], generation: GenerationSettings
) -> dict[str, Any]:
    """Evaluate as the pipeline's step does; the summaries are those of each article's start."""
    keep_freed_memory()
    rows = datasets.Dataset.from_list(
        [
            {"id": str(n), "group": None, "article": a.article, "highlights": a.highlights}
            for n, a in enumerate(articles)
        ]
    )
    highlights, settings = HighlightSettings(), EvaluationSettings()
    with tempfile.TemporaryDirectory() as folder:
        finish_checkpoint(checkpoint, generation, highlights, Path(folder, "served"))
        summarizer = Summarizer.load(Path(folder, "served"))
    started = time.perf_counter()
    rows = run_systems(summarizer, rows, batch_size=settings.batch_size, oracle_sentences=3, seed=0)
    written = time.perf_counter()
    evaluation = sum_up(
        score_rows(rows, settings.workers),
        writer="torch", test_fingerprint="", generation=generation, highlights=highlights,
        settings=settings, seed=0,
    )  # fmt: skip
    scored = time.perf_counter()
    means = {n: s.mean for n, s in evaluation.systems["abstractive_first"].rouge.items()}
    return _result(started, written, scored, means, rows["abstractive_first"][:])


def _result(
    started: float, written: float, scored: float, rouge: dict[str, float], texts: list[str]
) -> dict[str, Any]:
    writing, scoring = written - started, scored - written
    return {"writing": writing, "scoring": scoring, "rouge": rouge, "summaries": texts}


if __name__ == "__main__":
    sys.exit(run_command(main))
