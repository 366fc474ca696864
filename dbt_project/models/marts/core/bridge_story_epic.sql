with

story_labels as (

    select * from {{ ref('int_story_labels') }}

),

epics as (

    select * from {{ ref('int_epics') }}

),

-- An epic has one label, and a story has a label at most once, so each pair occurs
-- once.
final as (

    select
        story_labels.story_id,
        epics.epic_id,
        story_labels.project_id,
        story_labels.is_deleted
    from story_labels
    inner join epics
        on
            story_labels.label_id = epics.label_id
            and story_labels.project_id = epics.project_id

)

select * from final
