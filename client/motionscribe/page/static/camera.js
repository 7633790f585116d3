// The camera of this machine as a stream: a button starts and stops it. Pictures stay in the browser; only the landmarks
// of the person in them go to the page, one message a picture.

import { make, setText } from "./dom.js";
import { drawPose, hasGpu, loadPoseModel, poseMessage } from "./pose-model.js";

const WIDTH = 640;
const WIDTH_WITHOUT_GPU = 320; // half as wide is searched nearly twice as fast
const MOST_WAITING = 65_536; // bytes, some two seconds: what is older is no news
const COUNTED_MS = 1000;
const FEWEST = 5; // pictures a second: a quarter of a second without one is a gap, which has no label

/** `choose(stream)` shows the stream when it is open. */
export function showCamera(choose) {
  const button = document.getElementById("camera");
  const video = make("video", { muted: true, playsInline: true });
  const canvas = make("canvas");
  const note = make("p", { role: "status" });
  const preview = make("div", { className: "preview", "aria-hidden": "true" }, video, canvas);
  const panel = make("section", { id: "camera-panel", "aria-label": "Camera", hidden: true }, preview, note);
  document.getElementById("figure-panel").append(panel);
  let running = null; // {media, socket} of the camera that is on

  const say = (text) => setText(note, text);

  function stop(camera, why) {
    if (running !== camera) return;
    running = null;
    for (const track of camera.media?.getTracks() ?? []) track.stop();
    camera.socket?.close();
    video.srcObject = null;
    preview.hidden = true;
    panel.hidden = !why;
    say(why ?? "");
    setText(button, "Camera");
  }

  async function start() {
    const camera = { media: null, socket: null };
    running = camera;
    panel.hidden = false;
    preview.hidden = true;
    setText(button, "Stop the camera");
    try {
      await checkPossible();
      say("asking for the camera");
      const media = await openCamera();
      camera.media = media;
      if (running !== camera) {
        for (const track of media.getTracks()) track.stop();
        return;
      }
      media.getVideoTracks()[0].onended = () => stop(camera, "no camera: it was taken away");
      video.srcObject = media;
      preview.hidden = false;
      await video.play();
      say("loading the pose model");
      const find = await loadPoseModel();
      follow(camera, find);
    } catch (error) {
      stop(camera, error.message);
    }
  }

  function openSocket(camera, rate) {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/camera?stream=${streamId()}&rate=${rate}`);
    socket.onmessage = ({ data }) => {
      const told = JSON.parse(data);
      if (told.is === "opened") choose(told.stream);
      else stop(camera, told.error);
    };
    socket.onclose = () => stop(camera, "the camera lost its connection to the page");
    return socket;
  }

  /** Sends what is found in each picture; pictures that come while the model works on another are left out. */
  function follow(camera, find) {
    let lastMs = -Infinity;
    let count = null; // pictures since a time; not the first, for which the model gets ready

    async function take(nowMs, { captureTime: timeMs = nowMs }) {
      if (running !== camera) return;
      if (timeMs > lastMs) {
        lastMs = timeMs;
        const landmarks = await find(video, timeMs);
        if (running !== camera) return;
        drawPose(canvas, video, landmarks);
        if (camera.socket?.readyState === WebSocket.OPEN && camera.socket.bufferedAmount < MOST_WAITING) {
          camera.socket.send(poseMessage((performance.timeOrigin + timeMs) * 1000, landmarks));
        }
        tell(landmarks);
      }
      request();
    }

    function tell(landmarks) {
      count ??= { sinceMs: performance.now(), pictures: -1 };
      count.pictures += 1;
      const pastMs = performance.now() - count.sinceMs;
      if (pastMs < COUNTED_MS) return;
      const rate = (count.pictures * 1000) / pastMs;
      count = { sinceMs: performance.now(), pictures: 0 };
      camera.socket ??= openSocket(camera, rate); // which must know how many will come
      const slow = rate < FEWEST ? ", too few for labels" : "";
      say(landmarks ? `on: ${Math.round(rate)} pictures a second${slow}` : "nobody in sight");
    }

    const request = () =>
      video.requestVideoFrameCallback((...picture) => take(...picture).catch((error) => stop(camera, error.message)));
    request();
  }

  button.addEventListener("click", () => (running ? stop(running) : start()));
}

/** Throws an error that says why there can be no camera. */
async function checkPossible() {
  if (!window.isSecureContext) {
    throw new Error(`no camera: browsers give it to pages on localhost or https alone, got ${location.origin}`);
  }
  const { missing } = await (await fetch("/camera")).json();
  if (missing) throw new Error(missing);
}

async function openCamera() {
  const width = hasGpu() ? WIDTH : WIDTH_WITHOUT_GPU;
  const picture = { width: { ideal: width }, height: { ideal: (width * 3) / 4 }, frameRate: { ideal: 30 } };
  try {
    return await navigator.mediaDevices.getUserMedia({ video: picture });
  } catch (error) {
    throw new Error(`no camera: ${error.message}`, { cause: error });
  }
}

/** The same in this browser each time, since the names of clusters belong to it. */
function streamId() {
  const [number] = crypto.getRandomValues(new Uint32Array(1));
  localStorage.camera ??= `camera-${number.toString(16)}`;
  return localStorage.camera;
}
