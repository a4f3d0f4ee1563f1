"""Judge a model on the test split: write every system's summaries, score rows, sum up."""
