"""The pipeline's five steps: ZenML wiring around the package `highlighter`.

Nothing is imported here, because a step is rerun when a module that it imports has changed.
"""
