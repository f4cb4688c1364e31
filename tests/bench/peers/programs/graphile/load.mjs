// The work of the benchmark on Graphile Worker: the workers in this thread, whoever adds jobs in
// another. Prints one JSON object; library_peers.py calls it and checks the database afterwards.
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { Logger, run, runMigrations } from "graphile-worker";
import pg from "pg";
import { clock, Ledger } from "./ledger.mjs";

const { values } = parseArgs({
  options: {
    "database-url": { type: "string" },
    jobs: { type: "string", default: "1000" },
    batch: { type: "string", default: "100" },
    // Jobs a second, one by one; 0: as fast as it goes, in batches.
    rate: { type: "string", default: "0" },
    submitters: { type: "string", default: "4" },
    "patience-seconds": { type: "string", default: "60" },
  },
});
const plan = {
  databaseUrl: values["database-url"],
  jobs: Number(values.jobs),
  batch: Number(values.batch),
  rate: Number(values.rate),
  submitters: Number(values.submitters),
};
const patienceMs = 1000 * Number(values["patience-seconds"]);
const quiet = new Logger(() => (level, message) => {
  if (level === "error") console.error(message);
});

// The settings that the performance page of its documentation measures with.
const preset = {
  worker: {
    connectionString: plan.databaseUrl,
    concurrentJobs: 24,
    maxPoolSize: 25,
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
    logger: quiet,
  },
};

/** Resolves when the submitter has had every job acknowledged. */
function startSubmitter(ledger) {
  return new Promise((resolve, reject) => {
    const submitter = new Worker(new URL("./submit.mjs", import.meta.url), {
      workerData: { plan, shared: ledger.shared },
    });
    submitter.on("error", reject);
    submitter.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`submitter: ${code}`))));
  });
}

/** Until every handler has run and PostgreSQL has no job left: a finished one is deleted. */
async function awaitEnd(pool, ledger) {
  const deadline = clock() + patienceMs;
  for (let left = true; left; ) {
    if (clock() > deadline) throw new Error(`${ledger.handled} of ${plan.jobs} jobs were handled in time`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (ledger.handled < plan.jobs) continue;
    const { rows } = await pool.query("SELECT EXISTS (SELECT FROM graphile_worker._private_jobs) AS left");
    left = rows[0].left;
  }
}

async function main() {
  await runMigrations({ preset });
  const ledger = new Ledger(plan.jobs);
  const pool = new pg.Pool({ connectionString: plan.databaseUrl, max: 1 });
  const runner = await run({
    preset,
    taskList: { no_op: (payload) => ledger.start(payload.number) },
    noHandleSignals: true,
  });
  const began = clock();
  const submitted = startSubmitter(ledger);
  await Promise.all([submitted, awaitEnd(pool, ledger)]);
  const seconds = (clock() - began) / 1000;
  await runner.stop();
  await pool.end();
  console.log(JSON.stringify(ledger.summary(seconds)));
}

await main();
