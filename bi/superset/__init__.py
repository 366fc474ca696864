"""Create a connection, data sets, charts and a dashboard in Superset through its API."""
