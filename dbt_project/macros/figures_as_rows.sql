{#-
    A select with one row per figure that Tracker gives for an entity, for use as the body
    of a CTE: ours beside Tracker's. A figure that Tracker does not give has no row.

    from_cte:      CTE with project_id, entity_id, entity_key, load_id, record_source, the
                   record's own instant stated_at (null: it has none), and the figures
    entity_kind:   what an entity is
    figures:       lists of the metric's name, its unit, our expression, Tracker's, and the
                   difference that its way of counting allows (0: none); where a cause of a
                   difference may be known, also the difference that it makes (null: any),
                   and the cause as a sentence (null: not known of this entity)
    compared_date: expression, for figures of a day

    All figures of an entity come from one row of the CTE: a select for each of them would
    have some engines make the CTE anew for each.
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
        {{ of_figure(figures, 6, as_text) }} as explanation,
        {{ of_figure(figures, 2, as_double) }} as our_value,
        {{ of_figure(figures, 3, as_double) }} as tracker_value,
        {{ of_figure(figures, 4, as_double) }} as tolerance,
        {{ of_figure(figures, 5, as_double) }} as explained_difference,
        cast({{ compared_date }} as date) as compared_date
    from {{ from_cte }}
    cross join figures
    where {{ of_figure(figures, 3, as_double) }} is not null
{%- endmacro %}


{#- One of the expressions of a figure, whichever figure it is. -#}
{% macro of_figure(figures, place, typed) -%}
    case figures.figure_number
        {%- for figure in figures %}
        when {{ loop.index }} then {{ typed(figure[place] | default('null')) }}
        {%- endfor %}
    end
{%- endmacro %}
