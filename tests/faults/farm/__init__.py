"""Lets lakesh work while its file calls fail, and compares what is left with a model."""
