-- Which reviews are still open?
select
    stories.story_name,
    reviews.review_type_name,
    reviews.review_status,
    people.person_name as reviewer_name,
    reviews.created_at
from {{ ref('fct_review') }} as reviews
inner join {{ ref('dim_story') }} as stories
    on reviews.story_id = stories.story_id
left join {{ ref('dim_person') }} as people
    on reviews.reviewer_id = people.person_id
where
    not reviews.is_reviewed
    and not stories.is_accepted
    and not stories.is_deleted
order by reviews.created_at
