"""Facts of a text: its numbers, dates and names, found by a closed rule."""
