with

story_epics as (

    select * from {{ ref('bridge_story_epic') }}

),

epics as (

    select * from {{ ref('int_epics') }}

),

final as (

    select
        story_epics.story_id,
        {{ joined_text('epics.epic_name') }} as epic_names
    from story_epics
    inner join epics
        on story_epics.epic_id = epics.epic_id
    group by story_epics.story_id

)

select * from final
