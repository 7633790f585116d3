// The list of clusters that the stream has shown: colour, face, name, seconds. Rename by click or Enter; merge; split.

import { paint } from "./colours.js";
import { keyedList, make, plain, setText } from "./dom.js";
import { labelNow } from "./events.js";
import { nameOf, rootOf } from "./words.js";

export function showClusters(store, ask) {
  const list = document.getElementById("clusters");

  function build({ id }) {
    const name = make("button", { type: "button", className: "name", title: "rename", onclick: () => edit(id, item) });
    const seconds = make("span", { className: "seconds" });
    const merge = make("button", {
      type: "button",
      className: "merge",
      textContent: "merge",
      onclick: () => chooseTarget(id, item),
    });
    const split = make("button", {
      type: "button",
      className: "split",
      textContent: "split",
      onclick: () => choosePart(id, item),
    });
    const face = make("canvas", { className: "face", hidden: true, role: "img" });
    const swatch = make("span", { className: "swatch" });
    const item = make("li", { "data-cluster": id }, swatch, face, name, seconds, merge, split);
    return item;
  }

  function update(item, cluster) {
    const [swatch, face, name, seconds, merge, split] = item.children;
    const called = nameOf(store.state.clusters, cluster.id);
    paint(swatch, cluster.id);
    if (!item.classList.contains("edited")) {
      setText(name, called);
      name.setAttribute("aria-label", `${called}: rename cluster ${cluster.id}`);
      merge.setAttribute("aria-label", `merge ${called} into another cluster`);
      split.setAttribute("aria-label", `take a cluster out of ${called} again`);
      face.setAttribute("aria-label", `what ${called} looks like`);
    }
    split.hidden = !partsOf(store.state, cluster.id).length;
    setText(seconds, `${cluster.seconds.toFixed(1)} s`);
    item.classList.toggle("guessed", cluster.guessed);
    const now = labelNow(store.state);
    const isNow = now !== null && rootOf(store.state.clusters, now.cluster) === cluster.id;
    item.toggleAttribute("aria-current", isNow);
  }

  /** Puts a form in the place of the row until it is sent or left. */
  function replaceBy(item, form, first) {
    const leave = () => {
      if (!item.classList.contains("edited")) return;
      item.classList.remove("edited");
      const hadFocus = form.contains(document.activeElement);
      form.remove();
      if (hadFocus) item.querySelector(".name").focus();
    };
    form.addEventListener("keydown", (event) => event.key === "Escape" && leave());
    form.addEventListener("focusout", ({ relatedTarget }) => form.contains(relatedTarget) || leave());
    item.classList.add("edited");
    item.append(form);
    first.focus();
    return leave;
  }

  function edit(id, item) {
    const cluster = store.state.clusters.get(id);
    const value = cluster && !cluster.guessed ? cluster.name : "";
    const input = make("input", { value, maxLength: 64, placeholder: "a name", "aria-label": `name of cluster ${id}` });
    const form = make("form", {}, input);
    const leave = replaceBy(item, form, input);
    input.select();
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask({ do: "rename", cluster: id, name: input.value.trim() });
      leave();
    });
  }

  function chooseTarget(id, item) {
    const others = shownClusters(store.state).filter((other) => other.id !== id);
    const options = others.map((other) => [other.id, nameOf(store.state.clusters, other.id)]);
    const words = { before: "into ", label: `cluster that takes in cluster ${id}`, button: "merge" };
    choose(item, options, words, (into) => {
      ask({ do: "merge", source: id, into });
      list.querySelector(`[data-cluster="${into}"] .name`)?.focus(); // this row goes
    });
  }

  function choosePart(id, item) {
    const options = partsOf(store.state, id).map((part) => [part.id, part.name || `cluster ${part.id}`]);
    const words = { before: "take out ", label: `cluster that leaves cluster ${id}`, button: "split" };
    choose(item, options, words, (cluster) => ask({ do: "split", cluster }));
  }

  /** A form to choose one of some clusters, [id, text] each. */
  function choose(item, options, { before, label, button }, send) {
    const choices = options.map(([value, text]) => make("option", { value, textContent: plain(text) }));
    const select = make("select", { "aria-label": label }, ...choices);
    const form = make("form", {}, before, select, make("button", { textContent: button, disabled: !options.length }));
    const leave = replaceBy(item, form, select);
    select.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !options.length) return;
      event.preventDefault();
      form.requestSubmit();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(Number(select.value));
      leave();
    });
  }

  const fill = keyedList(list, ({ id }) => id, build, update);
  store.watch(["clusters", "time"], (state) => fill(shownClusters(state)));
}

/** Those that the stream has shown or somebody named, the most frequent first; not those that are part of others. */
export function shownClusters({ clusters, segments, soft }) {
  const present = new Set([...segments, ...soft].map(({ cluster }) => cluster));
  return [...clusters.values()]
    .filter((one) => !one.merged_into && (one.segments || present.has(one.id) || (one.name && !one.guessed)))
    .sort((one, other) => other.seconds - one.seconds || one.id - other.id);
}

/** The clusters that were merged into one. */
function partsOf({ clusters }, id) {
  return [...clusters.values()].filter((one) => one.merged_into === id);
}
