"""Each macro of macros/engine/ gives the same on every engine, on hard inputs: a table of cases.

A case is a select as a model would write it, over a relation `inputs`, and the values of the rows
that it gives. Instants are checked as seconds since 1970.
"""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.engines.engines import SparkEngine
from tests.engines.sail import values

EPOCH = """{{ as_instant("'1970-01-01T00:00:00Z'") }}"""
STRING = "{{ dbt.type_string() }}"
DOCUMENT = (
    '{"a":{"b":"Ünï ✓ \\"q\\" back\\\\slash"},"n":1.50,"z":null,"t":true,"e":"","l":[1,2],'
    '"p":[{"k":"x"},{"k":null}]}'
)


def seconds(start, end):
    return f"""select {{{{ seconds_between("a", "b") }}}} as value from (
            select {{{{ as_instant("{start}") }}}} as a, {{{{ as_instant("{end}") }}}} as b
        ) as inputs"""


def local_day(instant, zone):
    return (
        """select {{ local_date("a", "zone") }} as value from ("""
        f"""select {{{{ as_instant("'{instant}'") }}}} as a, '{zone}' as zone) as inputs"""
    )


def midnight(day, zone):
    return (
        """select {{ seconds_between("epoch", local_midnight("a", "zone")) }} as value from ("""
        f"select {EPOCH} as epoch, cast('{day}' as date) as a, '{zone}' as zone) as inputs"
    )


def week(day, starts_on):
    named = f"cast(null as {STRING})" if starts_on is None else f"'{starts_on}'"
    return (
        """select {{ week_start("a", "week_day") }} as value from ("""
        f"""select cast('{day}' as date) as a, {named} as week_day) as inputs"""
    )


def iso_week(day):
    return (
        """select {{ iso_week("a") }} as value from ("""
        f"select cast('{day}' as date) as a) as inputs"
    )


def chosen(macro, *epochs):
    """The seconds since 1970 of the instant that a macro chooses."""
    columns = [f"at_{place}" for place in range(len(epochs))]
    instants = [
        "null" if each is None else f"'{datetime.fromtimestamp(each, UTC).isoformat()}'"
        for each in epochs
    ]
    given_instants = ", ".join(
        f"""{{{{ as_instant("{instant}") }}}} as {column}"""
        for instant, column in zip(instants, columns, strict=True)
    )
    names = ", ".join(f"'{column}'" for column in columns)
    return f"""select {{{{ seconds_between("epoch", {macro}({names})) }}}} as value from (
            select {EPOCH} as epoch, {given_instants}
        ) as inputs"""


def json_text(path, document=DOCUMENT):
    found = f"""{{{{ json_text("a", "{path}") }}}}"""
    return f"select {found} as value from ({given(document)}) as inputs"


def json_has_key(key, document=DOCUMENT):
    found = f"""{{{{ json_has_key("a", "{key}") }}}}"""
    return f"select {found} as value from ({given(document)}) as inputs"


def given(text):
    literal = "null" if text is None else "'" + text.replace("'", "''") + "'"
    return f"select cast({literal} as {{{{ dbt.type_string() }}}}) as a"


def aggregate(macro, *values):
    rows = " union all ".join(f"select {value} as a" for value in values)
    return f"""select {{{{ {macro}("a") }}}} as value from ({rows}) as inputs"""


def days(first, last):
    return f"""with inputs as (select cast('{first}' as date) as a, cast('{last}' as date) as b),
        final as ({{{{ day_series("inputs", "a", "b") }}}})
        select calendar_date as value from final order by value"""


def elements(text, element_type):
    return f"""with inputs as (select 7 as id, a from ({given(text)}) as texts),
        final as ({{{{ unnest_json_list("inputs", "a", ["id"], element_type="{element_type}") }}}})
        select element as value from final order by element_index"""


def fields(text, field, kind):
    return f"""with inputs as (select 7 as id, a from ({given(text)}) as texts),
        final as ({{{{ unnest_json_list("inputs", "a", ["id"], {{"{field}": "{kind}"}}) }}}})
        select element_{field} as value from final order by element_index"""


INSTANTS = '[{"n":"2024-05-01T09:30:00Z"},{"n":"2024-05-01T11:30:00.5+02:00"},{"n":null},{}]'
FEBRUARY = [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]
CASES = {
    # Elapsed time, whatever clocks show.
    "an hour": (seconds("'2024-01-01T00:00:00Z'", "'2024-01-01T01:00:00Z'"), [3600]),
    "a day without an hour": (
        seconds("'2024-03-31T00:00:00+01:00'", "'2024-04-01T00:00:00+02:00'"),
        [82_800],
    ),
    "a negative span": (seconds("'2024-01-02T00:00:00Z'", "'2024-01-01T00:00:00Z'"), [-86_400]),
    "no span": (seconds("'2024-01-01T00:00:00Z'", "'2024-01-01T00:00:00Z'"), [0]),
    "a span that is not known": (seconds("null", "'2024-01-01T00:00:00Z'"), [None]),
    "sixty years": (seconds("'1970-01-01T00:00:00Z'", "'2030-01-01T00:00:00Z'"), [1893456000]),
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
    "midnight in winter": (midnight("2024-01-01", "America/New_York"), [1704085200]),
    "midnight in summer": (midnight("2024-07-01", "Europe/Berlin"), [1719784800]),
    "midnight of the day that loses an hour": (
        midnight("2024-03-31", "Europe/Berlin"),
        [1711839600],
    ),
    "midnight of the day that wins one": (midnight("2024-11-03", "America/New_York"), [1730606400]),
    "midnight at the other side": (midnight("2024-01-01", "Pacific/Apia"), [1704020400]),
    # Weeks and days.
    "a week from Monday": (week("2024-03-03", "Monday"), [date(2024, 2, 26)]),
    "a week from Sunday": (week("2024-03-03", "Sunday"), [date(2024, 3, 3)]),
    "a week from Wednesday": (week("2024-01-02", "Wednesday"), [date(2023, 12, 27)]),
    "a week from nobody knows when": (week("2024-01-03", None), [date(2024, 1, 1)]),
    "a week of the year before": (iso_week("2021-01-03"), [53]),
    "a week of the year after": (iso_week("2024-12-30"), [1]),
    "a leap day": (days("2024-02-28", "2024-03-01"), FEBRUARY),
    "one day": (days("2024-02-29", "2024-02-29"), FEBRUARY[1:2]),
    "no day": (days("2024-03-01", "2024-02-28"), []),
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
    "no document": (json_text("a", None), [None]),
    "a key": (json_has_key("a"), [True]),
    "a key with null": (json_has_key("z"), [True]),
    "a key that is not there": (json_has_key("nothing"), [False]),
    "a key of no document": (json_has_key("a", None), [False]),
    # Lists.
    "numbers": (elements("[3,1,2]", "bigint"), [3, 1, 2]),
    "a null among numbers": (elements("[3000000000,null]", "bigint"), [3000000000, None]),
    "texts": (elements('["b","","Ünï \\"q\\"",null]', "text"), ["b", "", 'Ünï "q"', None]),
    "an empty list": (elements("[]", "bigint"), []),
    "no list": (elements(None, "bigint"), []),
    "points": (fields('[{"n":1.5},{"n":null},{}]', "n", "decimal"), [Decimal("1.5"), None, None]),
    "booleans": (fields('[{"n":true},{"n":false},{}]', "n", "boolean"), [True, False, None]),
    "instants": (
        f"""with inputs as (select 7 as id, a from ({given(INSTANTS)}) as texts),
        elements as ({{{{ unnest_json_list("inputs", "a", ["id"], {{"n": "timestamp"}}) }}}}),
        final as (select element_index as n, element_n as a, {EPOCH} as epoch from elements)
        select {{{{ seconds_between("epoch", "a") }}}} as value from final order by n""",
        [1714555800, 1714555800, None, None],
    ),
    "an object instead of a list": (fields('{"n":true}', "n", "boolean"), []),
    "an object as it was written": (
        fields('[{"n":{"a":[1,2]}},{"n":null}]', "n", "json"),
        ['{"a":[1,2]}', None],
    ),
    # Aggregates.
    "a median of an odd count": (aggregate("median", 3, 1, 2), [2.0]),
    "a median of an even count": (aggregate("median", 1, 2, 4, 10), [3.0]),
    "a median without nulls": (aggregate("median", 1, "null", 2), [1.5]),
    "texts in the order of their code points": (
        aggregate("joined_text", "'b'", "'B'", "'a'", "'Z'", "'é'"),
        ["B, Z, a, b, é"],
    ),
    "texts and nulls": (
        aggregate("joined_text", "'b'", f"cast(null as {STRING})", "'a'"),
        ["a, b"],
    ),
    "no texts": (aggregate("joined_text", f"cast(null as {STRING})"), [None]),
    # Types.
    "a ratio of decimals": (
        "select {{ as_double('a') }} / 3 as value from (select cast(1 as decimal(18, 4)) as a) "
        "as inputs",
        [1 / 3],
    ),
    "a large number as text": (
        "select {{ as_text('a') }} as value from (select cast(3000000000 as bigint) as a) "
        "as inputs",
        ["3000000000"],
    ),
    "an instant as text": (
        "select {{ instant_as_text('a') }} as value from (select "
        """{{ as_instant("'2024-05-01T11:30:00.5+02:00'") }} as a) as inputs""",
        ["2024-05-01 09:30:00.5+00"],
    ),
    "a span of days": (
        "select {{ days_between('a', 'b') }} as value from (select cast('2024-02-28' as date) "
        "as a, cast('2024-03-01' as date) as b) as inputs",
        [2],
    ),
}
SEPARATOR = "\n-- next case\n"
INLINE = SEPARATOR.join(case for case, _ in CASES.values())


@pytest.fixture(scope="module", params=["duckdb", "postgres", "spark"])
def results(request, tmp_path_factory):
    """What each case gives on an engine; dbt compiles all of them at once."""
    if request.param == "spark":
        server = request.getfixturevalue("sail")
        engine = SparkEngine.of(server, tmp_path_factory.mktemp("macros"))
        # In texts of Spark's SQL a backslash begins an escape.
        found = values(server, _compiled(engine, INLINE.replace("\\", "\\\\")))
    else:
        engine = request.getfixturevalue(f"{request.param}_demo")
        found = [[row["value"] for row in engine.query(each)] for each in _compiled(engine, INLINE)]
    return dict(zip(CASES, found, strict=True))


def _compiled(engine, inline):
    made = engine.dbt("compile", "--quiet", "--no-populate-cache", "--inline", inline)
    assert made.returncode == 0, made.stdout + made.stderr
    return made.stdout.split(SEPARATOR.strip("\n"))


@pytest.mark.parametrize("case", CASES)
def test_a_macro_gives_what_it_should(case, results):
    expected = CASES[case][1]
    assert results[case] == expected
    assert [type(value) for value in results[case]] == [type(value) for value in expected]
