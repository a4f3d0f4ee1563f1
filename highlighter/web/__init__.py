"""A URL becomes an article's text; the URL, the server and the page are all untrusted."""
