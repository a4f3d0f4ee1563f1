"""The way from articles to answers."""
