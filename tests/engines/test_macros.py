"""Each macro in macros/engine/ gives the same result on every engine, for hard inputs.

A case is a select, as in a model, from a relation `inputs`, and the expected values of its column
`value`. Timestamps are compared as seconds since 1970.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

import pytest

from tests.conftest import ROOT
from tests.engines.engines import DuckDBEngine, PostgresEngine, SparkEngine
from tests.engines.sail import values

EPOCH = """{{ as_instant("'1970-01-01T00:00:00Z'") }}"""
STRING = "{{ engine_type('varchar') }}"
DOCUMENT = (
    '{"a":{"b":"Ünï ✓ \\"q\\" back\\\\slash"},"n":1.5,"i":30000000000,"z":null,"t":true,"e":"",'
    '"l":[1,2],"p":[{"k":"x"},{"k":null}]}'
)


def value_of(expression, **columns):
    """A case that evaluates an expression of columns, each given as SQL."""
    listed = ", ".join(f"{given} as {name}" for name, given in columns.items())
    return f"select {{{{ {expression} }}}} as value from (select {listed}) as inputs"


def text(value):
    """A text as SQL, typed even if it is null."""
    literal = "null" if value is None else "'" + value.replace("'", "''") + "'"
    return f"cast({literal} as {STRING})"


def day(value):
    return "cast(null as date)" if value is None else f"cast('{value}' as date)"


def instant(value):
    return f"""{{{{ as_instant("{"null" if value is None else f"'{value}'"}") }}}}"""


def seconds(start, end):
    return value_of("seconds_between('a', 'b')", a=instant(start), b=instant(end))


def local_day(at, zone):
    return value_of("local_date('a', 'zone')", a=instant(at), zone=text(zone))


def midnight(on, zone):
    since_1970 = "seconds_between('epoch', local_midnight('a', 'zone'))"
    return value_of(since_1970, epoch=EPOCH, a=day(on), zone=text(zone))


def week(on, starts_on):
    return value_of("week_start('a', 'week_day')", a=day(on), week_day=text(starts_on))


def days_apart(start, end):
    return value_of("days_between('a', 'b')", a=day(start), b=day(end))


def later(on, count):
    return value_of("days_later('a', 'n')", a=day(on), n=count)


def differ(one, another):
    return value_of("differ('a', 'b')", a=one, b=another)


def chosen(macro, *epochs):
    """A case for a macro that chooses an instant; the value is in seconds since 1970."""
    columns = {
        f"at_{place}": instant(epoch and datetime.fromtimestamp(epoch, UTC).isoformat())
        for place, epoch in enumerate(epochs)
    }
    names = ", ".join(f"'{name}'" for name in columns)
    return value_of(f"seconds_between('epoch', {macro}({names}))", epoch=EPOCH, **columns)


def json_text(path, document=DOCUMENT):
    return value_of(f"json_text('a', '{path}')", a=text(document))


def json_has_key(key, document=DOCUMENT):
    return value_of(f"json_has_key('a', '{key}')", a=text(document))


def aggregate(macro, *values):
    rows = " union all ".join(f"select {value} as a" for value in values)
    return f"""select {{{{ {macro}("a") }}}} as value from ({rows}) as inputs"""


def days(first, last):
    return f"""with inputs as (select {day(first)} as a, {day(last)} as b),
        final as ({{{{ day_series("inputs", "a", "b") }}}})
        select calendar_date as value from final order by value"""


def elements(listed, element_type):
    return f"""with inputs as (select 7 as id, {text(listed)} as a),
        final as ({{{{ unnest_json_list("inputs", "a", ["id"], element_type="{element_type}") }}}})
        select element as value from final order by element_index"""


def fields(listed, field, kind):
    return f"""with inputs as (select 7 as id, {text(listed)} as a),
        final as ({{{{ unnest_json_list("inputs", "a", ["id"], {{"{field}": "{kind}"}}) }}}})
        select element_{field} as value from final order by element_index"""


def instants(listed, kind):
    """A case for timestamps in a list of objects; the values are in seconds since 1970."""
    return f"""with inputs as (select 7 as id, {text(listed)} as a),
        elements as ({{{{ unnest_json_list("inputs", "a", ["id"], {{"n": "{kind}"}}) }}}}),
        final as (select element_index as n, element_n as a, {EPOCH} as epoch from elements)
        select {{{{ seconds_between("epoch", "a") }}}} as value from final order by n"""


INSTANTS = '[{"n":"2024-05-01T09:30:00Z"},{"n":"2024-05-01T11:30:00.5+02:00"},{"n":null},{}]'
FEBRUARY = [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]
EMOJI = "Ünï ✓ 🚀 \u0301"
CASES = {
    # Elapsed time, across changes of daylight saving time.
    "an hour": (seconds("2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z"), [3600]),
    "a day without an hour": (
        seconds("2024-03-31T00:00:00+01:00", "2024-04-01T00:00:00+02:00"),
        [82_800],
    ),
    "a negative span": (seconds("2024-01-02T00:00:00Z", "2024-01-01T00:00:00Z"), [-86_400]),
    "no span": (seconds("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"), [0]),
    "nearly a second": (seconds("2024-01-01T00:00:00.6Z", "2024-01-01T00:00:01.5Z"), [0]),
    "nearly a second back": (seconds("2024-01-01T00:00:01.5Z", "2024-01-01T00:00:00.6Z"), [0]),
    "a second and a half back": (
        seconds("2024-01-01T00:00:01.9Z", "2024-01-01T00:00:00.4Z"),
        [-1],
    ),
    "a span that is not known": (seconds(None, "2024-01-01T00:00:00Z"), [None]),
    "sixty years": (seconds("1970-01-01T00:00:00Z", "2030-01-01T00:00:00Z"), [1893456000]),
    "the earliest instant": (chosen("earliest", 300, 7, 3600), [7]),
    "the latest instant": (chosen("latest", 300, 7, 3600), [3600]),
    "the earliest that is known": (chosen("earliest", None, 300, None), [300]),
    "the latest that is known": (chosen("latest", 300, None), [300]),
    "no instant is known": (chosen("latest", None, None), [None]),
    # Local days.
    "the evening before": (
        local_day("2024-01-01T04:59:59Z", "America/New_York"),
        [date(2023, 12, 31)],
    ),
    "midnight": (local_day("2024-01-01T05:00:00Z", "America/New_York"), [date(2024, 1, 1)]),
    "summer time": (local_day("2024-07-01T04:00:00Z", "America/New_York"), [date(2024, 7, 1)]),
    "an hour that is there twice": (
        local_day("2024-10-27T00:30:00Z", "Europe/Berlin"),
        [date(2024, 10, 27)],
    ),
    "three quarters of an hour": (
        local_day("2024-01-01T18:15:00Z", "Asia/Kathmandu"),
        [date(2024, 1, 2)],
    ),
    "a summer time of half an hour": (
        local_day("2024-01-01T13:00:00Z", "Australia/Lord_Howe"),
        [date(2024, 1, 2)],
    ),
    "a fraction before midnight": (
        local_day("2024-01-01T22:59:59.999Z", "Europe/Berlin"),
        [date(2024, 1, 1)],
    ),
    "a local day that is not known": (local_day(None, "Europe/Berlin"), [None]),
    "a local day nobody knows where": (local_day("2024-01-01T00:00:00Z", None), [None]),
    "midnight in winter": (midnight("2024-01-01", "America/New_York"), [1704085200]),
    "midnight in summer": (midnight("2024-07-01", "Europe/Berlin"), [1719784800]),
    "midnight of the day that loses an hour": (
        midnight("2024-03-31", "Europe/Berlin"),
        [1711839600],
    ),
    "midnight of the day that wins one": (midnight("2024-11-03", "America/New_York"), [1730606400]),
    "midnight at the other side": (midnight("2024-01-01", "Pacific/Apia"), [1704020400]),
    "a day that begins at one": (midnight("2018-11-04", "America/Sao_Paulo"), [1541300400]),
    "a midnight that is there twice": (midnight("2024-10-27", "Atlantic/Azores"), [1729987200]),
    "midnight of no day": (midnight(None, "Europe/Berlin"), [None]),
    # Weeks and days.
    "a week from Monday": (week("2024-03-03", "Monday"), [date(2024, 2, 26)]),
    "a week from Sunday": (week("2024-03-03", "Sunday"), [date(2024, 3, 3)]),
    "a week from Wednesday": (week("2024-01-02", "Wednesday"), [date(2023, 12, 27)]),
    "a week from nobody knows when": (week("2024-01-03", None), [date(2024, 1, 1)]),
    "a week of long ago": (week("1899-12-31", "Saturday"), [date(1899, 12, 30)]),
    "no week": (week(None, "Sunday"), [None]),
    "days over a leap day": (days_apart("2024-02-28", "2024-03-01"), [2]),
    "days back": (days_apart("2024-03-01", "2024-02-28"), [-2]),
    "days over a change of clocks": (days_apart("2024-03-30", "2024-04-01"), [2]),
    "days to nobody knows when": (days_apart("2024-03-30", None), [None]),
    "seven days later": (later("2024-02-25", "7"), [date(2024, 3, 3)]),
    "a day before": (later("2024-03-01", "-1"), [date(2024, 2, 29)]),
    "some days later": (later("2024-03-30", "cast(null as bigint)"), [None]),
    "a leap day": (days("2024-02-28", "2024-03-01"), FEBRUARY),
    "one day": (days("2024-02-29", "2024-02-29"), FEBRUARY[1:2]),
    "no day": (days("2024-03-01", "2024-02-28"), []),
    "days without an end": (days("2024-03-01", None), []),
    "the days of a change of clocks": (
        days("2024-03-30", "2024-04-01"),
        [date(2024, 3, 30), date(2024, 3, 31), date(2024, 4, 1)],
    ),
    "the days of two": (
        f"""with inputs as (
            select 1 as id, {day("2024-02-28")} as a, {day("2024-02-29")} as b
            union all select 2, {day("2024-03-01")}, {day("2024-03-01")}
        ), final as ({{{{ day_series("inputs", "a", "b", ["id"]) }}}})
        select cast(id as bigint) as value from final order by value, calendar_date""",
        [1, 1, 2],
    ),
    # JSON.
    "unicode, quotes, a backslash": (json_text("a.b"), ['Ünï ✓ "q" back\\slash']),
    "a list as it was written": (json_text("l"), ["[1,2]"]),
    "an object in a list": (json_text("p[0].k"), ["x"]),
    "a null in a list": (json_text("p[1].k"), [None]),
    "a list that ends before": (json_text("p[2].k"), [None]),
    "JSON null": (json_text("z"), [None]),
    "no such key": (json_text("nothing"), [None]),
    "an empty text": (json_text("e"), [""]),
    "a boolean": (json_text("t"), ["true"]),
    "a large number": (json_text("i"), ["30000000000"]),
    "a fraction": (json_text("n"), ["1.5"]),
    "no document": (json_text("a", None), [None]),
    "a list for a document": (json_text("[0].k", '[{"k":"x"}]'), ["x"]),
    "a key": (json_has_key("a"), [True]),
    "a key with null": (json_has_key("z"), [True]),
    "a key with nothing in it": (json_has_key("e"), [True]),
    "a key that is not there": (json_has_key("nothing"), [False]),
    "a key further inside": (json_has_key("b"), [False]),
    "a key of no document": (json_has_key("a", None), [False]),
    "a key of nothing": (json_has_key("a", "{}"), [False]),
    # Lists.
    "numbers": (elements("[3,1,2]", "bigint"), [3, 1, 2]),
    "a null among numbers": (elements("[3000000000,null]", "bigint"), [3000000000, None]),
    "no number among numbers": (elements('[1,"x",{}]', "bigint"), [1, None, None]),
    "texts": (elements('["b","","Ünï \\"q\\"",null]', "text"), ["b", "", 'Ünï "q"', None]),
    "texts of all planes": (elements(f'["{EMOJI}"]', "text"), [EMOJI]),
    "an empty list": (elements("[]", "bigint"), []),
    "no list": (elements(None, "bigint"), []),
    "an empty list of objects": (fields("[]", "n", "text"), []),
    "points": (fields('[{"n":1.5},{"n":null},{}]', "n", "decimal"), [Decimal("1.5"), None, None]),
    "no points": (fields('[{"n":"x"},{"n":0.125}]', "n", "decimal"), [None, Decimal("0.125")]),
    "booleans": (fields('[{"n":true},{"n":false},{}]', "n", "boolean"), [True, False, None]),
    "instants": (instants(INSTANTS, "timestamp"), [1714555800, 1714555800, None, None]),
    "no instant": (instants('[{"n":"soon"},{"n":""}]', "timestamp"), [None, None]),
    "an object instead of a list": (fields('{"n":true}', "n", "boolean"), []),
    "an object as it was written": (
        fields('[{"n":{"a":[1,2]}},{"n":null}]', "n", "json"),
        ['{"a":[1,2]}', None],
    ),
    **{
        f"ids {listed}": (value_of("possible('a', 'id_list')", a=text(listed)), [expected])
        for listed, expected in [
            ("[]", "[]"),
            ("[0, -7,null]", "[0, -7,null]"),
            ("[oops]", None),
            ("[1,,2]", None),
            ("[01]", None),
            ("[", None),
            (None, None),
        ]
    },
    # Aggregates.
    "a median of an odd count": (aggregate("median", 3, 1, 2), [2.0]),
    "a median of an even count": (aggregate("median", 1, 2, 4, 10), [3.0]),
    "a median without nulls": (aggregate("median", 1, "null", 2), [1.5]),
    "a median of fractions": (aggregate("median", 0.25, -0.5), [-0.125]),
    "no median": (aggregate("median", "cast(null as bigint)"), [None]),
    "texts in the order of their code points": (
        aggregate("joined_text", *map(text, ["b", "B", "a", "🚀", "Z", "é", "ﬁ"])),
        ["B, Z, a, b, é, ﬁ, 🚀"],
    ),
    "texts and nulls": (aggregate("joined_text", text("b"), text(None), text("a")), ["a, b"]),
    "texts with nothing in them": (aggregate("joined_text", text(""), text(None)), [""]),
    "no texts": (aggregate("joined_text", text(None)), [None]),
    # Comparisons.
    "another text": (differ(text("a"), text("b")), [True]),
    "the same text": (differ(text(EMOJI), text(EMOJI)), [False]),
    "a text and nothing in it": (differ(text(""), text(None)), [True]),
    "nothing and a text": (differ(text(None), text("a")), [True]),
    "nothing twice": (differ(text(None), text(None)), [False]),
    "the same number": (
        differ("cast(1 as bigint)", "cast(1.0000 as decimal(18, 4))"),
        [False],
    ),
    # Types.
    "a ratio of decimals": (
        "select {{ as_double('a') }} / 3 as value "
        "from (select cast(1 as decimal(18, 4)) as a) as inputs",
        [1 / 3],
    ),
    "no double": (value_of("as_double('a')", a="cast(null as bigint)"), [None]),
    "a large number as text": (
        value_of("as_text('a')", a="cast(3000000000 as bigint)"),
        ["3000000000"],
    ),
    "a decimal as text": (value_of("as_text('a')", a="cast(-1.5 as decimal(18, 4))"), ["-1.5000"]),
    "a day as text": (value_of("as_text('a')", a=day("2024-02-29")), ["2024-02-29"]),
    "a long text as text": (value_of("as_text('a')", a=text(EMOJI * 99)), [EMOJI * 99]),
    "a day as an instant": (seconds("2024-05-01", "2024-05-01T00:00:00Z"), [0]),
    "an instant as text": (
        value_of("instant_as_text('a')", a=instant("2024-05-01T11:30:00.5+02:00")),
        ["2024-05-01 09:30:00+00"],
    ),
    "a whole second as text": (
        value_of("instant_as_text('a')", a=instant("2024-03-31T01:00:00Z")),
        ["2024-03-31 01:00:00+00"],
    ),
    "no instant as text": (value_of("instant_as_text('a')", a=instant(None)), [None]),
}


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
