// One of many migrators, with migrate-mongo and its lock on. Speaks the lines of Tests/MigrationWorker/RaceWorker.cs: "round DATABASE
// KILL LEASE_MS" prepares (answer "set"), "go" migrates (answer "done JSON"). Usage: BENCH_URI=... node race.js
// migrate-mongo does not wait for its lock; as a person or an orchestrator would, this starts it again until nothing is pending, or
// until the lock stood for twice its lifetime.
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { setTimeout: delay } = require('node:timers/promises');
const { MongoClient } = require('mongodb');
const tool = require('migrate-mongo'); // each of its exports is a promise here

let config, status, up;

const migrations = 5;
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'race-migrate-'));
process.on('exit', () => fs.rmSync(directory, { recursive: true, force: true }));
process.on('unhandledRejection', () => {}); // it does not wait for the index of its lock to be made
for (let number = 1; number <= migrations; number++) {
  fs.writeFileSync(
    path.join(directory, `${number}-race.js`),
    `module.exports.up = (db, client) => global.race(${number}, db, client);\nmodule.exports.down = async () => {};\n`);
}

async function isFirst(db, migration) {
  try {
    await db.collection('deaths').insertOne({ _id: migration });
    return true;
  } catch (error) {
    if (error.code === 11000) return false;
    throw error;
  }
}

let round;
global.race = async (migration, db, client) => {
  const log = db.collection('log');
  const write = (what, step) => log.insertOne({ migration, what, step, process: process.pid, at: new Date() });
  const steps = async session => {
    if (session) await db.collection('counters').updateOne({ _id: migration }, { $inc: { n: 1 } }, { session });
    for (let step = 1; step <= 3; step++) {
      await write('step', step);
      if (migration === round.kill && step === 2 && await isFirst(db, migration)) {
        await write('kill', step);
        fs.rmSync(directory, { recursive: true, force: true });
        process.kill(process.pid, 'SIGKILL');
        await delay(60000);
      }
    }
  };
  await write('begin', 0);
  try {
    if (migration === 3) await client.withSession(session => session.withTransaction(() => steps(session)));
    else await steps();
  } catch (error) {
    await write('stop', 0);
    throw error;
  }
  await write('end', 0);
};

async function run(client) {
  const db = client.db(round.database);
  const started = Date.now();
  let applied = 0;
  for (;;) {
    try {
      applied += (await up(db, client)).length;
      if (!(await status(db)).some(item => item.appliedAt === 'PENDING')) return { Applied: applied, Error: null };
    } catch (error) {
      if (Date.now() - started > 2 * round.lease) return { Applied: applied, Error: error.message };
    }
    await delay(100);
  }
}

async function main() {
  [config, status, up] = [await tool.config, await tool.status, await tool.up];
  const client = await MongoClient.connect(process.env.BENCH_URI);
  console.log('ready');
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const words = line.split(' ');
    if (words[0] === 'round') {
      round = { database: words[1], kill: Number(words[2]), lease: Number(words[3]) };
      config.set({
        mongodb: { url: process.env.BENCH_URI, databaseName: round.database, options: {} },
        migrationsDir: directory,
        changelogCollectionName: 'changelog',
        lockCollectionName: 'changelog_lock',
        lockTtl: round.lease / 1000,
        migrationFileExtension: '.js',
        useFileHash: false,
      });
      await client.db(round.database).command({ ping: 1 });
      console.log('set');
    } else {
      console.log(`done ${JSON.stringify(await run(client))}`);
    }
  }
  await client.close();
}

main().catch(error => {
  console.error(error.message);
  process.exit(1);
});
