"""The lists of the API, and how they are read."""
