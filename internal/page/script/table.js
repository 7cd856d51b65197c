// Tables whose rows are made once and then only change, so that a selection,
// the focus and the scroll position survive.

const byId = (id) => document.getElementById(id);

function element(kind, name, text) {
  const e = document.createElement(kind);
  if (name) e.className = name;
  if (text !== undefined) e.textContent = text;
  return e;
}

// put changes a text only if it is another one.
function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function tone(node, name) {
  if (node.className !== name) node.className = name;
}

// fill makes the rows of a table's body those given. A row is a list of cells,
// a cell {text, note, tone, bar}: bar is its part of the largest, 0 to 1.
function fill(body, rows) {
  while (body.rows.length > rows.length) body.deleteRow(-1);
  const labels = [...body.closest("table").tHead.rows[0].cells].map((th) => th.textContent);
  rows.forEach((cells, i) => {
    const row = body.rows[i] || addRow(body, labels, cells);
    cells.forEach((cell, j) => show(row.cells[j], cell));
  });
}

function addRow(body, labels, cells) {
  const row = body.insertRow();
  row.setAttribute("role", "row");
  cells.forEach((cell, j) => {
    const td = row.insertCell();
    td.setAttribute("role", "cell");
    td.dataset.label = labels[j];
    td.append(element("span", "value"));
    if (cell.bar !== undefined) {
      td.classList.add("barred");
      td.append(element("span", "bar"));
      td.lastChild.append(element("i"));
    }
  });
  return row;
}

function show(td, cell) {
  const value = td.firstChild;
  put(value, cell.text);
  tone(value, `value ${cell.tone || ""}`);
  if (cell.bar !== undefined) td.querySelector("i").style.width = `${100 * Math.min(1, Math.max(0, cell.bar || 0))}%`;
  let note = td.querySelector(".note");
  if (cell.note && !note) {
    note = element("span", "note");
    td.append(note);
  }
  if (note) put(note, cell.note || "");
}

// STATES: nothing is told by colour alone.
const STATES = {
  ready: ["●", "good"], starting: ["◐", "odd"], degraded: ["▲", "odd"], draining: ["▽", "calm"], gone: ["✕", "bad"],
};

function stateWords(state) {
  const [sign] = STATES[state] || ["?"];
  return `${sign} ${plain(state)}`;
}

function stateTone(state) {
  return (STATES[state] || ["?", "odd"])[1];
}
