{#-
    One row per figure that Tracker reports for an entity, with Tracker's value and ours, as the body
    of a CTE. Figures that Tracker does not report have no row.

    from_cte:      CTE with project_id, entity_id, entity_key, load_id, record_source, the
                   record's own time stated_at (null if it has none), and the figures
    entity_kind:   the kind of entity
    figures:       lists of the metric's name, its unit, our expression, Tracker's expression,
                   and the tolerance (0 for none); if a difference can have a known cause, also
                   the difference that it explains (null for any difference) and the cause as a
                   sentence (null if it does not apply to the entity)
    compared_date: expression, for daily figures

    All figures of an entity come from one row of the CTE, because some engines would compute the
    CTE again for each figure in a select of its own.
-#}
{% macro figures_as_rows(from_cte, entity_kind, figures, compared_date='null') -%}
    with figures as (

        {% for figure in figures -%}
        select
            {{ loop.index }} as figure_number,
            '{{ figure[0] }}' as metric_name,
            '{{ figure[1] }}' as unit
        {{ 'union all' if not loop.last }}
        {% endfor %}

    )

    select
        project_id,
        entity_id,
        load_id,
        record_source,
        stated_at,
        '{{ entity_kind }}' as entity_kind,
        entity_key,
        figures.metric_name,
        figures.unit,
        {{ figure_expression(figures, 6, as_text) }} as explanation,
        {{ figure_expression(figures, 2, as_double) }} as our_value,
        {{ figure_expression(figures, 3, as_double) }} as tracker_value,
        {{ figure_expression(figures, 4, as_double) }} as tolerance,
        {{ figure_expression(figures, 5, as_double) }} as explained_difference,
        cast({{ compared_date }} as date) as compared_date
    from {{ from_cte }}
    cross join figures
    where {{ figure_expression(figures, 3, as_double) }} is not null
{%- endmacro %}


{#- The expression at one position of the lists, for the row's figure. -#}
{% macro figure_expression(figures, place, typed) -%}
    case figures.figure_number
        {%- for figure in figures %}
        when {{ loop.index }} then {{ typed(figure[place] | default('null')) }}
        {%- endfor %}
    end
{%- endmacro %}
