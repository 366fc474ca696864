{#-
    The position of a story's state in the workflow. Rejected comes before started, so that a
    rejection is a backward move and the restart a forward move. Null for other states.
-#}
{% macro story_state_rank(story_state) -%}
    case {{ story_state }}
        when 'unscheduled' then 1
        when 'unstarted' then 2
        when 'planned' then 3
        when 'rejected' then 4
        when 'started' then 5
        when 'finished' then 6
        when 'delivered' then 7
        when 'accepted' then 8
    end
{%- endmacro %}


{#- The state in which daily flow counts a story: `unknown` for a state that is none of the eight. -#}
{% macro flow_state(story_state) -%}
    case
        when {{ story_state_rank(story_state) }} is null then 'unknown'
        else {{ story_state }}
    end
{%- endmacro %}
