"""Reads files that others made with lakesh, pyarrow, DuckDB and fastavro, and compares what they say."""
