// One migration of migrate-mongo that changes every document. Usage: BENCH_URI=... node transform.js KIND DATABASE COLLECTION BATCH
// Prints {"seconds":N,"peakBytes":N,"processorSeconds":N}.
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { performance } = require('node:perf_hooks');
const tool = require('migrate-mongo'); // each of its exports is a promise here

const [kind, databaseName, collection, batch] = [process.argv[2], process.argv[3], process.argv[4], Number(process.argv[5])];

// Which documents need it, what of them is read, and the code that makes the update.
const { filter, projection, update } = {
  split: {
    filter: { first: { $exists: false } },
    projection: { name: 1 },
    update: `const space = document.name.indexOf(' ');
    const [first, last] = space < 0 ? [document.name, ''] : [document.name.slice(0, space), document.name.slice(space + 1)];
    const update = { $set: { first, last } };`,
  },
  rename: { filter: { email: { $exists: true } }, projection: { _id: 1 }, update: `const update = { $rename: { email: 'mail' } };` },
  set: { filter: { active: { $exists: false } }, projection: { _id: 1 }, update: 'const update = { $set: { active: true } };' },
  backfill: {
    filter: { label: { $exists: false } },
    projection: { name: 1, email: 1 },
    update: 'const update = { $set: { label: document.name + " <" + document.email + ">" } };',
  },
}[kind];

// What its documentation suggests for a collection that does not fit into memory: a cursor, and bulk writes of so many documents.
const source = `
module.exports.up = async db => {
  const people = db.collection(${JSON.stringify(collection)});
  let writes = [];
  for await (const document of people.find(${JSON.stringify(filter)}, { projection: ${JSON.stringify(projection)}, batchSize: ${batch} })) {
    ${update}
    writes.push({ updateOne: { filter: { _id: document._id }, update } });
    if (writes.length === ${batch}) {
      await people.bulkWrite(writes, { ordered: false });
      writes = [];
    }
  }
  if (writes.length > 0) await people.bulkWrite(writes, { ordered: false });
};
module.exports.down = async () => {};
`;

async function main() {
  const [config, database, up] = [await tool.config, await tool.database, await tool.up];
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-migrate-'));
  try {
    fs.writeFileSync(path.join(directory, '1-transform.js'), source);
    config.set({
      mongodb: { url: process.env.BENCH_URI, databaseName, options: {} },
      migrationsDir: directory,
      changelogCollectionName: 'changelog',
      lockCollectionName: 'changelog_lock',
      lockTtl: 0,
      migrationFileExtension: '.js',
      useFileHash: false,
    });
    const { client, db } = await database.connect();
    const started = performance.now();
    await up(db, client);
    const seconds = (performance.now() - started) / 1000;
    await client.close();
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    console.log(JSON.stringify({ seconds, peakBytes: maxRSS * 1024, processorSeconds: (userCPUTime + systemCPUTime) / 1e6 }));
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

main().catch(error => {
  console.error(error.message);
  process.exit(1);
});
