"""Stories CSV files become records."""
