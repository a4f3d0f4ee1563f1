"""Log a checkpoint in MLflow as a pyfunc model, and fetch its files back."""

import shutil
import tempfile
from importlib.metadata import version as installed_version
from pathlib import Path

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.types.schema import (
    Array,
    ColSpec,
    DataType,
    Object,
    ParamSchema,
    ParamSpec,
    Property,
    Schema,
)

import highlighter
from highlighter.data.fingerprint import hash_folder, needed_files
from highlighter.errors import RegistryError
from release.registry import CHECKPOINT_TAG

_PACKAGES = (
    "mlflow",
    "torch",
    "transformers",
    "sentencepiece",
    "sentencex",
    "pydantic",
    "ctranslate2",
)


def log_checkpoint(checkpoint: Path, name: str, input_example: list[str]) -> ModelInfo:
    """Log a checkpoint folder in the active MLflow run.

    It is logged as a pyfunc model from code, with the project's modules that this code imports.

    Args:
        checkpoint: folder to log.
        name: name of the logged model.
        input_example: articles to store as the model's input example.
    """
    package = Path(highlighter.__file__).parent
    code = package / "inference" / "mlflow_model.py"
    with tempfile.TemporaryDirectory(prefix="highlighter-code-") as folder:
        copy = Path(folder) / package.name
        for file in needed_files(code, package.parent):
            target = copy / file.relative_to(package)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        return mlflow.pyfunc.log_model(
            name=name,
            python_model=str(copy / code.relative_to(package)),
            artifacts={"checkpoint": str(checkpoint)},
            code_paths=[str(copy)],
            signature=_signature(),
            input_example=input_example,
            pip_requirements=[f"{name}=={_public_version(name)}" for name in _PACKAGES],
        )


def fetch_checkpoint(version: ModelVersion, folder: Path) -> Path:
    """Download a version's files into `folder`; return the checkpoint folder among them.

    Raises:
        RegistryError: the files are missing, or differ from those that were registered.
    """
    who = f"{version.name} version {version.version}"
    remedy = (
        f"Restore {version.source} in MLflow's artifact store, or promote another version "
        "(`python -m release list`)."
    )
    try:
        mlflow.artifacts.download_artifacts(
            artifact_uri=f"models:/{version.name}/{version.version}", dst_path=str(folder)
        )
        functions = Model.load(str(folder)).flavors["python_function"]
        checkpoint = Path(folder, functions["artifacts"]["checkpoint"]["path"])
    except (MlflowException, OSError, KeyError) as error:
        raise RegistryError(f"{who}: its checkpoint is missing: {error}. {remedy}") from error
    if not any(checkpoint.glob("*.safetensors")):
        raise RegistryError(f"{who}: its weights are missing. {remedy}")
    # Versions that were registered by other programs have no hash.
    if version.tags.get(CHECKPOINT_TAG) not in {None, hash_folder(checkpoint)}:
        raise RegistryError(f"{who}: its files differ from those that were registered. {remedy}")
    return checkpoint


def _signature() -> ModelSignature:
    """Return the options and the columns of `SummarizerModel.predict`."""
    text, number, flag, count = (
        DataType.string,
        DataType.double,
        DataType.boolean,
        DataType.long,
    )
    paragraph = {"text": text, "start": count, "end": count, "score": number, "important": flag}
    counts = dict.fromkeys(("characters", "words", "sentences", "windows"), count)
    return ModelSignature(
        params=ParamSchema(
            [
                ParamSpec("top_k", count, None),
                ParamSpec("threshold", number, None),
                ParamSpec("max_summary_tokens", count, None),
            ]
        ),
        outputs=Schema(
            [
                ColSpec(text, "summary"),
                ColSpec(text, "doubt", required=False),
                ColSpec(number, "confidence"),
                ColSpec(_object({"source": flag, "summary": flag}), "truncated"),
                ColSpec(flag, "facts_checked"),
                ColSpec(Array(_object(paragraph)), "paragraphs"),
                ColSpec(_object(counts), "counts"),
            ]
        ),
    )


def _object(types: dict[str, DataType]) -> Object:
    return Object([Property(name, dtype) for name, dtype in types.items()])


def _public_version(package: str) -> str:
    return installed_version(package).split("+")[0]  # no package index has "2.13.0+cpu"
