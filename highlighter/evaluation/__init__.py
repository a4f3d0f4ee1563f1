"""Evaluate a model on the test split: run every system, score rows, aggregate, report."""
