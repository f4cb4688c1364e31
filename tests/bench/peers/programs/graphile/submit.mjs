// The thread that adds the jobs.
import { setTimeout as sleep } from "node:timers/promises";
import { workerData } from "node:worker_threads";
import { makeWorkerUtils } from "graphile-worker";
import { clock, Ledger } from "./ledger.mjs";

const { plan, shared } = workerData;
const ledger = new Ledger(plan.jobs, shared);
// Together with the number some 200 bytes of JSON.
const padding = "x".repeat(170);
const utils = await makeWorkerUtils({ connectionString: plan.databaseUrl, maxPoolSize: plan.submitters });

async function add(first, count) {
  const sent = clock();
  if (count === 1) {
    await utils.addJob("no_op", { number: first, padding });
  } else {
    const jobs = Array.from({ length: count }, (_, i) => ({
      identifier: "no_op",
      payload: { number: first + i, padding },
    }));
    await utils.addJobs(jobs);
  }
  ledger.acknowledge(first, count, sent);
}

let next = 0;

async function addBatches() {
  while (next < plan.jobs) {
    const first = next;
    next += plan.batch;
    await add(first, Math.min(plan.batch, plan.jobs - first));
  }
}

/** One at a time, so that each meets idle workers. */
async function addSlowly() {
  const began = clock();
  for (let number = 0; number < plan.jobs; ++number) {
    await sleep(Math.max(0, began + (1000 * number) / plan.rate - clock()));
    await add(number, 1);
  }
}

if (plan.rate > 0) await addSlowly();
else await Promise.all(Array.from({ length: plan.submitters }, addBatches));
await utils.release();
