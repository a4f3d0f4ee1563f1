"""The model: an encoder-decoder with a salience head, its tokenizer and its checkpoint folder."""
