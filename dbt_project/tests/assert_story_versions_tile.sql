-- The versions of a story whose beginning is known have no gaps or overlaps from its
-- creation to its deletion or as_of, and the last one equals the story's row (unless
-- the row was updated after as_of).
with

versions as (

    select * from {{ ref('int_story_versions') }}

),

stories as (

    select * from {{ ref('int_stories') }}

),

with_previous as (

    select
        *,
        lag(valid_to) over (partition by story_id order by version_number)
            as previous_valid_to,
        max(version_number) over (partition by story_id) as last_version_number
    from versions

),

final as (

    select
        stories.story_id,
        with_previous.version_number,
        with_previous.valid_from,
        with_previous.valid_to
    from stories
    left join with_previous
        on stories.story_id = with_previous.story_id
    where
        (
            with_previous.story_id is null
            and stories.created_at < coalesce(stories.deleted_at, stories.as_of)
        )
        or with_previous.valid_from != coalesce(
            with_previous.previous_valid_to,
            stories.created_at,
            with_previous.valid_from
        )
        or {{ differ(
            'with_previous.is_last',
            '(with_previous.version_number = with_previous.last_version_number)'
        ) }}
        or (
            not with_previous.is_last
            and with_previous.valid_from >= with_previous.valid_to
        )
        or (
            with_previous.is_last
            and with_previous.valid_to != coalesce(stories.deleted_at, stories.as_of)
        )
        or (
            with_previous.is_last
            and coalesce(stories.updated_at <= stories.as_of, true)
            and (
                {{ differ('with_previous.project_id', 'stories.project_id') }}
                or {{ differ('with_previous.story_name', 'stories.story_name') }}
                or {{ differ('with_previous.story_type', 'stories.story_type') }}
                or {{ differ('with_previous.estimate', 'stories.estimate') }}
            )
        )

)

select * from final
