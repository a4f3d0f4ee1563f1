"""The domain library: what the pipeline and the service do, free of both frameworks."""
