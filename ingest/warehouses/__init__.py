"""Where raw tables are kept: one folder per engine, and the interface that they share."""
