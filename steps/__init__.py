"""The pipeline's five steps: ZenML wiring around the domain library.

Nothing is imported here: what a step imports decides when its stored result is out of date.
"""
