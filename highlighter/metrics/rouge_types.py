"""The ROUGE types that are measured, by their names in `rouge_score`; apart, as it loads slowly."""

ROUGE_TYPES = ("rouge1", "rouge2", "rougeL", "rougeLsum")
