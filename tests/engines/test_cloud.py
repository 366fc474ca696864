"""For warehouses that need an account, the compiled SQL belongs to the warehouse's dialect.

Nothing is run. dbt compiles all models, analyses and tests with the users' profile, without a
connection. sqlglot parses the SQL strictly and generates it again: if it uses another word (a
function, a type, a clause), the original does not belong to the dialect.
"""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator

import pytest
import sqlglot
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlglot import ErrorLevel, exp

from tests.conftest import BIN, ROOT, environment

# Synonyms: sqlglot generates one of them, the warehouse accepts both.
SYNONYMS = {
    "snowflake": "integer int, timestamp with time zone timestamptz, extract from date_part, "
    "mod %, nulls last, try_cast as boolean try_to_boolean, 'microsecond' microsecond, "
    "'day' day, seq key path index value this",  # the columns of flatten
    "bigquery": "bigint int64, integer int64, decimal numeric, boolean bool, interval day",
    "redshift": "timestamptz timestamp with time zone, strpos position in, mod %, "
    "nulls last, 'microsecond' microsecond",
    # cast as timestamp: sqlglot adds explicit casts of dates that are compared with timestamps
    # with: sqlglot moves nested CTEs out, as Hive requires
    "databricks": "integer int, mod %, date_sub date_add, day, cast as timestamp, with",
}
# Functions unknown to sqlglot; each is in the warehouse's own reference.
FUNCTIONS = {
    "snowflake": set(),
    "bigquery": set(),
    "redshift": {
        "timezone",
        "json_typeof",
        "json_serialize",
        "json_extract_array_element_text",
        "is_valid_json_array",
    },
    "databricks": set(),
}
FOREIGN = {
    "DuckDB's cast": ("bigquery", "select 1::varchar"),
    "a type that is not there": ("bigquery", "select cast(a as double) from b"),
    "a quote that is doubled": ("bigquery", "select 'Tracker''s'"),
    "a union that does not say which": ("bigquery", "select 1 union select 2"),
    "an operator that is not there": ("bigquery", "select a % 2 from b"),
    "a filtered aggregate": ("snowflake", "select count(*) filter (where a) from b"),
    "a named window": ("snowflake", "select sum(a) over w from b window w as (order by c)"),
    "a text without a length": ("databricks", "select cast(a as varchar) from b"),
    "a type of others": ("databricks", "select cast(a as timestamp with time zone) from b"),
    "a text of three parts": ("redshift", "select concat(a, '-', b) from c"),
    "DuckDB's JSON": ("redshift", "select json_extract_string(a, '$.b') from c"),
    "DuckDB's lists": ("snowflake", "select list_transform(a, lambda x: x) from b"),
    "Spark's view": ("snowflake", "select a from b lateral view explode(c) d as e"),
    "no SQL": ("databricks", "select from where"),
    "a comparison of nulls": ("redshift", "select a from b where c is distinct from d"),
    "a running sum that names no rows": ("redshift", "select sum(a) over (order by b) from c"),
    "texts in two orders": (
        "redshift",
        "select listagg(a) within group (order by a), listagg(b) within group (order by b) from c",
    ),
    "a union that says so twice": ("redshift", "select 1 as a union distinct select 2 as a"),
    "a function of another name": ("redshift", "select substr(a, 1, 8) from b"),
    "a name that is a keyword": ("bigquery", "select a from groups"),
    "digits in a cast": ("bigquery", "select cast(a as numeric(18, 4)) from b"),
}
NUMBERING = (exp.RowNumber, exp.Lag, exp.Lead)  # window functions without a frame
WORD = re.compile(r"[a-z_][a-z0-9_]*|%|::")


def flaws(sql: str, dialect: str) -> list[str]:
    """The words in a statement that do not belong to the dialect."""
    try:
        trees = sqlglot.parse(sql, dialect=dialect, error_level=ErrorLevel.RAISE)
        written = " ; ".join(
            tree.sql(dialect=dialect, comments=False, unsupported_level=ErrorLevel.RAISE)
            for tree in trees
        )
    except sqlglot.errors.SqlglotError as error:
        return [str(error)]
    nodes = [node for tree in trees for node in tree.walk()]
    found = [reason for node in nodes for reason in _refused(node, dialect)]
    found += [f"not understood: {node.sql()}" for node in nodes if isinstance(node, exp.Command)]
    functions = {node.name.lower() for node in nodes if isinstance(node, exp.Anonymous)}
    found += [f"unknown function: {name}" for name in sorted(functions - FUNCTIONS[dialect])]
    stands, preferred = _words(sql, dialect), _words(written, dialect)
    synonyms = set(WORD.findall(SYNONYMS[dialect]))
    found += [f"another's: {word}" for word in sorted((stands - preferred).keys() - synonyms)]
    return found + [f"instead: {word}" for word in sorted((preferred - stands).keys() - synonyms)]


def _refused(node: exp.Expression, dialect: str) -> Iterator[str]:
    """What a warehouse is known to refuse, although sqlglot generates it."""
    reserved = sqlglot.Dialect.get_or_raise(dialect).generator_class.RESERVED_KEYWORDS
    if isinstance(node, exp.Identifier) and not node.quoted and node.name.lower() in reserved:
        yield f"a keyword for a name: {node.name}"
    if dialect == "bigquery" and isinstance(node, exp.Cast) and node.to.expressions:
        yield f"digits in a cast: {node.sql()}"
    if dialect == "redshift":
        if isinstance(node, exp.NullSafeEQ | exp.NullSafeNEQ):
            yield f"a comparison of nulls: {node.sql()}"
        ordered = isinstance(node, exp.Window) and node.args.get("order")
        if ordered and not node.args.get("spec") and not isinstance(node.this, NUMBERING):
            yield f"a window without rows: {node.sql()}"
        if isinstance(node, exp.Select):
            own = (each for each in node.find_all(exp.WithinGroup) if each.parent_select is node)
            if len({each.expression.sql() for each in own}) > 1:
                yield f"several orders within groups: {node.sql()}"


def _words(sql: str, dialect: str) -> Counter:
    tokens = sqlglot.Dialect.get_or_raise(dialect).tokenize(sql)
    texts = (token.text.lower() for token in tokens if token.token_type.name != "STRING")
    return Counter(word for text in texts for word in WORD.findall(text))


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    """An unused key, because BigQuery's client reads one before it connects."""
    path = tmp_path_factory.mktemp("key") / "key.json"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "tracker",
        "private_key": text.decode(),
        "client_email": "nobody@tracker.iam.gserviceaccount.com",
        "token_uri": "https://127.0.0.1:9/token",
    }
    path.write_text(json.dumps(account))
    return path


@pytest.fixture(scope="module", params=list(SYNONYMS))
def compiled(request, key_file, tmp_path_factory):
    """A warehouse's name, and the compiled SQL of each node."""
    target = request.param
    folder = tmp_path_factory.mktemp(target)
    done = subprocess.run(
        [BIN / "dbt", "--quiet", "compile", "--no-introspect", "--no-populate-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        env=environment(
            folder / "w.duckdb",
            WAREHOUSE_TARGET=target,
            DBT_TARGET_PATH=str(folder / "target"),
            DBT_LOG_PATH=str(folder / "logs"),
            SNOWFLAKE_ACCOUNT="nobody",
            SNOWFLAKE_USER="nobody",
            SNOWFLAKE_PASSWORD="none",
            GOOGLE_CLOUD_PROJECT="tracker",
            GOOGLE_APPLICATION_CREDENTIALS=str(key_file),
            PGHOST="127.0.0.1",
            PGPORT="9",
            PGUSER="nobody",
            PGDATABASE="tracker",
            DATABRICKS_HOST="https://127.0.0.1:9",
            DATABRICKS_HTTP_PATH="/sql",
            DATABRICKS_TOKEN="none",
        ),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    manifest = json.loads((folder / "target" / "manifest.json").read_text())
    return target, {
        name: node["compiled_code"]
        for name, node in manifest["nodes"].items()
        if node["resource_type"] != "operation"  # hooks
    }


def test_everything_is_sql_of_the_warehouse(compiled):
    target, statements = compiled
    assert len(statements) > 300
    found = {name: flaws(sql, target) for name, sql in statements.items()}
    assert {name: each for name, each in found.items() if each} == {}


@pytest.mark.parametrize("case", FOREIGN)
def test_sql_of_another_dialect_is_detected(case):
    dialect, statement = FOREIGN[case]
    assert flaws(statement, dialect) != []
