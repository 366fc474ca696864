"""Read stories CSV files."""
