"""The path from articles to answers. The service and the evaluation both use `Summarizer`."""
