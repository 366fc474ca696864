-- Which reviews are still open?
select
    stories.story_name,
    reviews.review_type_name,
    people.person_name as reviewer_name,
    reviews.review_status,
    reviews.created_at
from {{ ref('fct_review') }} as reviews
inner join {{ ref('dim_story') }} as stories
    on reviews.story_id = stories.story_id
left join {{ ref('dim_person') }} as people
    on reviews.reviewer_id = people.person_id
where
    not reviews.is_reviewed
    and not stories.is_accepted
order by reviews.created_at
