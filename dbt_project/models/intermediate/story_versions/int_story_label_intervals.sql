with

versions as (

    select
        *,
        '[' || label_ids || ']' as label_id_list
    from {{ ref('int_story_versions') }}

),

labels_by_version as (

    {{ unnest_json_list(
        from_cte='versions',
        list_column='label_id_list',
        keep=['story_id', 'version_number', 'valid_from', 'valid_to'],
        element_type='bigint'
    ) }}

),

-- Consecutive versions with a label are one stretch: both numbers grow by one there.
with_stretches as (

    select
        *,
        version_number - row_number() over (
            partition by story_id, element
            order by version_number
        ) as stretch_number
    from labels_by_version

),

final as (

    select
        story_id,
        element as label_id,
        min(valid_from) as valid_from,
        max(valid_to) as valid_to
    from with_stretches
    group by
        story_id,
        element,
        stretch_number

)

select * from final
