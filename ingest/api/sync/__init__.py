"""What changed since the last run, and what was deleted."""
