"""Reader 1: a Tracker v5 API, over HTTP."""
