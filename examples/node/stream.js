// One stream of motion, over as many calls as it takes: frames go out as the credits allow, each event comes in once.
//
// In: an async iterable of blocks, [{ time_us, values }], values being a Buffer of float32, little-endian.
// Out: events as segmentation.proto has them, each with its `number`.

import { setTimeout as sleep } from 'node:timers/promises';

import { status } from '@grpc/grpc-js';

const LARGEST_BLOCK = 240; // frames: a message of 4 MB or more is refused
const ALIVE_MS = 30_000; // the server ends a call that says nothing for two minutes
const ATTEMPTS = 15; // that fail in a row

export class MotionStream {
  #connect;
  #open;
  #source;
  #call = null;
  #token = '';
  #lastEvent = 0; // number of the last event that was handled
  #frames = []; // those that the server may still want, with their seq
  #sent = 0; // how many of them were sent on this call
  #credits = 0;
  #nextSeq = 1;
  #taking = false; // the source was asked for its next block
  #sourceEnded = false;
  #sourceError = null;
  #closeSent = false;
  #awayMs = 0;

  // `connect` makes a client of the service Segmentation, for each call a new one: the old connection may be dead.
  // `open` is the first message without token; the same one opens and resumes.
  constructor(connect, open, blocks) {
    this.#connect = connect;
    this.#open = open;
    this.#source = blocks[Symbol.asyncIterator]();
  }

  // Every event once. An event was handled when the next one is asked for. Ends when every label is final; throws what
  // the server refused with, or the source failed with.
  async *events() {
    for (let attempt = 1; ; attempt++) {
      const before = this.#lastEvent;
      try {
        yield* this.#converse();
        break;
      } catch (error) {
        const isLost = error.code === status.UNAVAILABLE || error.code === status.CANCELLED;
        if (this.#lastEvent > before) attempt = 1;
        if (!isLost || !this.#token || attempt > ATTEMPTS) throw error;
      }
      // half of the wait is chance, so that many clients do not return at once
      const longestMs = Math.min(5000, 200 * 2 ** (attempt - 1));
      await sleep(Math.max(this.#awayMs, longestMs * (0.5 + Math.random() / 2)));
      this.#awayMs = 0;
    }
    if (this.#sourceError) throw this.#sourceError;
  }

  // Gives the present call up, as a client must whose network changed, and resumes the stream after `awayMs`.
  reconnect(awayMs = 0) {
    this.#awayMs = awayMs;
    this.#call?.cancel();
  }

  async *#converse() {
    const client = this.#connect();
    const call = client.Stream();
    call.on('error', () => {}); // the loop below throws it
    call.write({ open: { ...this.#open, resume_token: this.#token, last_event: this.#lastEvent } });
    const alive = setInterval(() => this.#acknowledge(), ALIVE_MS);
    try {
      for await (const answer of call) {
        switch (answer.message) {
          case 'opened':
            if (this.#token && !answer.opened.resumed) yield this.#beginAgain(answer.opened);
            this.#resume(call, answer.opened);
            break;
          case 'update':
            this.#receive(answer.update);
            yield* this.#newEvents(answer.update);
            break;
          case 'go_away': // the call ends with UNAVAILABLE
            this.#awayMs = answer.go_away.retry_after_ms;
            break;
        }
      }
      if (!this.#closeSent) throw new Error('expected the end of the call after Close, got it before');
    } finally {
      clearInterval(alive);
      this.#call = null;
      call.cancel();
      client.close();
    }
  }

  // A live stream that the server has lost goes on in a new session, whose events count from 1.
  #beginAgain(opened) {
    this.#lastEvent = 0;
    const seq = this.#frames[0]?.seq ?? this.#nextSeq;
    return { number: 0, event: 'restarted', restarted: { seq, reason: opened.not_resumed } };
  }

  #resume(call, opened) {
    this.#token = opened.resume_token;
    this.#forget(opened.next_seq - 1);
    this.#sent = 0;
    this.#credits = opened.credits; // those of an earlier call are void
    this.#closeSent = false;
    this.#call = call;
    this.#send();
  }

  #receive(update) {
    this.#forget(update.durable_seq);
    this.#credits += update.credits;
    this.#send();
  }

  *#newEvents(update) {
    for (const [i, event] of update.events.entries()) {
      const number = update.first_event + i;
      if (number <= this.#lastEvent) continue; // told before, on an earlier call
      yield { number, ...event };
      this.#lastEvent = number;
    }
    if (update.events.length) this.#acknowledge();
  }

  #acknowledge() {
    this.#call?.write({ ack: { last_event: this.#lastEvent } });
  }

  #forget(lastSeq) {
    const kept = this.#frames.findIndex((frame) => frame.seq > lastSeq);
    const gone = kept < 0 ? this.#frames.length : kept;
    this.#frames.splice(0, gone);
    this.#sent = Math.max(0, this.#sent - gone);
  }

  // Whatever the credits allow; then asks the source for more, or says that there is no more.
  #send() {
    if (!this.#call) return;
    while (this.#credits > 0 && this.#sent < this.#frames.length) {
      const most = Math.min(this.#credits, LARGEST_BLOCK);
      const block = this.#frames.slice(this.#sent, this.#sent + most);
      this.#call.write({
        frames: {
          first_seq: block[0].seq,
          values: Buffer.concat(block.map((frame) => frame.values)),
          timestamps_us: block.map((frame) => frame.time_us),
        },
      });
      this.#sent += block.length;
      this.#credits -= block.length;
    }
    if (this.#sent < this.#frames.length) return; // without credits
    if (!this.#sourceEnded) {
      if (this.#credits > 0) this.#take();
    } else if (!this.#closeSent) {
      this.#closeSent = true;
      this.#call.write({ close: {} });
    }
  }

  // Asks the source for its next block, which may take its time; calls may come and go meanwhile. A source that fails
  // has ended: what it gave before is told first.
  async #take() {
    if (this.#taking) return;
    this.#taking = true;
    try {
      const { done, value } = await this.#source.next();
      this.#sourceEnded = Boolean(done);
      for (const frame of value ?? []) this.#frames.push({ seq: this.#nextSeq++, ...frame });
    } catch (error) {
      this.#sourceEnded = true;
      this.#sourceError = error;
    }
    this.#taking = false;
    this.#send();
  }
}
