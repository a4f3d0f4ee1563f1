"""Generator of the embedded corpus."""
