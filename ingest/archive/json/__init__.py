"""Saved API answers, JSON dumps and SQLite backups become records."""
