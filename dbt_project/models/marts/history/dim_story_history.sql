{{ config(enabled=is_built('history')) }}
with

versions as (

    select
        *,
        '[' || label_ids || ']' as label_id_list,
        '[' || owner_ids || ']' as owner_id_list
    from {{ ref('int_story_versions') }}

),

labels as (

    select * from {{ ref('int_labels') }}

),

epics as (

    select * from {{ ref('int_epics') }}

),

people as (

    select * from {{ ref('dim_person') }}

),

{% for list_name in ['label', 'owner'] %}
{{ list_name }}s_by_version as (

    {{ unnest_json_list(
        from_cte='versions',
        list_column=list_name ~ '_id_list',
        keep=['story_id', 'version_number'],
        element_type='bigint'
    ) }}

),

{% endfor %}
-- One select each: Redshift can sort the joined texts of a select in one order only.
{% for names, ids_by_version, entities, id, name in [
    ('label_names', 'labels_by_version', 'labels', 'label_id', 'label_name'),
    ('epic_names', 'labels_by_version', 'epics', 'label_id', 'epic_name'),
    ('owner_names', 'owners_by_version', 'people', 'person_id', 'person_name')
] %}
{{ names }} as (

    select
        {{ ids_by_version }}.story_id,
        {{ ids_by_version }}.version_number,
        {{ joined_text(entities ~ '.' ~ name) }} as {{ names }}
    from {{ ids_by_version }}
    inner join {{ entities }}
        on {{ ids_by_version }}.element = {{ entities }}.{{ id }}
    group by
        {{ ids_by_version }}.story_id,
        {{ ids_by_version }}.version_number

),

{% endfor %}
final as (

    select
        versions.story_id || '-' || versions.version_number as story_version_key,
        versions.story_id,
        versions.project_id,
        versions.story_name,
        versions.story_type,
        label_names.label_names,
        epic_names.epic_names,
        owner_names.owner_names,
        versions.version_number,
        versions.estimate,
        versions.is_last as is_current,
        versions.is_inferred,
        versions.valid_from,
        versions.valid_to
    from versions
    {% for names in ['label_names', 'epic_names', 'owner_names'] %}
    left join {{ names }}
        on
            versions.story_id = {{ names }}.story_id
            and versions.version_number = {{ names }}.version_number
    {% endfor %}

)

select * from final
