"""Errors a user can act on: their message names the file, row or field and what to do."""


class HighlighterError(Exception):
    """Base of every error raised for bad input or a missing prerequisite."""


class ConfigError(HighlighterError):
    """A configuration that does not describe a run."""


class CorpusError(HighlighterError):
    """Articles that can't be read, or too few left after validation."""


class CheckpointError(HighlighterError):
    """A model or tokenizer folder that is missing, incomplete or of another kind."""


class TrainingError(HighlighterError):
    """Fine-tuning that can't be done with these settings on this machine, or that broke off."""


class RegistryError(HighlighterError):
    """A registered version that is missing or whose files and records disagree."""


class StorageError(HighlighterError):
    """A disk that is full, or a folder that can't be written."""


class OutOfMemoryError(HighlighterError):
    """Memory that ran out although nothing had foreseen it."""


class ServerError(HighlighterError):
    """A server the run needs that does not answer."""


def first_line(error: BaseException) -> str:
    """The first line of a library's message, or the error's kind if it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
