"""Asks lakesh, PostgreSQL and DuckDB the same questions and compares what they say."""
