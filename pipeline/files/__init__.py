"""What lies between the stages: dataset, history, checkpoint, scores, all written whole or not at all."""
