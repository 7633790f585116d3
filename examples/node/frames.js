// Where frames come from: a CSV file, or a made-up motion. A frame is { time_us, values }, see stream.js.

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

// A file of numbers, a frame a line. Where the first line is no numbers it names the columns, else `names` is null.
export async function openCsv(path, rateHz) {
  const lines = createInterface({ input: createReadStream(path) })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done) throw new Error(`${path}: expected a frame a line, got an empty file`);
  const cells = first.value.split(',').map((cell) => cell.trim());
  const names = cells.every(isNumber) ? null : cells;

  async function* frames() {
    const width = cells.length;
    let line = names ? 2 : 1;
    for (let next = names ? await lines.next() : first, k = 0; !next.done; next = await lines.next(), line++) {
      if (!next.value.trim()) continue;
      const numbers = next.value.split(',');
      if (numbers.length !== width || !numbers.every(isNumber)) {
        throw new Error(`${path}, line ${line}: expected ${width} numbers, got ${next.value.slice(0, 60)}`);
      }
      yield frame(k++, rateHz, numbers.map(Number));
    }
  }
  return { names, frames: frames() };
}

// Columns that swing, and change their manner every two seconds.
export async function* swing(columns, seconds, rateHz) {
  for (let k = 0; k < seconds * rateHz; k++) {
    const t = k / rateHz;
    const manner = Math.floor(t / 2) % 3;
    yield frame(k, rateHz, Array.from({ length: columns }, (_, c) => 0.3 * Math.sin((1 + manner + (c % 7)) * t + c)));
  }
}

// A tenth of a second at a time; at the pace of the motion where `realtime` is set.
export async function* inBlocks(frames, rateHz, realtime) {
  const begin = performance.now();
  let block = [];
  for await (const frame of frames) {
    block.push(frame);
    if (block.length < rateHz / 10) continue;
    if (realtime) await sleep(Math.max(0, begin + frame.time_us / 1000 - performance.now()));
    yield block;
    block = [];
  }
  if (block.length) yield block;
}

// Frame k = 0, 1, 2, ... at an even rate. A camera has times of its own: those of capture, not those of arrival.
function frame(k, rateHz, numbers) {
  const values = Buffer.alloc(4 * numbers.length);
  numbers.forEach((number, i) => values.writeFloatLE(number, 4 * i));
  return { time_us: Math.round((k * 1e6) / rateHz), values };
}

function isNumber(cell) {
  return cell.trim() !== '' && Number.isFinite(Number(cell));
}
