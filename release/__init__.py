"""Register versions in MLflow, choose the champion, and deploy it to the BentoML store."""
