// The list of live streams: choose one; the state of the connection; what went wrong.

import { keyedList, make, plain, setText } from "./dom.js";

/** The chosen stream stands in the address of the page, so that it can be bookmarked. Returns `choose(stream)`. */
export function showStreams(store, ask) {
  const link = document.getElementById("link");
  const failure = document.getElementById("failure");

  function choose(stream) {
    history.replaceState(null, "", `#${encodeURIComponent(stream)}`);
    store.take({ is: "choose", stream });
    ask({ do: "watch" });
  }

  function build(stream) {
    const button = make("button", { type: "button", onclick: () => choose(stream.id) });
    button.append(make("strong"), make("span", { className: "quiet" }));
    return make("li", {}, button);
  }

  function update(element, stream) {
    const [button] = element.children;
    setText(button.children[0], stream.id);
    setText(button.children[1], `${stateOf(stream)}, ${plain(stream.model)}, ${Number(stream.rate_hz.toFixed(1))} Hz`);
    button.setAttribute("aria-pressed", String(stream.id === store.state.chosen));
    button.classList.toggle("away", !stream.has_owner);
  }

  const fill = keyedList(document.getElementById("streams"), ({ id }) => id, build, update);
  store.watch(["streams"], (state) => {
    const asked = decodeURIComponent(location.hash.slice(1));
    const first = state.streams.find((stream) => stream.has_owner)?.id;
    if (!state.chosen && (asked || first)) choose(asked || first);
    fill([...state.streams].sort((one, other) => other.has_owner - one.has_owner)); // by id among those
    setText(link, linkText(state));
    link.classList.toggle("bad", state.link === "lost" || Boolean(state.error));
  });
  store.watch(["failure"], ({ failure: text }) => {
    failure.hidden = !text;
    setText(failure, text ?? "");
  });
  failure.addEventListener("click", () => store.take({ is: "dismissed" }));
  return choose;
}

function stateOf(stream) {
  return stream.has_owner ? "live" : "source lost";
}

function linkText(state) {
  if (state.link === "lost") return "connection lost, trying again";
  if (state.link === "connecting") return "connecting";
  if (state.error) return state.error;
  if (!state.streams.length) return state.chosen ? `${state.chosen} is not live` : "no live stream";
  return state.live ? "" : `${state.chosen} is not live`;
}
