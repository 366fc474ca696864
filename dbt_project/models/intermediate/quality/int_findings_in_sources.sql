with

read_at as (

    select max(as_of) as read_at
    from {{ ref('stg_pivotal_tracker__extracts') }}

),

-- Read after as_of, an instant may well lie after it; after the reading it cannot.
stories_of_the_future as (

    select
        stories.story_id,
        stories.project_id,
        coalesce(stories.accepted_at, stories.created_at) as later_at
    from {{ ref('stg_pivotal_tracker__stories') }} as stories
    cross join read_at
    where
        {{ seconds_between('read_at.read_at', 'stories.created_at') }} > 3600
        or {{ seconds_between('read_at.read_at', 'stories.accepted_at') }} > 3600
        or {{ seconds_between('read_at.read_at', 'stories.updated_at') }} > 3600

),

orphan_transitions as (

    select
        transitions.story_id,
        min(transitions.project_id) as project_id,
        count(*) as transition_count
    from {{ ref('stg_pivotal_tracker__story_transitions') }} as transitions
    left join {{ ref('int_stories_last_known') }} as stories
        on transitions.story_id = stories.story_id
    where stories.story_id is null
    group by transitions.story_id

),

refused_rows as (

    select
        cast(null as bigint) as project_id,
        rejection_id,
        line_number,
        reason
    from {{ ref('stg_pivotal_tracker__rejected_rows') }}

),

final as (

    {{ finding(
        'instant_in_the_future', 'stories_of_the_future', 'story_id',
        "'at ' || " ~ instant_as_text('later_at')
    ) }}

    union all

    {{ finding(
        'orphan_transition', 'orphan_transitions', 'story_id',
        "'transitions ' || transition_count"
    ) }}

    union all

    {{ finding('row_refused', 'refused_rows', 'rejection_id', 'reason') }}

)

select * from final
