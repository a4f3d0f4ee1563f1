"""Measures of a summary: ROUGE, faithfulness, novelty, repetition, and their intervals."""
