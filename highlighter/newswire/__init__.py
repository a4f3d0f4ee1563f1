"""Embedded news corpus: a seeded generator of synthetic wire stories with highlights."""
