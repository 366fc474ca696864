"""Mutated dumps, zips and backups, generated from seeds, and the rows that must be loaded.

A mutant is a randomly changed file and an unchanged one beside it. Which records are still good is
decided by the parsers of Python's standard library, never by the reader under test.
"""

import gzip
import io
import json
import random
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import dataclass, field


class Raw(str):
    """Text that is written to JSON verbatim, such as 1e400."""


@dataclass
class Mutant:
    """One case.

    Attributes:
        name: its kind and seed.
        good: (table, key) of each row that must be loaded -> values of some columns.
        mentioned_ids: the ids in changed records, as text; rows with these ids may change.
    """

    name: str
    good: dict = field(default_factory=dict)
    mentioned_ids: set = field(default_factory=set)


# Unexpected values.
ODD_VALUES = [
    None, True, False, 0, -1, 1.5, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 10**30,
    Raw("9" * 5000), Raw("1e400"), Raw("-1e400"), Raw("NaN"), Raw("Infinity"), Raw("1E2"),
    Raw("-0"), Raw("0.1e-7"), "", " ", "x", "0", "007", "1e5", "true", "null", "٣", "\0", "a\0b",
    "\ud800", "x\udfffy", "\u202e", "é" * 300, "2020-01-01", "2020-13-45T00:00:00Z",
    "0000-00-00T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59",
    "2020-01-01T00:00:00", "2020-02-30", "1e9", 1577959200000, 10**18, -(10**17), [], {}, [[]],
    [{}], [None], {"": None}, [1], ["x"], {"id": None}, [{"id": "x"}], [{"id": 1, "name": 5}],
    {"id": {}}, {"a": {"b": [1, {"c": "\ud800"}]}}, Raw("[" * 60 + "]" * 60),
    Raw("[" * 300 + "]" * 300), Raw('{"a":' * 300 + "1" + "}" * 300), Raw("[" * 990 + "]" * 990),
    Raw("[" * 5000 + "]" * 5000), Raw('{"id": 1, "id": 2}'), "x" * 70_000,
    [{"kind": "story", "id": 5}], {"kind": "error", "code": "x", "error": "y"},
    {"kind": "project", "id": "y"}, {"http_status": "200", "data": [7]},
    {"PathTemplate": 1, "Data": "{"},
    {"request": {"path": "/projects/99999999999999999999999/stories"},
     "response": {"body": [{"id": 1}]}},
]  # fmt: skip
ODD_NAMES = [
    "", "id", "kind", "Id", "project_id", "name ", "\0", "\ud800", "select", "_dlt_id",
    "is_removed", "extra_fields", "record_source", "x" * 300, "story_type", "changes", "é",
    "a\"b'c", "data",
]  # fmt: skip
KINDS = [
    "project", "story", "epic", "label", "iteration", "story_transition", "comment", "task", "me",
    "account", "story_update_activity", "project_membership", "daily_history_container",
    "cycle_time_details", "release", "notification", "person", "error", "blocker", "review", "x",
    "no_such_kind",
]  # fmt: skip


def project_of(number):
    """A project id per mutant; losing a digit does not give the id of another one."""
    return 10_007 + 7_919 * number % 89_989


def records(number):
    """API records of the mutant's own project."""
    project_id, at = project_of(number), "2024-02-0{}T09:00:00Z".format
    first = project_id * 1000

    label = {
        "kind": "label", "id": first + 800, "project_id": project_id, "name": "api",
        "created_at": at(1), "updated_at": at(1),
    }  # fmt: skip
    person = {
        "kind": "person", "id": first + 900, "name": f"Ida {project_id}", "email": "i@example.com",
        "initials": "IE",
    }  # fmt: skip

    def story(nth, **more):
        return {
            "kind": "story", "id": first + nth, "project_id": project_id,
            "name": f"Story {nth} of {project_id}", "story_type": "feature", "estimate": 2,
            "current_state": "started", "requested_by_id": first + 900, "owner_ids": [first + 900],
            "labels": [label], "created_at": at(1), "updated_at": at(nth), **more,
        }  # fmt: skip

    attachment = {"kind": "file_attachment", "id": first + 600, "filename": "a", "size": 5}
    comment = {
        "kind": "comment", "id": first + 700, "story_id": first + 1, "text": "hi",
        "created_at": at(2), "file_attachments": [attachment],
    }  # fmt: skip
    task = {
        "kind": "task", "id": first + 500, "description": "do", "complete": True, "position": 1
    }  # fmt: skip
    transition = {
        "state": "started", "story_id": first + 3, "project_id": project_id, "project_version": 2,
        "occurred_at": at(3), "performed_by_id": first + 900,
    }  # fmt: skip
    change = {
        "kind": "story", "change_type": "update", "id": first + 1,
        "original_values": {"current_state": "started"},
        "new_values": {"current_state": "accepted", "accepted_at": 1577959200000},
    }  # fmt: skip
    return [
        {"kind": "project", "id": project_id, "name": f"Pier {project_id}", "version": 7,
         "iteration_length": 1, "week_start_day": "Monday",
         "time_zone": {"kind": "time_zone", "olson_name": "America/Denver", "offset": "-07:00"}},
        story(1, current_state="accepted", accepted_at=at(6), comments=[comment]),
        story(2, owners=[person], requested_by=person, tasks=[task]),
        story(3, labels=[], description="line\nbreak “quoted”", transitions=[transition]),
        story(4, story_type="release", estimate=None, deadline=at(9)),
        {"kind": "epic", "id": first + 300, "project_id": project_id, "name": "Big", "label": label,
         "created_at": at(1)},
        {"kind": "project_membership", "id": first + 200, "project_id": project_id, "role": "owner",
         "person": person},
        {"kind": "iteration", "number": 1, "project_id": project_id, "length": 1,
         "team_strength": 1, "start": at(1), "finish": at(8), "stories": [], "velocity": 3.5},
        {"kind": "story_update_activity", "guid": f"{project_id}_7", "project_version": 7,
         "message": "Ida accepted", "highlight": "accepted", "changes": [change],
         "primary_resources": [{"kind": "story", "id": first + 1}],
         "project": {"kind": "project", "id": project_id, "name": f"Pier {project_id}"},
         "performed_by": person, "occurred_at": 1577959200000},
        {"kind": "story_update_activity", "guid": f"{project_id}_8", "project_version": 8,
         "message": "Ida", "changes": [], "project": {"kind": "project", "id": project_id},
         "performed_by": person, "occurred_at": at(7)},
        {"kind": "story_transition", "state": "accepted", "story_id": first + 1,
         "project_id": project_id, "project_version": 6, "occurred_at": at(6),
         "performed_by_id": first + 900},
        {"kind": "cycle_time_details", "story_id": first + 1, "project_id": project_id,
         "iteration_number": 1, "total_cycle_time": 5},
        {"kind": "comment", "id": first + 701, "story_id": first + 2, "text": "apart",
         "created_at": at(3)},
    ]  # fmt: skip


_ROWS = {  # kind -> raw table, its key, and the columns that are compared
    "project": ("projects", ("id",), ("name", "version")),
    "story": ("stories", ("id",), ("name", "project_id", "current_state", "story_type")),
    "epic": ("epics", ("id",), ("name", "project_id")),
    "project_membership": ("memberships", ("id",), ("project_id", "role")),
    "iteration": ("iterations", ("project_id", "number"), ("length",)),
    "story_update_activity": ("activity", ("guid",), ("message", "project_version")),
}


def expected(record):
    """The row of a good record."""
    found = _ROWS.get(record.get("kind")) if isinstance(record, dict) else None
    if not found:
        return None
    table, key, columns = found
    return (table, tuple(record[name] for name in key)), {
        name: record.get(name) for name in columns
    }


# JSON -------------------------------------------------------------------------------------------


def text_of(value):
    """JSON text, which may be invalid."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(str(name))}: {text_of(each)}" for name, each in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(text_of, value)) + "]"
    return json.dumps(value)


def places(value, found=None):
    """All (container, key or index) pairs in a value."""
    found = [] if found is None else found
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for name, inner in list(items):
        found.append((value, name))
        places(inner, found)
    return found


def change(record, others, rng):
    """Change a record in one place."""
    container, name = rng.choice(places(record) or [(record, "x")])
    deed = rng.randrange(10)
    if deed < 5:
        container[name] = rng.choice(ODD_VALUES)
    elif deed == 5:
        del container[name]
    elif deed == 6 and isinstance(container, dict):
        container[rng.choice(ODD_NAMES)] = container.pop(name)
    elif deed == 7:
        record["kind"] = rng.choice(KINDS)
    elif deed == 8:
        container[name] = rng.choice(
            [[container[name]], {"data": container[name]}, rng.choice(others)]
        )
    else:
        return rng.choice(ODD_VALUES)
    return record


def damaged(content, rng):
    """Remove, change or add some bytes."""
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 5])):
        at, length = rng.randrange(len(data) + 1), rng.choice([1, 1, 3, 40, 400])
        deed = rng.randrange(8)
        if deed == 0:
            del data[at:]
        elif deed == 1:
            del data[at : at + length]
        elif deed == 2:
            data[at:at] = data[at : at + length]
        elif deed == 3:
            data[at:at] = rng.randbytes(length)
        elif deed == 4:
            data[at:at] = rng.choice(
                [
                    b"\0", b"\r\n", b"\n", b"{", b"]", b'"', b"\\", b",", b"\xef\xbb\xbf",
                    b"\xff\xfe", b"\x80", b"\xed\xa0\x80", b"\\ud800", b"1e999", b"NaN",
                    b"\xe2\x80\xa8",
                ]
            )  # fmt: skip
        elif deed == 5 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif deed == 6 and data:
            data[at % len(data)] = rng.randrange(256)
        else:
            data = data[rng.choice([1, 2, 3, 7]) :] if rng.random() < 0.3 else data
        if not data:
            break
    return bytes(data)


def parsed(content, form):
    """The values in a file, according to Python's own parser."""
    if form == "lines":
        found = []
        for line in content.split(b"\n"):
            try:
                found.append(json.loads(line.removesuffix(b"\r").decode()))
            except (ValueError, RecursionError):
                continue
        return found
    try:
        whole = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return []
    if form == "row":
        found, place, decoder = [], 0, json.JSONDecoder()
        while True:
            while whole[place : place + 1] in (" ", "\n", "\r", "\t"):
                place += 1
            try:
                value, place = decoder.raw_decode(whole, place)
            except (ValueError, RecursionError):
                return found
            found.append(value)
    try:
        value = json.loads(whole)
    except (ValueError, RecursionError):
        return []
    if form == "envelope":
        value = value.get("data") if isinstance(value, dict) and "http_status" in value else None
    return value if isinstance(value, list) else [value]


def _good(found, originals, mutant):
    """Collect the rows of unchanged records, and the ids in the others."""
    unchanged = [json.dumps(each, sort_keys=True) for each in originals]
    for each in found:
        if json.dumps(each, sort_keys=True) not in unchanged:
            mutant.mentioned_ids |= set(map(str, _ids(each)))
        elif row := expected(each):
            mutant.good[row[0]] = row[1]


def _ids(value):
    """The own ids of a changed record, without those that it refers to."""
    found = []
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting += [inner for inner in each.values() if isinstance(inner, (dict, list))]
            found += [
                inner
                for name, inner in each.items()
                if name in ("id", "guid", "number", "Id", "")
                and not isinstance(inner, (dict, list))
            ]
        elif isinstance(each, list):
            waiting += each
        else:
            found.append(each)
    return found


def json_mutant(folder, number, rng, is_structural, mutant):
    """A dump with an odd record or odd bytes."""
    originals = records(number)
    changed = json.loads(json.dumps(originals))
    form = rng.choice(["array", "lines", "row", "envelope", "lines"])
    if is_structural:
        for _ in range(rng.choice([1, 1, 2, 4])):
            place = rng.randrange(len(changed))
            if isinstance(changed[place], dict):
                changed[place] = change(changed[place], originals, rng)
        if rng.random() < 0.1:
            changed.insert(rng.randrange(len(changed)), rng.choice(changed))
    texts = list(map(text_of, changed))
    content = {
        "array": lambda: "[" + ",\n".join(texts) + "]",
        "lines": lambda: "\n".join(texts),
        "row": lambda: rng.choice(["", "\n", " \n\n"]).join(texts),
        "envelope": lambda: (
            '{"http_status": "200", "data": [' + ",".join(texts) + '], "pagination": {}}'
        ),
    }[form]().encode("utf-8", "surrogatepass")
    if not is_structural:
        content = damaged(content, rng)
    _good(parsed(content, form), originals, mutant)
    if is_structural and rng.random() < 0.15:
        content = rng.choice(
            [
                gzip.compress,
                lambda each: b"\xef\xbb\xbf" + each,
                lambda each: each.decode().encode("utf-16"),
            ]
        )(content)
    write(folder, number, content, rng, "json")


def write(folder, number, content, rng, ending):
    """Write a file, or the only member of a zip."""
    name = f"m{number}.{rng.choice([ending, ending, 'txt', 'bak'])}"
    if rng.random() < 0.1:
        with zipfile.ZipFile(folder / f"m{number}.zip", "w", zipfile.ZIP_DEFLATED) as package:
            package.writestr(name, content)
    else:
        (folder / name).write_bytes(content)


# Zips -------------------------------------------------------------------------------------------

_ODD_MEMBERS = [
    "../up.json", "/abs.json", "C:\\x.json", "a\\b\\c.json", ".hidden", "__MACOSX/x",
    "n" * 250 + ".json", "new\nline.json", "\x1b[31mred.json", "ünï.json", "a/../b.json",
    "con.json", "123/x", "9" * 30 + "/x", "0/x", "story/1/x.json", "x.zip", "x.json.gz", "", " ",
    "a//b.json", "./c.json", "d/",
]  # fmt: skip


def zip_mutant(folder, number, rng, is_structural, mutant):
    """A zip with odd members beside a good one, or with odd bytes."""
    originals = records(number)
    text = json.dumps(originals).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(
        out, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    ) as package:
        members = [
            ("good.json", text),
            (f"{originals[1]['id']}/pic.png", b"\x89PNG"),
            ("README.txt", b"hello"),
        ]
        if is_structural:
            for _ in range(rng.choice([1, 2, 4])):
                contents = [
                    b"", b"{", b"\0" * 5_000, gzip.compress(b"[]"), rng.randbytes(300),
                    b"0" * (2 << 20), out.getvalue()[:200], b"Id,Title\n1,x\n",
                    b"SQLite format 3\0" + b"\0" * 200,
                ]  # fmt: skip
                members.insert(rng.randrange(3), (rng.choice(_ODD_MEMBERS), rng.choice(contents)))
            if rng.random() < 0.2:
                members.append(rng.choice(members))
        for name, content in members:
            info = zipfile.ZipInfo("x")
            info.filename = name
            info.compress_type = rng.choice(
                [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]
            )
            if rng.random() < 0.1:
                info.date_time = (2107, 12, 31, 23, 59, 58)
            package.writestr(info, content)
        if is_structural and rng.random() < 0.2:
            package.comment = rng.randbytes(40)
    content = out.getvalue()
    if is_structural:
        if rng.random() < 0.3:  # a name that is not UTF-8
            content = content.replace(b"README.txt", b"R\xff\xfe\x80ME.txt")
        if rng.random() < 0.2:  # encrypted, or with an unknown compression
            at = (
                content.index(b"README.txt" if b"README.txt" in content else b"R\xff\xfe\x80ME.txt")
                - 30
            )
            where = 6 if rng.random() < 0.5 else 8
            spoil = bytearray(content)
            spoil[at + where] |= 1 if where == 6 else 77
            name = bytes(spoil[at + 30 : at + 40])
            central = content.rindex(name) - 46
            spoil[central + where + 2] |= 1 if where == 6 else 77
            content = bytes(spoil)
    else:
        content = damaged(content, rng)
    (folder / f"m{number}.zip").write_bytes(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            found = json.loads(package.read("good.json"))
    except Exception:  # Python cannot read it, so it is not a good zip
        return
    if found == originals:
        _good(found, originals, mutant)


# SQLite -----------------------------------------------------------------------------------------

_COLUMNS = {
    "project": ["id", "name"],
    "person": ["id", "name", "email", "initials"],
    "label": ["id", "project_id", "name"],
    "epic": ["id", "project_id", "label_id", "name"],
    "story": [
        "id", "project_id", "name", "story_type", "current_state", "estimate", "accepted_at",
        "created_at", "owned_by_id", "requested_by_id", "updated_at",
    ],
    "story_label": ["story_id", "label_id"],
    "story_owner": ["story_id", "person_id"],
    "comment": ["id", "story_id", "text", "person_id", "created_at"],
    "file_attachment": ["id", "filename", "size", "comment_id"],
}  # fmt: skip
_ODD_CELLS = [
    None, 0, -1, 2**63 - 1, -(2**63), 1.5, float("inf"), "", "x", "5", "\0", b"\xff\xfe", b"",
    "2020-13-01", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "x" * 10_000,
]  # fmt: skip


def sqlite_mutant(folder, number, rng, is_structural, mutant):
    """A backup with odd cells, columns or tables, or with odd bytes."""
    project_id, path = project_of(number), folder / f"m{number}.db"
    first, at = project_id * 1000, "2024-02-01T09:00:00Z"
    rows = {
        "project": [[project_id, f"Pier {project_id}"]],
        "person": [[first + 900, "Ida", "i@example.com", "IE"]],
        "label": [[first + 800, project_id, "api"]],
        "epic": [[first + 300, project_id, first + 800, "Big"]],
        "story": [
            [first + nth, project_id, f"Story {nth} of {project_id}", "feature", "started", 2.0,
             None, at, first + 900, first + 900, at]
            for nth in range(1, 6)
        ],
        "story_label": [[first + 1, first + 800]],
        "story_owner": [[first + 1, first + 900]],
        "comment": [[first + 700, first + 1, "hi", first + 900, at]],
        "file_attachment": [[first + 600, "a.png", 7, first + 700]],
    }  # fmt: skip
    columns = {table: list(names) for table, names in _COLUMNS.items()}
    bad, lost = set(), set()
    if is_structural:
        for _ in range(rng.choice([1, 1, 2, 4])):
            table = rng.choice(list(rows))
            deed = rng.randrange(6)
            if deed < 4 and rows[table]:
                row = rng.choice(rows[table])
                place, own_id = rng.randrange(len(row)), row[0]
                row[place] = rng.choice(_ODD_CELLS)
                if table in ("story", "project", "epic"):
                    bad |= {own_id, row[0]}
            elif deed == 4:
                place = rng.randrange(len(columns[table]))
                if columns[table][place] not in ("id", "project_id"):
                    columns[table][place] = rng.choice(
                        ["x", "Id ", "sélect", 'a"b', "name2"]
                    ) + str(rng.randrange(99))
                    lost.add(table)
            else:
                rows[table].append(
                    rng.choice(rows[table]) if rows[table] else [None] * len(columns[table])
                )
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"pragma encoding = '{rng.choice(['UTF-8', 'UTF-8', 'UTF-16le'])}'")
        for table, names in columns.items():
            if is_structural and table not in ("story", "project") and rng.random() < 0.05:
                continue
            spelt = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
            connection.execute(f'create table "{table}" ({spelt})')
            marks = ", ".join("?" * len(names))
            for row in rows[table]:
                marked = (
                    marks.replace("?", "cast(x'66ff80' as text)", 1)
                    if is_structural and table in ("person", "comment") and rng.random() < 0.1
                    else marks
                )
                connection.execute(
                    f'insert into "{table}" values ({marked})', row[len(row) - marked.count("?") :]
                )
        if is_structural and rng.random() < 0.1:
            connection.execute("create table odd (a text primary key) without rowid")
        connection.commit()
    if not is_structural:
        path.write_bytes(damaged(path.read_bytes(), rng))
    mutant.mentioned_ids |= set(map(str, bad))
    if "story" not in lost:
        mutant.good = _good_stories(path, project_id, bad)


def _good_stories(path, project_id, bad):
    """The stories of a backup that are unchanged and not duplicated."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            if connection.execute("pragma integrity_check").fetchone()[0] != "ok":
                return {}
            rows = [dict(row) for row in connection.execute("select * from story")]
            connection.execute("select * from project").fetchall()
    except (sqlite3.Error, ValueError):
        return {}
    ids = [row.get("id") for row in rows]
    good = {}
    for row in rows:
        nth = row.get("id")
        if isinstance(nth, int) and ids.count(nth) == 1 and nth not in bad:
            name = f"Story {nth - project_id * 1000} of {project_id}"
            if (row.get("project_id"), row.get("name")) == (project_id, name):
                good["stories", (nth,)] = {"name": name, "project_id": project_id}
    return good


KINDS_OF_MUTANT = {"json": json_mutant, "zip": zip_mutant, "sqlite": sqlite_mutant}


def make(folder, seed, number=0):
    """Write the mutant of a seed, and a good file beside it.

    Args:
        folder: where to write.
        seed: determines the changes.
        number: determines the ids, for mutants that are loaded together.
    """
    kind = list(KINDS_OF_MUTANT)[seed % 3]
    rng = random.Random(f"{kind} {seed}")
    is_structural = rng.random() < 0.6
    mutant = Mutant(f"{kind} {seed}, " + ("structure" if is_structural else "bytes"))
    KINDS_OF_MUTANT[kind](folder, number, rng, is_structural, mutant)
    beside = {**records(number)[1], "id": 10**12 + number, "project_id": 77, "comments": []}
    (folder / f"beside{number}.json").write_text(json.dumps(beside))
    mutant.good["stories", (beside["id"],)] = {"name": beside["name"], "project_id": 77}
    return mutant
