{#-
    A select with one row per figure that Tracker gives for an entity, for use as the body
    of a CTE: ours beside Tracker's. A figure that Tracker does not give has no row.

    from_cte:      CTE with project_id, entity_id, entity_key, load_id, and the figures
    entity_kind:   what an entity is
    figures:       lists of the metric's name, its unit, our expression, Tracker's, and the
                   difference that its way of counting allows (0: none); where a cause of a
                   difference may be known, also the difference that it makes (null: any),
                   and the cause as a sentence (null: not known of this entity)
    compared_date: expression, for figures of a day
-#}
{% macro figures_as_rows(from_cte, entity_kind, figures, compared_date='null') -%}
    {%- for figure in figures %}
    {%- set cause = figure[5:] or ('null', 'null') %}
    select
        project_id,
        entity_id,
        load_id,
        '{{ entity_kind }}' as entity_kind,
        entity_key,
        '{{ figure[0] }}' as metric_name,
        '{{ figure[1] }}' as unit,
        {{ as_text(cause[1]) }} as explanation,
        {{ as_double(figure[2]) }} as our_value,
        {{ as_double(figure[3]) }} as tracker_value,
        {{ as_double(figure[4]) }} as tolerance,
        {{ as_double(cause[0]) }} as explained_difference,
        cast({{ compared_date }} as date) as compared_date
    from {{ from_cte }}
    where {{ figure[3] }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
