with

stories as (

    select * from {{ ref('int_stories') }}
    where not is_deleted

),

story_transitions as (

    select * from {{ ref('fct_story_transition') }}

),

transitions as (

    select
        story_transitions.*,
        coalesce({{ as_text('story_transitions.project_version') }}, 'inferred')
            as version_text,
        lag(story_transitions.occurred_at) over (
            partition by story_transitions.story_id
            order by story_transitions.transition_number
        ) as occurred_before_at,
        lag(story_transitions.to_state) over (
            partition by story_transitions.story_id
            order by story_transitions.transition_number
        ) as state_before
    from story_transitions
    inner join stories
        on story_transitions.story_id = stories.story_id

),

{% for oddity, condition in [
    ('backward_moves', "direction = 'backward' and to_state != 'rejected'
        and from_state != 'accepted'"),
    ('ties', 'occurred_at = occurred_before_at'),
    ('gaps', 'from_state != state_before')
] %}
{{ oddity }} as (

    select
        story_id,
        min(project_id) as project_id,
        {{ joined_text('version_text') }} as project_versions
    from transitions
    where {{ condition }}
    group by story_id

),

{% endfor %}
intervals as (

    select * from {{ ref('fct_story_state_interval') }}
    where not is_inferred

),

iterations as (

    select * from {{ ref('int_iterations') }}

),

-- Accepted within an iteration, and no longer accepted after it had ended.
late_unaccepts as (

    select
        intervals.story_id,
        intervals.project_id,
        {{ joined_text('iterations.iteration_key') }} as iteration_keys
    from intervals
    inner join iterations
        on
            intervals.project_id = iterations.project_id
            and intervals.entered_at >= iterations.starts_at
            and intervals.entered_at < iterations.finishes_at
            and intervals.left_at >= iterations.finishes_at
    inner join stories
        on intervals.story_id = stories.story_id
    where
        intervals.story_state = 'accepted'
        and not intervals.is_open
    group by
        intervals.story_id,
        intervals.project_id

),

final as (

    {% for rule, oddity in [
        ('backward_move', 'backward_moves'), ('clock_tie', 'ties'),
        ('transition_gap', 'gaps')
    ] %}
    {{ finding(
        rule, oddity, 'story_id', "'project_version ' || project_versions"
    ) }}

    union all

    {% endfor %}
    {{ finding(
        'unaccepted_after_close', 'late_unaccepts', 'story_id',
        "'iteration_key ' || iteration_keys"
    ) }}

)

select * from final
