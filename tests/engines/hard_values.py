"""Texts that engines easily get wrong by quoting, escaping, or treating them as null."""

HARD_TEXTS = [
    "",
    " ",
    "null",
    "\\N",
    'it\'s "quoted", 100 %',
    "two\nlines\r\nand\ta tab",
    "back\\slash",
    "Ünï ✓ 🚀 \u200d \u0301",
    "{{ jinja }}, {braces}",
    "NUL \0, twice \0\0, as an escape \\u0000",
    "x" * 20_000,
]
HARD_STORIES = {
    "stories": [
        {
            "id": number,
            "project_id": 1,
            "name": text,
            "description": text or None,
            "estimate": number / 8,
            "labels": [{"id": 1, "name": text}],
            "created_at": "2024-03-31T00:59:59.999999Z",
            "surprise": {text: [text]},
        }
        for number, text in enumerate(HARD_TEXTS, start=1)
    ]
}
