with

projects_as_of as (

    select * from {{ ref('int_projects_as_of') }}

),

projects as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

all_stories as (

    select * from {{ ref('dim_story') }}

),

-- Releases have no owner, no estimate, and no work in them.
stories as (

    select
        all_stories.*,
        projects.point_scale,
        projects.estimates_bugs_and_chores,
        {{ seconds_between('all_stories.updated_at', 'projects_as_of.as_of') }}
            as seconds_untouched,
        {{ plain_number('all_stories.estimate') }} as estimate_text,
        ',' || replace(projects.point_scale, ' ', '') || ',' as point_scale_text
    from all_stories
    inner join projects_as_of
        on all_stories.project_id = projects_as_of.project_id
    left join projects
        on all_stories.project_id = projects.project_id
    where
        not all_stories.is_deleted
        and coalesce(all_stories.story_type, '') != 'release'

),

same_names as (

    select
        project_id,
        min(story_id) as story_id,
        {{ joined_text(as_text('story_id')) }} as story_ids
    from stories
    where not is_accepted
    group by
        project_id,
        lower(story_name)
    having count(*) > 1

),

final as (

    {{ finding(
        'accepted_unestimated', 'stories', 'story_id', "'story_type ' || story_type",
        "is_accepted and estimate is null
        and (story_type = 'feature' or estimates_bugs_and_chores)"
    ) }}

    union all

    {{ finding(
        'points_off_scale', 'stories', 'story_id',
        "'estimate ' || estimate_text || ', point_scale ' || point_scale",
        "point_scale_text not like '%,' || estimate_text || ',%'"
    ) }}

    union all

    {{ finding(
        'started_without_owner', 'stories', 'story_id',
        "'current_state ' || current_state", 'is_in_progress and owner_count = 0'
    ) }}

    union all

    {{ finding(
        'started_unestimated', 'stories', 'story_id', "'current_state ' || current_state",
        "is_in_progress and story_type = 'feature' and estimate is null"
    ) }}

    union all

    {{ finding(
        'stale_in_progress', 'stories', 'story_id', instants_shown('updated_at'),
        'is_in_progress and seconds_untouched > 30 * 86400'
    ) }}

    union all

    {{ finding(
        'blocker_open_on_accepted', 'stories', 'story_id',
        "'open_blocker_count ' || open_blocker_count",
        'is_accepted and open_blocker_count > 0'
    ) }}

    union all

    {{ finding(
        'task_open_on_accepted', 'stories', 'story_id',
        "'open tasks ' || (task_count - completed_task_count)",
        'is_accepted and task_count > completed_task_count'
    ) }}

    union all

    {{ finding(
        'story_name_duplicated', 'same_names', 'story_id', "'story_id ' || story_ids"
    ) }}

)

select * from final
