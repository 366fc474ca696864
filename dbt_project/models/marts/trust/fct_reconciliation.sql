with

projects_as_of as (

    select * from {{ ref('int_projects_as_of') }}

),

extracts as (

    select
        load_id,
        max(as_of) as loaded_as_of
    from {{ ref('stg_pivotal_tracker__extracts') }}
    group by load_id

),

figures as (

    {% for entities in [
        'projects', 'iterations', 'stories', 'days', 'labels', 'epics', 'releases'
    ] %}
    select * from {{ ref('int_' ~ entities ~ '_beside_tracker') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- An API confirms with each sync what it stated before. A record of an archive states
-- its figures as of its own instant, whatever else was exported later.
compared as (

    select
        figures.*,
        figures.our_value - figures.tracker_value as difference,
        abs(figures.our_value - figures.tracker_value) as distance,
        figures.explanation is not null
        and (
            figures.explained_difference is null
            or abs(
                figures.our_value - figures.tracker_value
                - figures.explained_difference
            ) <= figures.tolerance
        ) as is_explained,
        projects_as_of.as_of as our_as_of,
        case
            when figures.record_source = 'api'
                then coalesce(projects_as_of.api_as_of, extracts.loaded_as_of)
            when figures.stated_at is not null then figures.stated_at
            else {{ earliest(
                'extracts.loaded_as_of', 'projects_as_of.newest_known_at'
            ) }}
        end as tracker_as_of
    from figures
    inner join projects_as_of
        on figures.project_id = projects_as_of.project_id
    left join extracts
        on figures.load_id = extracts.load_id

),

final as (

    select
        entity_kind || '-' || entity_key || '-' || metric_name as reconciliation_key,
        project_id,
        entity_id,
        entity_kind,
        entity_key,
        metric_name,
        unit,
        case
            -- Engines add doubles up in another order: their last digits are noise.
            when distance < 0.000000001 then 'equal'
            when distance <= tolerance then 'within tolerance'
            when is_explained then 'explained'
            when our_as_of < tracker_as_of then 'not comparable'
            when our_as_of > tracker_as_of then 'older'
            else 'different'
        end as verdict,
        case
            when coalesce(distance <= tolerance, false) then null
            when is_explained then explanation
            when our_as_of < tracker_as_of then 'as_of is before Tracker stated it'
            when our_as_of > tracker_as_of then 'Tracker stated it before as_of'
        end as explanation,
        our_value,
        tracker_value,
        difference,
        tolerance,
        compared_date,
        our_as_of,
        tracker_as_of
    from compared

)

select * from final
