"""Pretraining of the small T5 that ships with the project."""
