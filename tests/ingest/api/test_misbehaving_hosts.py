"""One host of each kind in `tests/resilience/test_hosts.py`."""

import pytest

from tests.support.host_check import findings, load_correct_rows
from tests.support.misbehaving import BEHAVIOURS

CHOSEN = (
    "the first 100 for every offset",
    "a small gzip body that unpacks to 512 MB",
    "new stories with a total that grows",
    "a key is null",
    "a clock of the year 2099",
    "escape sequences in the project's name, which fails",
    "the token written in escapes",
)


@pytest.fixture(scope="module")
def correct_rows(tmp_path_factory):
    return load_correct_rows(tmp_path_factory.mktemp("sound"))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", CHOSEN)
def test_a_load_from_a_misbehaving_host_ends_in_time_and_keeps_all_good_records(
    name, tmp_path, correct_rows
):
    assert list(findings(BEHAVIOURS[name], tmp_path, correct_rows)) == []
