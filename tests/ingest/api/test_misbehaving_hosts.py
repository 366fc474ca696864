"""One host of each kind in `tests/resilience/test_hosts.py`."""

import pytest

from tests.support.host_check import findings, load_correct_rows
from tests.support.misbehaving import BEHAVIOURS

CHOSEN = (
    "the first 100 for every offset",
    "a key is null",
    "the token written in escapes",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in (
            "a small gzip body that unpacks to 512 MB",
            "new stories with a total that grows",
            "a clock of the year 2099",
            "escape sequences in the project's name, which fails",
        )
    ),
)


@pytest.fixture(scope="module")
def correct_rows(tmp_path_factory):
    return load_correct_rows(tmp_path_factory.mktemp("sound"))


@pytest.mark.parametrize("name", CHOSEN)
def test_a_load_from_a_misbehaving_host_ends_in_time_and_keeps_all_good_records(
    name, tmp_path, correct_rows
):
    assert list(findings(BEHAVIOURS[name], tmp_path, correct_rows)) == []
