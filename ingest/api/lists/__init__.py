"""Which lists of the API are read, and how."""
