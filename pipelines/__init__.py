"""The pipeline, its configuration, and the stack it runs on."""

# First: it ends with one line on an unsupported system.
import highlighter.system  # noqa: F401
