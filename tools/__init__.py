"""Programs that made what ships with the project; no run needs them."""
