"""What people and BI tools open: the published copy of the marts, the dashboard, the report."""
