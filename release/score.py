"""Summarize files of articles with a registered version: rows in, parquet parts out.

A folder of results has `part-NUMBER-HASH.parquet`, `_settings.json` and, once it is complete,
`_rejected.jsonl`. Spark and pyarrow leave out names with an underscore when they read the folder.
"""

import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem
from mlflow.entities.model_registry import ModelVersion
from pydantic import BaseModel

from highlighter.data.characters import has_surrogate, has_visible_text
from highlighter.data.files import RawRow
from highlighter.data.remote import explained, is_address, shown
from highlighter.data.sources import read_named, source_files
from highlighter.errors import CorpusError
from highlighter.inference.answers import ANSWER_FIELDS, HighlightRequest, Options
from highlighter.inference.summarizer import Summarizer
from highlighter.settings import ArticleColumns
from highlighter.system.folders import temporary_folder
from release import registry
from release.logged_model import fetch_checkpoint

PART_ROWS = 256
_PART_CHARACTERS = 4_000_000
_MOST_CHARACTERS = 1_000_000  # of an article: the largest limit that the service can be given
_TOGETHER = 64  # articles whose encoder states are in memory at once
ORIGIN = ("file", "row", "id")
SETTINGS_FILE, REJECTED_FILE = "_settings.json", "_rejected.jsonl"

_PARAGRAPH = {
    "text": pa.string(),
    "start": pa.int64(),
    "end": pa.int64(),
    "score": pa.float64(),
    "important": pa.bool_(),
}
_COUNTS = dict.fromkeys(("characters", "words", "sentences", "windows"), pa.int64())
_TRUNCATED = dict.fromkeys(("source", "summary"), pa.bool_())
RESULT = pa.schema(
    {
        "file": pa.string(),
        "row": pa.int64(),
        "id": pa.string(),
        "summary": pa.string(),
        "doubt": pa.string(),
        "confidence": pa.float64(),
        "truncated": pa.struct(_TRUNCATED),
        "facts_checked": pa.bool_(),
        "paragraphs": pa.list_(pa.struct(_PARAGRAPH)),
        "counts": pa.struct(_COUNTS),
    }
)


class ScoreSettings(BaseModel):
    """What the rows of a folder of results have in common."""

    input: str
    model: str
    checkpoint: str | None
    columns: ArticleColumns
    options: Options


@dataclass
class Scored:
    """Rows that a command has scored, found in complete parts, and rejected."""

    new: int = 0
    found: int = 0
    rejected: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """New rows a second."""
        return self.new / self.seconds if self.seconds else 0.0


class ResultFolder:
    """A folder, local or at an address, whose files appear complete or not at all.

    Args:
        name: path or fsspec address.
    """

    def __init__(self, name: str) -> None:
        self.name = name.rstrip("/")
        with self._explained():
            self._files, self._path = fsspec.core.url_to_fs(self.name)
            if isinstance(self._files, LocalFileSystem):
                self._files.makedirs(self._path, exist_ok=True)

    def names(self) -> set[str]:
        """Return the names of the files."""
        with self._explained():
            self._files.invalidate_cache()
            try:
                files = self._files.ls(self._path, detail=False)
            except FileNotFoundError:  # stores of objects have no empty folders
                return set()
            return {Path(file).name for file in files}

    def read(self, name: str) -> str:
        """Return the text of a file."""
        with self._explained():
            return str(self._files.read_text(f"{self._path}/{name}", encoding="utf-8"))

    def put(self, name: str, write: Callable[[Path], object]) -> None:
        """Create or replace a file with what `write` writes to a local path."""
        with tempfile.TemporaryDirectory(prefix="highlighter-score-") as folder:
            local = Path(folder) / name
            write(local)
            draft = f"{self._path}/_{name}.partial"
            with self._explained():
                self._files.put_file(str(local), draft)
                self._files.mv(draft, f"{self._path}/{name}")

    def remove(self, names: set[str]) -> None:
        """Remove files."""
        for name in names:
            with self._explained():
                self._files.rm_file(f"{self._path}/{name}")

    def holds(self, file: str) -> bool:
        """Return whether a file is in the folder."""
        if is_address(self.name):
            return file.startswith(f"{shown(self.name)}/")
        return not is_address(file) and Path(file).resolve().is_relative_to(
            Path(self.name).resolve()
        )

    def _explained(self) -> AbstractContextManager[None]:
        # Errors of local disks are explained by the command.
        return explained(self.name, "used") if is_address(self.name) else nullcontext()


class Scorer(Protocol):
    """Computes answers; `parts` is the number of parts that it takes at once."""

    parts: int

    def answer(self, rows: list[RawRow]) -> pa.Table:
        """Return the answers (RESULT) to the articles of rows, in order."""


class LocalScorer:
    """Computes answers in this process.

    Args:
        version: what answers.
        options: options of every answer.
        batch_size: articles that the model computes together.
    """

    parts = 1

    def __init__(self, version: ModelVersion, options: Options, batch_size: int = 8) -> None:
        self._options, self._batch_size = options.model_dump(), batch_size
        self._summarizer = Summarizer.load(fetch_checkpoint(version, temporary_folder("score")))

    def answer(self, rows: list[RawRow]) -> pa.Table:
        """Return the answers (RESULT) to the articles of rows, in order."""
        order = sorted(range(len(rows)), key=lambda n: len(rows[n]["article"]))
        answers: dict[int, dict[str, Any]] = {}
        for start in range(0, len(order), _TOGETHER):
            together = order[start : start + _TOGETHER]
            requests = [
                HighlightRequest(article=rows[n]["article"], **self._options) for n in together
            ]
            found = self._summarizer.summarize(requests, batch_size=self._batch_size)
            for n, answer in zip(together, found, strict=True):
                answers[n] = answer.model_dump(include=set(ANSWER_FIELDS))
        return pa.Table.from_pylist(
            [{**{k: row[k] for k in ORIGIN}, **answers[n]} for n, row in enumerate(rows)],
            schema=RESULT,
        )


def score(
    source: str,
    output: str,
    *,
    name: str,
    version: str,
    columns: ArticleColumns,
    options: Options,
    scorer: Callable[[ModelVersion, Options], Scorer] | None = None,
    report: Callable[[Scored], None] = lambda scored: None,
) -> Scored:
    """Summarize every row of the files that a path, address or pattern names.

    Parts that are already in the output are kept, so that an interrupted command is continued by
    repeating it. A part's name has a hash of its articles: if the input has changed, the parts that
    changed are computed again, and those that are no longer of the input are removed.

    Args:
        source: path, address or pattern of the files.
        output: path or address of the folder of results.
        name: name of the registered model.
        version: number of its version, or "champion".
        columns: names of the columns to read.
        options: options of every answer.
        scorer: makes what computes the answers of a version; None: `LocalScorer`.
        report: called after each part.

    Raises:
        RegistryError: there is no such version.
        CorpusError: a file cannot be read, or the output has results of other settings.
    """
    found = registry.named_version(name, version)
    settings = ScoreSettings(
        input=shown(source) if is_address(source) else source,
        model=registry.uri(found),
        checkpoint=found.tags.get(registry.CHECKPOINT_TAG),
        columns=columns,
        options=options,
    )
    files = source_files(source)
    folder = ResultFolder(output)
    _require_apart(folder, [name for _, name in files])
    _require_equal(folder, settings)
    model = (scorer or LocalScorer)(found, options)
    complete, parts, scored = folder.names(), set(), Scored()
    with tempfile.TemporaryDirectory(prefix="highlighter-score-") as scratch:
        rejected = Path(scratch) / REJECTED_FILE
        with rejected.open("w", encoding="utf-8") as stream:
            rows = _valid_rows(files, columns, stream.write)

            def missing() -> Iterator[tuple[str, list[RawRow]]]:
                for number, part in enumerate(_parts(rows)):
                    part_name = f"part-{number:05}-{_digest(part)}.parquet"
                    parts.add(part_name)
                    if part_name in complete:
                        scored.found += len(part)
                    else:
                        yield part_name, part

            pending = missing()
            while together := list(islice(pending, model.parts)):
                started = time.perf_counter()
                table = model.answer([row for _, part in together for row in part])
                for part_name, part in together:
                    folder.put(part_name, partial(pq.write_table, table.slice(0, len(part))))
                    table = table.slice(len(part))
                    scored.new += len(part)
                scored.seconds += time.perf_counter() - started
                report(scored)
        scored.rejected = sum(1 for _ in rejected.open(encoding="utf-8"))
        if not scored.new + scored.found:
            raise CorpusError(
                f"{source}: no row can be summarized, {scored.rejected} were rejected. "
                f"{_first_rejected(rejected)}"
            )
        folder.put(REJECTED_FILE, partial(shutil.copyfile, rejected))
    folder.remove({old for old in complete if old.startswith("part-")} - parts)
    return scored


def _require_apart(folder: ResultFolder, files: list[str]) -> None:
    inside = next((file for file in files if folder.holds(file)), None)
    if inside is not None:
        raise CorpusError(
            f"{inside}: this file of the input is in the folder of the results, {folder.name}. "
            "Name another folder."
        )


def _require_equal(folder: ResultFolder, settings: ScoreSettings) -> None:
    """Store the settings, or require that they are those of the results that are there."""
    names = folder.names()
    if SETTINGS_FILE not in names or not any(name.startswith("part-") for name in names):
        text = settings.model_dump_json(indent=2)
        folder.put(SETTINGS_FILE, lambda file: file.write_text(text, encoding="utf-8"))
        return
    before: dict[str, Any] = json.loads(folder.read(SETTINGS_FILE))
    now = settings.model_dump(mode="json")
    if before != now:
        other = next(key for key in now if before.get(key) != now[key])
        raise CorpusError(
            f"{shown(folder.name) if is_address(folder.name) else folder.name}: it has results of "
            f"other settings: {other} was {json.dumps(before.get(other))} and is now "
            f"{json.dumps(now[other])}. Name another folder, or repeat the earlier command "
            "(`--version` names a version that is no longer the champion)."
        )


def _valid_rows(
    files: list[tuple[Path, str]], columns: ArticleColumns, reject: Callable[[str], object]
) -> Iterator[RawRow]:
    """Yield the rows that can be summarized; describe each other one in a line of JSON."""
    for path, name in files:
        printable = name.encode("utf-8", "backslashreplace").decode()
        for row in read_named(str(path), printable, columns):
            problem = row["problem"] or _what_is_wrong(row)
            if problem:
                reject(json.dumps({**{k: row[k] for k in ORIGIN}, "reason": problem}) + "\n")
            else:
                yield row


def _what_is_wrong(row: RawRow) -> str:
    article = row["article"]
    if has_surrogate(row["id"] or ""):
        return "the id contains bytes that are not UTF-8"
    if not has_visible_text(article):
        return "article empty"
    if len(article) > _MOST_CHARACTERS:
        return f"article has {len(article):,} characters, more than {_MOST_CHARACTERS:,}"
    return ""


def _first_rejected(rejected: Path) -> str:
    with rejected.open(encoding="utf-8") as lines:
        first = next(lines, None)
    if first is None:
        return "The files have no rows."
    line = json.loads(first)
    return f"The first one is {line['file']}:{line['row']}: {line['reason']}."


def _parts(rows: Iterator[RawRow]) -> Iterator[list[RawRow]]:
    part: list[RawRow] = []
    characters = 0
    for row in rows:
        part.append(row)
        characters += len(row["article"])
        if len(part) == PART_ROWS or characters >= _PART_CHARACTERS:
            yield part
            part, characters = [], 0
    if part:
        yield part


def _digest(part: list[RawRow]) -> str:
    digest = hashlib.sha256()
    for row in part:
        key = json.dumps([row["file"], row["row"], row["id"], row["article"]])
        digest.update(key.encode() + b"\n")
    return digest.hexdigest()[:16]


def print_progress(scored: Scored) -> None:
    """Print to standard error how far a command is."""
    print(
        f"{scored.found + scored.new:,} rows, {scored.rate:.1f} rows/s", file=sys.stderr, flush=True
    )
