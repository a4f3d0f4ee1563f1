"""Load the splits of a source as Arrow tables of raw rows, and identify their version."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import huggingface_hub
from datasets.exceptions import DatasetGenerationError
from httpx2 import HTTPError

from highlighter.data.files import RawRow, as_raw_row, choose_columns, matching_files, read_rows
from highlighter.data.fingerprint import hash_files, hash_folder
from highlighter.data.hub import commit_of, explain, is_commit
from highlighter.data.remote import is_address, local_copy, matching_addresses, shown
from highlighter.embedded import CORPUS
from highlighter.errors import CorpusError
from highlighter.settings import Columns, EmbeddedSource, FileSource, HubSource, Source

SPLITS = ("train", "validation", "test")

RAW_FEATURES = datasets.Features(
    {
        "id": datasets.Value("string"),
        "group": datasets.Value("string"),
        "article": datasets.Value("string"),
        "highlights": datasets.Value("string"),
        "file": datasets.Value("string"),
        "row": datasets.Value("int64"),
        "problem": datasets.Value("string"),
    }
)

_EMBEDDED_COLUMNS = Columns(id="id", group="unseen_names")


def embedded_files() -> dict[str, Path]:
    """Return the shipped corpus's file of each split."""
    return {split: CORPUS / f"{split}.parquet" for split in SPLITS}


def fingerprint_source(source: Source) -> str:
    """Return a hash of the files' contents, or the commit that a hub revision names now.

    With HF_HUB_OFFLINE set, that is the commit of the cached tables.

    Raises:
        HighlighterError: a file does not exist, or the hub does not answer.
    """
    match source:
        case EmbeddedSource():
            return hash_files(list(embedded_files().values()))
        case FileSource():
            names = [source.train, source.validation, source.test, source.all]
            return hash_files(file for name in names if name for file, _ in source_files(name))
        case HubSource():
            if Path(source.repository).is_dir():
                return hash_folder(Path(source.repository))
            if huggingface_hub.is_offline_mode():
                return _commit_of(_loaded(source, Path()))
            return commit_of("dataset", source.repository, source.revision)


def load_splits(source: Source, seed: int, cache_folder: Path) -> datasets.DatasetDict:
    """Return the raw rows (RAW_FEATURES) of train, validation and test.

    Args:
        source: where the rows are.
        seed: seed of the random split of a single file.
        cache_folder: folder of the tables that the result is memory-mapped from.

    Raises:
        CorpusError: a file or split is missing, unreadable, or lacks a configured column.
    """
    match source:
        case HubSource():
            splits = _load_hub(source, cache_folder)
        case FileSource(all=str(file)):
            splits = _divide(_load_file(file, source.columns, cache_folder), source, seed)
        case FileSource():
            splits = {
                split: _load_file(getattr(source, split), source.columns, cache_folder)
                for split in SPLITS
            }
        case EmbeddedSource():
            splits = {
                split: _load_file(str(file), _EMBEDDED_COLUMNS, cache_folder)
                for split, file in embedded_files().items()
            }
    for split, rows in splits.items():
        limit = getattr(source.limits, split)
        if limit is not None and limit < len(rows):
            splits[split] = rows.select(range(limit))
    return datasets.DatasetDict(splits)


def _load_file(file: str, columns: Columns, cache_folder: Path) -> datasets.Dataset:
    # `version` is part of the key of datasets' cache, so that a changed file is read again.
    files = source_files(file)
    version = hash_files(path for path, _ in files)
    try:
        return datasets.Dataset.from_generator(
            _generate,
            gen_kwargs={
                "files": [(str(path), name) for path, name in files],
                "columns": columns.model_dump(),
                "version": version,
            },
            features=RAW_FEATURES,
            cache_dir=str(cache_folder),
        )
    except DatasetGenerationError as error:
        if isinstance(error.__cause__, CorpusError):
            raise error.__cause__ from None
        raise


def source_files(pattern: str) -> list[tuple[Path, str]]:
    """Return the files that a path, address or pattern names, and how to name them in messages.

    Files at addresses are copied into datasets' cache.

    Raises:
        CorpusError: no file matches, or one cannot be fetched.
    """
    if not is_address(pattern):
        return [(path, str(path)) for path in matching_files(pattern)]
    copies = Path(datasets.config.DOWNLOADED_DATASETS_PATH) / "highlighter"
    addresses = matching_addresses(pattern)
    return [(local_copy(address, copies), shown(address)) for address in addresses]


def _generate(
    files: list[tuple[str, str]], columns: dict[str, Any], version: str
) -> Iterator[RawRow]:
    for path, name in files:
        yield from read_named(path, name, Columns.model_validate(columns))


def read_named(path: str, name: str, columns: Columns) -> Iterator[RawRow]:
    """Yield the rows of a file, which messages and the rows call `name`; see `read_rows`."""
    try:
        for row in read_rows(path, columns):
            yield row | {"file": name}
    except CorpusError as error:
        raise CorpusError(str(error).replace(path, name)) from error


def _divide(rows: datasets.Dataset, source: FileSource, seed: int) -> dict[str, datasets.Dataset]:
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    test = round(len(rows) * source.fractions.test)
    validation = round(len(rows) * source.fractions.validation)
    parts = {
        "train": order[test + validation :],
        "validation": order[test : test + validation],
        "test": order[:test],
    }
    return {split: rows.select(sorted(indices)) for split, indices in parts.items()}


def _load_hub(source: HubSource, cache_folder: Path) -> dict[str, datasets.Dataset]:
    where = f"{source.repository} ({source.configuration})"
    loaded = _loaded(source, cache_folder)
    missing = [split for split in SPLITS if split not in loaded]
    if missing:
        raise CorpusError(f"{where}: no split {', '.join(missing)}; it has {', '.join(loaded)}.")
    chosen = {
        split: choose_columns(loaded[split].column_names, source.columns, f"{where}/{split}")
        for split in SPLITS
    }
    return {
        split: loaded[split].map(
            _raw_rows,
            with_indices=True,
            batched=True,
            remove_columns=loaded[split].column_names,
            features=RAW_FEATURES,
            fn_kwargs={
                "columns": source.columns.model_dump(),
                "chosen": chosen[split],
                "file": f"{where}/{split}",
            },
            cache_file_name=str(cache_folder / f"raw-{split}.arrow"),
            load_from_cache_file=False,
            desc=f"reading {split}",
        )
        for split in SPLITS
    }


def _loaded(source: HubSource, cache_folder: Path) -> datasets.DatasetDict:
    """Return a dataset of the hub from the user's cache, which is filled if needed."""
    local = Path(source.repository).is_dir()
    where = f"{source.repository} ({source.configuration})"
    try:
        loaded = datasets.load_dataset(
            source.repository,
            source.configuration,
            revision=None if local else source.revision,
            # Tables of the hub stay in the user's cache, for later runs.
            cache_dir=str(cache_folder) if local else None,
        )
    except (HTTPError, ValueError, OSError, DatasetGenerationError) as error:
        out_of_reach = isinstance(error, HTTPError) or huggingface_hub.is_offline_mode()
        if out_of_reach and not local:
            raise explain("dataset", source.repository, source.revision, error) from error
        raise CorpusError(
            f"{where}: could not be loaded ({error}). Check repository, configuration and columns; "
            "for a gated repository, accept its terms on its page and set HF_TOKEN."
        ) from error
    if not local and is_commit(source.revision) and _commit_of(loaded) != source.revision:
        # `datasets` reads the newest cached tables, of any commit, whenever the hub fails.
        raise CorpusError(
            f"{where}: commit {source.revision} could not be loaded; the cache has "
            f"{_commit_of(loaded)}. Check the network and HF_TOKEN, or set `revision` to that."
        )
    return loaded


def _commit_of(loaded: datasets.DatasetDict) -> str:
    """Return the commit of cached tables, which is the name of their folder."""
    return Path(next(iter(loaded.values())).cache_files[0]["filename"]).parent.name


def _raw_rows(
    batch: dict[str, list[Any]],
    indices: list[int],
    columns: dict[str, Any],
    chosen: dict[str, str],
    file: str,
) -> dict[str, list[Any]]:
    names = Columns.model_validate(columns)
    rows = [
        as_raw_row(
            {name: batch[actual][i] for name, actual in chosen.items()},
            names,
            file=file,
            row=index + 1,
        )
        for i, index in enumerate(indices)
    ]
    return {column: [row[column] for row in rows] for column in RAW_FEATURES}
