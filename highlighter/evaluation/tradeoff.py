"""What a student gives up and what it gains: itself beside its teacher, as records."""

from pydantic import BaseModel

from highlighter.statistics import Interval

COMPARED = ("served", "abstractive", "extractive")


class Contender(BaseModel):
    """A model's size, how it writes, and its means on the test rows; ROUGE by system and type."""

    encoder_layers: int
    decoder_layers: int
    parameters: int
    num_beams: int
    rouge: dict[str, dict[str, float]]
    faithfulness: dict[str, float]
    fact_recall: dict[str, float]


class Speed(BaseModel):
    """Seconds an article of both, medians, and the teacher's in all over the student's.

    The ratio's interval is of the articles, which are drawn again for both at once.
    """

    articles: int
    device: str
    threads: int
    teacher: float
    student: float
    ratio: Interval


class Tradeoff(BaseModel):
    """Both on the same test rows, each as it is served; `difference` is student - teacher."""

    name: str
    teacher: Contender
    student: Contender
    difference: dict[str, dict[str, Interval]]
    speed: Speed

    def metrics(self) -> dict[str, float]:
        """As flat metrics, `distillation/...`."""
        flat = {
            f"distillation/{system}/{name}_difference": interval.mean
            for system, of_type in self.difference.items()
            for name, interval in of_type.items()
        }
        return flat | {
            "distillation/speedup": self.speed.ratio.mean,
            "distillation/teacher_seconds": self.speed.teacher,
            "distillation/student_seconds": self.speed.student,
            "distillation/parameters_ratio": self.student.parameters / self.teacher.parameters,
        }


def teacher_column(name: str) -> str:
    """Name of the column of the rows that holds the same of the teacher."""
    return f"teacher_{name}"
