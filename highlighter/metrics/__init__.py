"""Measures of a summary, each with the definition its published figures use."""
