"""What `adapter.dispatch` gives while sqlfluff renders a model: SQL of the right shape."""

from collections.abc import Callable

# Engine macros that are a whole select; the others are expressions.
_SELECTS = frozenset({"unnest_json_list", "day_series"})


def dispatch(macro_name: str, macro_namespace: str | None = None) -> Callable[..., str]:
    """A stand-in for the adapter's version of a macro, as dbt's `adapter.dispatch`."""

    def macro(*arguments: object, **named: object) -> str:
        if macro_name in _SELECTS:
            return f"select * from {arguments[0]}"
        each = arguments[0] if isinstance(arguments[0], tuple) else arguments
        return f"{macro_name}({', '.join(map(str, each))})"

    return macro
