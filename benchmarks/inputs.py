"""The articles and model shapes that benchmarks use."""

from dataclasses import dataclass
from pathlib import Path

from highlighter.data.files import read_rows
from highlighter.errors import CorpusError
from highlighter.settings import Columns, GivenVocabulary, ScratchModel

SHAPES = {
    "t5-small": {"d_model": 512, "d_ff": 2048, "layers": 6, "num_heads": 8},
    "t5-base": {"d_model": 768, "d_ff": 3072, "layers": 12, "num_heads": 12},
}


@dataclass(frozen=True)
class Article:
    """A text to summarize and its reference summary."""

    article: str
    highlights: str


def read_articles(file: Path, minimum: int = 1) -> list[Article]:
    """Return all rows of a CSV, JSON lines or parquet file, in order.

    Raises:
        CorpusError: the file cannot be read, has fewer than `minimum` rows, or a row has no
            article or no highlights. The message names the file and the row.
    """
    rows = []
    for row in read_rows(str(file), Columns(id=None, group=None)):
        empty = [name for name in ("article", "highlights") if not (row[name] or "").strip()]
        if problem := row["problem"] or (f"{empty[0]!r} is empty" if empty else ""):
            raise CorpusError(f"{file}, row {row['row']}: {problem}.")
        rows.append(Article(row["article"], row["highlights"]))
    if len(rows) < minimum:
        raise CorpusError(f"{file}: {len(rows)} rows; at least {minimum} are needed.")
    return rows


def random_model(shape: str, vocabulary: Path) -> ScratchModel:
    """Return the settings of a T5 with random weights and as many decoder as encoder layers.

    Args:
        shape: a key of SHAPES.
        vocabulary: folder with `spiece.model`.
    """
    sizes = dict(SHAPES[shape])
    layers = sizes.pop("layers")
    return ScratchModel(
        kind="scratch",
        vocabulary=GivenVocabulary(kind="folder", path=str(vocabulary)),
        d_kv=64,
        num_layers=layers,
        num_decoder_layers=layers,
        **sizes,
    )
