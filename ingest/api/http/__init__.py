"""Requests to a Tracker API: client, pages, retries, errors."""
