"""Find and read only what changed since the last run."""
