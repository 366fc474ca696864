"""Ingestion: whatever holds Tracker data becomes rows of the declared raw tables."""
