with

projects_as_of as (

    select * from {{ ref('int_projects_as_of') }}

),

people_seen as (

    select * from {{ ref('int_people_seen') }}

),

names as (

    select * from {{ ref('int_people_shown') }}

),

memberships as (

    select * from {{ ref('stg_pivotal_tracker__memberships') }}

),

membership_lists as (

    select count(*) as membership_count from memberships

),

memberships_by_person as (

    select
        memberships.person_id,
        count(*) as project_count
    from memberships
    inner join projects_as_of
        on memberships.project_id = projects_as_of.project_id
    where
        coalesce(memberships.membership_role, '') != 'inactive'
        and (
            memberships.created_at is null
            or memberships.created_at <= projects_as_of.as_of
        )
    group by memberships.person_id

),

final as (

    select
        people_seen.person_id,
        names.person_name,
        names.initials,
        names.username,
        names.email,
        case
            when membership_lists.membership_count > 0
                then coalesce(memberships_by_person.project_count, 0)
        end as project_count,
        case
            when membership_lists.membership_count > 0
                then memberships_by_person.person_id is not null
        end as is_member,
        people_seen.first_seen_at,
        people_seen.last_seen_at
    from people_seen
    cross join membership_lists
    left join names
        on people_seen.person_id = names.person_id
    left join memberships_by_person
        on people_seen.person_id = memberships_by_person.person_id

)

select * from final
