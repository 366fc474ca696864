"""Ingestion: whatever holds Tracker data becomes rows of the declared raw tables."""

import os

# numpy's linear algebra, which nothing here uses, would start threads, and these spin for a while.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
