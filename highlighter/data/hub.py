"""The Hugging Face hub: which commit a revision names, and copies of models in its cache.

`huggingface_hub` reads the usual environment: HF_TOKEN or the file of `hf auth login`, HF_HOME,
HF_ENDPOINT, HF_HUB_OFFLINE.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import huggingface_hub
from httpx2 import HTTPError, ReadError
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from highlighter.errors import HubError

RepositoryKind = Literal["dataset", "model"]
_SECONDS = 20  # for the hub's first answer
_ATTEMPTS = 3
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SMALL_FILES = ("*.json", "*.model", "*.txt")
_SAFE_WEIGHTS, _PICKLED_WEIGHTS = "*.safetensors", "pytorch_model*.bin"


def commit_of(kind: RepositoryKind, repository: str, revision: str) -> str:
    """Return the hash of the commit that a branch, tag or commit of a repository names now.

    With HF_HUB_OFFLINE set, that is the commit of the cached copy of a model.

    Raises:
        HubError: the hub does not answer, refuses, or has no such repository or revision.
    """
    if kind == "model":
        cached = _cached_commit(repository, revision)
        if cached is not None:
            return cached
    with _explained(kind, repository, revision):
        api = HfApi()
        info = (api.dataset_info if kind == "dataset" else api.model_info)(
            repository, revision=revision, timeout=_SECONDS
        )
        if kind == "model":
            # Keeps the commit of a branch or tag in the cache, for later runs offline. Alone, it
            # would return an older one from the cache if the hub does not answer.
            api.resolve_revision(repository, revision=revision)
    return str(info.sha)


def is_commit(revision: str) -> bool:
    """Return whether a revision is the hash of a commit, not a branch or tag."""
    return bool(_COMMIT.fullmatch(revision))


def config_folder(name: str, revision: str) -> Path:
    """Return a folder with the `config.json` of a local folder or of a model on the hub.

    Raises:
        HubError: it cannot be fetched.
    """
    return Path(name) if Path(name).is_dir() else _fetch(name, revision, ["config.json"])


def model_folder(name: str, revision: str) -> Path:
    """Return a local folder, or the folder of the hub's cache with a model's files.

    What the cache lacks is downloaded: pickled weights only if there are no others. A connection
    that breaks off is resumed, and complete files stay in the cache if the run ends.

    Raises:
        HubError: they cannot be fetched.
    """
    if Path(name).is_dir():
        return Path(name)
    folder = _fetch(name, revision, [*_SMALL_FILES, _SAFE_WEIGHTS])
    if not any(folder.glob(_SAFE_WEIGHTS)):
        folder = _fetch(name, revision, [*_SMALL_FILES, _PICKLED_WEIGHTS])
    return folder


def upload(
    folder: Path,
    repository: str,
    message: str,
    *,
    private: bool,
    tag: str | None,
    ignore: Sequence[str] = (),
) -> str:
    """Upload a folder as a commit of a model's repository; return the commit's address.

    Args:
        folder: what to upload.
        repository: OWNER/NAME; created if there is none.
        message: of the commit.
        private: whether a new repository is private.
        tag: tag of the commit, if any.
        ignore: patterns of files that are not uploaded.

    Raises:
        HubError: the hub does not answer, or refuses.
    """
    api = HfApi()
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repository,
            folder_path=folder,
            commit_message=message,
            ignore_patterns=list(ignore),
        )
        if tag is not None:
            api.create_tag(repository, tag=tag, revision=commit.oid)
    except (HTTPError, HFValidationError, ConnectionError, RuntimeError) as error:
        # A failed upload of one file is a RuntimeError, because of the true one.
        reason = error.__cause__ if isinstance(error, RuntimeError) else error
        if not isinstance(reason, HTTPError | HFValidationError | OSError):
            raise
        raise HubError(
            f"{repository}: could not be uploaded: {_problem('model', reason)}"
        ) from error
    return str(commit.commit_url)


def _fetch(name: str, revision: str, patterns: Sequence[str], attempts: int = _ATTEMPTS) -> Path:
    with _explained("model", name, revision):
        try:
            return Path(
                huggingface_hub.snapshot_download(
                    name,
                    revision=revision,
                    allow_patterns=list(patterns),
                    ignore_patterns=["*/*"],  # other formats
                )
            )
        except ReadError:  # a reset connection, which `huggingface_hub` does not resume
            if attempts <= 1:
                raise
    return _fetch(name, revision, patterns, attempts - 1)


def _cached_commit(name: str, revision: str) -> str | None:
    """Return the commit of a model's cached copy if no newer one may be asked for, or None."""
    if not (constants.is_offline_mode() or is_commit(revision)):
        return None
    try:
        folder = huggingface_hub.snapshot_download(
            name, revision=revision, local_files_only=True, allow_patterns=["config.json"]
        )
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    return Path(folder).name


@contextmanager
def _explained(kind: RepositoryKind, repository: str, revision: str) -> Iterator[None]:
    """Raise what `huggingface_hub` raises as a HubError that says what to do."""
    try:
        yield
    except (HTTPError, HFValidationError, OSError) as error:
        if getattr(error, "errno", None) is not None and not isinstance(error, ConnectionError):
            raise  # the disk's
        raise explain(kind, repository, revision, error) from error


def explain(kind: RepositoryKind, repository: str, revision: str, error: Exception) -> HubError:
    """Return an error that says what to do about one of `huggingface_hub`'s."""
    problem = _problem(kind, error)
    return HubError(
        f"{repository} at {revision!r}: there is no such {kind} folder here, and {problem}"
    )


def _problem(kind: RepositoryKind, error: Exception) -> str:
    hub = constants.ENDPOINT
    login = (
        "Set HF_TOKEN to a token of an account with access, or run `hf auth login`, or give a "
        "local folder with the same files."
    )
    sent = "a token was sent" if huggingface_hub.get_token() else "no token was sent"
    if constants.is_offline_mode() or isinstance(error, OfflineModeIsEnabled):
        return (
            f"HF_HUB_OFFLINE is set, and the cache {constants.HF_HUB_CACHE} has no complete copy. "
            "Run it once without HF_HUB_OFFLINE, or give a local folder with the same files."
        )
    answer = error if getattr(error, "response", None) is not None else error.__cause__
    status = getattr(getattr(answer, "response", None), "status_code", None)
    match error:
        case HFValidationError():
            problem = "that is no name of a repository (OWNER/NAME) either. Check the name."
        case GatedRepoError():
            problem = (
                f"the repository is gated ({sent}). Accept its terms on its page at {hub}, then: "
                f"{login}"
            )
        case RepositoryNotFoundError():
            problem = (
                f"the hub {hub} has no such {kind}, or it is private ({sent}). Check the name. "
                f"If it is private: {login}"
            )
        case RevisionNotFoundError():
            problem = (
                f"the hub {hub} has that repository without such a branch, tag or commit. Check "
                "`revision`."
            )
        case _ if status in {401, 403}:
            problem = f"the hub {hub} refused with HTTP status {status} ({sent}). {login}"
        case _:
            said = f"answered with HTTP status {status}" if status else "does not answer"
            problem = (
                f"the hub {said} ({hub}, {type(error).__name__}). Check the name and the network, "
                "set HF_ENDPOINT to a mirror, set HF_HUB_OFFLINE=1 to use a cached copy, or give a "
                "local folder with the same files."
            )
    return problem
