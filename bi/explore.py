"""A notebook to start from: the raw tables through dlt, the marts, and a question of your own.

`make explore` opens it in marimo, where every cell can be changed; `python bi/explore.py` runs it
as a script. The marts come from the published copy; the raw tables come from the warehouse, which
must not be loading or building at the same time.
"""

import marimo

app = marimo.App(width="medium", app_title="Explore the warehouse")


@app.cell
def _():
    import sys
    from pathlib import Path

    import altair as alt
    import marimo as mo

    # When run as a script, the import path contains this file's folder, not the repository.
    sys.path.insert(0, str((mo.notebook_dir() or Path("bi")).parent))

    from bi.published import PublishedCopy
    from ingest.run.settings import marts_path, warehouse_path
    from ingest.warehouses.configured import make_pipeline

    return PublishedCopy, alt, make_pipeline, marts_path, mo, warehouse_path


@app.cell
def _(mo):
    mo.md("""
    # Explore the warehouse

    First the raw data, then the marts, then a question of your own. You can change any cell, and
    the cells that depend on it are updated.

    ## The raw tables

    These are dlt's tables: `pipeline.dataset()` lists them and returns each as a relation. Get a
    data frame with `df()`, an Arrow table with `arrow()`, or its SQL with `to_sql()`.
    """)
    return


@app.cell
def _(make_pipeline, warehouse_path):
    dataset = make_pipeline(warehouse_path()).dataset()
    row_counts = dataset.row_counts().df().sort_values("row_count", ascending=False)
    row_counts
    return dataset, row_counts


@app.cell
def _(dataset):
    raw_stories = (
        dataset.stories.select(
            "id", "project_id", "name", "story_type", "current_state", "estimate"
        )
        .limit(5)
        .df()
    )
    raw_stories
    return (raw_stories,)


@app.cell
def _(dataset):
    # Nested lists are JSON text, such as a story's labels or an activity's changes.
    raw_changes = dataset("select kind, changes from activity order by occurred_at limit 5").df()
    raw_changes
    return (raw_changes,)


@app.cell
def _(mo):
    mo.md("""
    ## The marts

    Query these: their names, types and rules are stable, and every column has a description in the
    file itself. You can read the published copy while the next build runs.
    """)
    return


@app.cell
def _(PublishedCopy, marts_path):
    def ask(statement, *values):
        """The result of a query on the published marts, as a data frame."""
        with PublishedCopy(marts_path()).connect() as connection:
            return connection.execute(statement, list(values)).df()

    return (ask,)


@app.cell
def _(ask):
    marts = ask("""
        select table_name as mart, estimated_size as rows, comment as description
        from duckdb_tables()
        where database_name = 'published'
        order by table_name
    """)
    marts
    return (marts,)


@app.cell
def _(marts, mo):
    mart_choice = mo.ui.dropdown(list(marts["mart"]), value="fct_story_cycle_time", label="Mart")
    mart_choice
    return (mart_choice,)


@app.cell
def _(ask, mart_choice):
    columns = ask(
        """
        select column_name, data_type, comment as description
        from duckdb_columns()
        where database_name = 'published' and table_name = ?
        order by column_index
        """,
        mart_choice.value,
    )
    columns
    return (columns,)


@app.cell
def _(mo):
    mo.md("""
    ## Next steps

    This query asks how long stories of each size take. `dbt_project/analyses/` has an example query
    for each mart, and `dim_metric` defines each measure.
    """)
    return


@app.cell
def _(ask):
    days_by_estimate = ask("""
        select
            project_name,
            cast(estimate as double) as points,
            count(*) as story_count,
            median(cycle_time_seconds) / 86400 as median_days
        from fct_story_cycle_time
        inner join dim_project using (project_id)
        where
            is_accepted
            and not is_deleted
            and cycle_time_seconds is not null
            and estimate is not null
        group by project_name, estimate
        order by project_name, estimate
    """)
    days_by_estimate
    return (days_by_estimate,)


@app.cell
def _(alt, days_by_estimate):
    chart = (
        alt.Chart(days_by_estimate, title="Do larger stories take longer?")
        .mark_line(point=True)
        .encode(
            x=alt.X("points:Q", title="estimate (points)"),
            y=alt.Y("median_days:Q", title="median cycle time (days)"),
            color=alt.Color("project_name:N", title="project"),
            tooltip=["project_name", "points", "story_count", "median_days"],
        )
    )
    chart
    return (chart,)


if __name__ == "__main__":
    app.run()
