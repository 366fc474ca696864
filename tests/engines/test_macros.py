"""Each macro in macros/engine/ gives the same result on every engine, for hard inputs."""

import re
from functools import partial

import pytest

from tests.conftest import ROOT
from tests.engines.engines import DuckDBEngine, PostgresEngine, SparkEngine
from tests.engines.macro_cases import CASES
from tests.engines.sail import values

ENGINE_MACROS = ROOT / "dbt_project" / "macros" / "engine"
DISPATCHED = [
    name
    for path in sorted(ENGINE_MACROS.glob("*.sql"))
    for name in re.findall(r"adapter\.dispatch\('(\w+)'\)", path.read_text())
]
SEPARATOR = "\n-- next case\n"
INLINE = SEPARATOR.join(case for case, _ in CASES.values())


@pytest.fixture(scope="module", params=["duckdb", "postgres", "spark"])
def evaluate(request, tmp_path_factory):
    """A function that evaluates a case on an engine; dbt compiles all cases at once."""
    folder = tmp_path_factory.mktemp("macros")
    if request.param == "duckdb":
        engine = DuckDBEngine(folder)
        engine.execute()  # creates the file
        run = partial(_values, engine)
    elif request.param == "postgres":
        engine = PostgresEngine.of(request.getfixturevalue("postgres"), folder / "macros")
        run = partial(_values, engine)
    else:
        server = request.getfixturevalue("sail")
        engine = SparkEngine.of(server, folder)
        run = partial(values, server)
    # In Spark's SQL strings a backslash starts an escape.
    inline = INLINE.replace("\\", "\\\\") if request.param == "spark" else INLINE
    statements = dict(zip(CASES, _compiled(engine, inline), strict=True))
    return lambda case: run(statements[case])


def _compiled(engine, inline):
    compiled = engine.dbt("compile", "--quiet", "--no-populate-cache", "--inline", inline)
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    return compiled.stdout.split(SEPARATOR.strip("\n"))


def _values(engine, statement):
    return [row["value"] for row in engine.query(statement)]


@pytest.mark.parametrize("case", CASES)
def test_a_macro_gives_the_expected_values(case, evaluate):
    expected, found = CASES[case][1], evaluate(case)
    assert found == expected
    assert [type(value) for value in found] == [type(value) for value in expected]


def test_only_a_dozen_macros_differ_by_engine():
    assert len(DISPATCHED) <= 12


@pytest.mark.parametrize("macro", DISPATCHED)
def test_each_engine_macro_has_cases(macro):
    # Casts use the engine's name of the type.
    called = re.compile(r"\bas_\w+\(" if macro == "engine_type" else rf"\b{macro}\(")
    assert sum(bool(called.search(case)) for case, _ in CASES.values()) > 2
