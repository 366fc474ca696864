{{ config(enabled=is_built('trust')) }}
-- The rules of dq_rule, grouped by what they look at: stories, their histories, their
-- changes, iterations, plans, people, projects. Each rule is a line of `findings` with
-- the evidence and the condition, and has a CTE if its entities must be selected first.
with

rules as (

    select * from {{ ref('dq_rule') }}

),

projects_as_of as (

    select * from {{ ref('int_projects') }}

),

projects as (

    select * from {{ ref('dim_project') }}

),

project_settings as (

    select * from {{ ref('stg_pivotal_tracker__projects') }}

),

raw_stories as (

    select * from {{ ref('stg_pivotal_tracker__stories') }}

),

stories as (

    select * from {{ ref('dim_story') }}
    where not is_deleted

),

iterations as (

    select
        *,
        lead(iteration_key) over (partition by project_id order by iteration_number)
            as next_iteration_key,
        lead(starts_at) over (partition by project_id order by iteration_number)
            as next_starts_at
    from {{ ref('int_iterations') }}

),

cycle_times as (

    select * from {{ ref('fct_story_cycle_time') }}
    where not is_deleted

),

intervals as (

    select * from {{ ref('fct_story_state_interval') }}

),

activities as (

    select * from {{ ref('fct_activity') }}

),

-- Stories: their projects and iterations.
orphans as (

    select stories.*
    from stories
    left join project_settings
        on
            stories.project_id = project_settings.project_id
            and project_settings.is_read
    where project_settings.project_id is null

),

projects_with_iterations as (

    select project_id
    from iterations
    group by project_id

),

outside_iterations as (

    select
        cycle_times.story_id,
        cycle_times.project_id,
        cycle_times.accepted_at
    from cycle_times
    inner join projects_with_iterations
        on cycle_times.project_id = projects_with_iterations.project_id
    where
        cycle_times.accepted_at is not null
        and cycle_times.iteration_key is null

),

-- Stories as work: releases have no owner, no estimate, and no work in them.
features_bugs_chores as (

    select
        stories.*,
        project_settings.point_scale,
        project_settings.estimates_bugs_and_chores,
        {{ seconds_between('stories.updated_at', 'projects_as_of.as_of') }}
            as seconds_untouched,
        {{ plain_number('stories.estimate') }} as estimate_text,
        ',' || replace(project_settings.point_scale, ' ', '') || ',' as point_scale_text
    from stories
    inner join projects_as_of
        on stories.project_id = projects_as_of.project_id
    left join project_settings
        on stories.project_id = project_settings.project_id
    where coalesce(stories.story_type, '') != 'release'

),

same_story_names as (

    select
        project_id,
        min(story_id) as story_id,
        {{ joined_text(as_text('story_id')) }} as story_ids
    from features_bugs_chores
    where not is_accepted
    group by
        project_id,
        lower(story_name)
    having count(*) > 1

),

-- Histories: single transitions.
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
        and not intervals.is_inferred
    group by
        intervals.story_id,
        intervals.project_id

),

-- Changes of a story while it was accepted. A story is in one state at an instant, so
-- a change meets at most one interval in accepted.
changes_while_accepted as (

    select
        stories.story_id,
        stories.project_id,
        activity_changes.activity_id,
        activity_changes.from_estimate,
        activity_changes.to_estimate,
        activity_changes.is_estimate_change
    from {{ ref('fct_activity_change') }} as activity_changes
    inner join stories
        on activity_changes.resource_id = stories.story_id
    inner join intervals
        on
            activity_changes.resource_id = intervals.story_id
            and intervals.story_state = 'accepted'
            and activity_changes.occurred_at > intervals.entered_at
            and activity_changes.occurred_at < intervals.left_at
    inner join activities
        on activity_changes.activity_id = activities.activity_id
    where
        activity_changes.resource_kind = 'story'
        and activity_changes.change_type = 'update'
        and activities.activity_kind = 'story_update_activity'
        and not activity_changes.is_state_change

),

changed_after_acceptance as (

    select
        story_id,
        project_id,
        {{ joined_text('activity_id') }} as activity_ids
    from changes_while_accepted
    group by
        story_id,
        project_id

),

estimated_after_acceptance as (

    select
        story_id,
        project_id,
        {{ joined_text('activity_id') }} as activity_ids
    from changes_while_accepted
    where
        is_estimate_change
        and {{ differ('from_estimate', 'to_estimate') }}
    group by
        story_id,
        project_id

),

-- Iterations.
velocities as (

    select * from {{ ref('fct_iteration_velocity') }}

),

-- Plans: labels, epics, releases.
-- Also releases carry labels, which the counts of stories leave out.
labels as (

    select
        *,
        label_id in (
            select story_labels.label_id
            from {{ ref('bridge_story_label') }} as story_labels
            where not story_labels.is_deleted
        ) as is_carried
    from {{ ref('dim_label') }}

),

epics as (

    select * from {{ ref('dim_epic') }}

),

releases as (

    select * from {{ ref('dim_release') }}
    where not is_deleted

),

releases_with_open_stories as (

    select
        releases.release_id,
        releases.project_id,
        count(*) as open_story_count
    from releases
    inner join {{ ref('stg_pivotal_tracker__release_stories') }} as release_stories
        on releases.release_id = release_stories.release_id
    inner join stories
        on release_stories.story_id = stories.story_id
    where
        releases.is_accepted
        and not stories.is_accepted
    group by
        releases.release_id,
        releases.project_id

),

{% for entity in ['label', 'epic', 'release'] %}
same_{{ entity }}_names as (

    select
        project_id,
        min({{ entity }}_id) as {{ entity }}_id,
        {{ joined_text(as_text(entity ~ '_id')) }} as {{ entity }}_ids
    from {{ entity }}s
    group by
        project_id,
        lower({{ entity }}_name)
    having count(*) > 1

),

{% endfor %}
-- People.
people as (

    select
        *,
        cast(null as bigint) as project_id
    from {{ ref('dim_person') }}

),

-- The real names, even if people are hidden.
same_person_names as (

    select
        cast(null as bigint) as project_id,
        min(people_named.person_id) as person_id,
        {{ joined_text(as_text('people_named.person_id')) }} as person_ids
    from {{ ref('int_people') }} as people_named
    inner join people
        on people_named.person_id = people.person_id
    where people_named.unhidden_name is not null
    group by lower(people_named.unhidden_name)
    having count(*) > 1

),

memberships as (

    select * from {{ ref('stg_pivotal_tracker__memberships') }}
    where coalesce(membership_role, '') != 'inactive'

),

projects_with_members as (

    select project_id
    from memberships
    group by project_id

),

-- Former members are not listed. A project without a list of members has no findings.
owners_who_left as (

    select
        story_owners.story_id,
        story_owners.project_id,
        {{ joined_text(as_text('story_owners.person_id')) }} as person_ids
    from {{ ref('bridge_story_owner') }} as story_owners
    inner join stories
        on story_owners.story_id = stories.story_id
    inner join projects_with_members
        on story_owners.project_id = projects_with_members.project_id
    left join memberships
        on
            story_owners.project_id = memberships.project_id
            and story_owners.person_id = memberships.person_id
    where
        not stories.is_accepted
        and memberships.person_id is null
    group by
        story_owners.story_id,
        story_owners.project_id

),

-- Projects and their logs.
version_holes as (

    select
        *,
        project_id || '-' || first_project_version as version_hole_key
    from {{ ref('fct_history_coverage') }}
    where is_hole

),

unknown_kinds as (

    select
        project_id,
        project_id || '-' || activity_kind as unknown_kind_key,
        min(activity_id) as activity_id
    from activities
    where
        activity_kind not in (
            {%- for kind in known_activity_kinds() %}
            '{{ kind }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )
    group by
        project_id,
        activity_kind

),

days_only as (

    select
        project_id,
        count(*) as story_count
    from raw_stories
    where is_date_only
    group by project_id

),

ids_made as (

    select
        project_id,
        count(*) as story_count
    from raw_stories
    where story_id < 0
    group by project_id

),

findings as (

    {{ findings([
        (
            'accepted_before_created', 'stories', 'story_id',
            instant_evidence('accepted_at', 'created_at'), 'accepted_at < created_at'
        ),
        (
            'updated_before_created', 'stories', 'story_id',
            instant_evidence('updated_at', 'created_at'), 'updated_at < created_at'
        ),
        (
            'accepted_without_instant', 'stories', 'story_id', "'no accepted_at'",
            'is_accepted and accepted_at is null'
        ),
        ('orphan_story', 'orphans', 'story_id', "'project_id ' || project_id"),
        (
            'accepted_outside_iterations', 'outside_iterations', 'story_id',
            instant_evidence('accepted_at')
        ),
        (
            'accepted_unestimated', 'features_bugs_chores', 'story_id',
            "'story_type ' || story_type",
            "is_accepted and estimate is null
            and (story_type = 'feature' or estimates_bugs_and_chores)"
        ),
        (
            'points_off_scale', 'features_bugs_chores', 'story_id',
            "'estimate ' || estimate_text || ', point_scale ' || point_scale",
            "point_scale_text not like '%,' || estimate_text || ',%'"
        ),
        (
            'started_without_owner', 'features_bugs_chores', 'story_id',
            "'current_state ' || current_state", 'is_in_progress and owner_count = 0'
        ),
        (
            'started_unestimated', 'features_bugs_chores', 'story_id',
            "'current_state ' || current_state",
            "is_in_progress and story_type = 'feature' and estimate is null"
        ),
        (
            'stale_in_progress', 'features_bugs_chores', 'story_id',
            instant_evidence('updated_at'),
            'is_in_progress and seconds_untouched > 30 * 86400'
        ),
        (
            'blocker_open_on_accepted', 'features_bugs_chores', 'story_id',
            "'open_blocker_count ' || open_blocker_count",
            'is_accepted and open_blocker_count > 0'
        ),
        (
            'task_open_on_accepted', 'features_bugs_chores', 'story_id',
            "'open tasks ' || (task_count - completed_task_count)",
            'is_accepted and task_count > completed_task_count'
        ),
        (
            'story_name_duplicated', 'same_story_names', 'story_id',
            "'story_id ' || story_ids"
        ),
        (
            'accepted_without_start', 'cycle_times', 'story_id',
            instant_evidence('accepted_at'),
            "is_accepted and history_coverage = 'complete' and cycle_time_seconds is null"
        ),
        (
            'start_skipped', 'cycle_times', 'story_id', "'in progress, never started'",
            "cycle_time_seconds is not null and started_count = 0
            and history_coverage = 'complete'"
        ),
        (
            'accepted_before_started', 'cycle_times', 'story_id',
            instant_evidence('accepted_at', 'first_started_at'),
            'is_accepted and accepted_at < first_started_at'
        ),
        (
            'history_missing', 'cycle_times', 'story_id', "'no transition is known'",
            "history_coverage = 'none' and is_accepted"
        ),
        (
            'history_partial', 'cycle_times', 'story_id',
            "'current_state ' || current_state", "history_coverage = 'partial'"
        ),
        (
            'rejected_chore', 'cycle_times', 'story_id',
            "'rejected_count ' || rejected_count",
            "story_type = 'chore' and rejected_count > 0"
        ),
        (
            'backward_move', 'backward_moves', 'story_id',
            "'project_version ' || project_versions"
        ),
        ('clock_tie', 'ties', 'story_id', "'project_version ' || project_versions"),
        (
            'transition_gap', 'gaps', 'story_id',
            "'project_version ' || project_versions"
        ),
        (
            'unaccepted_after_close', 'late_unaccepts', 'story_id',
            "'iteration_key ' || iteration_keys"
        ),
        (
            'changed_after_acceptance', 'changed_after_acceptance', 'story_id',
            "'activity_id ' || activity_ids"
        ),
        (
            'estimate_changed_after_acceptance', 'estimated_after_acceptance', 'story_id',
            "'activity_id ' || activity_ids"
        ),
        (
            'iteration_gap', 'iterations', 'iteration_key',
            "'next iteration_key ' || next_iteration_key", 'finishes_at < next_starts_at'
        ),
        (
            'accepted_without_team', 'velocities', 'iteration_key',
            "'accepted_points ' || accepted_points",
            'team_strength = 0 and accepted_story_count > 0'
        ),
        (
            'nothing_accepted', 'velocities', 'iteration_key',
            "'planned_velocity ' || planned_velocity",
            'is_done and team_strength > 0 and accepted_story_count = 0'
        ),
        (
            'label_name_duplicated', 'same_label_names', 'label_id',
            "'label_id ' || label_ids"
        ),
        (
            'epic_name_duplicated', 'same_epic_names', 'epic_id',
            "'epic_id ' || epic_ids"
        ),
        (
            'release_name_duplicated', 'same_release_names', 'release_id',
            "'release_id ' || release_ids"
        ),
        (
            'label_without_stories', 'labels', 'label_id', "'no story carries it'",
            'not is_carried and epic_id is null'
        ),
        (
            'label_not_listed', 'labels', 'label_id', "'story_count ' || story_count",
            'not is_listed and (is_carried or epic_id is not null)'
        ),
        ('epic_without_label', 'epics', 'epic_id', "'no label_id'", 'label_id is null'),
        (
            'epic_without_stories', 'epics', 'epic_id', "'label_id ' || label_id",
            'story_count = 0 and label_id is not null'
        ),
        (
            'release_past_deadline', 'releases', 'release_id',
            instant_evidence('deadline_at'), 'is_late and not is_accepted'
        ),
        (
            'release_accepted_too_early', 'releases_with_open_stories', 'release_id',
            "'open stories ' || open_story_count"
        ),
        (
            'person_unknown', 'people', 'person_id', "'no source names this id'",
            'person_name is null'
        ),
        (
            'person_name_duplicated', 'same_person_names', 'person_id',
            "'person_id ' || person_ids"
        ),
        (
            'owner_not_a_member', 'owners_who_left', 'story_id',
            "'person_id ' || person_ids"
        ),
        (
            'time_zone_missing', 'projects', 'project_id', "'counted in UTC'",
            'time_zone is null'
        ),
        (
            'project_without_iterations', 'projects', 'project_id',
            "'accepted_story_count ' || accepted_story_count",
            'current_iteration_number is null and accepted_story_count > 0'
        ),
        (
            'version_hole', 'version_holes', 'version_hole_key',
            "'project_version ' || first_project_version || ' to ' || last_project_version"
        ),
        (
            'activity_kind_unknown', 'unknown_kinds', 'unknown_kind_key',
            "'activity_id ' || activity_id"
        ),
        ('dates_only', 'days_only', 'project_id', "'stories ' || story_count"),
        ('ids_made', 'ids_made', 'project_id', "'stories ' || story_count")
    ]) }}

    union all

    select * from {{ ref('int_findings_in_raw_rows') }}

),

final as (

    select
        findings.rule_name || '-' || findings.entity_key as finding_key,
        findings.rule_name,
        findings.project_id,
        rules.severity,
        rules.entity_kind,
        findings.entity_key,
        findings.evidence,
        rules.remedy
    from findings
    inner join rules
        on findings.rule_name = rules.rule_name

)

select * from final
