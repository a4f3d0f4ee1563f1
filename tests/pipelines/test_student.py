"""A student of the registered champion, through the same pipeline and gate."""

from mlflow.tracking import MlflowClient

from tests.checkout import Project

NAME = "news-highlighter"


def test_a_student_is_made_of_the_champion(project: Project, first_run: str) -> None:
    assert "Student of" not in first_run
    client = MlflowClient(project.tracking_uri)
    before = client.get_model_version_by_alias(NAME, "champion")
    teacher = f"models:/{NAME}/{before.version}"
    student = (
        "--set", "parameters.model={kind: student, encoder_layers: 1, decoder_layers: 1, "
        "teacher_targets: 32}",
        "--set", "steps.fine_tune.parameters.training.max_steps=2",
        "--set", "steps.evaluate.parameters.evaluation.timed_articles=2",
        "--set", "steps.register.parameters.registry.gate.maximum_loss_to_teacher=100",
    )  # fmt: skip
    output = " ".join(project.run(*student).split())
    assert f"Student of {teacher}" in output
    assert f"points to its teacher {teacher}" in output
    after = client.get_model_version_by_alias(NAME, "champion")
    assert int(after.version) > int(before.version)
    assert after.tags["teacher"] == teacher
    run = client.get_run(after.run_id)
    assert run.data.params["fine_tune.model.teacher"] == teacher
    assert run.data.metrics["distillation/speedup"] > 0
    assert run.data.metrics["distillation/teacher_targets"] <= 32
