"""Store artifacts as plain files: Arrow tables and checkpoint folders, never pickles."""

from pathlib import Path
from typing import Any, ClassVar

from datasets import Dataset, DatasetDict, load_from_disk
from zenml.artifact_stores import BaseArtifactStore
from zenml.enums import ArtifactType
from zenml.io import fileio
from zenml.materializers.base_materializer import BaseMaterializer

from highlighter.system.folders import temporary_folder


class FolderMaterializer(BaseMaterializer):
    """Store a folder file by file, uncompressed: compression does not shrink safetensors."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Path,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL
    # Steps name it explicitly; for other paths, ZenML's own materializer stays the default.
    SKIP_REGISTRATION: ClassVar[bool] = True

    def save(self, data: Path) -> None:
        """Copy every file of the folder into the artifact store."""
        for file in sorted(p for p in data.rglob("*") if p.is_file()):
            # Joined as text: pathlib would make s3:/bucket of s3://bucket.
            target = f"{self.uri}/folder/{file.relative_to(data).as_posix()}"
            fileio.makedirs(target.rpartition("/")[0])
            fileio.copy(str(file), target, overwrite=True)

    def load(self, data_type: type[Any]) -> Path:
        """Return the folder itself, read-only, in a local store; else a local copy."""
        return local_copy(f"{self.uri}/folder", self.artifact_store)


class ArrowMaterializer(BaseMaterializer):
    """Store tables of `datasets`; they are memory-mapped when read from a local store."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Dataset, DatasetDict)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA

    def save(self, data: Dataset | DatasetDict) -> None:
        """Write Arrow files in the layout of `save_to_disk`."""
        local = self.artifact_store.config.is_local
        folder = Path(self.uri) / "arrow" if local else temporary_folder("arrow")
        data.save_to_disk(str(folder))
        if not local:
            FolderMaterializer(uri=self.uri, artifact_store=self.artifact_store).save(folder)

    def load(self, data_type: type[Any]) -> Dataset | DatasetDict:
        """Return the tables, memory-mapped."""
        if self.artifact_store.config.is_local:
            return load_from_disk(f"{self.uri}/arrow")
        return load_from_disk(str(local_copy(f"{self.uri}/folder", self.artifact_store)))

    def extract_metadata(self, data: Dataset | DatasetDict) -> dict[str, Any]:
        """Return the rows per table; ZenML's own method would convert all of them to pandas."""
        tables = data if isinstance(data, DatasetDict) else {"rows": data}
        return {name: len(table) for name, table in tables.items()}


def local_copy(uri: str, store: BaseArtifactStore) -> Path:
    """Return a local folder that holds the files below `uri`."""
    if store.config.is_local:
        return Path(uri)
    folder = temporary_folder("artifact")
    for place, _, names in fileio.walk(uri):
        target = folder / str(place)[len(uri) :].lstrip("/")
        target.mkdir(parents=True, exist_ok=True)
        for name in names:
            fileio.copy(f"{place}/{name}", str(target / str(name)))
    return folder
