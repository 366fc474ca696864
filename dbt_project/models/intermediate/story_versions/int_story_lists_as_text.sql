with

told as (

    select * from {{ ref('int_story_attributes_told') }}
    where attribute_name in ('label_ids', 'owner_ids')

),

lists as (

    select
        activity_id,
        change_index,
        attribute_name,
        false as is_original,
        new_value as ids
    from told

    union all

    select
        activity_id,
        change_index,
        attribute_name,
        true as is_original,
        original_value as ids
    from told

),

elements as (

    {{ unnest_json_list(
        from_cte='lists',
        list_column='ids',
        keep=['activity_id', 'change_index', 'attribute_name', 'is_original'],
        element_type='bigint'
    ) }}

),

final as (

    select
        activity_id,
        change_index,
        attribute_name,
        is_original,
        {{ joined_text(as_text('element')) }} as ids
    from elements
    group by
        activity_id,
        change_index,
        attribute_name,
        is_original

)

select * from final
