"""Compare the checks of a summary's statements with human judgments.

FOLDER has files `NAME.jsonl` or `NAME.jsonl.xz` with `doc`, `summary`, `label` (1: consistent with
the document, 0: not) and `edit_types` (kinds of error). This is the form of SummEdits (Laban et al.
2023). A summary is flagged if `metrics.faithfulness` finds a fact that the document does not
support, or `metrics.contradictions` a contradiction to it. Intervals resample documents, because
the summaries of one document resemble each other.
"""

import hashlib
import json
import lzma
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.command import make_parser, parse, run_command
from benchmarks.report import report
from highlighter.data.sentences import sentence_texts
from highlighter.errors import CorpusError
from highlighter.evaluation.entailment import EntailmentJudge
from highlighter.metrics.contradictions import find_contradictions
from highlighter.metrics.faithfulness import ArticleFacts
from highlighter.settings import EntailmentSettings

_RESAMPLES = 2000


@dataclass(frozen=True)
class Judged:
    """A summary, what people said of it, and the file it comes from."""

    source: str
    document: str
    summary: str
    consistent: bool
    kinds: tuple[str, ...]


def main() -> None:
    """Flag the summaries, print precision, recall and accuracy, write faithfulness.json."""
    parser = make_parser("faithfulness", __doc__)
    parser.add_argument("folder", type=Path, help="folder with the judged summaries")
    parser.add_argument(
        "--half",
        choices=["first", "second"],
        help="only half of the documents, by the SHA-256 of their text; default: all",
    )
    parser.add_argument(
        "--entailment",
        metavar="MODEL",
        help="flag by a classifier of natural language inference instead (SummaC-ZS): repository "
        "of the Hugging Face Hub, or folder",
    )
    parser.add_argument("--revision", default="main", help="of MODEL")
    parser.add_argument(
        "--threshold", type=float, default=0.5, help="lowest entailment that is not flagged"
    )
    options = parse(parser)
    rows = read_judged(options.folder, options.half)
    judge = "rules"
    if options.entailment:
        settings = EntailmentSettings(model=options.entailment, revision=options.revision)
        judge = f"{settings.model} ({settings.revision}), threshold {options.threshold:g}"
        flagged = [score < options.threshold for score in _entailment(rows, settings)]
    else:
        flagged = [_is_flagged(row) for row in rows]
    table = compare(rows, np.array(flagged))
    print(f"Judged by {judge}.")
    report("faithfulness", table, options.output, half=options.half or "both", judge=judge)


def _entailment(rows: Sequence[Judged], settings: EntailmentSettings) -> list[float]:
    judge = EntailmentJudge.load(settings)
    return [judge.score(row.document, [row.summary])[0] for row in rows]


def _is_flagged(row: Judged) -> bool:
    facts, sentences = _read(row.document)
    return bool(facts.unsupported(row.summary) or find_contradictions(row.summary, sentences))


@lru_cache(maxsize=1)
def _read(document: str) -> tuple[ArticleFacts, list[str]]:
    return ArticleFacts(document), sentence_texts(document)


def read_judged(folder: Path, half: str | None = None) -> list[Judged]:
    """Return the judged summaries of all files of a folder.

    Raises:
        CorpusError: there is no such file, or a line is not a judged summary. The message names
            file and line.
    """
    rows = []
    for file in sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.xz")]):
        content = file.read_bytes()
        text = (lzma.decompress(content) if file.suffix == ".xz" else content).decode()
        for number, line in enumerate(text.split("\n"), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                document, kinds = str(row["doc"]), tuple(map(str, row["edit_types"]))
                judged = (document, str(row["summary"]), bool(int(row["label"])), kinds)
            except (ValueError, TypeError, KeyError) as error:
                raise CorpusError(
                    f"{file}, line {number}: not a judged summary: {error!r}."
                ) from error
            rows.append(Judged(file.name.partition(".")[0], *judged))
    if half:
        rows = [row for row in rows if _half(row.document) == half]
    if not rows:
        raise CorpusError(f"{folder}: no judged summaries in files *.jsonl or *.jsonl.xz.")
    return rows


def _half(document: str) -> str:
    return ("first", "second")[hashlib.sha256(document.encode()).digest()[-1] % 2]


def compare(rows: Sequence[Judged], flagged: NDArray[np.bool_]) -> list[dict[str, object]]:
    """Return a row for all summaries, for each of several sources, and for each kind of error.

    A kind's row has the inconsistent summaries with this kind of error and all consistent ones.
    """
    consistent = np.array([row.consistent for row in rows])
    parts = {"all": np.ones(len(rows), dtype=bool)}
    sources = sorted({row.source for row in rows})
    for source in sources if len(sources) > 1 else ():
        parts[source] = np.array([row.source == source for row in rows])
    for kind in sorted({kind for row in rows if not row.consistent for kind in row.kinds}):
        parts[kind] = consistent | np.array([kind in row.kinds for row in rows])
    names = {row.document: number for number, row in enumerate(rows)}
    documents = np.array([names[row.document] for row in rows])
    table: list[dict[str, object]] = []
    for name, part in parts.items():
        wrong, right = part & ~consistent, part & consistent
        measures = {
            "precision": lambda caught, alarms, _wrong, _right: caught / (caught + alarms),
            "recall": lambda caught, _alarms, wrong, _right: caught / wrong,
            "false alarms": lambda _caught, alarms, _wrong, right: alarms / right,
            "balanced accuracy": lambda caught, alarms, wrong, right: (
                (caught / wrong + 1 - alarms / right) / 2
            ),
        }
        counts = np.stack(
            [
                np.bincount(documents[mask], minlength=len(rows)).astype(float)
                for mask in (flagged & wrong, flagged & right, wrong, right)
            ]
        )[:, np.unique(documents)]
        table.append(
            {
                "summaries": name,
                "inconsistent": int(wrong.sum()),
                "caught": int((flagged & wrong).sum()),
                "consistent": int(right.sum()),
                "flagged": int((flagged & right).sum()),
                **{title: _interval(counts, measure) for title, measure in measures.items()},
            }
        )
    return table


def _interval(counts: NDArray[np.float64], measure: Callable[..., NDArray[np.float64]]) -> str:
    """Return a measure of the counts' sums and its 95 % percentile-bootstrap interval.

    Args:
        counts: shape (4, documents): caught, false alarms, inconsistent, consistent.
        measure: of the four sums.
    """
    drawn = np.random.default_rng(0).integers(counts.shape[1], size=(_RESAMPLES, counts.shape[1]))
    with np.errstate(invalid="ignore"):
        value = measure(*counts.sum(axis=1))
        if np.isnan(value):
            return "-"
        low, high = np.nanpercentile(measure(*counts[:, drawn].sum(axis=2)), [2.5, 97.5])
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    sys.exit(run_command(main))
