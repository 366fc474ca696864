"""What a model calls of dbt's own macros, while sqlfluff renders it."""


def escape_single_quotes(text: str) -> str:
    """A text inside the quotes of a literal."""
    return text.replace("'", "''")
