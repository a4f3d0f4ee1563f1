"""Artifacts in a store that is not a local folder: an S3 server of moto."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from datasets import Dataset, DatasetDict
from moto.server import ThreadedMotoServer
from zenml.enums import StackComponentType
from zenml.integrations.s3.artifact_stores import S3ArtifactStore
from zenml.integrations.s3.flavors.s3_artifact_store_flavor import S3ArtifactStoreConfig

from steps.materializers import ArrowMaterializer, FolderMaterializer
from tests.checkout import STEPS, cached_steps, check_out
from tests.conftest import ROOT
from tests.reliability.lose_server import Server


@pytest.fixture(scope="module")
def configuration() -> Iterator[dict[str, Any]]:
    """Start an S3 server with a bucket; return what an artifact store needs to use it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    connection = {"endpoint_url": f"http://{host}:{port}", "region_name": "us-east-1"}
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    boto3.client("s3", **connection, **keys).create_bucket(Bucket="artifacts")
    yield {
        "path": "s3://artifacts", "key": "key", "secret": "secret", "client_kwargs": connection
    }  # fmt: skip
    server.stop()


@pytest.fixture
def store(configuration: dict[str, Any]) -> S3ArtifactStore:
    now = datetime.now(UTC)
    return S3ArtifactStore(
        name="s3",
        id=uuid4(),
        flavor="s3",
        type=StackComponentType.ARTIFACT_STORE,
        user=None,
        created=now,
        updated=now,
        config=S3ArtifactStoreConfig(**configuration),
    )


def test_a_folder_is_stored_in_the_bucket_and_read_back(
    store: S3ArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "checkpoint"
    (folder / "ctranslate2").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "ctranslate2" / "model.bin").write_bytes(bytes(range(256)) * 1000)
    monkeypatch.chdir(tmp_path)  # where a folder called "s3:" would appear
    uri = "s3://artifacts/fine_tune/checkpoint"
    FolderMaterializer(uri, store).save(folder)
    assert sorted(tmp_path.iterdir()) == [folder]
    stored = {place: names for place, _, names in store.walk(uri)}
    assert sum(map(len, stored.values())) == 2
    copy = FolderMaterializer(uri, store).load(Path)
    for name in ("config.json", "ctranslate2/model.bin"):
        assert (copy / name).read_bytes() == (folder / name).read_bytes()
    assert len([file for file in copy.rglob("*") if file.is_file()]) == 2


@pytest.mark.parametrize(
    "data",
    [
        Dataset.from_dict({"article": ["one", "two"]}),
        DatasetDict({"train": Dataset.from_dict({"article": ["é", ""]})}),
    ],
)
def test_tables_are_stored_in_the_bucket_and_read_back(
    store: S3ArtifactStore, data: Dataset | DatasetDict
) -> None:
    uri = f"s3://artifacts/{uuid4()}"
    ArrowMaterializer(uri, store).save(data)
    copy = ArrowMaterializer(uri, store).load(type(data))
    tables = data if isinstance(data, DatasetDict) else {"rows": data}
    copies = copy if isinstance(copy, DatasetDict) else {"rows": copy}
    assert {name: table["article"][:] for name, table in copies.items()} == {
        name: table["article"][:] for name, table in tables.items()
    }


@pytest.mark.long
def test_a_run_with_s3_and_an_mlflow_server_leaves_nothing_out_of_the_buckets(
    configuration: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """ZenML's artifacts go into the bucket directly, those of MLflow through its server."""
    endpoint, key, secret = (
        configuration["client_kwargs"]["endpoint_url"],
        configuration["key"],
        configuration["secret"],
    )
    project = check_out(ROOT, tmp_path_factory)
    with monkeypatch.context() as patch:  # only the server has them
        patch.setenv("MLFLOW_S3_ENDPOINT_URL", endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        folder = tmp_path_factory.mktemp("server") / "mlflow"
        server = Server(folder, destination="s3://artifacts/mlflow")
    try:
        tracking = {
            "tracking_uri": server.uri, "tracking_username": "u", "tracking_password": "p"
        }  # fmt: skip
        project.call(
            "-c",
            "from zenml.client import Client\n"
            "from zenml.enums import StackComponentType as T\n"
            "client = Client.initialize() or Client()\n"
            f"client.create_stack_component('s3', 's3', T.ARTIFACT_STORE, {configuration!r})\n"
            f"client.create_stack_component('own', 'mlflow', T.EXPERIMENT_TRACKER, {tracking!r})\n"
            "parts = {T.ORCHESTRATOR: 'default', T.ARTIFACT_STORE: 's3', "
            "T.EXPERIMENT_TRACKER: 'own'}\n"
            "client.create_stack('own', parts)\n"
            "client.activate_stack('own')\n",
        )
        assert "version 1 as champion" in project.run()
        assert cached_steps(project.run()) == set(STEPS)
        rows = project.folder / "rows.jsonl"
        rows.write_text('{"article": "The bridge is closed."}\n')
        printed = project.call("-m", "release", "score", str(rows), str(project.folder / "out"))
        assert "1 rows in" in printed
    finally:
        server.stop()
    assert not list(project.folder.glob("s3*"))
    assert not (project.folder / "mlartifacts").exists()
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1",
        aws_access_key_id=key, aws_secret_access_key=secret,
    )  # fmt: skip
    logged = client.list_objects_v2(Bucket="artifacts", Prefix="mlflow/")["Contents"]
    assert any(file["Key"].endswith("/model.safetensors") for file in logged)
