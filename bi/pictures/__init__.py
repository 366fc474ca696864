"""The pictures of the dashboard and the report, page by page."""

from bi.pictures import (
    cycle_time,
    flow,
    iterations,
    overview,
    plans,
    quality,
    rework,
    velocity,
)

PAGES = tuple(
    module.PAGE
    for module in (overview, velocity, cycle_time, flow, iterations, rework, plans, quality)
)
