"""The nightly run as Dagster assets."""
