with

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
        coalesce(request, file_path, raw_table_name, '')
        || coalesce(':' || {{ as_text('coalesce(record_number, line_number)') }}, '')
        || coalesce(': ' || column_name, '')
        || ': '
        || reason as refusal
    from {{ ref('stg_pivotal_tracker__rejected_rows') }}

),

final as (

    {{ finding(
        'orphan_transition', 'orphan_transitions', 'story_id',
        "'transitions ' || transition_count"
    ) }}

    union all

    {{ finding('row_refused', 'refused_rows', 'rejection_id', 'refusal') }}

)

select * from final
