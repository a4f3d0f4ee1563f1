"""What is registered and what is served: MLflow's registry and the BentoML store, kept in step."""
