// The Node.js driver against a replica set of three: write and read concerns, read preferences, causal sessions, and what is repeated when the
// primary steps down. Usage: node replica-set.js CONNECTION_STRING DATABASE; NODE_PATH leads to the driver. Prints one line per check and exits with 1 at
// the first that fails.
'use strict';
const assert = require('node:assert/strict');
const { MongoClient, ReadConcern, Timestamp } = require('mongodb');

const [, , uri, name] = process.argv;
const began = [];
const failed = [];

async function main() {
  const client = new MongoClient(uri, { monitorCommands: true, serverSelectionTimeoutMS: 30000 });
  client.on('commandStarted', e => began.push(e));
  client.on('commandFailed', e => failed.push(e));
  await client.connect();
  const db = client.db(name);
  const admin = client.db('admin');
  const check = async (what, run) => {
    began.length = failed.length = 0;
    await run();
    console.log(`ok ${what}`);
  };
  const last = command => began.filter(e => e.commandName === command).at(-1);
  const primary = async () => (await admin.command({ hello: 1 })).primary;
  const everywhere = { writeConcern: { w: 3, wtimeoutMS: 30000 } };
  // Has the primary hand over, and keeps asking until it has.
  const stepDown = async () => {
    const before = await primary();
    for (const deadline = Date.now() + 60000; ;) {
      try {
        await admin.command({ replSetStepDown: 8, secondaryCatchUpPeriodSecs: 4 });
      } catch (e) {
        // Nobody stands for election while all others have just been primary; and the connection may end with the role.
        if (e.code !== 262 && e.code !== 10107 && !e.constructor.name.includes('Network')) throw e;
      }
      const now = await primary();
      if (now && now !== before) return;
      assert.ok(Date.now() < deadline, 'another member is primary');
    }
  };
  // Runs something again and again while the primary changes, and returns what came of each.
  const whileSteppingDown = async run => {
    let over = false;
    const results = [];
    const running = [0, 1, 2, 3].map(async () => { while (!over) results.push(await run()); });
    await stepDown();
    over = true;
    await Promise.all(running);
    assert.ok(results.length > 0);
    return results;
  };

  try {
    await check('three members and one primary', async () => {
      const { hosts, primary: first, setName, me } = await admin.command({ hello: 1 });
      assert.deepEqual([hosts.length, setName, me], [3, 'rs0', first]);
    });

    // Write concerns.
    for (const [what, writeConcern] of Object.entries({
      none: undefined, 'w: 1': { w: 1 }, 'w: 2': { w: 2 }, 'w: 3': { w: 3 }, majority: { w: 'majority' }, 'j: true': { journal: true },
      'majority, j and a limit': { w: 'majority', journal: true, wtimeoutMS: 30000 },
    })) {
      await check(`writes with ${what}`, async () => {
        const c = db.collection('concerns');
        await c.insertOne({ _id: what, n: 0 }, { writeConcern });
        assert.equal((await c.updateOne({ _id: what }, { $inc: { n: 1 } }, { writeConcern })).modifiedCount, 1);
        assert.equal((await c.findOneAndUpdate({ _id: what }, { $inc: { n: 1 } }, { writeConcern, returnDocument: 'after' })).n, 2);
        const bulk = await c.bulkWrite([{ insertOne: { document: { a: what } } }, { deleteOne: { filter: { a: what } } }], { writeConcern });
        assert.deepEqual([bulk.insertedCount, bulk.deletedCount], [1, 1]);
        assert.equal((await c.deleteOne({ _id: what }, { writeConcern })).deletedCount, 1);
        await c.createIndex({ a: 1 }, { writeConcern });
        await c.dropIndex('a_1', { writeConcern });
        assert.deepEqual(failed, []);
      });
    }
    await check('a write that no set can acknowledge takes place and says so', async () => {
      const c = db.collection('unmet');
      await assert.rejects(c.insertOne({ _id: 1 }, { writeConcern: { w: 5 } }), e => e.code === 100 && e.constructor.name === 'MongoWriteConcernError');
      await assert.rejects(c.insertOne({ _id: 2 }, { writeConcern: { w: 'nowhere' } }), e => e.code === 79);
      await assert.rejects(c.updateMany({}, { $set: { a: 1 } }, { writeConcern: { w: 4 } }), e => e.code === 100);
      await assert.rejects(c.aggregate([{ $out: 'unmet2' }], { writeConcern: { w: 4 } }).toArray(), e => e.code === 100);
      assert.equal(await c.countDocuments({ a: 1 }), 2);
      assert.equal(await db.collection('unmet2').countDocuments(), 2);
    });
    await check('w: 0 has no answer and takes place', async () => {
      const c = db.collection('unacknowledged');
      assert.equal((await c.insertOne({ _id: 1 }, { writeConcern: { w: 0 } })).acknowledged, false);
      while (await c.countDocuments() === 0);
    });
    await check('concerns of the connection string', async () => {
      const other = new MongoClient(
        `${uri.replace('w=majority', 'w=2')}&journal=true&wtimeoutMS=20000&readConcernLevel=majority`, { monitorCommands: true });
      const seen = [];
      other.on('commandStarted', e => seen.push(e));
      try {
        await other.db(name).collection('uri').insertOne({});
        await other.db(name).collection('uri').findOne();
        assert.deepEqual(seen.find(e => e.commandName === 'insert').command.writeConcern, { w: 2, j: true, wtimeout: 20000 });
        assert.equal(seen.find(e => e.commandName === 'find').command.readConcern.level, 'majority');
      } finally {
        await other.close();
      }
    });

    // Read preferences and read concerns.
    await db.collection('reads').insertMany([{ _id: 1, n: 1 }, { _id: 2, n: 2 }], everywhere);
    for (const mode of ['primary', 'primaryPreferred', 'secondary', 'secondaryPreferred', 'nearest']) {
      await check(`reads with ${mode}`, async () => {
        const c = db.collection('reads', { readPreference: mode });
        const first = await primary();
        await client.withSession({ causalConsistency: true }, async session => {
          await db.collection('reads').updateOne({ _id: 1 }, { $set: { at: mode } }, { session });
          assert.equal((await c.findOne({ _id: 1 }, { session })).at, mode);
          assert.equal(await c.countDocuments({}, { session }), 2);
          assert.deepEqual((await c.distinct('n', {}, { session })).sort(), [1, 2]);
          assert.equal((await c.aggregate([{ $group: { _id: null, n: { $sum: '$n' } } }], { session }).toArray())[0].n, 3);
        });
        for (const e of began.filter(e => ['find', 'distinct', 'aggregate'].includes(e.commandName))) {
          if (mode.startsWith('primary')) assert.equal(e.address, first);
          if (mode.startsWith('secondary')) assert.notEqual(e.address, first);
        }
        assert.deepEqual(failed, []);
      });
    }
    await check('tags that nobody has find nobody', async () => {
      const other = new MongoClient(uri, { readPreference: 'secondary', readPreferenceTags: [{ dc: 'moon' }], serverSelectionTimeoutMS: 300 });
      try {
        await assert.rejects(other.db(name).collection('reads').findOne(), e => e.constructor.name === 'MongoServerSelectionError');
      } finally {
        await other.close();
      }
    });
    for (const level of ['local', 'available', 'majority', 'linearizable']) {
      await check(`read concern ${level}`, async () => {
        const options = { readConcern: new ReadConcern(level) };
        assert.equal((await db.collection('reads', options).findOne({ _id: 2 })).n, 2);
        assert.equal(last('find').command.readConcern.level, level);
        assert.equal(await db.collection('reads', options).countDocuments(), 2);
        const onSecondary = db.collection('reads', { ...options, readPreference: 'secondary' }).findOne({ _id: 2 });
        if (level === 'linearizable') await assert.rejects(onSecondary, e => e.code === 10107);
        else assert.equal((await onSecondary).n, 2);
      });
    }
    await check('a session reads its own writes, after the time that it was told', async () => {
      const c = db.collection('causal');
      await client.withSession({ causalConsistency: true }, async session => {
        for (let i = 0; i < 50; i++) {
          await c.updateOne({ _id: 1 }, { $set: { n: i } }, { session, upsert: true, writeConcern: { w: i % 2 ? 1 : 'majority' } });
          assert.ok(session.operationTime instanceof Timestamp);
          assert.equal((await c.findOne({ _id: 1 }, { session, readPreference: 'secondary' })).n, i);
          assert.ok(last('find').command.readConcern.afterClusterTime instanceof Timestamp);
        }
      });
    });
    await check('a snapshot outside of transactions is refused', async () => {
      await client.withSession({ snapshot: true }, async session => {
        await assert.rejects(db.collection('reads').findOne({}, { session }), e => e.code === 72);
      });
    });
    await check('a transaction with its concerns', async () => {
      const c = db.collection('transactions');
      await client.withSession(async session => {
        await session.withTransaction(async () => {
          await c.insertOne({ _id: 1 }, { session });
          assert.equal(await c.countDocuments({}, { session }), 1);
        }, { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority', wtimeoutMS: 30000 }, readPreference: 'primary' });
        session.startTransaction({ readPreference: 'secondary' });
        await assert.rejects(c.findOne({}, { session }), /[Rr]ead preference in a transaction must be primary/);
        await session.abortTransaction();
      });
    });
    await check('a direct connection to a secondary reads and does not write', async () => {
      const first = await primary();
      const { hosts } = await admin.command({ hello: 1 });
      const host = hosts.find(h => h !== first);
      const other = new MongoClient(uri.replace(/@[^/]*\//, `@${host}/`).replace(/[?&]replicaSet=[^&]*/, m => `${m[0]}directConnection=true`));
      try {
        assert.equal(await other.db(name).collection('reads').countDocuments(), 2);
        await assert.rejects(other.db(name).collection('reads').insertOne({}), e => e.code === 10107);
      } finally {
        await other.close();
      }
    });

    // What the driver repeats.
    await check('inserts are repeated when the primary steps down, and none is doubled', async () => {
      let next = 0;
      const ids = await whileSteppingDown(async () => (await db.collection('retried').insertOne({ _id: next++ })).insertedId);
      const stored = (await db.collection('retried').find({}, { readConcern: { level: 'majority' } }).toArray()).map(d => d._id);
      assert.deepEqual(stored.sort((a, b) => a - b), ids.sort((a, b) => a - b));
      for (const e of failed.filter(e => e.commandName === 'insert' && e.failure.errorLabels)) assert.ok(e.failure.errorLabels.includes('RetryableWriteError'));
    });
    await check('updates, bulk writes and findAndModify count what was acknowledged', async () => {
      const c = db.collection('counted');
      await c.insertMany([{ _id: 'update', n: 0 }, { _id: 'find', n: 0 }, { _id: 'bulk', n: 0 }], everywhere);
      const counts = { update: 0, find: 0, bulk: 0 };
      await whileSteppingDown(async () => {
        await c.updateOne({ _id: 'update' }, { $inc: { n: 1 } });
        counts.update++;
        assert.ok(await c.findOneAndUpdate({ _id: 'find' }, { $inc: { n: 1 } }));
        counts.find++;
        await c.bulkWrite([{ updateOne: { filter: { _id: 'bulk' }, update: { $inc: { n: 1 } } } }, { insertOne: { document: {} } }]);
        counts.bulk++;
      });
      for (const [_id, n] of Object.entries(counts)) assert.equal((await c.findOne({ _id })).n, n, _id);
      assert.equal(await c.countDocuments({ n: { $exists: false } }), counts.bulk);
    });
    await check('reads are repeated when the primary steps down', async () => {
      const c = db.collection('reads');
      await whileSteppingDown(async () => {
        assert.equal((await c.findOne({ _id: 1 })).n, 1);
        assert.equal(await c.countDocuments(), 2);
        assert.equal((await c.aggregate([{ $match: { _id: 2 } }]).toArray())[0].n, 2);
        assert.ok((await db.listCollections({ name: 'reads' }).toArray()).length === 1);
      });
    });
    await check('transactions are run again when the primary steps down, and none counts twice', async () => {
      const c = db.collection('moved');
      await c.insertMany([{ _id: 'from', n: 0 }, { _id: 'to', n: 0 }], everywhere);
      const moved = await whileSteppingDown(() => client.withSession(session => session.withTransaction(async () => {
        await c.updateOne({ _id: 'from' }, { $inc: { n: -1 } }, { session });
        await c.updateOne({ _id: 'to' }, { $inc: { n: 1 } }, { session });
      })));
      const stored = await c.find({}, { readConcern: { level: 'linearizable' } }).sort({ _id: 1 }).toArray();
      assert.deepEqual(stored.map(d => d.n), [-moved.length, moved.length]);
    });
    await check('a write without repetition may fail, and then says so', async () => {
      const other = new MongoClient(uri, { retryWrites: false });
      try {
        let [acknowledged, unknown] = [0, 0];
        await whileSteppingDown(async () => {
          await other.db(name).collection('once').insertOne({}).then(() => acknowledged++, e => {
            assert.ok(e.constructor.name.startsWith('Mongo'), e);
            unknown++;
          });
        });
        const stored = await db.collection('once').countDocuments();
        assert.ok(stored >= acknowledged && stored <= acknowledged + unknown, `${stored} of ${acknowledged} and ${unknown}`);
      } finally {
        await other.close();
      }
    });
  } finally {
    await client.close();
  }
}

main().catch(e => {
  console.error(e);
  process.exit(1);
});
