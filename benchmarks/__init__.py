"""Benchmarks of training, evaluation, ingest, memory, the pipeline and the service.

Each module is a command, `python -m benchmarks.NAME`; docs/performance.md has the results.
"""
