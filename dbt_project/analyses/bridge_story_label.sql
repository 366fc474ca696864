-- How much of the work is a label's?
select
    labels.label_name,
    count(*) as story_count,
    sum(stories.estimate) as points
from {{ ref('bridge_story_label') }} as pairs
inner join {{ ref('dim_label') }} as labels
    on pairs.label_id = labels.label_id
inner join {{ ref('dim_story') }} as stories
    on pairs.story_id = stories.story_id
where stories.is_accepted and not stories.is_deleted
group by labels.label_name
order by story_count desc
