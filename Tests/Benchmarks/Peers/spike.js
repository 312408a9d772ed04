// Callers at once on an idle pool, with the Node.js driver. Usage: BENCH_URI=... node spike.js CALLERS IDLE MAX WATCH_MS DIRECTORY
// Writes DIRECTORY/filled when the pool has its idle connections and begins when DIRECTORY/go is there.
// Prints {"took":[milliseconds per caller],"series":[[milliseconds, connections], ...]}.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { performance } = require('node:perf_hooks');
const { setTimeout: delay } = require('node:timers/promises');
const { MongoClient } = require('mongodb');

const [callers, idle, max, watch] = process.argv.slice(2, 6).map(Number);
const directory = process.argv[6];

async function main() {
  const client = new MongoClient(process.env.BENCH_URI, { minPoolSize: idle, maxPoolSize: max, maxConnecting: 2 });
  const changes = [];
  let ready = 0;
  client.on('connectionCreated', () => changes.push([performance.now(), 1]));
  client.on('connectionClosed', () => changes.push([performance.now(), -1]));
  client.on('connectionReady', () => ready++);
  const collection = client.db('bench').collection('reads');
  while (ready < idle) await collection.findOne({ _id: 1 });
  fs.writeFileSync(path.join(directory, 'filled'), '');
  while (!fs.existsSync(path.join(directory, 'go'))) await delay(5);

  const started = performance.now();
  const took = await Promise.all(Array.from({ length: callers }, async () => {
    await collection.findOne({ _id: 1 });
    return performance.now() - started;
  }));
  await delay(Math.max(0, watch - (performance.now() - started)));

  const series = [[0, 0]];
  for (const [at, difference] of changes) {
    const connections = series[series.length - 1][1] + difference;
    if (at <= started) series[0] = [0, connections];
    else series.push([at - started, connections]);
  }
  console.log(JSON.stringify({ took, series }));
  await client.close();
}

main().catch(error => {
  console.error(error.message);
  process.exit(1);
});
