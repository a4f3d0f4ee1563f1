"""Keep the usable rows; count the others by reason."""

import hashlib
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from pydantic import BaseModel

from highlighter.data.characters import has_visible_text
from highlighter.errors import CorpusError
from highlighter.settings import MinimumRows, RowLimits

_EXAMPLES = 20
_REASONS = ("malformed", "empty", "longer_than_article", "duplicate", "in_other_split")

_CHECKED = ("id", "article", "highlights", "problem", "reason", "digest")
_FINGERPRINTED = ("id", "article", "highlights")

ARTICLE_FEATURES = datasets.Features(
    {name: datasets.Value("string") for name in (*_FINGERPRINTED, "group")}
)


class LeftOut(BaseModel):
    """A row that was left out; `where` is its file and row."""

    where: str
    reason: str


class SplitCounts(BaseModel):
    """Rows of a split: read, kept, and left out by the first reason that applies."""

    read: int
    kept: int
    malformed: int = 0
    empty: int = 0
    longer_than_article: int = 0
    duplicate: int = 0
    in_other_split: int = 0


class IngestReport(BaseModel):
    """Rows read and kept by ingest, by split; `fingerprints` are hashes of the kept rows."""

    data_version: str
    counts: dict[str, SplitCounts]
    fingerprints: dict[str, str]
    left_out: dict[str, list[LeftOut]]

    @property
    def kept(self) -> dict[str, int]:
        """The number of valid rows by split."""
        return {split: counts.kept for split, counts in self.counts.items()}


def validate_splits(
    raw: datasets.DatasetDict,
    minimum: MinimumRows,
    data_version: str,
    cache_folder: Path,
    *,
    workers: int | None = None,
    maximum_malformed: float = 1.0,
    limits: RowLimits | None = None,
) -> tuple[datasets.DatasetDict, IngestReport]:
    """Return the valid articles (ARTICLE_FEATURES) by split, and a report.

    An article that occurs in several splits is kept in the first of test, validation and train.

    Args:
        raw: rows of RAW_FEATURES by split.
        minimum: rows that each split must keep.
        data_version: version of the source, for the report.
        cache_folder: folder of the tables that the result is memory-mapped from.
        workers: processes that check rows; None: this process.
        maximum_malformed: share in 0..1 of a split's rows that may be malformed.
        limits: the rows that each split was cut to; for the error message.

    Raises:
        CorpusError: a split keeps fewer rows than `minimum`, or has too many malformed ones.
    """
    kept: dict[str, datasets.Dataset] = {}
    counts, examples, fingerprints = {}, {}, {}
    in_other_splits: set[bytes] = set()
    for split in ("test", "validation", "train"):
        checked = raw[split].map(
            _check_rows,
            batched=True,
            num_proc=workers,
            cache_file_name=str(cache_folder / f"checked-{split}.arrow"),
            load_from_cache_file=False,
            desc=f"validating {split}",
        )
        reasons, digests = _reasons(checked, in_other_splits)
        keep = np.flatnonzero(reasons == "")
        in_other_splits.update(digests[i] for i in keep)
        kept[split] = checked.select(keep).select_columns(list(ARTICLE_FEATURES))
        counts[split] = SplitCounts(
            read=len(checked),
            kept=len(keep),
            **{reason: int((reasons == reason).sum()) for reason in _REASONS},
        )
        examples[split] = _examples(checked, reasons)
        fingerprints[split] = _fingerprint(kept[split])
    report = IngestReport(
        data_version=data_version, counts=counts, fingerprints=fingerprints, left_out=examples
    )
    _require_enough(report, minimum, limits)
    _require_readable(report, maximum_malformed)
    return datasets.DatasetDict({s: kept[s] for s in ("train", "validation", "test")}), report


def _check_rows(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
    checked: dict[str, list[Any]] = {name: [] for name in _CHECKED}
    rows = zip(batch["id"], batch["article"], batch["highlights"], batch["problem"], strict=True)
    for given_id, raw_article, raw_highlights, problem in rows:
        article = (raw_article or "").strip()
        highlights = "\n".join(line.strip() for line in (raw_highlights or "").strip().splitlines())
        reason, detail = _what_is_wrong(article, highlights, problem)
        digest = hashlib.sha1(" ".join(article.split()).encode())
        values = (given_id or digest.hexdigest(), article, highlights, detail, reason)
        for name, value in zip(_CHECKED, (*values, digest.digest()), strict=True):
            checked[name].append(value)
    return checked


def _what_is_wrong(article: str, highlights: str, problem: str) -> tuple[str, str]:
    """Return the reason to leave a row out, and its detail; empty if the row is valid."""
    if problem:
        return "malformed", problem
    for name, text in (("article", article), ("highlights", highlights)):
        if not has_visible_text(text):
            return "empty", f"{name} empty"
    if len(highlights) > len(article):
        return "longer_than_article", "highlights longer than the article"
    return "", ""


def _reasons(checked: datasets.Dataset, in_other_splits: set[bytes]) -> tuple[Any, list[bytes]]:
    """Return each row's reason to be left out ("" if kept), duplicates included, and its digest."""
    reasons = np.array(checked["reason"][:], dtype=object)
    digests = checked["digest"][:]
    seen: set[bytes] = set()
    for index, digest in enumerate(digests):
        if reasons[index]:
            continue
        if digest in in_other_splits:
            reasons[index] = "in_other_split"
        elif digest in seen:
            reasons[index] = "duplicate"
        seen.add(digest)
    return reasons, digests


def _examples(checked: datasets.Dataset, reasons: Any) -> list[LeftOut]:
    texts = {
        "duplicate": "article occurs twice",
        "in_other_split": "article occurs in two splits",
    }
    rows = checked.select(np.flatnonzero(reasons != "")[:_EXAMPLES])
    return [
        LeftOut(where=f"{row['file']}:{row['row']}", reason=row["problem"] or texts[reason])
        for row, reason in zip(rows, reasons[reasons != ""], strict=False)
    ]


def _fingerprint(rows: datasets.Dataset) -> str:
    digest = hashlib.sha256()
    for batch in rows.with_format("arrow").iter(batch_size=1000):
        for column in _FINGERPRINTED:
            for value in batch[column].to_pylist():
                digest.update(value.encode() + b"\0")
    return digest.hexdigest()[:16]


def _require_enough(report: IngestReport, minimum: MinimumRows, limits: RowLimits | None) -> None:
    for split, counts in report.counts.items():
        required = getattr(minimum, split)
        if counts.kept < required:
            reasons = ", ".join(f"{getattr(counts, r)} {r}" for r in _REASONS if getattr(counts, r))
            shown = "; ".join(f"{row.where}: {row.reason}" for row in report.left_out[split][:3])
            if counts.read == getattr(limits, split, None):
                shown += f"{'. ' if shown else ''}Raise limits.{split} of the source."
            raise CorpusError(
                f"{split}: {counts.kept} of {counts.read} rows are valid, {required} are required"
                f" ({reasons or 'no row was left out'}). {shown or 'Add rows.'}"
            )


def _require_readable(report: IngestReport, maximum: float) -> None:
    for split, counts in report.counts.items():
        if counts.malformed > maximum * counts.read:
            bad = "; ".join(f"{row.where}: {row.reason}" for row in report.left_out[split][:3])
            raise CorpusError(
                f"{split}: {counts.malformed} of {counts.read} rows are malformed ({bad}). Correct "
                "the file, or raise steps.ingest.parameters.maximum_malformed, a share of the rows "
                f"(now {maximum:g})."
            )
