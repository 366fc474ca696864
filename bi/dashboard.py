"""The dashboard: the published marts as pictures, with filters. `make dashboard` opens it."""

import marimo

app = marimo.App(width="full", app_title="Pivotal Tracker", css_file="dashboard.css")


@app.cell
def _():
    from html import escape

    import marimo as mo

    from bi import shown
    from bi.pictures import PAGES, look
    from bi.pictures.picture import Choice
    from bi.published import PublishedCopy
    from ingest.run.settings import marts_path

    return Choice, PAGES, PublishedCopy, escape, look, marts_path, mo, shown


@app.cell
def _(PublishedCopy, marts_path, mo, shown):
    copy = PublishedCopy(marts_path())
    with copy.connect() as _connection:
        projects = shown.projects(_connection)
        speaks_for = shown.what_it_speaks_for(_connection)
    mo.stop(not projects, mo.md("The published copy has no project: load one, then `make build`."))
    return copy, projects, speaks_for


@app.cell
def _(PAGES, mo, projects):
    _asked = mo.query_params()
    _ids = {str(each.project_id): each for each in projects}
    _chosen = _ids.get(_asked.get("project"), projects[0])
    project_choice = mo.ui.dropdown(
        {each.name: each for each in projects},
        value=_chosen.name,
        label="Project",
        on_change=lambda each: _asked.set("project", str(each.project_id)),
    )
    _titles = {each.name: each.title for each in PAGES}
    page_choice = mo.ui.radio(
        {each.title: each for each in PAGES},
        value=_titles.get(_asked.get("page"), PAGES[0].title),
        inline=True,
        on_change=lambda each: _asked.set("page", each.name),
    )
    return page_choice, project_choice


@app.cell
def _(copy, mo, project_choice, shown):
    project = project_choice.value
    with copy.connect() as _connection:
        _labels, _owners = shown.labels_and_owners(_connection, project.project_id)
    first_date = mo.ui.date(value=project.first_shown_date, label="From")
    last_date = mo.ui.date(value=project.last_date, label="to")
    type_choice = mo.ui.multiselect(
        list(shown.STORY_TYPES), value=list(shown.STORY_TYPES), label="Story type"
    )
    label_choice = mo.ui.dropdown({"all": None, **_labels}, value="all", label="Label")
    owner_choice = mo.ui.dropdown({"all": None, **_owners}, value="all", label="Owner")
    return first_date, label_choice, last_date, owner_choice, project, type_choice


@app.cell
def _(
    escape,
    first_date,
    label_choice,
    last_date,
    mo,
    owner_choice,
    page_choice,
    project,
    project_choice,
    shown,
    speaks_for,
    type_choice,
):
    _missing = shown.what_is_missing(project)
    mo.vstack(
        [
            mo.Html(f"<h1>{escape(project.name)}</h1><small>{escape(speaks_for)}</small>"),
            mo.hstack(
                [project_choice, first_date, last_date, type_choice, label_choice, owner_choice],
                justify="start",
                wrap=True,
                gap=1,
            ),
            page_choice,
            mo.callout(mo.md(_missing), kind="warn") if _missing else mo.md(""),
        ]
    )
    return


@app.cell
def _(
    Choice,
    copy,
    first_date,
    label_choice,
    last_date,
    look,
    mo,
    owner_choice,
    page_choice,
    project,
    shown,
    type_choice,
):
    def card(connection, picture, choice):
        """A picture with its question, its definition, and the table behind it."""
        rows = picture.rows(connection, choice)
        table = mo.ui.table(
            shown.table(rows),
            page_size=10,
            selection=None,
            show_column_summaries=False,
            show_data_types=False,
        )
        parts = [mo.Html(f'<h2 id="{picture.name}">{picture.question}</h2>')]
        if rows.empty:
            parts.append(mo.md(picture.empty))
        elif picture.draw is None:
            parts.append(table)
        else:
            parts.append(look.framed(picture.draw(rows)))
        parts.append(mo.Html(shown.note(connection, picture)))
        if picture.draw is not None and not rows.empty:
            parts.append(mo.accordion({"The table behind it": mo.lazy(table)}))
        return mo.vstack(parts).style({"min-width": "0"})

    _choice = Choice(
        project_id=project.project_id,
        first_date=first_date.value,
        last_date=last_date.value,
        story_types=tuple(type_choice.value),
        label_id=label_choice.value,
        owner_id=owner_choice.value,
    )
    with copy.connect() as _connection:
        _cards = [card(_connection, each, _choice) for each in page_choice.value.pictures]
        _figures = (
            [mo.Html(shown.figures_as_html(_connection, project.project_id))]
            if page_choice.value.name == "overview"
            else []
        )
    mo.vstack([*_figures, *_cards], gap=2)
    return


if __name__ == "__main__":
    app.run()
