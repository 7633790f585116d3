// Saves what is on the timeline as a file. The page's own process writes it; names and merges are those of now.

import { rootOf } from "./words.js";

const ADDED = new Set(["is", "stream", "startUs", "endUs"]);

export function showExport(store) {
  const form = document.getElementById("export");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { state } = store;
    const [ending, stream] = [form.elements.ending.value, state.chosen];
    const fail = (error) => store.take({ is: "failed", do: "save", error });
    try {
      const body = JSON.stringify({ stream, zero_us: state.originUs, events: endedEvents(state) });
      const answer = await fetch(`/export/${ending}`, { method: "POST", body });
      if (answer.ok) download(await answer.blob(), `${stream}.${ending}`);
      else fail(await answer.text());
    } catch (error) {
      fail(error.message);
    }
  });
  store.watch(["timeline", "streams"], ({ originUs }) => {
    form.querySelector("button").disabled = originUs === null;
  });
}

/** Segments, alarms and gaps that have ended, as events in order of time, with the clusters and names of now. */
export function endedEvents({ segments, alarms, gaps, clusters }) {
  const named = segments
    .filter(({ event }) => event)
    .map(({ event }) => {
      const cluster = rootOf(clusters, event.cluster);
      const { name = "", guessed = false } = clusters.get(cluster) ?? {};
      return { ...event, cluster, name, guessed };
    });
  const ended = [...alarms.values()].filter(({ ongoing }) => !ongoing);
  const all = [...named, ...ended, ...gaps.filter(({ event }) => event).map(({ event }) => event)];
  return all.sort((one, other) => one.start_us - other.start_us).map(bare);
}

/** An event without what the bridge and the timeline have added. */
function bare(event) {
  return Object.fromEntries(Object.entries(event).filter(([name]) => !ADDED.has(name)));
}

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
