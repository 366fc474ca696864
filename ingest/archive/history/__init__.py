"""Project histories become activities and transitions."""
