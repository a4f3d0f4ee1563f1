"""The service's web side: requests, limits, errors, logs, metrics, pages. Knows no model."""
