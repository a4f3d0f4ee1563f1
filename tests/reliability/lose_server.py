"""Stop the tracking server during a run: python -m tests.reliability.lose_server

The run must end with a message that says what to do. When the server is back, the next run must
complete, and the interrupted one must be marked as failed or killed.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from mlflow.tracking import MlflowClient

from tests.checkout import Project
from tests.reliability.harness import Run, make_project

USE_SERVER = """
import sys
from pathlib import Path
from zenml.client import Client
from zenml.enums import StackComponentType as T
Client.initialize(Path.cwd())
client = Client()
client.create_stack_component("server", flavor="mlflow", component_type=T.EXPERIMENT_TRACKER,
    configuration={"tracking_uri": sys.argv[1], "tracking_username": "u", "tracking_password": "p"})
client.create_stack("remote", {
    T.ORCHESTRATOR: "default", T.ARTIFACT_STORE: "default", T.EXPERIMENT_TRACKER: "server"})
client.activate_stack("remote")
"""


class Server:
    """`mlflow server` on this machine, with its own database.

    Args:
        folder: to create, for the database.
        destination: where it keeps artifacts; None: in the folder.
    """

    def __init__(self, folder: Path, destination: str | None = None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.uri = folder, f"http://127.0.0.1:{self.port}"
        self.destination = destination or str(folder / "artifacts")
        folder.mkdir()
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port",
             str(self.port), "--workers", "1", "--backend-store-uri",
             f"sqlite:///{self.folder / 'mlflow.db'}", "--artifacts-destination",
             self.destination],
            cwd=self.folder, env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + 90
        while True:
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=2):
                    return
            except OSError:
                assert time.monotonic() < deadline, "the server does not start"
                time.sleep(0.2)

    def stop(self) -> None:
        os.killpg(self.process.pid, 9)
        self.process.wait()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="lose-server-") as folder:
        project = make_project(Path(folder, "project"))
        server = Server(Path(folder, "server"))
        try:
            _lose_and_come_back(project, server)
        finally:
            server.stop()


def _lose_and_come_back(project: Project, server: Server) -> None:
    prepared = project.start("-c", USE_SERVER, server.uri)
    output, _ = prepared.communicate(timeout=120)
    assert prepared.returncode == 0, output
    lost = Run(project)
    lost.wait_for(lambda output: "Step evaluate has started" in output)
    server.stop()
    since = time.monotonic()
    assert lost.end() == 1, lost.output
    print(f"ended {time.monotonic() - since:.0f} s after the server:")
    print("  " + lost.output[lost.output.index("error: ") :].strip())
    assert "error: A server does not answer" in lost.output
    assert "Traceback" not in lost.output, lost.output

    server.start()
    again = Run(project)
    assert again.end() == 0, again.output
    client = MlflowClient(server.uri)
    [experiment] = client.search_experiments(filter_string="name = 'news_summarization'")
    runs = client.search_runs([experiment.experiment_id], order_by=["start_time"])
    status = [run.info.status for run in runs]
    print(f"the next run completed with {len(again.stored)} steps stored; {status}")
    assert status[0] in {"FAILED", "KILLED"}
    assert status[1:] == ["FINISHED"]
    champion = client.get_model_version_by_alias("news-highlighter", "champion")
    assert champion.run_id == runs[1].info.run_id


if __name__ == "__main__":
    main()
