"""Read saved API responses, JSON dumps and SQLite backups."""
