"""The library behind the pipeline and the service; it imports neither ZenML nor BentoML."""
