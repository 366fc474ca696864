"""Raw tables in a DuckDB file."""
