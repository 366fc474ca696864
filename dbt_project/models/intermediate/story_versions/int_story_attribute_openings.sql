with

stories as (

    select * from {{ ref('int_stories') }}

),

values_now as (

    select * from {{ ref('int_story_attributes_now') }}

),

tellings as (

    select * from {{ ref('int_story_attribute_tellings') }}

),

first_tellings as (

    select
        story_id,
        min(told_at) as first_told_at
    from tellings
    group by story_id

),

-- Before the first telling a value is what that one replaced; without any, the row's.
final as (

    select
        values_now.story_id,
        values_now.attribute_name,
        case
            when tellings.is_creation then tellings.new_value
            when tellings.story_id is not null then tellings.original_value
            else values_now.attribute_value
        end as attribute_value,
        0 as telling_number,
        tellings.is_creation is not null and tellings.is_creation as is_told,
        coalesce(stories.created_at, first_tellings.first_told_at) as changed_at
    from values_now
    inner join stories
        on values_now.story_id = stories.story_id
    left join first_tellings
        on values_now.story_id = first_tellings.story_id
    left join tellings
        on
            values_now.story_id = tellings.story_id
            and values_now.attribute_name = tellings.attribute_name
            and tellings.telling_number = 1

)

select * from final
