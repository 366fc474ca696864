"""What is measured, and how to run it: `make bench`; figures stand in README.md."""
