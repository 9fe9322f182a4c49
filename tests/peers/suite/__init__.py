"""DuckDB's own tests, replayed in DuckDB and lakesh."""
