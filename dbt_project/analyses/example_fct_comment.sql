-- Where is the discussion?
select
    stories.project_name,
    stories.story_name,
    stories.url,
    count(*) as comment_count,
    count(distinct story_comments.person_id) as person_count
from {{ ref('fct_comment') }} as story_comments
inner join {{ ref('dim_story') }} as stories
    on story_comments.story_id = stories.story_id
inner join {{ ref('dim_project') }} as projects
    on stories.project_id = projects.project_id
where
    {{ seconds_between('story_comments.created_at', 'projects.as_of') }} < 30 * 86400
    and not stories.is_deleted
group by stories.project_name, stories.story_name, stories.url
order by comment_count desc, stories.url asc
limit 20
