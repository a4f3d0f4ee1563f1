"""Which model a student is made from, settled once, before any step runs."""

from highlighter.fingerprint import fingerprint_model
from highlighter.settings import StudentModel
from highlighter.workspace import temporary_folder
from pipelines.config import RunConfig
from release.teacher import champion_as_teacher, fingerprint_teacher, is_registered
from release.tracking import use_stack_tracking


def settle_model(config: RunConfig) -> str:
    """What version of a checkpoint the run starts from, for the steps' cache keys.

    `teacher: champion` becomes the version that is meant today, in the configuration itself: all
    steps then read the same one, and the run's record names it.
    """
    model = config.model
    if not isinstance(model, StudentModel):
        return fingerprint_model(model)
    teacher = model.teacher
    use_stack_tracking()
    if teacher == "champion":
        registry = config.settings["steps.register.parameters"]["registry"]
        teacher = champion_as_teacher(registry.model_name)
        config.zenml["parameters"]["model"]["teacher"] = teacher
    if is_registered(teacher):
        return fingerprint_teacher(teacher, temporary_folder("teacher"))
    return fingerprint_model(model.model_copy(update={"teacher": teacher}))
