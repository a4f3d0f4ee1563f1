"""Articles: sources, files, validation, sentences, salience labels, features, batches."""
