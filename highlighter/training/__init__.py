"""Fine-tuning: the trainer, resuming, memory, several processes."""
