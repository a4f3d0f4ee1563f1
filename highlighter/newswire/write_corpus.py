"""Writes the splits as parquet files."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from highlighter.newswire.generate_corpus import Row

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("article", pa.string()),
        ("highlights", pa.string()),
        ("kind", pa.string()),
        ("facts", pa.list_(pa.string())),
        ("unseen_names", pa.bool_()),
    ]
)
COMPRESSION_LEVEL = 19


def write_split(rows: Sequence[Row], path: Path) -> int:
    """Writes the rows and returns the size of the file in bytes."""
    columns = {name: [getattr(row, name) for row in rows] for name in SCHEMA.names}
    pq.write_table(
        pa.table(columns, schema=SCHEMA),
        path,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        use_dictionary=["kind"],
    )
    return path.stat().st_size
