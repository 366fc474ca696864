"""What people and BI tools use: the published copy of the marts, the dashboard and the report."""
