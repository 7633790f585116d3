// The poses of the last minutes, to look back at: about 15 a second, bounded in bytes. No element and no network.
// A history is an array of {timeUs, row} in order of time; a row is a Float32Array, NaN where a joint was not seen.

const EVERY_US = 60_000; // about 15 a second of any usual rate
const NEAR_US = 500_000; // no pose is shown for a time that is farther from it
const MOST_BYTES = 64 * 2 ** 20;
const BYTES_BESIDE = 128; // of a pose beside its numbers, about

/** Takes poses, times ascending, newer or older than what is there. What lies too close to another one is left out. */
export function addPoses(history, times, frames) {
  const lastUs = history.at(-1)?.timeUs ?? -Infinity;
  const come = times.map((timeUs, n) => ({ timeUs, row: frames[n] }));
  const isOlder = times[0] <= lastUs;
  const all = isOlder ? history.splice(0).concat(come) : come;
  if (isOlder) all.sort((one, other) => one.timeUs - other.timeUs);
  for (const { timeUs, row } of all) {
    if (history.length && timeUs - history.at(-1).timeUs < EVERY_US) continue;
    history.push({ timeUs, row: row instanceof Float32Array ? row : Float32Array.from(row, (value) => value ?? NaN) });
  }
}

/** Forgets what is older than `oldestUs`, and the oldest where all of it takes too many bytes. */
export function forgetPoses(history, oldestUs) {
  const most = history.length ? Math.floor(MOST_BYTES / (history[0].row.byteLength + BYTES_BESIDE)) : 0;
  const old = Math.max(placeOf(history, oldestUs), history.length - most);
  if (old > 0) history.splice(0, old);
}

/** The poses of `spanUs` up to a time, the nearest to it last; none where nothing was seen near that time. */
export function posesUntil(history, timeUs, spanUs) {
  const after = placeOf(history, timeUs);
  const isNext = Math.abs(history[after]?.timeUs - timeUs) < Math.abs(history[after - 1]?.timeUs - timeUs) || !after;
  const nearest = isNext ? after : after - 1;
  if (!history[nearest] || Math.abs(history[nearest].timeUs - timeUs) > NEAR_US) return [];
  return history.slice(placeOf(history, timeUs - spanUs), nearest + 1);
}

/** How many poses are before a time. */
function placeOf(history, timeUs) {
  let [low, high] = [0, history.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (history[middle].timeUs < timeUs) low = middle + 1;
    else high = middle;
  }
  return low;
}
