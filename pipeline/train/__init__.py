"""Stage 3: tokens, batches, model, optimizer step and held-out scoring."""
