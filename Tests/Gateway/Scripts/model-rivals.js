// Clients that meet on the same keys. What holds whatever their order: counters are the sums of what was acknowledged, sets the unions, each
// acknowledged push is there once, one of all inserts of a key succeeds, transactions move without loss, and each register's history has an order
// in which every read sees the write before it.
'use strict';
const { MongoClient } = require('mongodb');
const { Random } = require('./model-values.js');
const { Proxy } = require('./model-proxy.js');

const keys = 3;
const steps = 12;
const start = 1000;

/** Whether the calls of a register can be put in an order that their times allow: {kind: 'read'|'write', value, from, to}. */
function isLinearizable(calls, initial) {
  const seen = new Set();
  const search = (left, value) => {
    if (left.length === 0) return true;
    const state = `${left.map(c => c.number).join()}|${value}`;
    if (seen.has(state)) return false;
    seen.add(state);
    const firstEnd = Math.min(...left.map(c => c.to));
    return left.some(c => c.from <= firstEnd && (c.kind === 'write' || c.before === value)
      && search(left.filter(other => other !== c), c.kind === 'read' ? value : c.value));
  };
  return search(calls.map((c, number) => ({ ...c, number })), initial);
}

/** Rounds of clients that meet; each has documents of its own. */
async function rivals({ uri, port, name, clients, rounds, seed: firstSeed, show, done }) {
  const proxies = [];
  const connected = [];
  for (let i = 0; i < clients; i++) {
    const proxy = new Proxy(port);
    const there = uri.replace(`:${port}/`, `:${await proxy.listen()}/`);
    proxies.push(proxy);
    connected.push(await new MongoClient(there, { maxPoolSize: 2, minHeartbeatFrequencyMS: 1, heartbeatFrequencyMS: 500, serverSelectionTimeoutMS: 20000 }).connect());
  }
  try {
    for (let round = 0; round < rounds; round++) {
      const seed = firstSeed + 1000000 + round;
      const wrong = await meet(connected, proxies, name, seed);
      done.rounds++;
      done.sequences += clients;
      done.operations += clients * steps;
      for (const what of wrong) show({ seed, what: 'rivals', operation: { op: what.of }, expected: what.expected, actual: what.actual });
      if (wrong.length > 0) return;
    }
  } finally {
    for (const proxy of proxies) done.losses += proxy.losses;
    await Promise.all(connected.map(client => client.close()));
    await Promise.all(proxies.map(proxy => proxy.close()));
  }
}

async function meet(connected, proxies, name, seed) {
  const own = `r${seed}`;
  const collectionOf = client => client.db(name).collection('rivals');
  const first = collectionOf(connected[0]);
  const id = (kind, key) => `${own}-${kind}${key}`;
  await first.insertMany([
    ...Array.from({ length: keys }, (_, k) => [{ _id: id('sum', k), n: 0 }, { _id: id('list', k), pushed: [], set: [] }, { _id: id('register', k), v: 'none' }, { _id: id('account', k), n: start }]).flat()]);

  const sums = Array(keys).fill(0);
  const after = Array.from({ length: keys }, () => []);
  const pushed = Array.from({ length: keys }, () => []);
  const sets = Array.from({ length: keys }, () => new Set());
  const registers = Array.from({ length: keys }, () => []);
  const inserted = Array.from({ length: steps }, () => []);
  const deleted = Array.from({ length: keys }, () => []);
  const upserted = Array.from({ length: keys }, () => 0);
  const counted = Array(keys).fill(0);
  let [clock, failures] = [0, []];

  await Promise.all(connected.map(async (client, number) => {
    const r = new Random(seed * 64 + number);
    const c = collectionOf(client);
    for (let step = 0; step < steps; step++) {
      const [key, token] = [r.below(keys), `${number}-${step}`];
      if (r.chance(0.1)) proxies[number].lose(command => ['insert', 'update', 'delete', 'findAndModify', 'commitTransaction'].includes(command), r.pick(['reply', 'client']));
      const timed = async (kind, value, run) => {
        const call = { kind, value, from: clock++ };
        const answer = await run();
        registers[key].push({ ...call, ...(kind === 'write' ? {} : { before: answer }), to: clock++ });
      };
      try {
        await r.weighted([
          [3, async () => { const n = 1 + r.below(5); await c.updateOne({ _id: id('sum', key) }, { $inc: { n } }); sums[key] += n; }],
          [2, async () => { after[key].push((await c.findOneAndUpdate({ _id: id('sum', key) }, { $inc: { n: 1 } }, { returnDocument: 'after' })).n); sums[key]++; }],
          [3, async () => { await c.updateOne({ _id: id('list', key) }, { $push: { pushed: token } }); pushed[key].push(token); }],
          [2, async () => { await c.updateOne({ _id: id('list', key) }, { $addToSet: { set: step } }); sets[key].add(step); }],
          [2, async () => { await c.bulkWrite([{ updateOne: { filter: { _id: id('sum', key) }, update: { $inc: { n: 2 } } } }, { updateOne: { filter: { _id: id('list', key) }, update: { $push: { pushed: token } } } }], { ordered: r.chance(0.5) }); sums[key] += 2; pushed[key].push(token); }],
          // In any order of the keys: each statement stands alone, so that none waits for another client's next one.
          [2, async () => {
            const order = [...sums.keys()].sort(() => r.below(2) - 0.5);
            await c.bulkWrite(order.map(k => ({ updateOne: { filter: { _id: id('sum', k) }, update: { $inc: { n: 1 } } } })), { ordered: r.chance(0.5) });
            for (const k of order) sums[k]++;
          }],
          [2, async () => { await c.insertOne({ _id: id('once', step), by: token }).then(() => inserted[step].push(token), e => { if (e.code !== 11000) throw e; }); }],
          [1, async () => { await c.insertMany([0, 1].map(i => ({ _id: id(`own${token}`, i) })), { ordered: false }); deleted[key].push(token); }],
          [2, async () => { const { upsertedCount } = await c.updateOne({ _id: id('made', key) }, { $inc: { n: 1 } }, { upsert: true }); upserted[key] += upsertedCount; counted[key]++; }],
          [2, () => timed('write', token, () => c.updateOne({ _id: id('register', key) }, { $set: { v: token } }))],
          [2, () => timed('read', null, async () => (await c.findOne({ _id: id('register', key) })).v)],
          [2, () => timed('swap', token, async () => (await c.findOneAndUpdate({ _id: id('register', key) }, { $set: { v: token } })).v)],
          [2, () => client.withSession(session => session.withTransaction(async () => {
            const to = (key + 1) % keys;
            await c.updateOne({ _id: id('account', Math.min(key, to)) }, { $inc: { n: key < to ? -1 : 1 } }, { session });
            await c.updateOne({ _id: id('account', Math.max(key, to)) }, { $inc: { n: key < to ? 1 : -1 } }, { session });
          }))],
        ])();
      } catch (error) {
        failures.push(`${token}: ${error.constructor.name} ${error.code} ${error.message}`);
      } finally {
        proxies[number].spare();
      }
    }
  }));

  const stored = new Map((await first.find({ _id: { $regex: `^${own}-` } }).toArray()).map(d => [d._id, d]));
  const wrong = failures.map(actual => ({ of: 'an operation', expected: 'no error', actual }));
  const expect = (of, expected, actual) => { if (JSON.stringify(expected) !== JSON.stringify(actual)) wrong.push({ of, expected, actual }); };
  let accounts = 0;
  for (let k = 0; k < keys; k++) {
    const sorted = values => [...values].sort();
    expect(`sum ${k}`, sums[k], stored.get(id('sum', k)).n);
    expect(`sums seen by findOneAndUpdate ${k} are different`, new Set(after[k]).size, after[k].length);
    expect(`pushed ${k}`, sorted(pushed[k]), sorted(stored.get(id('list', k)).pushed));
    expect(`set ${k}`, sorted(sets[k]), sorted(stored.get(id('list', k)).set));
    expect(`upserts ${k}`, counted[k] > 0 ? 1 : 0, upserted[k]);
    expect(`upserted sum ${k}`, counted[k], stored.get(id('made', k))?.n ?? 0);
    for (const token of deleted[k]) expect(`inserted by ${token}`, [true, true], [0, 1].map(i => stored.has(id(`own${token}`, i))));
    if (!isLinearizable(registers[k], 'none')) wrong.push({ of: `register ${k}`, expected: 'an order of its calls', actual: registers[k].map(c => ({ ...c })) });
    accounts += stored.get(id('account', k)).n;
  }
  for (let s = 0; s < steps; s++) {
    const document = stored.get(id('once', s));
    expect(`insert ${s}`, document ? [document.by] : [], inserted[s]);
  }
  expect('accounts', start * keys, accounts);
  await first.deleteMany({ _id: { $regex: `^${own}-` } });
  return wrong;
}

module.exports = { rivals };
