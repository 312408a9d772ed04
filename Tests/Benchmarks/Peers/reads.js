// Reads of one document by its key with the Node.js driver. Usage: BENCH_URI=... node reads.js CALLERS MILLISECONDS POOL DOCUMENTS
// Prints {"perSecond":N,"p99":MILLISECONDS}.
'use strict';
const { performance } = require('node:perf_hooks');
const { MongoClient } = require('mongodb');

const [callers, milliseconds, pool, documents] = process.argv.slice(2).map(Number);

async function load(collection, duration) {
  const latencies = [];
  const started = performance.now();
  await Promise.all(Array.from({ length: callers }, async (_, caller) => {
    for (let i = caller; performance.now() - started < duration; i++) {
      const before = performance.now();
      await collection.findOne({ _id: i % documents });
      latencies.push(performance.now() - before);
    }
  }));
  const elapsed = performance.now() - started;
  latencies.sort((a, b) => a - b);
  return { perSecond: latencies.length / (elapsed / 1000), p99: latencies[Math.ceil(latencies.length * 0.99) - 1] };
}

async function main() {
  const client = new MongoClient(process.env.BENCH_URI, { maxPoolSize: pool });
  const collection = client.db('bench').collection('reads');
  await load(collection, milliseconds / 2);
  console.log(JSON.stringify(await load(collection, milliseconds)));
  await client.close();
}

main().catch(error => {
  console.error(error.message);
  process.exit(1);
});
