"""Raw tables as Delta tables or Parquet files."""
