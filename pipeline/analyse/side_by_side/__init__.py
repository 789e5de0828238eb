"""Several runs compared: their records, their ends, and the answers of their final scoring."""
