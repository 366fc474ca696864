"""Jinja's compiler with a memory: sqlfluff hands it every macro anew, twice for each file.

That is a third of its time. A compiled template is code that knows no environment, and those of
sqlfluff are all alike.
"""

from jinja2.sandbox import SandboxedEnvironment

_compile = SandboxedEnvironment.compile
_compiled: dict[str, object] = {}


def _compile_once(self: SandboxedEnvironment, source: object, *rest: object) -> object:
    if not isinstance(source, str) or rest:
        return _compile(self, source, *rest)
    if source not in _compiled:
        _compiled[source] = _compile(self, source)
    return _compiled[source]


SandboxedEnvironment.compile = _compile_once
