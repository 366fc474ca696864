-- How much is right the first time, and how much is undone?
{{ config(enabled=is_built('rework')) }}
select
    iteration_key,
    count(*) as acceptance_count,
    count(case when is_undone then 1 end) as undone_count,
    count(case when is_first_pass then 1 end) * 1.0 / nullif(count(*), 0)
        as first_pass_acceptance_rate
from {{ ref('fct_acceptance') }}
where
    not is_deleted
    and story_type in ('feature', 'bug')
    and iteration_key is not null
group by iteration_key
order by iteration_key
