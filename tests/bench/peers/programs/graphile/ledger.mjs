/** Milliseconds; the same in every thread. */
export function clock() {
  return performance.timeOrigin + performance.now();
}

/** What happened to each job, by its number; in memory that the threads share. */
export class Ledger {
  constructor(jobs, shared = new SharedArrayBuffer(20 * jobs)) {
    this.shared = shared;
    this.jobs = jobs;
    this.handled = 0;
    this.acknowledged = new Float64Array(shared, 0, jobs);
    this.started = new Float64Array(shared, 8 * jobs, jobs);
    this.times = new Int32Array(shared, 16 * jobs, jobs);
  }

  acknowledge(first, count) {
    this.acknowledged.fill(clock(), first, first + count);
  }

  start(number) {
    this.times[number] += 1;
    if (this.times[number] > 1) return;
    this.started[number] = clock();
    this.handled += 1;
  }

  summary(seconds) {
    const waits = this.started.map((at, number) => Math.max(0, at - this.acknowledged[number])).sort();
    const percentile = (share) => waits[Math.floor(share * (waits.length - 1) + 0.5)];
    return {
      accepted: this.acknowledged.filter((at) => at > 0).length,
      completed: this.handled,
      doubled: this.times.filter((times) => times > 1).length,
      seconds,
      pickup_p50_ms: percentile(0.5),
      pickup_p99_ms: percentile(0.99),
    };
  }
}
