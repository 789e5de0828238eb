"""What is trained: for each objective its batches, its loss, the records' columns and the scores."""
