"""Compute the answers of `python -m release score` on Spark."""

import warnings

import mlflow
import pyarrow as pa
from mlflow.entities.model_registry import ModelVersion

from highlighter.data.files import RawRow
from highlighter.errors import ConfigError, first_line
from highlighter.inference.answers import Options
from release import registry
from release.score import ORIGIN, RESULT

_TASKS_PER_CORE = 4  # more than one, because articles differ in length and so tasks in time
_BATCH = 64  # rows that a worker has in memory


class SparkScorer:
    """Computes answers on Spark, with the registered MLflow model.

    The driver reads the rows and writes the results, so the workers need no access to either. Spark
    sends the model's folder to its workers; each loads it once, and repeats what a lost one did.

    Args:
        version: what answers.
        options: options of every answer.
        master: URL of the cluster, or local[CORES].

    Raises:
        ConfigError: pyspark or Java is missing, or the master is wrong.
    """

    def __init__(self, version: ModelVersion, options: Options, master: str) -> None:
        try:
            from pyspark.sql import SparkSession
        except ImportError as error:
            raise ConfigError(
                f"--spark: {error}. Run `pip install -r requirements-spark.txt`."
            ) from error
        # pyspark 4.3 says so of pandas 3 at each call.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
        builder = SparkSession.builder.master(master).appName(f"score {registry.uri(version)}")
        try:
            self._spark = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
        except Exception as error:  # Spark's own, or py4j's around one of Java
            raise ConfigError(
                f"--spark: no session at {master} ({first_line(error)}). Check the master's "
                "URL, and that Java 17 or later is installed (`java -version`, JAVA_HOME)."
            ) from error
        self._spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", _BATCH)
        self._udf = mlflow.pyfunc.spark_udf(
            self._spark,
            registry.uri(version),
            env_manager="local",
            params=options.model_dump(exclude_none=True),
        )
        self._cores = self._spark.sparkContext.defaultParallelism
        self.parts = _TASKS_PER_CORE * self._cores

    def answer(self, rows: list[RawRow]) -> pa.Table:
        """Return the answers (RESULT) to the articles of rows, in order."""
        from pyspark.sql import functions

        articles = pa.table(
            {
                "number": pa.array(range(len(rows)), pa.int64()),
                "article": pa.array([row["article"] for row in rows], pa.string()),
            }
        )
        tasks = min(self.parts, len(rows))
        answered = (
            self._spark.createDataFrame(articles)
            .repartition(tasks)
            .select("number", self._udf("article").alias("answer"))
            .select("number", "answer.*")
            # spark_udf of MLflow 3.17 makes "None" of a null in a column of strings.
            .withColumn("doubt", functions.nullif("doubt", functions.lit("None")))
            .toArrow()
            .sort_by("number")
            .to_pylist()
        )
        return pa.Table.from_pylist(
            [
                {**{k: row[k] for k in ORIGIN}, **answer}
                for row, answer in zip(rows, answered, strict=True)
            ],
            schema=RESULT,
        )
