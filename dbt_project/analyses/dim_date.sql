-- How many stories does each month accept, months without one included?
select
    dates.month_label,
    count(stories.story_id) as accepted_story_count
from {{ ref('dim_date') }} as dates
left join {{ ref('dim_story') }} as stories
    on
        dates.calendar_date = cast(stories.accepted_at as date)
        and not stories.is_deleted
group by dates.month_label
order by dates.month_label
