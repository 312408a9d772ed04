// Writes the documents of FILES into a database. Usage: BENCH_URI=... node seed.js HOW DATABASE FILES...
// Each file is named NUMBER-COLLECTION.bson and holds BSON documents one after the other. HOW is
//   mongo-seeding  that package's import()
//   insert-many    one insertMany of the Node.js driver for each collection, which the driver cuts to the server's limits
//   batches        insertMany with a thousand documents each
// The documents are in memory, as objects, before the clock starts. Prints {"documents":N,"milliseconds":T}.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { performance } = require('node:perf_hooks');

const [how, database, ...files] = process.argv.slice(2);
const uri = new URL(process.env.BENCH_URI);
uri.pathname = `/${database}`;

// Each driver wants the objects of its own BSON library.
const library = how === 'mongo-seeding' ? 'mongo-seeding' : 'mongodb';
const { deserialize } = require(require.resolve('bson', { paths: [path.dirname(require.resolve(library))] }));
const unordered = { ordered: false };
// A long stays one, and a double that is whole: validators tell them apart.
const asTheyAre = { promoteValues: false };

function read(file) {
  const bytes = fs.readFileSync(file);
  const documents = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readInt32LE(at);
    documents.push(deserialize(bytes.subarray(at, at + length), asTheyAre));
    at += length;
  }
  return { name: path.basename(file, '.bson').replace(/^\d+-/, ''), documents };
}

async function write(collections) {
  if (how === 'mongo-seeding') {
    const { Seeder } = require('mongo-seeding');
    await new Seeder({ database: uri.toString(), bulkWriteOptions: unordered }).import(collections);
    return;
  }
  const { MongoClient } = require('mongodb');
  const client = new MongoClient(uri.toString());
  for (const { name, documents } of collections) {
    const size = how === 'batches' ? 1000 : documents.length;
    for (let at = 0; at < documents.length; at += size) {
      await client.db().collection(name).insertMany(at === 0 && size === documents.length ? documents : documents.slice(at, at + size), unordered);
    }
  }
  await client.close();
}

async function main() {
  const collections = files.map(read);
  const started = performance.now();
  await write(collections);
  const milliseconds = performance.now() - started;
  console.log(JSON.stringify({ documents: collections.reduce((sum, one) => sum + one.documents.length, 0), milliseconds }));
}

main().catch(error => {
  console.error(error.stack);
  process.exit(1);
});
