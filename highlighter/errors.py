"""Errors that a user can act on: the message says what happened, where, and what to do."""

import re

_PASSWORD = re.compile(r"(://)[^\s/?#'\"]*@")
_QUERY = re.compile(r"(://[^\s?'\"<>]+)\?[^\s'\"<>]*")


class HighlighterError(Exception):
    """Base of all errors caused by the input or the environment, not by a defect in the code."""


class ConfigError(HighlighterError):
    """A configuration file that cannot be read, or a setting that is unknown or out of range."""


class CorpusError(HighlighterError):
    """Articles that cannot be read, or too few valid ones."""


class CheckpointError(HighlighterError):
    """A model or tokenizer folder that is missing, incomplete or of another kind."""


class HubError(HighlighterError):
    """A repository of the Hugging Face hub that is missing, refused or out of reach."""


class TrainingError(HighlighterError):
    """Fine-tuning that is impossible with these settings on this machine, or that failed."""


class RegistryError(HighlighterError):
    """A registered version that is missing, or whose files do not match its records."""


class StorageError(HighlighterError):
    """A disk that is full, or a folder that is not writable."""


class OutOfMemoryError(HighlighterError):
    """Memory that ran out although the estimate said that it suffices."""


class ServerError(HighlighterError):
    """A server that the run needs and that does not answer."""


def without_keys(text: str) -> str:
    """Return a text in which addresses have no password and no query, which may hold a key."""
    return _QUERY.sub(r"\1", _PASSWORD.sub(r"\1", text))


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its type's name if the message is empty."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
