/** Milliseconds; the same in every thread. */
export function clock() {
  return performance.timeOrigin + performance.now();
}

/** What happened to each job, by its number; in memory that the threads share. */
export class Ledger {
  constructor(jobs, shared = new SharedArrayBuffer(28 * jobs)) {
    this.shared = shared;
    this.jobs = jobs;
    this.handled = 0;
    this.acknowledged = new Float64Array(shared, 0, jobs);
    this.started = new Float64Array(shared, 8 * jobs, jobs);
    this.sent = new Float64Array(shared, 16 * jobs, jobs);
    this.times = new Int32Array(shared, 24 * jobs, jobs);
  }

  /** Of the jobs of one submission: when its call began, and that it has been answered now. */
  acknowledge(first, count, sent) {
    this.sent.fill(sent, first, first + count);
    this.acknowledged.fill(clock(), first, first + count);
  }

  start(number) {
    this.times[number] += 1;
    if (this.times[number] > 1) return;
    this.started[number] = clock();
    this.handled += 1;
  }

  summary(seconds) {
    const afterAnswer = this.#waits(this.acknowledged);
    const afterCall = this.#waits(this.sent);
    return {
      accepted: this.acknowledged.filter((at) => at > 0).length,
      completed: this.handled,
      doubled: this.times.filter((times) => times > 1).length,
      seconds,
      pickup_p50_ms: percentile(afterAnswer, 0.5),
      pickup_p99_ms: percentile(afterAnswer, 0.99),
      from_call_p50_ms: percentile(afterCall, 0.5),
      from_call_p99_ms: percentile(afterCall, 0.99),
    };
  }

  /** Milliseconds from each of `since` to the handler, sorted. A handler may begin before the answer. */
  #waits(since) {
    return this.started.map((at, number) => Math.max(0, at - since[number])).sort();
  }
}

function percentile(sorted, share) {
  return sorted[Math.floor(share * (sorted.length - 1) + 0.5)];
}
