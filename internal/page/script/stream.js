// The stream of events that the page lives on. It says when the stream is
// lost, tries again by itself, and rests while nobody sees the page.

const SILENCE_MS = 8000; // a stream that is open and says nothing for so long is made anew
const REFUSED_MS = 5000;

const stream = { source: null, timer: 0, news: 0 };

function connect() {
  clearTimeout(stream.timer);
  stream.source?.close();
  if (document.hidden) return;
  stream.news = performance.now();
  const source = new EventSource("api/events");
  stream.source = source;
  hear(source, "history", rememberAll);
  hear(source, "status", showStatus);
  hear(source, "sessions", showSessions);
  source.onerror = () => {
    lost("Connection lost, trying again.");
    if (source.readyState === EventSource.CLOSED) refused();
  };
}

function hear(source, event, take) {
  source.addEventListener(event, (e) => {
    if (source !== stream.source) return;
    stream.news = performance.now();
    take(JSON.parse(e.data));
    if (event === "status") found();
  });
}

function found() {
  byId("fault").hidden = true;
  document.body.classList.remove("stale");
  put(byId("live"), "● live");
  tone(byId("live"), "good");
}

function lost(why) {
  const age = newest() ? ` What is below is from ${clock(newest()).slice(0, 8)} UTC.` : "";
  put(byId("fault"), why + age);
  byId("fault").hidden = false;
  document.body.classList.add("stale");
  put(byId("live"), "✕ not live");
  tone(byId("live"), "bad");
}

// refused finds out why the browser gave up: an answer that isn't a stream.
async function refused() {
  let why = "Connection lost, trying again.";
  try {
    const abort = new AbortController();
    const answer = await fetch("api/events", { cache: "no-store", signal: abort.signal });
    if (answer.ok) abort.abort();
    else why = `No stream, trying again: ${cut((await answer.text()).trim(), 300)}.`;
  } catch {
    // not to be reached: what is said already
  }
  lost(why);
  stream.timer = setTimeout(connect, REFUSED_MS);
}

function watchStream() {
  setInterval(() => {
    ages();
    if (document.hidden || stream.source?.readyState !== EventSource.OPEN) return;
    if (performance.now() - stream.news > SILENCE_MS) {
      lost("No news, connecting again.");
      connect();
    }
  }, 1000);
  document.addEventListener("visibilitychange", connect);
  connect();
}

function start() {
  chart("c-deliveries", { series: [{ name: "deliveries", kind: "one", label: "" }], format: rate, least: 10, words: "deliveries per second" });
  chart("c-latency", {
    series: [{ name: "p99", kind: "two", label: "p99" }, { name: "p50", kind: "one", label: "p50" }], format: millis, least: 1, words: "latency",
  });
  chart("c-records", { series: [{ name: "records", kind: "one", label: "" }], format: rate, least: 10, words: "records per second" });
  chart("c-sessions", { series: [{ name: "sessions", kind: "one", label: "" }], format: count, least: 10, words: "sessions" });
  chart("c-lag", { series: [{ name: "lag", kind: "one", label: "" }], format: count, least: 10, words: "records behind" });
  startFeed();
  watchStream();
}

start();
