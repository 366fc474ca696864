with

projects_as_of as (

    select * from {{ ref('int_projects_as_of') }}

),

extracts as (

    select
        load_id,
        max(as_of) as tracker_as_of
    from {{ ref('stg_pivotal_tracker__extracts') }}
    group by load_id

),

read_at as (

    select max(as_of) as read_at
    from {{ ref('stg_pivotal_tracker__extracts') }}

),

figures as (

    {% for entities in [
        'projects', 'iterations', 'stories', 'days', 'labels', 'epics', 'releases'
    ] %}
    select * from {{ ref('int_' ~ entities ~ '_beside_tracker') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

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
        projects_as_of.as_of != read_at.read_at as is_of_another_instant,
        projects_as_of.as_of as our_as_of,
        extracts.tracker_as_of
    from figures
    inner join projects_as_of
        on figures.project_id = projects_as_of.project_id
    cross join read_at
    left join extracts
        on figures.load_id = extracts.load_id

),

-- What Tracker gave speaks for when it was read: no other as_of can be held against it.
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
            when is_of_another_instant then 'not comparable'
            else 'different'
        end as verdict,
        case
            when coalesce(distance <= tolerance, false) then null
            when is_explained then explanation
            when is_of_another_instant then 'as_of is not when Tracker was read'
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
