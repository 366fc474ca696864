"""Raw tables in a PostgreSQL database."""
