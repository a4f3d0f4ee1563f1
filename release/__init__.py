"""Register versions in MLflow, choose the champion, and deploy it to the BentoML store."""

# First: it ends with one line on an unsupported system.
import highlighter.system  # noqa: F401
