with

people_named as (

    select * from {{ ref('int_people_named') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by person_id
            order by
                case when person_name is null then 1 else 0 end asc,
                naming_rank asc,
                named_at desc,
                person_name asc,
                initials asc
        ) as name_number
    from people_named

),

final as (

    select
        person_id,
        max(case when name_number = 1 then person_name end) as person_name,
        max(case when name_number = 1 then initials end) as initials,
        max(username) as username,
        max(email) as email
    from ranked
    where person_id is not null
    group by person_id

)

select * from final
