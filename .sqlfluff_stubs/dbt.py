"""Stand-ins for dbt's own macros that models call as `dbt.<name>`, while sqlfluff renders them."""


def date_trunc(part: str, date: str) -> str:
    """A day cut to its month, quarter or year."""
    return f"date_trunc('{part}', {date})"


def escape_single_quotes(text: str) -> str:
    """A text as it stands between quotes."""
    return str(text).replace("'", "''")
