"""The pipeline as a user runs it, and its model as a user calls it."""

import json
import os
import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import yaml
from mlflow.artifacts import download_artifacts
from mlflow.tracking import MlflowClient

from tests.checkout import STEPS, Project, cached_steps

pytestmark = pytest.mark.usefixtures("first_run")


@pytest.fixture(scope="module")
def client(project: Project) -> MlflowClient:
    return MlflowClient(project.tracking_uri)


@pytest.fixture(scope="module")
def served(project: Project) -> Iterator[str]:
    """The address of a service that was started with the first run's champion."""
    with project.serve() as address:
        yield address


def post(address: str, body: object, path: str) -> urllib.request.Request:
    return urllib.request.Request(
        f"{address}{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )


def get(address: str, path: str) -> str:
    with urllib.request.urlopen(f"{address}{path}", timeout=60) as answer:
        text: str = answer.read().decode()
        return text


def read_metrics(address: str) -> dict[str, float]:
    """Prometheus's samples by name and labels."""
    lines = [line for line in get(address, "/metrics").splitlines() if line and line[0] != "#"]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def ask(address: str, body: object, path: str = "/summarize") -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(post(address, body, path), timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_the_run_ends_with_scores_times_and_what_was_registered(first_run: str) -> None:
    for system in ("abstractive", "extractive", "trees", "lead3", "random3", "oracle"):
        assert re.search(rf"^ ?{system} +\d+\.\d ", first_run, re.MULTILINE), system
    for step in STEPS:
        assert re.search(rf"^ ?{step} +\d+\.\d", first_run, re.MULTILINE), step
    assert "version 1 as champion" in first_run
    assert "it is the first" in first_run
    assert "bentoml serve" in first_run


def test_mlflow_has_settings_curves_pictures_samples_and_the_model(client: MlflowClient) -> None:
    [experiment] = client.search_experiments(filter_string="name = 'news_summarization'")
    [run] = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["fine_tune.training.max_steps"] == "10"
    assert run.data.params["ingest.source.limits.train"] == "200"
    assert run.data.metrics["data/train_rows"] == 200
    assert 0 <= run.data.metrics["test/abstractive/rougeLsum"] <= 100
    assert run.data.metrics["test/oracle/rouge1"] > run.data.metrics["test/lead3/rouge1"]
    assert run.data.metrics["test/lead3/rouge1"] > 20
    for name in ("loss", "summary_loss", "salience_loss"):
        curve = client.get_metric_history(run.info.run_id, f"validation/{name}")
        assert [point.step for point in curve] == [5, 10]
        assert all(0 < point.value < 20 for point in curve)
    artifacts = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert {"evaluation", "figures", "gate"} <= artifacts
    evaluation = {file.path for file in client.list_artifacts(run.info.run_id, "evaluation")}
    assert evaluation == {
        f"evaluation/{name}"
        for name in ("evaluation.json", "report.html", "rows.parquet", "samples.json")
    }
    figures = {file.path for file in client.list_artifacts(run.info.run_id, "figures")}
    assert figures == {
        f"figures/{name}.png"
        for name in (
            "articles_lengths",
            "calibration",
            "highlights_lengths",
            "learning_curves",
            "places",
            "rouge",
            "summary_lengths",
        )
    }
    champion = client.get_model_version_by_alias("news-highlighter", "champion")
    assert champion.run_id == run.info.run_id
    logged = client.get_logged_model(champion.source.removeprefix("models:/"))
    assert {m.key: m.value for m in logged.metrics}["test/extractive/rougeLsum"] == pytest.approx(
        run.data.metrics["test/extractive/rougeLsum"]
    )


def test_mlflow_describes_the_run_its_data_and_the_registered_model(client: MlflowClient) -> None:
    [experiment] = client.search_experiments(filter_string="name = 'news_summarization'")
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    [run] = client.search_runs([experiment.experiment_id])
    scores = run.data.metrics
    own = [name for name in scores if not name.startswith("system/")]
    assert 30 <= len(own) <= 55
    groups = {name.split("/")[0] for name in own}
    assert groups == {"data", "test", "train", "validation"}
    row = rf"\| abstractive \| {scores['test/abstractive/rouge1']:.1f} \|"
    note = run.data.tags["mlflow.note.content"]
    assert re.search(row, note)
    assert "version 1 as champion" in note
    assert "it is the first" in note
    report = re.search(r"\[evaluation/report\.html\]\(#(/\S+)\)", note)
    assert report and run.info.run_id in report[1]

    inputs = {
        tag.value: given.dataset
        for given in run.inputs.dataset_inputs
        for tag in given.tags
        if tag.key == "mlflow.data.context"
    }
    rows = {context: json.loads(data.profile)["num_rows"] for context, data in inputs.items()}
    assert rows == {"training": 200, "validation": 20, "test": 30}
    assert [inputs[context].name for context in rows] == [
        "embedded-train", "embedded-validation", "embedded-test"
    ]  # fmt: skip
    version = client.get_model_version_by_alias("news-highlighter", "champion")
    assert inputs["test"].digest == version.tags["test_fingerprint"]
    assert re.search(row, version.description)
    assert run.info.run_id in version.description
    model = client.get_registered_model("news-highlighter")
    assert 'load_model("models:/news-highlighter@champion")' in model.description


def test_nothing_between_steps_is_a_pickle(project: Project) -> None:
    store = Path(project.environment["ZENML_CONFIG_PATH"])
    converted = "ctranslate2"  # whose own format is a .bin
    files = [f for f in store.rglob("*") if f.is_file() and f.parent.name != converted]
    kinds = {file.suffix for file in files}
    assert ".arrow" in kinds
    assert ".safetensors" in kinds
    assert not kinds & {".pkl", ".pickle", ".pt", ".bin", ".pth", ".joblib"}
    logged = [
        file
        for file in (project.folder / "mlartifacts").rglob("*")
        if file.is_file() and file.parent.name != converted
    ]
    assert not {file.suffix for file in logged} & {".pkl", ".pickle", ".pt", ".bin", ".pth"}


def test_only_this_repository_uses_the_stack(project: Project) -> None:
    """The user's global stack stays what it was."""
    program = (
        "from zenml.client import Client; import os\n"
        "print('repository', Client().active_stack_model.name)\n"
        "os.chdir('/')\n"
        "from zenml.config.global_config import GlobalConfiguration\n"
        "print('global', GlobalConfiguration().get_active_stack_id() == "
        "Client().get_stack('default').id)\n"
    )
    output, _ = project.start("-c", program).communicate(timeout=120)
    assert "repository highlighter-" in output
    assert "global True" in output


def test_the_registered_model_answers_through_mlflow(project: Project) -> None:
    program = (
        "import mlflow\n"
        f"mlflow.set_tracking_uri('{project.tracking_uri}')\n"
        "model = mlflow.pyfunc.load_model('models:/news-highlighter@champion')\n"
        "rows = model.predict(['The bridge will close in May.', 'It rained.'], {'top_k': 1})\n"
        "print('ANSWER', rows.to_json(orient='records'))\n"
    )
    output, _ = project.start("-c", program).communicate(timeout=120)
    answer = re.search(r"ANSWER (.+)", output)
    assert answer, output
    first, second = json.loads(answer[1])
    assert isinstance(first["summary"], str)
    assert [p["text"] for p in second["paragraphs"]] == ["It rained."]


def test_the_service_answers_for_the_champion(served: str, client: MlflowClient) -> None:
    champion = client.get_model_version_by_alias("news-highlighter", "champion")
    article = "  The bridge at “Ashford” closed.\r\n\r\nNobody came.\n\n\tIt rained – twice! "
    status, answer = ask(served, {"article": article, "top_k": 2})
    assert status == 200
    assert isinstance(answer["summary"], str)
    assert answer["counts"] == {"characters": 71, "words": 11, "sentences": 3, "windows": 1}
    paragraphs = answer["paragraphs"]
    assert isinstance(paragraphs, list)
    assert [article[p["start"] : p["end"]] for p in paragraphs] == [
        "The bridge at “Ashford” closed.",
        "Nobody came.",
        "It rained – twice!",
    ]
    assert [p["text"] for p in paragraphs] == [article[p["start"] : p["end"]] for p in paragraphs]
    assert [p["important"] for p in paragraphs].count(True) == 2
    model = answer["model"]
    assert isinstance(model, dict)
    assert model["version"] == str(champion.version)
    assert model["mlflow_run_id"] == champion.run_id
    long = "The bridge closed, he said. Nobody came. " * 1250
    status, answer = ask(served, {"article": long, "threshold": 1.0})
    assert status == 200
    assert answer["truncated"]["source"] is True
    assert answer["counts"]["windows"] > 50
    for bad, expected in (
        ({}, 422),
        ({"article": "  \n "}, 422),
        ({"article": "a" * 100_001}, 413),
        ({"article": "Fine.", "top_k": 0}, 422),
        ({"url": "http://127.0.0.1:1/"}, 422),
        ({"url": "http://169.254.169.254/latest/meta-data/"}, 422),
    ):
        status, answer = ask(served, bad)
        assert status == expected, bad
        assert set(answer["error"]) == {"code", "message", "field"}


def test_the_service_returns_what_the_evaluation_scored(
    served: str, project: Project, client: MlflowClient
) -> None:
    champion = client.get_model_version_by_alias("news-highlighter", "champion")
    rows = pd.read_parquet(
        download_artifacts(
            run_id=champion.run_id,
            artifact_path="evaluation/rows.parquet",
            tracking_uri=project.tracking_uri,
        )
    ).to_dict("records")
    assert len(rows) == 30
    for row in rows:
        status, answer = ask(served, {"article": row["article"]})
        assert status == 200
        assert answer["summary"] == row["served"]
        assert (answer["doubt"] or "") == row["doubt"]
    assert len({row["served"] for row in rows}) > 15


def test_the_service_streams_batches_shows_its_card_and_counts(served: str) -> None:
    before = read_metrics(served)
    texts = ["The bridge at Ashford closed.\n\nNobody came.", " ", "It rained. " * 40]
    entries = [{"article": text} for text in texts]
    status, answer = ask(served, {"articles": entries}, "/summarize_batch")
    assert status == 200
    assert [bool(entry["result"]) for entry in answer["articles"]] == [True, False, True]
    assert answer["articles"][1]["error"]["code"] == "article_empty"

    request = post(served, {"article": texts[0]}, "/summarize/stream")
    with urllib.request.urlopen(request, timeout=60) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        names = re.findall(r"^event: (\w+)$", stream.read().decode(), re.MULTILINE)
    assert names[0] == "paragraphs"
    assert names[-1] == "summary"
    assert set(names[1:-1]) == {"token"}

    card = json.loads(get(served, "/model"))
    assert card["engine"] == "ctranslate2"
    assert card["parameters"] > 10_000
    assert card["evaluation"]["rows"] == 30
    scores = {(s["system"], s["metric"]): s for s in card["evaluation"]["scores"]}
    lead = scores["lead3", "rougeLsum"]
    assert lead["low"] <= lead["value"] <= lead["high"]

    after = read_metrics(served)
    for name, more in (
        ('highlighter_requests_total{outcome="ok",path="/summarize_batch"}', 1),
        ('highlighter_requests_total{outcome="ok",path="/summarize/stream"}', 1),
        ("highlighter_article_words_count", 3),
    ):
        assert after[name] == before.get(name, 0) + more
    assert any(name.startswith("highlighter_batch_size_bucket") for name in after)
    assert "<html" in get(served, "/ui/")
    assert "https://" not in get(served, "/docs")
    assert get(served, "/livez").strip() == ""


def test_a_built_bento_answers_without_the_repository(project: Project, tmp_path: Path) -> None:
    output, _ = project.start("-m", "bentoml", "build").communicate(timeout=120)
    assert "Successfully built" in output, output
    with project.serve("news_highlighter:latest", folder=tmp_path) as address:
        assert ask(address, {"article": "The bridge at Ashford will close in May."})[0] == 200


def test_without_a_model_the_service_says_what_to_run(project: Project, tmp_path: Path) -> None:
    empty = Project(project.folder, project.environment | {"BENTOML_HOME": str(tmp_path)})
    server = empty.start("-m", "bentoml", "serve", "--port", "0")
    output, _ = server.communicate(timeout=90)
    assert server.returncode != 0
    assert "run `python run_pipeline.py` first" in output


def test_wrong_service_configuration_is_one_line_and_exit_code_1(
    project: Project, tmp_path: Path
) -> None:
    file = tmp_path / "serving.yaml"
    file.write_text("limits: {article_charcters: 5}\n")
    wrong = Project(project.folder, project.environment | {"HIGHLIGHTER_SERVING_CONFIG": str(file)})
    server = wrong.start("-m", "bentoml", "serve", "--port", "0")
    output, _ = server.communicate(timeout=90)
    assert server.returncode == 1
    [line] = [line for line in output.splitlines() if line]
    assert "limits.article_charcters" in line


def test_sigterm_answers_accepted_requests_and_killed_workers_come_back(project: Project) -> None:
    article = {"article": "The bridge at Ashford will close in May, the council said. " * 20}
    with project.serve() as address, ThreadPoolExecutor(8) as callers:
        supervisor = supervisor_of(address)
        [worker] = psutil.Process(supervisor).children()
        worker.kill()
        assert ask(address, article)[0] == 200  # waits in the socket's backlog
        answers = [callers.submit(ask, address, article) for _ in range(8)]
        time.sleep(0.3)
        os.kill(supervisor, signal.SIGTERM)
        assert {answer.result()[0] for answer in answers} <= {200, 503}


def supervisor_of(address: str) -> int:
    """Return the process id of `bentoml serve`, which listens at the address."""
    port = int(address.rpartition(":")[2])
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "serve" in command and str(port) in command:
            return process.pid
    raise AssertionError(f"no process serves {address}")


def test_a_second_run_uses_every_stored_step_and_still_sums_up(project: Project) -> None:
    output = project.run()
    assert cached_steps(output) == set(STEPS)
    assert "version 1 as champion" in " ".join(output.split())


def test_a_changed_helper_or_setting_runs_again_just_what_depends_on_it(
    project: Project, client: MlflowClient
) -> None:
    versions = {str(v.version) for v in client.search_model_versions()}
    report = project.folder / "highlighter" / "evaluation" / "report.py"
    report.write_text(report.read_text() + "\n# changed\n")
    output = project.run()
    assert cached_steps(output) == {"ingest", "tokenize", "fine_tune"}
    # The evaluation of a cached fine-tuning gives the same scores: no second version is registered.
    assert "version 1 as champion" in " ".join(output.split())
    assert "the same files and the same scores" in " ".join(output.split())
    assert {str(v.version) for v in client.search_model_versions()} == versions
    [experiment] = client.search_experiments(filter_string="name = 'news_summarization'")
    latest = client.search_runs([experiment.experiment_id], order_by=["start_time DESC"])[0]
    assert latest.data.params["fine_tune.training.max_steps"] == "10"

    output = project.run("--set", "parameters.generation.num_beams=1")
    assert cached_steps(output) == {"ingest", "tokenize", "fine_tune"}
    assert len(client.search_model_versions()) == len(versions) + 1


def served_version(project: Project) -> str:
    """Return the registered version that `bentoml serve` would load, by BentoML's own files."""
    store = Path(project.environment["BENTOML_HOME"], "models", "news-highlighter")
    record = yaml.safe_load((store / (store / "latest").read_text() / "model.yaml").read_text())
    version: str = record["labels"]["model_version"]
    return version


def test_promotion_and_rollback_by_hand_move_registry_and_service_together(
    project: Project, client: MlflowClient
) -> None:
    newest = str(max(int(v.version) for v in client.search_model_versions()))
    assert newest != "1"  # registered by the test above
    for arguments, expected in (
        (("promote", newest), newest),
        (("promote", "1"), "1"),
        (("rollback",), newest),
    ):
        command = project.start("-m", "release", *arguments)
        output, _ = command.communicate(timeout=120)
        assert command.returncode == 0, output
        champion = client.get_model_version_by_alias("news-highlighter", "champion")
        assert str(champion.version) == expected
        assert served_version(project) == expected
    command = project.start("-m", "release", "promote", "99")
    output, _ = command.communicate(timeout=120)
    assert command.returncode == 1
    assert "error:" in output


def test_concurrent_clients_are_all_answered(served: str) -> None:
    article = {"article": "The bridge at Ashford will close in May, the council said."}
    with ThreadPoolExecutor(8) as callers:
        answers = callers.map(lambda _: ask(served, article)[0], range(250))
        assert set(answers) == {200}


def test_a_version_is_evaluated_on_the_users_own_articles(project: Project) -> None:
    rows = [{"article": f"Rain fell on town {n}. Roads closed.", "highlights": "Roads closed."}
            for n in range(3)]  # fmt: skip
    file = project.folder / "mine.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def judge(version: str) -> tuple[int, str]:
        process = project.start("-m", "release", "judge", version, "mine.jsonl")
        output, _ = process.communicate(timeout=120)
        return process.returncode, output

    code, output = judge("champion")
    assert code == 0, output
    assert re.search(r"^ *3 articles", output, re.MULTILINE)
    # Two sentences an article: three of them are both, so what is extracted is the lead.
    scores = re.search(r"^ ?lead3 +(\d+\.\d)", output, re.MULTILINE)
    assert scores and 0 < float(scores[1]) < 100
    assert re.search(rf"^ ?extractive +{re.escape(scores[1])} ", output, re.MULTILINE)
    code, output = judge("99")
    assert (code, "no such version" in output) == (1, True)
    file.write_text('{"article": "Rain.", "highlights": "Rain."}\n{"article": 5}\n')
    code, output = judge("champion")
    assert (code, "mine.jsonl, row 2" in output) == (1, True)


def empty_the_bentoml_store(project: Project) -> None:
    program = "import bentoml\nfor m in bentoml.models.list(): bentoml.models.delete(m.tag)\n"
    assert project.start("-c", program).wait(timeout=60) == 0


def test_an_empty_bentoml_store_is_filled_again(project: Project) -> None:
    empty_the_bentoml_store(project)
    output = project.run()
    assert cached_steps(output) == set(STEPS)
    assert "Now served: news-highlighter version" in output
    with project.serve() as address:
        assert ask(address, {"article": "The bridge at Ashford will close."})[0] == 200


def test_an_empty_registry_is_reported_and_filled_from_stored_results(
    project: Project, client: MlflowClient
) -> None:
    client.delete_registered_model("news-highlighter")
    empty_the_bentoml_store(project)  # copies of versions that no registry knows would stay
    run = project.start("run_pipeline.py", "--config", "fast.yaml")
    output, _ = run.communicate(timeout=300)
    assert run.returncode == 1
    assert "was deleted from MLflow's registry" in output
    assert "Traceback" not in output
    again = re.search(r"`--set (\S+)`", output)
    assert again, output
    output = project.run("--set", again[1])
    assert cached_steps(output) == {"ingest", "tokenize", "fine_tune", "evaluate"}
    assert client.get_model_version_by_alias("news-highlighter", "champion")


@pytest.mark.long
def test_a_stack_the_user_activated_is_respected(project: Project) -> None:
    """One without a tracker is refused with what to do; it stays active, and so does the global."""
    program = (
        "from zenml.client import Client\n"
        "from zenml.enums import StackComponentType as T\n"
        "client = Client()\n"
        "before = client.active_stack_model.name\n"
        "client.create_stack('mine', {T.ORCHESTRATOR: 'default', T.ARTIFACT_STORE: 'default'})\n"
        "client.activate_stack('mine')\n"
        "print('BEFORE', before)\n"
    )
    output, _ = project.start("-c", program).communicate(timeout=60)
    own = re.search(r"BEFORE (\S+)", output)
    assert own, output
    run = project.start("run_pipeline.py", "--config", "fast.yaml")
    output, _ = run.communicate(timeout=120)
    assert run.returncode == 1
    assert "'mine' has no MLflow experiment tracker" in output
    program = (
        "from zenml.client import Client\n"
        "print('ACTIVE', Client().active_stack_model.name)\n"
        f"Client().activate_stack('{own[1]}')\n"
    )
    output, _ = project.start("-c", program).communicate(timeout=60)
    assert "ACTIVE mine" in output


def test_bad_input_ends_with_the_message_and_no_traceback(project: Project) -> None:
    (project.folder / "bad.jsonl").write_text('{"title": "x"}\n')
    run = project.start(
        "run_pipeline.py", "--config", "fast.yaml",
        "--set", "steps.ingest.parameters.source={kind: files, all: bad.jsonl}",
    )  # fmt: skip
    output, _ = run.communicate(timeout=120)
    assert run.returncode == 1
    assert "error: bad.jsonl: no column 'article', 'highlights'; it has 'title'" in output
    assert "Traceback" not in output


def test_ctrl_c_leaves_nothing_half_registered(project: Project, client: MlflowClient) -> None:
    before = {str(v.version) for v in client.search_model_versions()}
    run = project.start(
        "-u", "run_pipeline.py", "--config", "fast.yaml",
        "--set", "steps.fine_tune.parameters.training.max_steps=100000",
    )  # fmt: skip
    assert run.stdout is not None
    for line in run.stdout:
        if "'loss'" in line:
            break
    time.sleep(0.5)
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 130, output
    assert {str(v.version) for v in client.search_model_versions()} == before
    [experiment] = client.search_experiments(filter_string="name = 'news_summarization'")
    latest = client.search_runs([experiment.experiment_id], order_by=["start_time DESC"])[0]
    assert latest.info.status == "FAILED"
