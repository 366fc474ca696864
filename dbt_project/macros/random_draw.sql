{#-
    One round of the generator behind the forecasts: x -> x^5 modulo 2^31 - 1. Each whole
    number below 2^31 - 1 has another one as its image (5 divides no order of the group),
    far from those of its neighbours after two rounds. No product reaches 2^63, so
    every engine gives the same numbers.

    numbers: bigint column, 0 to 2^31 - 2
-#}
{% macro scrambled(numbers) -%}
    {%- set square = 'mod(' ~ numbers ~ ' * ' ~ numbers ~ ', ' ~ largest_prime() ~ ')' -%}
    mod(
        mod({{ square }} * {{ square }}, {{ largest_prime() }}) * {{ numbers }},
        {{ largest_prime() }}
    )
{%- endmacro %}

{#- A key (bigint, of any sign) stirred into a number of the generator. -#}
{% macro stirred(numbers, key) -%}
    mod(
        {{ numbers }} + mod({{ key }}, {{ largest_prime() }}) + {{ largest_prime() }},
        {{ largest_prime() }}
    )
{%- endmacro %}

{% macro largest_prime() -%}
    2147483647
{%- endmacro %}
