with

people as (

    select
        *,
        cast(null as bigint) as project_id
    from {{ ref('dim_person') }}

),

memberships as (

    select * from {{ ref('stg_pivotal_tracker__memberships') }}
    where coalesce(membership_role, '') != 'inactive'

),

projects_with_members as (

    select project_id
    from memberships
    group by project_id

),

open_story_owners as (

    select
        story_owners.story_id,
        story_owners.project_id,
        story_owners.person_id
    from {{ ref('bridge_story_owner') }} as story_owners
    inner join {{ ref('dim_story') }} as stories
        on story_owners.story_id = stories.story_id
    where
        not stories.is_accepted
        and not stories.is_deleted

),

-- Whoever has left is listed no more; without any list nothing can be told.
owners_who_left as (

    select
        open_story_owners.story_id,
        open_story_owners.project_id,
        {{ joined_text(
            as_text('open_story_owners.person_id')
        ) }} as person_ids
    from open_story_owners
    inner join projects_with_members
        on open_story_owners.project_id = projects_with_members.project_id
    left join memberships
        on
            open_story_owners.project_id = memberships.project_id
            and open_story_owners.person_id = memberships.person_id
    where memberships.person_id is null
    group by
        open_story_owners.story_id,
        open_story_owners.project_id

),

-- Names as they are, also where they are hidden.
same_names as (

    select
        cast(null as bigint) as project_id,
        min(people_named.person_id) as person_id,
        {{ joined_text(as_text('people_named.person_id')) }} as person_ids
    from {{ ref('int_people_with_names') }} as people_named
    inner join people
        on people_named.person_id = people.person_id
    where people_named.person_name is not null
    group by lower(people_named.person_name)
    having count(*) > 1

),

final as (

    {{ finding(
        'person_unknown', 'people', 'person_id', "'no source names this id'",
        'person_name is null'
    ) }}

    union all

    {{ finding(
        'person_name_duplicated', 'same_names', 'person_id', "'person_id ' || person_ids"
    ) }}

    union all

    {{ finding(
        'owner_not_a_member', 'owners_who_left', 'story_id', "'person_id ' || person_ids"
    ) }}

)

select * from final
