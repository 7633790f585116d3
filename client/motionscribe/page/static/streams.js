// The list of live streams: choose one; the state of the connection; what went wrong.

import { readAddress, writeStreamAddress } from "./address.js";
import { keyedList, make, plain, setText } from "./dom.js";

const FAILURE_MS = 10_000; // a message must not stand in the way for longer

/** Returns `choose(stream)`, which shows a stream. */
export function showStreams(store, ask) {
  const link = document.getElementById("link");
  const failure = document.getElementById("failure");

  function choose(stream) {
    writeStreamAddress(stream);
    store.take({ is: "choose", stream });
    ask({ do: "watch" });
    if (!store.state.wall.shown) return;
    store.take({ is: "show_wall", shown: false });
    ask({ do: "wall", on: false });
  }

  function build(stream) {
    const button = make("button", { type: "button", onclick: () => choose(stream.id) });
    button.append(make("strong"), make("span", { className: "quiet" }));
    return make("li", {}, button);
  }

  function update(element, stream) {
    const [button] = element.children;
    setText(button.children[0], stream.id);
    setText(button.children[1], about(stream));
    button.setAttribute("aria-pressed", String(stream.id === store.state.chosen));
    button.classList.toggle("away", !stream.saved && !stream.has_owner);
  }

  const fill = keyedList(document.getElementById("streams"), ({ id }) => id, build, update);
  store.watch(["streams"], (state) => {
    const { wall, stream: asked } = readAddress();
    const first = state.streams.find((stream) => stream.saved || stream.has_owner)?.id;
    if (!state.chosen && !wall && (asked || first)) choose(asked || first);
    fill([...state.streams].sort((one, other) => other.has_owner - one.has_owner)); // by id among those
    setText(link, linkText(state));
    link.classList.toggle("bad", state.link === "lost" || Boolean(state.error));
  });
  let vanishing = 0;
  store.watch(["failure"], ({ failure: text }) => {
    clearTimeout(vanishing);
    if (text) vanishing = setTimeout(() => store.take({ is: "dismissed" }), FAILURE_MS);
    failure.hidden = !text;
    setText(failure, text ?? "");
  });
  failure.addEventListener("click", () => store.take({ is: "dismissed" }));
  return choose;
}

function about(stream) {
  if (stream.saved) return `saved, ${stream.seconds.toFixed(1)} s`;
  const state = stream.has_owner ? "live" : "source lost";
  return `${state}, ${plain(stream.model)}, ${Number(stream.rate_hz.toFixed(1))} Hz`;
}

function linkText(state) {
  if (state.link === "lost") return "connection lost, trying again";
  if (state.link === "connecting") return "connecting";
  if (state.error) return state.error;
  if (!state.streams.length) return state.chosen ? `${state.chosen} is not live` : "no live stream";
  return state.live || state.saved || !state.chosen ? "" : `${state.chosen} is not live`;
}
