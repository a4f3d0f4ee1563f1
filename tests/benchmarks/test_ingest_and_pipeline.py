"""The made-up corpus, the slopes, and what is read from a run's output."""

import sys
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerBase

from benchmarks import ingest
from benchmarks.articles import Article, read_articles
from benchmarks.ingest import Stages
from benchmarks.pipeline import Checkout, copy_checkout, measure, steps_printed
from benchmarks.pipeline_report import FIRST, Timing, plot_pipeline, show
from benchmarks.processes import ROOT, ServerError
from tests.conftest import made_up_articles

OUTPUT = """\
step by step
ingest  99.0
 step       seconds
 ingest         2.6
 fine_tune   cached
Registered news-highlighter version 1
"""


def test_a_corpus_of_any_size_has_no_row_twice_and_is_processed_whole(
    tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    rows = [
        Article(article=row["article"], highlights=row["highlights"])
        for row in made_up_articles(5, seed=1)
    ]
    ingest.write_corpus(rows, 12, tmp_path)
    written = [read_articles(tmp_path / f"{split}.jsonl") for split in ("train", "validation")]
    assert [len(split) for split in written] == [12, 50]
    texts = [row.article for split in written for row in split]
    assert len(set(texts)) == len(texts)
    tokenizer.save_pretrained(tmp_path / "vocabulary")
    stages = ingest.process_corpus(tmp_path, tmp_path / "vocabulary", workers=1)
    assert 0 < stages.ingest < 60
    assert 0 < stages.tokenize < 60


def test_slopes_of_a_line(tmp_path: Path) -> None:
    rows = [
        ingest.Row(
            rows=n,
            stages=Stages(ingest=n / 1000, tokenize=1 + n / 200),
            peak_rss=500 + n / 50,
            peak_own=400,
        )
        for n in (1000, 2000, 4000)
    ]
    assert ingest.slopes(rows) == pytest.approx((0.006, 0.02))
    text = ingest.show(rows)
    assert text.splitlines()[1].split() == ["1000", "1.0", "6.0", "143", "520", "400"]
    assert text.splitlines()[-1] == "1,000 rows more: 6.00 s, 20.00 MB"
    ingest.plot_ingest(rows).savefig(tmp_path / "ingest.png")


def test_the_steps_of_the_last_table_are_read() -> None:
    assert steps_printed(OUTPUT) == {"ingest": "2.6", "fine_tune": "cached"}


def test_a_command_runs_in_the_copy_with_stores_of_its_own(tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path)
    assert (checkout.folder / "run_pipeline.py").read_bytes() == (
        ROOT / "run_pipeline.py"
    ).read_bytes()
    assert not (checkout.folder / ".git").exists()
    script = (
        "import os; print(os.getcwd(), os.environ['BENTOML_HOME'], sep='\\nstep s\\n x 1.5\\n')"
    )
    log = tmp_path / "log"
    timing = measure("a", [sys.executable, "-c", script], checkout, log)
    assert timing.steps == {"x": "1.5"}
    assert timing.seconds > 0
    where = "import os; raise SystemExit(os.getcwd() + os.environ['BENTOML_HOME'])"
    with pytest.raises(ServerError, match=f"{checkout.folder}{tmp_path / 'bentoml'}"):
        measure("b", [sys.executable, "-c", where], checkout, log)
    with pytest.raises(ServerError, match="can't start"):
        measure("c", ["no-such-program"], Checkout(tmp_path, {}), log)


def test_medians_of_each_kind_of_run_and_their_share_of_the_first() -> None:
    timings = [Timing(name=FIRST, seconds=100, peak_rss=900, steps={"ingest": "2.0"})]
    timings += [
        Timing(name="again", seconds=s, peak_rss=s, steps={"ingest": "cached"}) for s in (9, 12, 30)
    ]
    _, first, again = show(timings).splitlines()
    assert first.split() == ["first", "run", "100.0", "100", "%", "900", "2.0", "1"]
    assert again.split() == ["again", "12.0", "12", "%", "30", "cached", "3"]
    (axes,) = plot_pipeline(timings).axes
    widths = [round(bar.get_width()) for bar in axes.patches]
    assert widths == [2, 98, 12]
