"""Stages 1 and 2: text from its sources, cut into sentences, and the judgement of the dataset."""
