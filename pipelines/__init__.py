"""The pipeline, its configuration, and the stack it runs on."""
