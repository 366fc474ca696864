"""Benchmarks: run them with `make bench`; README.md has the results."""
