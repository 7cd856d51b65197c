// Topics, and the partitions of those that are opened: these are fetched when a
// status comes, so that a stream of thousands of them flows only to who looks.

const PAGE_ROWS = 50;
const open = new Map(); // by topic: {rows, only, order, first, data, asked}
let topics = [];

function showTopics(list, ts) {
  topics = list;
  const body = byId("topics");
  const most = list.reduce((m, t) => Math.max(m, t.records_per_s), 0);
  while (body.rows.length > 2 * list.length) body.deleteRow(-1);
  list.forEach((t, i) => {
    const [row, below] = [body.rows[2 * i] || addTopic(body, i), body.rows[2 * i + 1]];
    const button = row.querySelector("button");
    const state = open.get(t.topic);
    put(button.lastChild, plain(t.topic));
    button.setAttribute("aria-expanded", String(Boolean(state)));
    [
      { text: count(t.partitions), note: t.without_owner ? `${count(t.without_owner)} without owner` : "" },
      { text: t.owners },
      { text: rate(t.records_per_s), bar: part(t.records_per_s, most) },
      { text: count(t.lag), note: behindNote(t) },
    ].forEach((cell, j) => show(row.cells[j + 1], cell));
    below.hidden = !state;
    if (state) showPartitions(below.firstChild, t.topic, state, ts);
  });
  byId("no-topics").hidden = list.length > 0;
}

function behindNote(t) {
  return [
    t.worst !== null && `partition ${t.worst} for ${span(t.lag_s)}`,
    t.open_transaction > 0 && `${count(t.open_transaction)} in open transactions`,
  ].filter(Boolean).join("; ");
}

function addTopic(body, i) {
  const labels = [...body.closest("table").tHead.rows[0].cells].map((th) => th.textContent);
  const row = addRow(body, labels, [{}, {}, {}, { bar: 0 }, {}]);
  const button = element("button", "disclose");
  button.type = "button";
  button.append(element("span", "sign", "▸"), element("span", "name"));
  button.setAttribute("aria-controls", `partitions-${i}`);
  button.onclick = () => {
    const { topic } = topics[i];
    if (!open.delete(topic)) open.set(topic, { only: "all", order: "number", first: 0, data: null, asked: 0 });
    showTopics(topics, newest());
  };
  row.cells[0].replaceChildren(button);
  const below = body.insertRow();
  below.id = `partitions-${i}`;
  below.className = "below";
  below.insertCell().colSpan = labels.length;
  return row;
}

// showPartitions asks for news, and shows what is there.
function showPartitions(cell, topic, state, ts) {
  if (cell.dataset.topic !== topic) {
    cell.dataset.topic = topic;
    cell.replaceChildren(byId("partitions-template").content.cloneNode(true));
    control(cell, topic);
  }
  if (state.asked !== ts) {
    state.asked = ts;
    ask(topic, state);
  }
  if (state.data) drawPartitions(cell, state);
}

async function ask(topic, state) {
  try {
    const answer = await fetch(`api/partitions?topic=${encodeURIComponent(topic)}`, { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (!answer.ok) return;
    state.data = await answer.json();
  } catch {
    return; // the stream tells that the connection is lost
  }
  const cell = [...byId("topics").querySelectorAll(".below > td")].find((td) => td.dataset.topic === topic && !td.parentNode.hidden);
  if (cell) drawPartitions(cell, state);
}

function control(cell, topic) {
  const change = (how) => {
    const state = open.get(topic);
    if (!state) return;
    how(state);
    if (state.data) drawPartitions(cell, state);
  };
  const [only, order] = cell.querySelectorAll("select");
  only.value = open.get(topic).only;
  order.value = open.get(topic).order;
  only.onchange = () => change((s) => Object.assign(s, { only: only.value, first: 0 }));
  order.onchange = () => change((s) => Object.assign(s, { order: order.value, first: 0 }));
  const [back, on] = cell.querySelectorAll("button");
  back.onclick = () => change((s) => { s.first = Math.max(0, s.first - PAGE_ROWS); });
  on.onclick = () => change((s) => { s.first += PAGE_ROWS; });
}

// chosen are the indexes of the partitions that are asked for, in their order.
function chosen(d, only, order) {
  const wanted = { all: () => true, behind: (i) => d.lag[i] > 0 || d.lag_s[i] > 0, orphans: (i) => d.owner[i] === null }[only];
  const before = {
    number: (a, b) => d.partition[a] - d.partition[b],
    lag: (a, b) => d.lag_s[b] - d.lag_s[a] || d.lag[b] - d.lag[a] || a - b,
    rate: (a, b) => d.records_per_s[b] - d.records_per_s[a] || a - b,
    owner: (a, b) => (d.owner[a] ?? -1) - (d.owner[b] ?? -1) || a - b,
  }[order];
  return d.partition.map((_, i) => i).filter(wanted).sort(before);
}

function drawPartitions(cell, state) {
  const d = state.data;
  const list = chosen(d, state.only, state.order);
  state.first = Math.min(state.first, Math.max(0, list.length - 1));
  state.first -= state.first % PAGE_ROWS;
  const shown = list.slice(state.first, state.first + PAGE_ROWS);
  const most = d.records_per_s.reduce((m, v) => Math.max(m, v), 0);
  fill(cell.querySelector("tbody"), shown.map((i) => [
    { text: String(d.partition[i]) },
    { text: d.owner[i] === null ? "nobody" : `worker ${d.owner[i]}`, tone: d.owner[i] === null ? "bad" : "" },
    { text: count(d.term[i]) },
    { text: d.position[i] < 0 ? "none" : byThousands.format(d.position[i]) },
    { text: rate(d.records_per_s[i]), bar: part(d.records_per_s[i], most) },
    { text: count(d.lag[i]) },
    { text: d.lag_s[i] ? span(d.lag_s[i]) : NONE },
  ]));
  const [back, on] = cell.querySelectorAll("button");
  back.disabled = state.first === 0;
  on.disabled = state.first + PAGE_ROWS >= list.length;
  put(cell.querySelector(".range"), list.length === 0 ? "none" : `${count(state.first + 1)} to ${count(state.first + shown.length)} of ${count(list.length)}`);
}
