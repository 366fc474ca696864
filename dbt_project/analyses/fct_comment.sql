-- Where is the discussion?
select
    stories.story_name,
    count(*) as written_count,
    max(remarks.created_at) as last_comment_at
from {{ ref('fct_comment') }} as remarks
inner join {{ ref('dim_story') }} as stories
    on remarks.story_id = stories.story_id
group by
    stories.story_id,
    stories.story_name
order by written_count desc
limit 20
