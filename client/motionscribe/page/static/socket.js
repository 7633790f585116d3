// The WebSocket to the bridge: messages into the store, questions out. It connects again when it was lost.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5000;

/** Connects for good; returns `ask(message)`, which passes over what is asked while there is no connection. */
export function connect(store) {
  let socket = null;
  let waitMs = FIRST_WAIT_MS;

  function ask(message) {
    if (socket?.readyState !== WebSocket.OPEN) return;
    socket.send(JSON.stringify({ stream: store.state.chosen, ...message }));
  }

  function open() {
    let opened = false;
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`);
    socket.onopen = () => {
      opened = true;
      waitMs = FIRST_WAIT_MS;
      store.take({ is: "link", link: "open" });
      if (store.state.chosen) ask({ do: "watch" });
      if (store.state.wall.shown) ask({ do: "wall", on: true });
    };
    socket.onmessage = ({ data }) => store.take(JSON.parse(data));
    socket.onclose = async () => {
      store.take({ is: "link", link: "lost" });
      if (!opened) await logInWhereNeeded();
      setTimeout(open, waitMs);
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    };
  }

  open();
  return ask;
}

/** A page that was started anew knows no cookie of before, and refuses the WebSocket without saying why. */
async function logInWhereNeeded() {
  try {
    const answer = await fetch("/", { redirect: "manual" });
    if (answer.type === "opaqueredirect") location.assign("/login");
  } catch {
    // nobody there yet
  }
}
