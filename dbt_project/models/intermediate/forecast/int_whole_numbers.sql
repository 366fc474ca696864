{{ config(enabled=is_built('plans')) }}
with

digits as (

    {% for digit in range(10) %}
    select cast({{ digit }} as bigint) as digit
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

final as (

    select
        ones.digit
        + 10 * tens.digit
        + 100 * hundreds.digit
        + 1000 * thousands.digit
        + 1 as whole_number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands

)

select * from final
