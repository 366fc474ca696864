"""What every run has: settings, a lock, a log and a summary."""
