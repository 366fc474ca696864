"""Where raw tables are stored: one folder per engine, and the interface they share."""
