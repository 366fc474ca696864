{%- set repairs = [] -%}

with

source as (

    {{ raw_rows('iterations') }}

),

renamed as (

    select
        -- ids
        project_id || '-' || number as iteration_key,
        project_id,
        number as iteration_number,

        -- numbers
        {{ repaired('length', 'weeks', repairs) }} as length_weeks,
        {{ repaired('team_strength', 'team_strength', repairs) }} as team_strength,
        {{ repaired('velocity', 'figure', repairs) }} as tracker_velocity,
        {{ repaired('points', 'figure', repairs) }} as tracker_points,
        {{ repaired('accepted_points', 'figure', repairs) }} as tracker_accepted_points,
        {{ repaired('effective_points', 'figure', repairs) }}
            as tracker_effective_points,

        {%- do repaired('story_ids', 'list', repairs) %}
        {%- for figure in [
            'stories_accepted', 'bugs_created', 'cycle_time', 'rejection_rate'
        ] %}
        {%- set text = json_text('analytics', figure) %}
        case
            when ({{ repaired(
                text, 'figure', repairs, 'decimal', name='analytics ' ~ figure
            ) }}) is not null
                then cast({{ text }} as {{ engine_type('decimal(28, 10)') }})
        end as tracker_{{ figure }},
        {%- endfor %}

        -- booleans
        planned as is_planned,

        -- instants
        {{ repaired('start', 'planned_instant', repairs) }} as given_starts_at,
        {{ repaired('finish', 'planned_instant', repairs) }} as finishes_at,

        -- row
        {{ repair_evidence(repairs) }} as repairs,
        extra_fields,
        record_source,
        _dlt_load_id as load_id
    from source

),

-- Where iterations overlap, the later one begins where the earlier one ends.
with_earlier as (

    select
        *,
        max(finishes_at) over (
            partition by project_id
            order by given_starts_at, iteration_number
            rows between unbounded preceding and 1 preceding
        ) as earlier_finishes_at
    from renamed
    where given_starts_at < finishes_at

),

without_overlap as (

    select
        *,
        earlier_finishes_at > given_starts_at as is_overlapping,
        {{ latest('given_starts_at', 'earlier_finishes_at') }} as starts_at
    from with_earlier

),

final as (

    select * from without_overlap
    where starts_at < finishes_at

)

select * from final
