// The pose model: finds the 33 landmarks of a person in a picture, on this machine. Its files are the page's own.

const FILES = "/pose/";
const LANDMARKS = 33;
const COMPLEXITY = 1; // the model "full": "lite" loses who is far away, "heavy" is too slow for most machines

let loading = null;

/** Resolves to `find(video, timeMs)`, which resolves to {world, image} of the person, null where nobody is found. */
export function loadPoseModel() {
  // once for as long as the page is open: what WebAssembly has taken it does not give back
  loading ??= load().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function load() {
  await runScript(`${FILES}pose.js`);
  const pose = new window.Pose({ locateFile: (name) => `${FILES}${name}` });
  let found = null;
  pose.setOptions({ modelComplexity: COMPLEXITY, useCpuInference: !hasGpu() });
  pose.onResults(({ poseWorldLandmarks: world, poseLandmarks: image }) => {
    found = world && image ? { world, image } : null;
  });
  await pose.initialize();
  return async (video, timeMs) => {
    await pose.send({ image: video }, timeMs);
    return found;
  };
}

/** False where graphics are computed by the processor: there WebAssembly is fifty times as fast as shaders. */
export function hasGpu() {
  const context = document.createElement("canvas").getContext("webgl2");
  const info = context?.getExtension("WEBGL_debug_renderer_info");
  return (
    Boolean(info) &&
    !/swiftshader|llvmpipe|software|basic render/i.test(context.getParameter(info.UNMASKED_RENDERER_WEBGL))
  );
}

function runScript(source) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${source} did not load`));
    document.head.append(script);
  });
}

/** A message of /camera: the time in microseconds, then x, y, z in metres and visibility of each landmark. */
export function poseMessage(timeUs, landmarks) {
  const bytes = new ArrayBuffer(8 + 16 * LANDMARKS);
  new Float64Array(bytes, 0, 1)[0] = timeUs;
  const rows = new Float32Array(bytes, 8).fill(NaN);
  landmarks?.world.forEach(({ x, y, z, visibility }, n) => rows.set([x, y, z, visibility], 4 * n));
  return bytes;
}

/** Draws what was found over the picture that it was found in. */
export function drawPose(canvas, video, landmarks) {
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  if (!landmarks) return;
  const context = canvas.getContext("2d");
  context.strokeStyle = "#e69f00";
  context.lineWidth = canvas.width / 120;
  context.beginPath();
  for (const bone of window.POSE_CONNECTIONS) {
    const [one, other] = bone.map((joint) => landmarks.image[joint]);
    context.moveTo(one.x * canvas.width, one.y * canvas.height);
    context.lineTo(other.x * canvas.width, other.y * canvas.height);
  }
  context.stroke();
}
