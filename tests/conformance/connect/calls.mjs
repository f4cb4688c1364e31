// Calls the server as any user of the Connect protocol's own client for Node would, over JSON and over binary messages,
// and prints what came back as one JSON document. Usage: node calls.mjs DESCRIPTORS URL KEY
import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary, toJson } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";

const [descriptors, baseUrl, key] = process.argv.slice(2);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));

function authorized(next) {
  return (request) => {
    request.header.set("Authorization", `Bearer ${key}`);
    return next(request);
  };
}

async function failure(call) {
  try {
    await call;
    return "no error";
  } catch (error) {
    const { code, rawMessage, details } = ConnectError.from(error);
    return { code: Code[code], message: rawMessage, reason: details[0]?.debug?.reason ?? "" };
  }
}

async function calls(useBinaryFormat) {
  const transport = createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat, interceptors: [authorized] });
  const client = (name) => createClient(registry.getService(`forebay.v1.${name}`), transport);
  const pools = client("WorkPoolService");
  const name = `workPools/connect-${useBinaryFormat ? "binary" : "json"}`;
  const made = await pools.createWorkPool({ workPool: { name, type: "process", concurrencyLimit: 3 } });
  const start = await client("EventService").watchEvents({});
  return {
    made: toJson(registry.getMessage("forebay.v1.WorkPool"), made.workPool, { registry }).name,
    listed: (await pools.listWorkPools({})).workPools.some((pool) => pool.name === name),
    missing: await failure(pools.getWorkPool({ name: "workPools/none" })),
    again: await failure(pools.createWorkPool({ workPool: { name, type: "process" } })),
    late: await failure(client("EventService").watchEvents({ cursor: start.cursor, wait: { seconds: 20n } }, { timeoutMs: 200 })),
    aborted: await failure(
      client("EventService").watchEvents(
        { cursor: start.cursor, wait: { seconds: 20n } },
        { signal: AbortSignal.timeout(200) },
      ),
    ),
  };
}

console.log(JSON.stringify({ json: await calls(false), binary: await calls(true) }));
