// Generated writes of several clients at once, and what a change stream makes of them: its events, applied to nothing, give what is stored; they are in order,
// none is missing or doubled, and a stream that is opened behind any of them goes on with the next.
//   node change-streams-model.js CONNECTION_STRING DATABASE [--operations N] [--seed S] [--clients N] [--resumes N]
// Ends with 1 when something is wrong; the last line is a summary.
'use strict';
const assert = require('node:assert/strict');
const { MongoClient, MongoServerError, BSON: { EJSON } } = require('mongodb');
const { Random } = require('./model-values.js');

const [, , uri, name, ...flags] = process.argv;
const flag = (key, otherwise) => (flags.includes(key) ? Number(flags[flags.indexOf(key) + 1]) : otherwise);
const [operations, seed, clients, resumes] = [flag('--operations', 3000), flag('--seed', 1), flag('--clients', 4), flag('--resumes', Infinity)];
const collections = ['a', 'b', 'c'];
const KEYS = 25;

// ---- What clients do --------------------------------------------------------------------------------------------

const words = ['red', 'green', 'blue', '', 'ünïcode', 'a.b'];

function value(random, depth = 0) {
  const kind = random.below(depth < 3 ? 8 : 5);
  if (kind === 0) return random.below(100);
  if (kind === 1) return words[random.below(words.length)];
  if (kind === 2) return random.below(2) === 0 ? null : random.below(1000) / 8;
  if (kind === 3) return new Date(random.below(1e9) * 1000);
  if (kind === 4) return random.below(2) === 0;
  if (kind === 5) return [...Array(random.below(5))].map(() => value(random, depth + 1));
  return Object.fromEntries([...Array(random.below(4))].map(() => [field(random), value(random, depth + 1)]));
}

const field = random => ['x', 'y', 'z', '0', '1', 'deep'][random.below(6)];
const document = random => ({
  x: value(random), y: value(random), list: [...Array(random.below(6))].map(() => value(random, 2)), in: { x: value(random), y: { z: value(random) } }, v: 0,
});

function update(random) {
  const kind = random.below(10);
  const by = { $inc: { v: 1 } };
  if (kind === 0) return { ...by, $set: { [field(random)]: value(random) } };
  if (kind === 1) return { ...by, $unset: { [field(random)]: 1, 'in.x': 1 } };
  if (kind === 2) return { ...by, $push: { list: value(random, 2) } };
  if (kind === 3) return { ...by, $pop: { list: random.below(2) === 0 ? 1 : -1 } };
  if (kind === 4) return { ...by, $set: { 'list.1': value(random, 2) } };
  if (kind === 5) return { ...by, $pull: { list: { $gt: 10 } } };
  if (kind === 6) return { ...by, $set: { 'in.y': value(random, 1) } };
  if (kind === 7) return [{ $set: { v: { $add: ['$v', 1] }, in: { x: '$y' } } }, { $unset: 'z' }];
  if (kind === 8) return { ...by, $rename: { x: 'deep' } };
  return { ...by, $addToSet: { list: random.below(5) } };
}

async function one(random, db, session) {
  const c = db.collection(collections[random.below(collections.length)]);
  const options = session ? { session } : {};
  const _id = random.below(KEYS);
  const kind = random.below(12);
  if (kind < 3) await c.updateOne({ _id }, { $setOnInsert: document(random) }, { upsert: true, ...options });
  else if (kind < 6) await c.updateOne({ _id }, update(random), options);
  else if (kind === 6) await c.replaceOne({ _id }, { ...document(random), v: random.below(1e6) * 1000 }, { upsert: random.below(2) === 0, ...options });
  else if (kind === 7) await c.deleteOne({ _id }, options);
  else if (kind === 8) await c.findOneAndUpdate({ _id }, update(random), options);
  else if (kind === 9 && !session) await c.updateMany({ _id: { $gte: _id, $lt: _id + 4 } }, update(random));
  else if (kind === 10 && !session) await c.deleteMany({ _id: { $gte: _id, $lt: _id + 2 } });
  else {
    await c.bulkWrite([...Array(1 + random.below(6))].map(() => {
      const key = random.below(KEYS);
      const what = random.below(4);
      return what === 0 ? { replaceOne: { filter: { _id: key }, replacement: { ...document(random), v: random.below(1e6) * 1000 }, upsert: true } }
        : what === 1 ? { deleteOne: { filter: { _id: key } } }
          : { updateOne: { filter: { _id: key }, update: update(random) } };
    }), { ordered: random.below(2) === 0, ...options });
  }
}

/** An operation that the server refuses, as a $push to what is no list, or a key that another one took, writes nothing or not all: the stream has to know. */
const orRefused = promise => promise.catch(error => { if (!(error instanceof MongoServerError)) throw error; });

async function write(client, random, count) {
  const db = client.db(name);
  for (let i = 0; i < count; i++) {
    if (random.below(6) === 0) {
      const start = random.state;
      await orRefused(client.withSession(session => session.withTransaction(async () => {
        random.state = start;
        for (let n = 1 + random.below(4); n > 0; n--) await one(random, db, session);
        if (random.below(5) === 0) await session.abortTransaction();
      })));
      i += 2;
    } else await orRefused(one(random, db));
  }
}

// ---- What a stream makes of it ----------------------------------------------------------------------------------

function apply(state, event) {
  const { ns, documentKey, operationType } = event;
  const documents = state[ns.coll] ??= new Map();
  const key = documentKey._id;
  const before = documents.get(key);
  if (operationType === 'insert') {
    assert.equal(before, undefined, `an insert of ${ns.coll} ${key}, which is there`);
    documents.set(key, event.fullDocument);
    return;
  }
  assert.ok(before, `${operationType} of ${ns.coll} ${key}, which is not there`);
  if (operationType === 'delete') documents.delete(key);
  else if (operationType === 'replace') documents.set(key, event.fullDocument);
  else {
    assert.equal(operationType, 'update');
    const { updatedFields, removedFields, truncatedArrays, disambiguatedPaths } = event.updateDescription;
    const parts = path => disambiguatedPaths?.[path] ?? path.split('.');
    const parent = path => parts(path).slice(0, -1).reduce((at, part) => {
      assert.ok(at && typeof at === 'object', `no ${path} in ${ns.coll} ${key}`);
      return at[part];
    }, before);
    for (const { field: path, newSize } of truncatedArrays) parent(path)[parts(path).at(-1)].length = newSize;
    for (const [path, now] of Object.entries(updatedFields)) parent(path)[parts(path).at(-1)] = now;
    for (const path of removedFields) delete parent(path)[parts(path).at(-1)];
  }
}

const sorted = value => (Array.isArray(value) ? value.map(sorted)
  : value && Object.getPrototypeOf(value) === Object.prototype ? Object.fromEntries(Object.keys(value).sort().map(key => [key, sorted(value[key])])) : value);
const text = value => EJSON.stringify(sorted(value), { relaxed: false });

async function main() {
  const client = new MongoClient(uri, { maxPoolSize: 50 });
  const db = client.db(name);
  const marker = db.collection('end');
  const options = { showExpandedEvents: true, maxAwaitTimeMS: 100 };
  const stream = db.watch([], options);
  assert.equal(await stream.tryNext(), null);
  const begin = stream.resumeToken;
  const randoms = [...Array(clients).keys()].map(i => new Random(seed * 1000 + i));
  const writing = Promise.all(randoms.map(random => write(client, random, Math.ceil(operations / clients)))).then(() => marker.insertOne({ _id: 'end' }));

  const [state, tokens, counts] = [{}, [], {}];
  const transactions = new Map();
  let last = '';
  let time = null;
  for (;;) {
    const event = await stream.next();
    if (event.operationType === 'create') continue;
    if (event.ns.coll === 'end') break;
    assert.ok(event._id._data > last, `the token ${event._id._data} comes after ${last}`);
    assert.ok(time === null || event.clusterTime.greaterThanOrEqual(time), 'the time goes back');
    [last, time] = [event._id._data, event.clusterTime];
    tokens.push(event._id);
    counts[event.operationType] = (counts[event.operationType] ?? 0) + 1;
    if (event.lsid) {
      const id = `${event.lsid.id.toString('hex')}/${event.txnNumber}`;
      assert.ok(transactions.get(id) === undefined || transactions.get(id) === `${event.clusterTime}`, 'a transaction with two times');
      transactions.set(id, `${event.clusterTime}`);
    }
    apply(state, event);
  }
  await writing;
  for (const collection of collections) {
    const stored = await db.collection(collection).find().sort({ _id: 1 }).toArray();
    const seen = [...(state[collection] ?? new Map()).values()].sort((x, y) => x._id - y._id);
    assert.equal(text(seen), text(stored), `${collection} is not what the events make`);
  }
  await stream.close();

  // From each token the stream goes on with the next one; from some of them to the end, whose state is the same.
  const step = Math.max(1, Math.ceil(tokens.length / resumes));
  const places = [...tokens.keys()].filter(i => i % step === 0 && i + 1 < tokens.length);
  const resume = async () => {
    for (let i; (i = places.pop()) !== undefined;) {
      const again = db.watch([{ $match: { 'ns.coll': { $ne: 'end' } } }].slice(i % 2), { ...options, resumeAfter: tokens[i], batchSize: 2 });
      let event;
      do event = await again.next(); while (event.operationType === 'create');
      assert.equal(event._id._data, tokens[i + 1]._data);
      await again.close();
    }
  };
  const resumed = places.length;
  await Promise.all([...Array(8)].map(resume));
  const whole = db.watch([], { ...options, resumeAfter: begin });
  const again = [];
  for (let event; (event = await whole.next()).ns.coll !== 'end';) if (event.operationType !== 'create') again.push(event._id._data);
  assert.deepEqual(again, tokens.map(t => t._data));
  await whole.close();
  await db.dropDatabase();
  await client.close();
  console.log(`change streams: ${tokens.length} events ${JSON.stringify(counts)}, ${transactions.size} transactions, ${resumed} resumes, seed ${seed}`);
}

main().catch(error => {
  console.error(error);
  process.exit(1);
});
