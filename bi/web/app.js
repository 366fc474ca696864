'use strict';
// The page of the dashboard and of the report. The dashboard requests data from its server; the
// report contains it. Text from the data is always inserted as text, never as HTML.

const byId = (id) => document.getElementById(id);
const embedded = byId('data') ? JSON.parse(byId('data').textContent) : null;
const packedStories = byId('stories')?.textContent;  // only in a report; empty if there are too many
const hasStories = Boolean(!embedded || packedStories);
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const dark = matchMedia('(prefers-color-scheme: dark)');
const wide = matchMedia('(min-width: 44rem)');

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// ---- The URL's fragment contains everything that the user has chosen.

const FILTERS = {dates: ['from', 'to'], types: ['types'], label: ['label'], owner: ['owner']};

const readState = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

function address(state) {
  const kept = Object.entries(state).filter(([, value]) => value !== '' && value != null);
  return `#${new URLSearchParams(kept)}`;
}

function go(state) {
  if (address(state) === (location.hash || '#')) render();
  else location.hash = address(state);
}

const storyAddress = (id) => address({story: id});
const pageAddress = (project, page, more = {}) => address({project, page, ...more});

// The address of the story or iteration of a row or point, or null. The report has a page of the
// current iteration only, and pages of stories unless there are too many.
function destination(row, project) {
  if (row?.story_id && hasStories) return storyAddress(row.story_id);
  const iteration = row?.iteration_number;
  if (!iteration || !project) return null;
  if (embedded && iteration !== projectOf(project).current_iteration_number) return null;
  return pageAddress(project, 'iteration', {iteration});
}

// ---- Requests.

class Problem extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function ask(path, asked = {}) {
  const query = new URLSearchParams(
    Object.entries(asked).filter(([, value]) => value !== '' && value != null)).toString();
  if (embedded) {
    const answer = path === 'story' ? (await embeddedStories()).pages?.[asked.story]
      : path === 'search' ? searchEmbedded(await embeddedStories(), asked) : embedded[query ? `${path}?${query}` : path];
    if (!answer) throw new Problem('The report does not contain this. See the dashboard: make dashboard.');
    return answer;
  }
  let response;
  try {
    response = await fetch(`/api/${path}?${query}`);
  } catch {
    throw new Problem('The dashboard has stopped. Start it again: make dashboard.');
  }
  const answer = await response.json();
  if (!response.ok) throw new Problem(answer.problem, response.status);
  return answer;
}

let unpacked = null;  // the stories in the report, from the first that is opened or searched for

function embeddedStories() {
  unpacked ??= packedStories ? new Response(new Blob([Uint8Array.from(atob(packedStories), (each) => each.charCodeAt(0))])
    .stream().pipeThrough(new DecompressionStream('gzip'))).json() : {};
  return unpacked;
}

// Finds stories as the server does (bi/answers.py).
function searchEmbedded({searched}, {q, project}) {
  if (!searched) return null;
  const words = q.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '').normalize('NFC');
  const terms = words.replaceAll('#', ' ').split(/\s+/).filter(Boolean).slice(0, 8);
  const rows = searched.table.rows.filter((_, index) =>
    (!project || searched.project_ids[index] === Number(project))
    && terms.every((term) => searched.words[index].includes(term)));
  const isNumber = (row) => String(row[0]) === terms[0];
  rows.sort((one, other) => isNumber(other) - isNumber(one));
  return {story_count: rows.length, table: {...searched.table, rows: rows.slice(0, searched.max_results)}};
}

// ---- Formatting.

function day(text) {
  const [year, month, date] = text.slice(0, 10).split('-').map(Number);
  return `${date} ${MONTHS[month - 1]} ${year}`;
}

let zone = 'UTC';

function instant(text) {
  const form = {
    year: 'numeric', month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit',
    hourCycle: 'h23',
  };
  let parts;
  try {
    parts = new Intl.DateTimeFormat('en', {...form, timeZone: zone}).formatToParts(new Date(text));
  } catch {
    parts = new Intl.DateTimeFormat('en', {...form, timeZone: 'UTC'}).formatToParts(new Date(text));
  }
  const part = Object.fromEntries(parts.map((each) => [each.type, each.value]));
  return `${part.day} ${MONTHS[part.month - 1]} ${part.year}, ${part.hour}:${part.minute}`;
}

const number = (value, digits) => Number(value).toLocaleString('en', {maximumFractionDigits: digits});
const percent = (value) => `${Math.round(value * 100)} %`;
const plural = (count, noun) => `${number(count, 1)} ${count === 1 ? noun : `${noun}s`}`;

function days(value) {
  if (value < 1 / 24) return plural(Math.round(value * 1440), 'minute');
  if (value < 23.5 / 24) return plural(Math.round(value * 24), 'hour');
  return plural(value < 10 ? Math.round(value * 10) / 10 : Math.round(value), 'day');
}

function formatted(value, kind) {
  if (value === null || value === undefined || value === '') return '–';
  switch (kind) {
    case 'date': return day(value);
    case 'month': { const [year, month] = value.split('-'); return `${MONTHS[month - 1]} ${year}`; }
    case 'instant': return instant(value);
    case 'days': return number(value, 1);
    case 'points': return number(value, 2);
    case 'count': return number(value, 0);
    case 'share': return percent(value);
    case 'yes': return value ? 'yes' : 'no';
    default: return String(value);
  }
}

const NUMBERS = new Set(['days', 'points', 'count', 'share', 'whole']);

// ---- Tables.

function csv(table) {
  const cell = (value) => {
    let text = value === null || value === undefined ? '' : String(value);
    // Spreadsheets would run such text as a formula; the apostrophe marks it as text.
    if (typeof value === 'string' && /^\s*[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(text)) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [table.columns.map((column) => column.name), ...table.rows];
  return `\uFEFF${lines.map((line) => line.map(cell).join(',')).join('\r\n')}\r\n`;
}

// Columns that link, and the column with the id that they link to.
const KEYS = {story_id: 'story_id', story_name: 'story_id', iteration_number: 'iteration_number'};

function cellOf(column, value, row, places, project) {
  const made = make('td', {
    class: NUMBERS.has(column.kind) ? 'number'
      : column.kind === 'date' || column.kind === 'instant' ? 'day'
        : column.name === 'story_name' || places[column.name] === 0 ? 'text title' : 'text',
    'data-label': column.label,
  });
  const text = column.name === 'story_id' && value !== null ? `#${value}` : formatted(value, column.kind);
  const key = KEYS[column.name];
  const place = places[key];
  const href = place === undefined ? null : destination({[key]: row[place]}, project);
  made.append(href ? make('a', {href}, text) : text);
  return made;
}

function tableOf(table, caption, project, name) {
  const places = Object.fromEntries(table.columns.map((column, index) => [column.name, index]));
  let rows = table.rows;
  let shownRows = wide.matches ? 200 : 20;
  const body = make('tbody');
  const more = make('button', {type: 'button', onclick: () => { shownRows *= 5; fill(); }});
  const fill = () => {
    body.replaceChildren(...rows.slice(0, shownRows).map((row) => make('tr', {},
      ...table.columns.map((column, index) => cellOf(column, row[index], row, places, project)))));
    more.hidden = rows.length <= shownRows;
    more.textContent = `Show more of ${number(rows.length, 0)} rows`;
  };
  const heads = sortButtons(table.columns.map((column, index) => ({...column, key: index})), (order) => {
    rows = [...table.rows].sort(order);
    fill();
  });
  fill();
  const tools = make('div', {class: 'tools'}, more);
  if (name) tools.append(make('button', {type: 'button', onclick: () => download(table, name)}, 'Download as CSV'));
  return make('div', {}, framed(caption, heads, body), tools);
}

// A table that scrolls. On a narrow screen, its rows are cards; see style.css.
const framed = (caption, heads, body) => make('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption},
  make('table', {}, make('caption', {class: 'unseen'}, caption), make('thead', {}, make('tr', {}, ...heads)), body));

// Table headings that sort the rows by their column: ascending first, and descending the next time.
function sortButtons(columns, sort) {
  let sorted = null;
  return columns.map((column) => make('th', {scope: 'col', class: NUMBERS.has(column.kind) ? 'number' : null},
    make('button', {type: 'button', onclick: (event) => {
      const head = event.target.parentElement;
      const isAscending = sorted !== head || head.getAttribute('aria-sort') !== 'ascending';
      sorted?.removeAttribute('aria-sort');
      sorted = head;
      head.setAttribute('aria-sort', isAscending ? 'ascending' : 'descending');
      sort((one, two) => compare(one[column.key], two[column.key], isAscending ? 1 : -1));
    }}, column.label)));
}

// Unknown values come last in both directions.
function compare(one, two, direction) {
  if (one === null || two === null) return one === two ? 0 : one === null ? 1 : -1;
  if (typeof one === 'number' && typeof two === 'number') return (one - two) * direction;
  return String(one).localeCompare(String(two), 'en', {numeric: true}) * direction;
}

function download(table, name) {
  const url = URL.createObjectURL(new Blob([csv(table)], {type: 'text/csv;charset=utf-8'}));
  make('a', {href: url, download: `${name}.csv`}).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// ---- Charts.

let vegaLoaded = null;

function loadVega() {
  vegaLoaded ??= window.vegaEmbed ? Promise.resolve() : new Promise((resolve, reject) => {
    if (embedded) addEventListener('vega', resolve, {once: true});
    else document.head.append(make('script', {type: 'module', src: '/vega.js', onload: resolve, onerror: reject}));
  });
  return vegaLoaded;
}

function chartConfig() {
  const style = getComputedStyle(document.documentElement);
  const [ink, quiet, line] = ['--ink', '--quiet', '--line'].map((name) => style.getPropertyValue(name).trim());
  return {
    font: 'system-ui, sans-serif',
    axis: {labelColor: quiet, titleColor: quiet, gridColor: line, domainColor: line, tickColor: line,
      titleFontWeight: 'normal', labelFontSize: 11, titleFontSize: 12, labelLimit: wide.matches ? 280 : 110},
    legend: {labelColor: ink, titleColor: quiet, symbolBaseFillColor: quiet, symbolBaseStrokeColor: quiet, titleFontWeight: 'normal', orient: 'top',
      symbolLimit: 12, labelLimit: 160, columns: wide.matches ? 5 : 2},
    view: {stroke: null},
    text: {color: ink},
  };
}

async function draw(place, spec, project) {
  await loadVega();
  const {view} = await window.vegaEmbed(place, spec, {
    renderer: 'svg', actions: false, config: chartConfig(), tooltip: {theme: dark.matches ? 'dark' : 'light'},
    formatLocale: {decimal: '.', thousands: ',', grouping: [3], currency: ['', ''], percent: '\u00a0%'},
  });
  place.classList.remove('waiting');
  place.querySelector('svg')?.setAttribute('focusable', 'false');
  view.addEventListener('click', (event, item) => {
    const target = destination(item?.datum, project);
    if (target) location.hash = target;
  });
  view.addEventListener('mouseover', (event, item) => {
    place.style.cursor = destination(item?.datum, project) ? 'pointer' : '';
  });
}

// Draw charts when they become visible, because a page has many.
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    watcher.unobserve(entry.target);
    entry.target.drawNow();
  }
}, {rootMargin: '300px'});

// ---- Pages.

let start = null;
let options = {};
let view = {};  // what the page displays: {key, cards}
let queryInAddress = '';  // what the search field was last set to
let latestRendering = 0;  // the number of the latest rendering; responses to older ones are ignored

const projectOf = (id) => start.projects.find((each) => String(each.project_id) === String(id));

async function render() {
  const rendering = ++latestRendering;
  const state = readState();
  byId('main').setAttribute('aria-busy', 'true');
  try {
    if (!start) start = await ask('start');
    if (rendering !== latestRendering) return;
    fillTop(state);
    if (state.story) await showStory(state, rendering);
    else if (state.q !== undefined) await showSearch(state, rendering);
    else if (state.project) await showProject(state, rendering);
    else showProjects();
  } catch (error) {
    if (rendering !== latestRendering) return;
    if (!(error instanceof Problem)) throw error;
    showProblem(error.message);
  } finally {
    if (rendering === latestRendering) {
      byId('main').setAttribute('aria-busy', 'false');
      byId('main').dataset.address = location.hash;
    }
  }
}

function begin(key, title, ...children) {
  const isNew = view.key !== key;
  view = {key, cards: new Map()};
  document.title = title === 'Pivotal Tracker' ? title : `${title} – Pivotal Tracker`;
  byId('main').replaceChildren(...children.filter(Boolean));
  if (isNew) { scrollTo(0, 0); if (document.activeElement === document.body) byId('main').focus({preventScroll: true}); }
}

function showProblem(message) {
  if (!start) {
    begin('problem', 'Pivotal Tracker', make('h1', {}, 'There is nothing to show yet'),
      make('p', {class: 'problem', role: 'alert'}, message),
      make('p', {}, 'Load data with ', make('code', {}, 'make ingest'), ', build the marts with ',
        make('code', {}, 'make build'), ', and reload this page. The README says how to read your own Tracker data.'));
    return;
  }
  begin('problem', 'Pivotal Tracker', make('h1', {}, 'This page cannot be displayed'),
    make('p', {class: 'problem', role: 'alert'}, message),
    make('p', {}, make('a', {href: '#'}, 'All projects')));
}

function fillTop(state) {
  const choice = byId('project');
  if (choice.options.length !== start.projects.length + 1) {
    choice.replaceChildren(make('option', {value: ''}, 'Choose a project'), ...start.projects.map((each) =>
      make('option', {value: each.project_id}, each.project_name)));
  }
  choice.value = projectOf(state.project) ? state.project : '';
  byId('search').hidden = !hasStories;
  // Not at every drawing: somebody may be typing while the page loads.
  if (queryInAddress !== (state.q ?? '')) byId('query').value = queryInAddress = state.q ?? '';
  byId('footer').textContent = `From ${start.publication.sources || 'nothing'}. `
    + `Published ${instant(start.publication.published_at)} (${zone}).`
    + (hasStories ? '' : ' There are too many stories for this report to contain their pages; the dashboard has them (make dashboard).');
  const listed = projectOf(state.project) && state.q === undefined
    ? start.pages.filter((page) => page.is_listed) : [];
  const name = state.page || 'overview';
  byId('pages').replaceChildren(...listed.map((page) => make('a', {
    href: pageAddress(state.project, page.name, sharedFilters(state, page)),
    'aria-current': page.name === name || (name === 'iteration' && page.name === 'iterations') ? 'page' : null,
  }, page.title)));
  const current = byId('pages').querySelector('[aria-current]');
  if (current) byId('pages').scrollLeft = current.offsetLeft - 60;
}

// The current filters that the page also offers.
function sharedFilters(state, page) {
  const names = page.filters.flatMap((each) => FILTERS[each]);
  return Object.fromEntries(names.filter((name) => state[name]).map((name) => [name, state[name]]));
}

function sparkline(values) {
  const known = (values ?? []).filter((value) => value !== null);
  if (known.length < 2) return '–';
  const most = Math.max(...known, 1);
  const points = known.map((value, index) =>
    `${(index / (known.length - 1)) * 92 + 2},${24 - (value / most) * 22}`).join(' ');
  const label = `Velocity of the last ${known.length} iterations, from ${known[0]} to ${known.at(-1)} points`;
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  for (const [name, value] of Object.entries({class: 'spark', viewBox: '0 0 96 26', role: 'img', 'aria-label': label})) {
    svg.setAttribute(name, value);
  }
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'polyline');
  line.setAttribute('points', points);
  svg.append(line);
  return svg;
}

function verdict(row) {
  if (!row.release_name) return '–';
  const tone = row.release_verdict.startsWith('late') ? 'late' : row.release_verdict === 'on time' ? 'fine' : '';
  return make('span', {}, `${row.release_name}: `, make('span', {class: tone}, row.release_verdict));
}

const PROJECT_COLUMNS = [
  ['Project', 'project_name', (row) => make('a', {href: pageAddress(row.project_id, 'overview')}, row.project_name)],
  ['As of', 'as_of_date', (row) => day(row.as_of_date)],
  ['Velocity', 'current_velocity', (row) => (row.current_velocity === null ? '–' : plural(row.current_velocity, 'point'))],
  ['Trend', 'current_velocity', (row) => sparkline(row.velocities)],
  ['Stories per week', 'weekly_count', (row) => (row.weekly_count === null ? '–' : number(row.weekly_count, 1))],
  ['85 % lead time', 'lead_days', (row) => (row.lead_days === null ? '–' : days(row.lead_days))],
  ['85 % cycle time', 'cycle_days', (row) => (row.cycle_days === null ? '–' : days(row.cycle_days))],
  ['In progress', 'wip_count', (row) => number(row.wip_count, 0)],
  ['Rejected', 'rejection_rate', (row) => (row.rejection_rate === null ? '–' : percent(row.rejection_rate))],
  ['Next release', 'late_days', verdict],
  ['Missing data', 'missing', (row) => (row.story_count ? row.missing || 'nothing' : 'stories')],
];

function showProjects() {
  zone = 'UTC';
  let rows = start.projects;
  const filter = make('input', {type: 'search', id: 'project-filter', oninput: () => fill()});
  const body = make('tbody');
  const fill = () => {
    const words = filter.value.toLowerCase();
    body.replaceChildren(...rows.filter((row) => row.project_name.toLowerCase().includes(words))
      .map((row) => make('tr', {}, ...PROJECT_COLUMNS.map(([label, key, content]) =>
        make('td', {class: key === 'project_name' ? 'title' : null, 'data-label': label}, content(row))))));
  };
  const heads = sortButtons(PROJECT_COLUMNS.map(([label, key]) => ({label, key})), (order) => {
    rows = [...start.projects].sort(order);
    fill();
  });
  fill();
  const late = start.projects.reduce((sum, row) => sum + row.late_count, 0);
  const known = start.projects.filter((row) => row.is_active !== null);
  const active = known.filter((row) => row.is_active).length;
  begin('projects', 'Pivotal Tracker',
    make('h1', {}, 'All projects'),
    start.projects.length === 0
      ? make('p', {class: 'note'}, 'The published copy has no project. Load one with make ingest, then make build.')
      : make('p', {class: 'answer'}, (known.length ? `${active} of ${plural(known.length, 'project')} had activity in the last 30 days of their data; ` : 'It is unknown which projects were active; ')
        + (late ? `${plural(late, 'release')} will probably be late.` : 'no release is forecast to be late.')),
    make('div', {class: 'tools'}, make('label', {for: 'project-filter'}, 'Name contains'), filter),
    make('section', {class: 'card projects'}, framed('All projects', heads, body),
    make('details', {}, make('summary', {}, 'What this shows'), make('p', {class: 'prose'},
      'As of: the date of the project’s data. Velocity: Tracker’s, after the last finished iteration; '
      + 'trend: the velocities of the last 20. Stories per week: the mean of the last 12 complete weeks. Lead time: from creation to acceptance, '
      + 'cycle time: time in progress until acceptance; 85 % of the stories accepted in the last 180 days took at most that long, if there are five or more. '
      + 'Rejected: of the features and bugs accepted in the last 6 iterations, those rejected at least once. '
      + 'Next release: the open release with stories that has the earliest deadline; it is late if its 85 % forecast date is after its deadline.'))));
}

function figures(row) {
  const boxes = [
    ['velocity', row.current_velocity === null ? '–' : plural(row.current_velocity, 'point'), 'Velocity per iteration'],
    ['velocity', row.velocity_volatility === null ? '–' : percent(row.velocity_volatility), 'Volatility (0 % is steady)'],
    ['cycle-time', row.cycle_days === null ? '–' : days(row.cycle_days), '85 % of cycle times at most, last 180 days'],
    ['cycle-time', row.lead_days === null ? '–' : days(row.lead_days), '85 % of lead times at most, last 180 days'],
    ['flow', row.weekly_count === null ? '–' : number(row.weekly_count, 1), 'Stories accepted per week, mean of 12 weeks'],
    ['rework', row.rejection_rate === null ? '–' : percent(row.rejection_rate), 'Rejected, last 6 iterations'],
    ['plans', row.release_name ? row.release_verdict : '–', row.release_name ? `Next: ${row.release_name}` : 'No open release'],
  ];
  return make('div', {class: 'figures'}, ...boxes.map(([page, value, label]) =>
    make('a', {href: pageAddress(row.project_id, page)}, make('b', {}, value), make('span', {}, label))));
}

async function showProject(state, rendering) {
  const row = projectOf(state.project);
  if (!row) throw new Problem(`There is no project ${state.project} in the published copy.`);
  const page = start.pages.find((each) => each.name === (state.page || 'overview'));
  if (!page) throw new Problem(`There is no page called “${state.page}”.`);
  zone = row.time_zone;
  const key = `${state.project} ${page.name}`;
  if (view.key !== key) buildPage(key, row, page, state);
  fillFilters(row, page, state);
  const asked = {project: state.project};
  if (!embedded) {
    for (const name of page.filters.flatMap((each) => FILTERS[each])) asked[name] = state[name];
    if (page.name === 'iteration') asked.iteration = state.iteration;
  }
  // In order, two at a time: many queries at once would delay the first picture.
  const cards = view.cards.values();
  const fillCards = async () => {
    for (const card of cards) {
      let answer;
      try {
        answer = await ask('picture', {name: card.name, ...asked});
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (rendering !== latestRendering) return;
        if (error.status === 400) showPageProblem(error.message);
        else card.root.replaceChildren(card.root.querySelector('h2'), make('p', {class: 'problem', role: 'alert'}, error.message));
        continue;
      }
      if (rendering !== latestRendering) return;
      fillCard(card, answer, asked);
    }
  };
  await Promise.all([fillCards(), fillCards()]);
  if (rendering === latestRendering) byId('status').textContent = `${page.title} of ${row.project_name}`;
}

function showPageProblem(message) {
  const place = byId('page-problem');
  place.hidden = false;
  place.textContent = message;
  for (const card of view.cards.values()) card.root.hidden = true;
}

function buildPage(key, row, page, state) {
  const title = page.name === 'iteration' ? 'Iteration' : page.title;
  begin(key, `${title} – ${row.project_name}`,
    make('div', {class: 'head'}, make('h1', {}, `${row.project_name}: ${title.toLowerCase()}`),
      make('p', {class: 'quiet'}, `As of ${day(row.as_of_date)}, days in ${row.time_zone}`)),
    row.gap && row.remedies ? make('details', {class: 'note'}, make('summary', {}, row.gap), make('p', {}, row.remedies))
      : row.gap ? make('p', {class: 'note'}, row.gap) : null,
    // The figures do not follow the filters.
    page.name === 'overview' ? figures(row) : null,
    make('div', {id: 'filter-place'}),
    make('p', {class: 'problem', role: 'alert', id: 'page-problem', hidden: true}),
    make('div', {class: 'cards', id: 'cards'}));
  for (const picture of page.pictures) {
    const card = {
      name: picture.name,
      question: picture.question,
      root: make('section', {class: picture.is_wide ? 'card wide' : 'card', id: picture.name,
        'aria-labelledby': `${picture.name}-question`}),
    };
    card.root.append(make('h2', {id: `${picture.name}-question`}, picture.question),
      make('p', {class: 'answer'}, '\u00A0'), picture.is_table ? '' : make('div', {class: 'chart waiting'}));
    view.cards.set(picture.name, card);
    byId('cards').append(card.root);
  }
}

function fillCard(card, answer, asked) {
  byId('page-problem').hidden = true;
  card.root.hidden = false;
  const parts = [card.root.querySelector('h2')];
  if (answer.answer || answer.empty) parts.push(make('p', {class: 'answer'}, answer.answer || answer.empty));
  if (answer.spec) {
    const place = make('div', {class: 'chart waiting'});
    place.drawNow = () => draw(place, answer.spec, asked.project);
    parts.push(place);
    watcher.observe(place);
  } else if (answer.table?.rows.length) {
    parts.push(tableOf(answer.table, answer.question, asked.project, card.name));
  }
  const definition = make('details', {}, make('summary', {}, 'What this shows'), make('p', {class: 'prose'}, answer.definition));
  const fillDefinition = (full) => definition.append(...(full.measures ?? []).map((each) =>
    make('p', {class: 'analyst'}, make('code', {}, each.column), `: ${each.text}`)));
  const full = answer.measures ? Promise.resolve(answer) : null;
  const askFull = () => full ?? ask('picture', {name: card.name, ...asked, table: '1'});
  definition.addEventListener('toggle', async () => fillDefinition(await askFull()), {once: true});
  parts.push(definition);
  if (answer.spec) {
    const details = make('details', {}, make('summary', {}, `Table (${plural(answer.row_count, 'row')})`));
    details.addEventListener('toggle', async () => {
      const table = (await askFull()).table;
      details.append(tableOf(table, answer.question, asked.project, card.name));
      if (answer.row_count > table.rows.length) {
        details.append(make('p', {class: 'quiet'}, `The first ${number(table.rows.length, 0)} of ${number(answer.row_count, 0)} rows.`));
      }
    }, {once: true});
    parts.push(details);
  }
  card.root.replaceChildren(...parts);
}

// ---- Filters.

async function fillFilters(row, page, state) {
  const place = byId('filter-place');
  if (embedded) {
    if (page.filters.includes('dates') && !place.firstChild) {
      place.append(make('p', {class: 'quiet'}, `From ${day(row.default_first_date)} to ${day(row.as_of_date)}.`));
    }
    return;
  }
  if (!page.filters.length && page.name !== 'iteration') return;
  const id = row.project_id;
  options[id] ??= await ask('options', {project: id});
  if (!place.isConnected) return;
  if (!place.firstChild) buildFilters(place, row, page, options[id]);
  const form = place.querySelector('form');
  const current = {from: row.default_first_date, to: row.as_of_date, ...state};
  for (const name of ['from', 'to', 'label', 'owner', 'iteration']) {
    if (form.elements[name]) form.elements[name].value = current[name] ?? '';
  }
  if (form.elements.iteration && !state.iteration) form.elements.iteration.selectedIndex = 0;
  const types = state.types ? state.types.split(',') : start.types;
  for (const box of form.querySelectorAll('[name=types]')) box.checked = types.includes(box.value);
  stepButtons(form);
  const iteration = form.elements.iteration?.value;
  if (iteration) document.querySelector('h1').textContent = `${row.project_name}: iteration ${iteration}`;
}

function buildFilters(place, row, page, known) {
  const field = (label, control) => make('label', {}, make('span', {}, label), control);
  const list = (name, label, all) => field(label, make('select', {name}, make('option', {value: ''}, 'all'),
    ...all.map((each) => make('option', {value: each.id}, each.name))));
  const form = make('form', {onchange: () => choose(form, row, page), onsubmit: (event) => event.preventDefault()});
  if (page.name === 'iteration') {
    form.append(field('Iteration', make('select', {name: 'iteration'}, ...known.iterations.map((each) => make('option', {value: each.iteration_number},
      `${each.iteration_number}: ${day(each.start_date)} to ${day(each.last_date)}${each.is_current ? ', now' : ''}`)))),
    make('button', {type: 'button', name: 'earlier', onclick: () => step(form, row, page, 1)}, 'Earlier'),
    make('button', {type: 'button', name: 'later', onclick: () => step(form, row, page, -1)}, 'Later'));
  }
  if (page.filters.includes('dates')) {
    form.append(field('From', make('input', {type: 'date', name: 'from'})), field('To', make('input', {type: 'date', name: 'to'})));
  }
  if (page.filters.includes('types')) {
    form.append(make('fieldset', {}, make('legend', {}, 'Type'), ...start.types.map((type) =>
      make('label', {}, make('input', {type: 'checkbox', name: 'types', value: type}), ` ${type}`))));
  }
  if (page.filters.includes('label')) form.append(list('label', 'Label', known.labels));
  if (page.filters.includes('owner')) form.append(list('owner', 'Owner', known.owners));
  if (page.filters.length) {
    form.append(make('button', {type: 'button', onclick: () => go({project: row.project_id, page: page.name})}, 'Reset'));
  }
  place.replaceChildren(make('details', {class: 'filters', open: wide.matches || page.name === 'iteration'},
    make('summary', {}, page.name === 'iteration' ? 'Choose the iteration' : 'Filters'), form));
}

function stepButtons(form) {
  const choice = form.elements.iteration;
  if (!choice) return;
  form.elements.earlier.disabled = choice.selectedIndex >= choice.options.length - 1;
  form.elements.later.disabled = choice.selectedIndex <= 0;
}

function step(form, row, page, by) {
  form.elements.iteration.selectedIndex += by;
  choose(form, row, page);
}

function choose(form, row, page) {
  const value = (name) => form.elements[name]?.value ?? '';
  const state = {project: row.project_id, page: page.name};
  if (value('from') !== row.default_first_date) state.from = value('from');
  if (value('to') !== row.as_of_date) state.to = value('to');
  const types = [...form.querySelectorAll('[name=types]')].filter((box) => box.checked).map((box) => box.value);
  if (types.length && types.length < start.types.length) state.types = types.join(',');
  go({...state, label: value('label'), owner: value('owner'), iteration: value('iteration')});
}

// ---- Stories.

async function showSearch(state, rendering) {
  if (!state.q.trim()) {
    begin('search', 'Find stories', make('h1', {}, 'Find stories'),
      make('p', {}, 'Type a story’s number, or words from its title, label, epic or owner, and press Enter.'));
    return;
  }
  const found = await ask('search', {q: state.q, project: state.project});
  if (rendering !== latestRendering) return;
  const count = found.story_count === 1 ? '1 story' : `${number(found.story_count, 0)} stories`;
  const row = projectOf(state.project);
  begin('search', `“${state.q}”`, make('h1', {}, `${count} for “${state.q}”`),
    make('p', {class: 'quiet'}, row ? `In ${row.project_name}. ` : 'In all projects. ',
      row ? make('a', {href: address({q: state.q})}, 'Search all projects') : ''),
    found.story_count === 0 ? make('p', {}, 'No story contains all these words in its number, title, labels, epics or owners. Try fewer words.')
      : make('section', {class: 'card'}, tableOf(found.table, 'Stories found', null, 'stories'),
        found.story_count > found.table.rows.length ? make('p', {class: 'quiet'}, `The ${found.table.rows.length} changed last are listed. More words narrow the search.`) : null));
  byId('status').textContent = `${count} found`;
}

async function showStory(state, rendering) {
  const story = await ask('story', {story: state.story});
  if (rendering !== latestRendering) return;
  zone = story.time_zone;
  fillTop({...state, project: String(story.project_id), page: 'story'});
  const facts = make('dl', {class: 'story-facts'}, ...story.facts.flatMap((fact) => [
    make('dt', {}, fact.label), make('dd', {}, fact.is_instant ? instant(fact.value) : String(fact.value))]));
  const card = (title, ...children) => make('section', {class: 'card'}, make('h2', {}, title), ...children);
  const parts = [card('Details', facts,
    make('p', {class: 'quiet'}, story.url ? make('a', {href: story.url, rel: 'noopener noreferrer', target: '_blank'}, 'Open in Tracker') : ''))];
  parts.push(timeline(story, card));
  if (story.description) {
    parts.push(card('Description', make('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Description'},
      make('p', {class: 'prose'}, story.description))));
  }
  for (const list of story.lists) {
    parts.push(list.title === 'Comments' ? comments(list, card)
      : card(list.title, tableOf(list.table, list.title, story.project_id, null)));
  }
  begin(`story ${state.story}`, story.name,
    make('p', {class: 'quiet'}, make('a', {href: pageAddress(story.project_id, 'overview')}, story.project_name ?? 'Project'), ` · story #${story.id}`),
    make('h1', {}, story.name), make('div', {class: 'cards'}, ...parts));
}

function timeline(story, card) {
  if (!story.states.length) {
    return card('State history', make('p', {}, 'No state changes are known. Load the project’s activities, from the API or an archive, to see them.'));
  }
  // The present state has not ended; compared with it, the others of an old story would look like nothing.
  const longest = Math.max(...story.states.slice(0, -1).map((each) => each.lasted_days ?? 0), 1e-9);
  const rows = story.states.map((each) => {
    const bar = make('span', {class: 'bar'});
    bar.style.background = each.color;
    bar.style.width = `${Math.min((each.lasted_days ?? 0) / longest, 1) * 100}%`;
    return make('tr', {}, make('td', {class: 'day title'}, each.story_state), make('td', {class: 'day', 'data-label': 'Since'}, instant(each.entered_at)),
      make('td', {class: 'number', 'data-label': 'For'}, each.lasted_days === null ? '–' : days(each.lasted_days)), make('td', {class: 'length'}, bar),
      make('td', {class: 'text', 'data-label': 'Moved by'}, each.moved_by ?? '–'));
  });
  const heads = ['State', 'Since', 'For', 'Length', 'Moved by'].map((text) => make('th', {scope: 'col'}, text));
  return card('State history', framed('States of the story', heads, make('tbody', {}, ...rows)));
}

function comments(list, card) {
  const place = Object.fromEntries(list.table.columns.map((column, index) => [column.name, index]));
  return card(`Comments (${list.table.rows.length})`, ...list.table.rows.map((row) => make('div', {class: 'comment'},
    make('p', {class: 'quiet'}, `${row[place.author] ?? 'Somebody'}, ${instant(row[place.created_at])}`),
    make('p', {class: 'prose'}, row[place.comment] ?? '(a file only, or hidden)'))));
}

// ---- Start.

byId('project').addEventListener('change', (event) => {
  const state = readState();
  const page = start.pages.find((each) => each.name === state.page && each.is_listed);
  go(event.target.value ? {project: event.target.value, page: page?.name ?? 'overview'} : {});
});
byId('search').addEventListener('submit', (event) => {
  event.preventDefault();
  const {project} = readState();
  go({q: byId('query').value, project: project ?? ''});
});
byId('skip').addEventListener('click', (event) => {
  event.preventDefault();
  byId('main').focus();
});
addEventListener('hashchange', render);
// Draw again after the colour scheme or the layout has changed, unless it changes back at once.
const drawnFor = () => `${dark.matches} ${wide.matches}`;
let lastDrawnFor = drawnFor();
for (const each of [dark, wide]) {
  each.addEventListener('change', () => setTimeout(() => {
    if (drawnFor() === lastDrawnFor) return;
    lastDrawnFor = drawnFor();
    view = {};
    render();
  }, 300));
}
render();
// Load the charts' script before the first chart is requested.
if (!embedded) setTimeout(loadVega, 50);
