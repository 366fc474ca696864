with

stories as (

    select * from {{ ref('int_stories') }}

),

values_now as (

    select * from {{ ref('int_story_attributes_now') }}
    where is_last

),

last_tellings as (

    select * from {{ ref('int_story_attribute_tellings') }}
    where telling_number = telling_count

),

-- The row has the last word. Nobody told when it came to differ from the last telling:
-- at the story's last update, as far as one can know.
final as (

    select
        values_now.story_id,
        values_now.attribute_name,
        values_now.attribute_value,
        last_tellings.telling_number + 1 as telling_number,
        false as is_told,
        case
            when coalesce(stories.updated_at < stories.deleted_at, true)
                then {{ latest('stories.updated_at', 'last_tellings.told_at') }}
            else last_tellings.told_at
        end as changed_at
    from values_now
    inner join stories
        on values_now.story_id = stories.story_id
    inner join last_tellings
        on
            values_now.story_id = last_tellings.story_id
            and values_now.attribute_name = last_tellings.attribute_name
    where {{ differ('values_now.attribute_value', 'last_tellings.new_value') }}

)

select * from final
