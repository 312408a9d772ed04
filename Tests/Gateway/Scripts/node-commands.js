// The commands of commands.jsonl through the Node.js driver: node node-commands.js CONNECTION_STRING DATABASE; NODE_PATH leads to the
// driver. Prints 'ok N' or 'not ok N: WHY' per line of the file and exits with 1 when one failed.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { MongoClient, BSON: { EJSON } } = require('mongodb');

const [, , uri, name] = process.argv;

/** Where the value differs from the expectation; undefined when it has all that is expected. */
function difference(expected, actual, at) {
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return `${at}: ${EJSON.stringify(actual)} instead of ${EJSON.stringify(expected)}`;
    return expected.map((e, i) => difference(e, actual[i], `${at}[${i}]`)).find(d => d);
  }
  if (expected && typeof expected === 'object') {
    return Object.entries(expected).map(([k, e]) => difference(e, actual?.[k], `${at}.${k}`)).find(d => d);
  }
  const plain = typeof actual === 'object' && actual !== null ? Number(actual) : actual;
  return plain === expected ? undefined : `${at}: ${EJSON.stringify(actual)} instead of ${EJSON.stringify(expected)}`;
}

async function main() {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 10000 });
  let failed = 0;
  try {
    const lines = fs.readFileSync(path.join(__dirname, 'commands.jsonl'), 'utf8').trim().split('\n');
    for (const [i, line] of lines.entries()) {
      const { db, run, expect, code } = EJSON.parse(line);
      const why = await client.db(db ?? name).command(EJSON.parse(line, { relaxed: false }).run).then(
        reply => code ? `no error ${code}` : difference(expect, reply, 'reply'),
        e => e.code === code ? undefined : `error ${e.code} ${e.message}`);
      console.log(why ? `not ok ${i + 1} ${JSON.stringify(run)}: ${why}` : `ok ${i + 1}`);
      failed += why ? 1 : 0;
    }
  } finally {
    await client.close();
  }
  process.exitCode = failed ? 1 : 0;
}

main().catch(e => { console.error(e); process.exit(1); });
