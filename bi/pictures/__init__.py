"""The pictures of the dashboard and the report, page by page."""

from bi.pictures import (
    activity,
    cycle_time,
    flow,
    iterations,
    overview,
    plans,
    quality,
    rework,
    velocity,
)

PAGES = (
    overview.PAGE,
    velocity.PAGE,
    cycle_time.PAGE,
    flow.PAGE,
    iterations.PAGE,
    iterations.ONE_PAGE,
    rework.PAGE,
    plans.PAGE,
    activity.PAGE,
    quality.PAGE,
)
PICTURES = {picture.name: picture for page in PAGES for picture in page.pictures}
