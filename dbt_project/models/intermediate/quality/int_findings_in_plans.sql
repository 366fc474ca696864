with

labels as (

    select * from {{ ref('dim_label') }}

),

epics as (

    select * from {{ ref('dim_epic') }}

),

releases as (

    select * from {{ ref('dim_release') }}
    where not is_deleted

),

open_stories as (

    select story_id from {{ ref('dim_story') }}
    where not is_deleted and not is_accepted

),

release_stories as (

    select * from {{ ref('stg_pivotal_tracker__release_stories') }}

),

releases_with_open_stories as (

    select
        releases.release_id,
        releases.project_id,
        count(*) as open_story_count
    from releases
    inner join release_stories
        on releases.release_id = release_stories.release_id
    inner join open_stories
        on release_stories.story_id = open_stories.story_id
    where releases.is_accepted
    group by releases.release_id, releases.project_id

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
final as (

    {% for entity in ['label', 'epic', 'release'] %}
    {{ finding(
        entity ~ '_name_duplicated', 'same_' ~ entity ~ '_names', entity ~ '_id',
        "'" ~ entity ~ "_id ' || " ~ entity ~ "_ids"
    ) }}

    union all

    {% endfor %}
    {{ finding(
        'label_without_stories', 'labels', 'label_id', "'no story carries it'",
        'story_count = 0 and epic_id is null'
    ) }}

    union all

    {{ finding(
        'label_not_listed', 'labels', 'label_id', "'story_count ' || story_count",
        'not is_listed and (story_count > 0 or epic_id is not null)'
    ) }}

    union all

    {{ finding(
        'epic_without_label', 'epics', 'epic_id', "'no label_id'", 'label_id is null'
    ) }}

    union all

    {{ finding(
        'epic_without_stories', 'epics', 'epic_id', "'label_id ' || label_id",
        'story_count = 0 and label_id is not null'
    ) }}

    union all

    {{ finding(
        'release_past_deadline', 'releases', 'release_id', instants_shown('deadline_at'),
        'is_late and not is_accepted'
    ) }}

    union all

    {{ finding(
        'release_accepted_too_early', 'releases_with_open_stories', 'release_id',
        "'open stories ' || open_story_count"
    ) }}

)

select * from final
