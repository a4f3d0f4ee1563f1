"""The web application: endpoints, limits, errors, logs, metrics, page."""
