"""The systems that are judged, the measures of each, and their columns in the table of rows."""

from highlighter.metrics.rouge_types import ROUGE_TYPES

# "served" is what a reader gets: "abstractive", or "extractive" where there is a doubt about it.
# "abstractive" is the one of the two below it that the configuration chooses.
SYSTEMS = (
    "served",
    "abstractive",
    "abstractive_first",
    "abstractive_selected",
    "extractive",
    "lead3",
    "random3",
    "oracle",
)

# Per row and system: ROUGE F1, words, and measures of the text itself (NaN where undefined).
MEASURES = (
    *ROUGE_TYPES,
    "words",
    "compression",
    "novel_bigrams",
    "repeated_trigrams",
    "supported_facts",
    "facts",
    "recalled_facts",
)


def column(system: str, measure: str) -> str:
    """Name of a measure's column in the table of rows."""
    return f"{system}_{measure}"


def source_column(source: str) -> str:
    """Name of the column with the text of a decoder source, while rows are scored."""
    return f"source_{source}"


def recall_column(source: str) -> str:
    """Name of the column with the percentage of the reference's bigrams that a source holds.

    It bounds what a decoder can copy from that source, whatever the decoder is worth.
    """
    return f"recall_{source}"
