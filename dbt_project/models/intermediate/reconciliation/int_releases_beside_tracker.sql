with

releases as (

    select * from {{ ref('stg_pivotal_tracker__releases') }}

),

release_stories as (

    select * from {{ ref('stg_pivotal_tracker__release_stories') }}

),

stories as (

    select * from {{ ref('int_stories') }}
    where not is_deleted

),

stories_by_release as (

    select
        release_stories.release_id,
        count(*) as story_count,
        sum(stories.estimate) as points,
        count(case when stories.current_state = 'accepted' then 1 end)
            as accepted_story_count,
        sum(case when stories.current_state = 'accepted' then stories.estimate end)
            as accepted_points
    from release_stories
    inner join stories
        on release_stories.story_id = stories.story_id
    group by release_stories.release_id

),

-- Which stories a release covers is Tracker's; what they are worth is ours.
with_figures as (

    select
        releases.project_id,
        releases.release_id as entity_id,
        {{ as_text('releases.release_id') }} as entity_key,
        releases.load_id,
        releases.record_source,
        {{ as_instant('null') }} as stated_at,
        coalesce(stories_by_release.accepted_points, 0) as accepted_points,
        coalesce(stories_by_release.points, 0) as points,
        coalesce(stories_by_release.accepted_story_count, 0) as accepted_story_count,
        coalesce(stories_by_release.story_count, 0) as story_count,
        releases.tracker_points_accepted,
        releases.tracker_points_total,
        releases.tracker_counts_accepted,
        releases.tracker_counts_total
    from releases
    left join stories_by_release
        on releases.release_id = stories_by_release.release_id

),

final as (

    {{ figures_as_rows('with_figures', 'release', [
        ('points_accepted', 'points', 'accepted_points', 'tracker_points_accepted', 0),
        ('points_total', 'points', 'points', 'tracker_points_total', 0),
        (
            'counts_accepted', 'stories',
            'accepted_story_count', 'tracker_counts_accepted', 0
        ),
        ('counts_total', 'stories', 'story_count', 'tracker_counts_total', 0)
    ]) }}

)

select * from final
