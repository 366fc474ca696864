with

{% for name, raw in raw_keys().items() %}
{{ name }}_keys as (

    select
        '{{ name }}' as raw_name,
        {{ row_key(raw.key) }} as row_key,
        count(*) as row_count
    from {{ source('pivotal_tracker', name) }}
    group by {{ raw.key | join(', ') }}
    having count(*) > 1

),

{% endfor %}
repeated_keys as (

    {% for name in raw_keys() %}
    select * from {{ name }}_keys
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

final as (

    select * from repeated_keys
    where row_key is not null

)

select * from final
