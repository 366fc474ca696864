"""A fake Superset: it stores created objects and runs the queries of charts on DuckDB."""

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import duckdb

KINDS = ("database", "dataset", "chart", "dashboard")
# As in Superset 6.1, unknown fields are refused.
FIELDS = {
    "database": {"database_name", "sqlalchemy_uri", "expose_in_sqllab", "extra"},
    "dataset": {"database", "schema", "table_name", "description", "main_dttm_col"}
    | {"columns", "metrics"},
    "chart": {"slice_name", "viz_type", "datasource_id", "datasource_type", "params"}
    | {"query_context", "dashboards"},
    "dashboard": {"dashboard_title", "slug", "published", "json_metadata", "position_json"},
}


class FakeSuperset:
    """The stored objects: {kind: {id: fields}}."""

    def __init__(self):
        self.objects = {kind: {} for kind in KINDS}
        self.url = ""

    def answer(self, method, path, query, headers, body):
        if path == "security/login":
            known = (body["username"], body["password"]) == ("admin", "secret")
            return (200, {"access_token": "t"}) if known else (401, {"message": "Not authorized"})
        if headers.get("Authorization") != "Bearer t":
            return 401, {"message": "Missing Authorization Header"}
        if path == "security/csrf_token/":
            return 200, {"result": "c"}
        if method != "GET" and not (headers.get("X-CSRFToken") == "c" and headers.get("Referer")):
            return 400, {"message": "The CSRF token is missing."}
        kind, _, rest = path.partition("/")
        if method == "POST":
            return self._save(kind, max(self.objects[kind], default=0) + 1, body)
        if method == "GET" and not rest:
            return 200, {"ids": self._found(kind, query["q"][0])}
        found, _, action = rest.strip("/").partition("/")
        if method == "GET" and action == "data":
            return 200, {"result": [{"rowcount": self._row_count(int(found))}]}
        if method == "GET":
            return 200, {"result": self.objects[kind][int(found)]}
        return (200, {}) if action == "refresh" else self._save(kind, int(found), body)

    def _save(self, kind, number, body):
        unknown = set(body) - FIELDS[kind]
        if unknown:
            return 400, {"message": {name: ["Unknown field."] for name in unknown}}
        fields = self.objects[kind].setdefault(number, {})
        if kind == "dataset" and not fields:
            columns = self._columns(body["database"], body["table_name"])
            fields |= {"columns": columns, "metrics": []}
        for place, metric in enumerate(body.get("metrics", [])):
            metric.setdefault("id", 100 * number + place)
            metric.setdefault("verbose_name", None)
        fields |= body
        return 201, {"id": number, "result": body}

    def _found(self, kind, rison):
        wanted = dict(re.findall(r"col:(\w+),opr:\w+,value:('(?:[^'!]|!.)*'|\d+)\)", rison))
        assert wanted, rison
        wanted = {name: re.sub("!(.)", r"\1", text.strip("'")) for name, text in wanted.items()}
        return [
            number
            for number, fields in self.objects[kind].items()
            if all(str(fields[name]) == value for name, value in wanted.items())
        ]

    def _connect(self, database):
        fields = self.objects["database"][database]
        settings = json.loads(fields["extra"])["engine_params"]["connect_args"]
        return duckdb.connect(fields["sqlalchemy_uri"].removeprefix("duckdb:///"), **settings)

    def _columns(self, database, table):
        with self._connect(database) as connection:
            names = connection.execute(f"describe {table}").fetchall()
        return [{"id": place, "column_name": name[0]} for place, name in enumerate(names)]

    def _row_count(self, chart):
        """Run the chart's saved query, with the metrics of its data set."""
        query = json.loads(self.objects["chart"][chart]["query_context"])
        data_set = self.objects["dataset"][query["datasource"]["id"]]
        metrics = {each["metric_name"]: each["expression"] for each in data_set["metrics"]}
        (request,) = query["queries"]
        columns = [
            each if isinstance(each, str) else each["sqlExpression"] for each in request["columns"]
        ]
        selected = [*columns, *(metrics[name] for name in request.get("metrics", []))]
        where = [
            f"{each['col']} {each['op']} {'' if each['val'] is None else each['val']}"
            for each in request["filters"]
        ]
        grouped = "group by all" if request.get("metrics") else ""
        with self._connect(data_set["database"]) as connection:
            return len(
                connection.execute(
                    f"select {', '.join(selected)} from {data_set['table_name']} "
                    f"where {' and '.join(where) or 'true'} {grouped}"
                ).fetchall()
            )


@contextmanager
def serve():
    """Yield a fake with its `url`, on a free loopback port."""
    fake = FakeSuperset()

    class Handler(BaseHTTPRequestHandler):
        def _reply(self):
            parts = urlsplit(self.path)
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = parts.path.removeprefix("/api/v1/")
            status, body = fake.answer(
                self.command, path, parse_qs(parts.query), self.headers, json.loads(content or "{}")
            )
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        do_GET = do_POST = do_PUT = _reply

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
