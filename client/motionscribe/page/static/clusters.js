// The list of clusters that the stream has shown: colour, name, seconds. Rename by click or Enter; merge.

import { paint } from "./colours.js";
import { keyedList, make, setText } from "./dom.js";
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
    const item = make("li", { "data-cluster": id }, make("span", { className: "swatch" }), name, seconds, merge);
    return item;
  }

  function update(item, cluster) {
    const [swatch, name, seconds, merge] = item.children;
    const called = nameOf(store.state.clusters, cluster.id);
    paint(swatch, cluster.id);
    if (!item.classList.contains("edited")) {
      setText(name, called);
      name.setAttribute("aria-label", `${called}: rename cluster ${cluster.id}`);
      merge.setAttribute("aria-label", `merge ${called} into another cluster`);
    }
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
    const options = others.map((other) =>
      make("option", { value: other.id, textContent: nameOf(store.state.clusters, other.id) }),
    );
    const select = make("select", { "aria-label": `cluster that takes in cluster ${id}` }, ...options);
    const send = make("button", { textContent: "merge", disabled: !others.length });
    const form = make("form", {}, "into ", select, send);
    const leave = replaceBy(item, form, select);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask({ do: "merge", source: id, into: Number(select.value) });
      leave();
    });
  }

  const fill = keyedList(list, ({ id }) => id, build, update);
  store.watch(["clusters", "time"], (state) => fill(shownClusters(state)));
}

/** Those that the stream has shown or somebody named, the most frequent first; not those that are part of others. */
function shownClusters({ clusters, segments, soft }) {
  const present = new Set([...segments, ...soft].map(({ cluster }) => cluster));
  return [...clusters.values()]
    .filter((one) => !one.merged_into && (one.segments || present.has(one.id) || (one.name && !one.guessed)))
    .sort((one, other) => other.seconds - one.seconds || one.id - other.id);
}
