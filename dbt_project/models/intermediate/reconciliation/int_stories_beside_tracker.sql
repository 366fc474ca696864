{%- set states = ['started', 'finished', 'delivered', 'rejected'] -%}

with

stories as (

    select * from {{ ref('int_stories_with_tracker_cycle_times') }}

),

with_causes as (

    select
        *,
        story_id as entity_id,
        {{ as_text('story_id') }} as entity_key,
        1000 as tolerance,
        coalesce(run_on, 1000 * created_state_seconds) as total_explained,
        {% for state in states %}
        case
            when run_on is not null
                then case when running_state = '{{ state }}' then run_on else 0 end
            when created_state = '{{ state }}' then 1000 * created_state_seconds
            when created_state is not null then 0
        end as {{ state }}_explained,
        case
            when created_state = '{{ state }}' then 1
            when created_state is not null then 0
        end as {{ state }}_visits_explained,
        {% endfor %}
        case
            when is_not_read then 'a release, or not read'
            when run_on is not null then 'its clock ran on after Tracker gave it'
            when created_state is not null
                then 'created in progress: Tracker leaves its first stay out'
            else missing_history
        end as explanation
    from stories

),

{% set figures = [(
    'total_cycle_time', 'milliseconds', '1000 * cycle_time_seconds',
    'tracker_total_cycle_time_ms', 'tolerance', 'total_explained', 'explanation'
)] -%}
{%- for state in states -%}
    {%- do figures.append((
        state ~ '_time', 'milliseconds', '1000 * ' ~ state ~ '_seconds',
        'tracker_' ~ state ~ '_time_ms', 'tolerance', state ~ '_explained',
        'explanation'
    )) -%}
    {%- do figures.append((
        state ~ '_count', 'visits', state ~ '_count',
        'tracker_' ~ state ~ '_count', 0, state ~ '_visits_explained', 'explanation'
    )) -%}
{%- endfor -%}

final as (

    {{ figures_as_rows('with_causes', 'story', figures) }}

)

select * from final
