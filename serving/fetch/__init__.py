"""Articles from URLs, fetched safely."""
