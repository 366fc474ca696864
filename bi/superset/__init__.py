"""Superset on the published copy: connection, data sets, charts and a dashboard, by its API."""
