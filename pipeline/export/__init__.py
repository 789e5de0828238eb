"""A checkpoint under the names of the `transformers` library: weights, tokenizer, model card."""
