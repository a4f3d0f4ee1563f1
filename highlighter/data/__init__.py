"""Articles: sources, files, validation, sentences, labels, features, batches."""
