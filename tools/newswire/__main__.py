"""`python -m tools.newswire --output DIR --seed 13` writes the corpus and its data card."""

import argparse
from pathlib import Path

from highlighter.embedded import CORPUS
from tools.newswire.corpus import DEFAULT_SEED, SPLIT_SIZES, generate_rows, write_split


def main() -> None:
    """Generates, writes and reports every split."""
    parser = argparse.ArgumentParser(prog="python -m tools.newswire", description=__doc__)
    parser.add_argument("--output", type=Path, default=CORPUS, help="folder of the parquet files")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--card", action="store_true", help="measure and write README.md too")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    splits = {split: list(generate_rows(split, options.seed)) for split in SPLIT_SIZES}
    print(f"{'split':<12}{'articles':>10}{'kinds':>8}{'unseen':>8}{'KiB':>8}")
    for split, rows in splits.items():
        size = write_split(rows, options.output / f"{split}.parquet")
        kinds, unseen = len({row.kind for row in rows}), sum(row.unseen_names for row in rows)
        print(f"{split:<12}{len(rows):>10,}{kinds:>8}{unseen:>8}{size / 1024:>8.0f}")
    if options.card:
        # Measuring needs rouge_score; generating does not.
        from tools.newswire.card import write_card

        write_card(splits, options.seed, options.output / "README.md")


if __name__ == "__main__":
    main()
