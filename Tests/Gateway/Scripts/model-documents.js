// Mongoose's documents: created, loaded, changed and saved under optimistic concurrency, populated, deleted, and saved in transactions that
// commit or abort, against plain objects; answers of writes are lost and repeated.
'use strict';
const mongoose = require('mongoose');
const { Random } = require('./model-values.js');
const { Proxy } = require('./model-proxy.js');

const writes = new Set(['insert', 'update', 'delete', 'findAndModify', 'commitTransaction']);
const plain = document => JSON.parse(JSON.stringify(document));
const sorted = value => (Array.isArray(value) ? value.map(sorted) : value !== null && typeof value === 'object' ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, sorted(v)])) : value);
const same = (a, b) => JSON.stringify(sorted(plain(a))) === JSON.stringify(sorted(plain(b)));

const changes = [
  (r, d) => { d.n = r.below(100); },
  (r, d) => { d.name = r.pick(['a', 'b', 'äö', '']); },
  (r, d) => { d.tags.push(r.pick(['x', 'y', 'z'])); },
  (r, d) => { d.tags = d.tags.filter(t => t !== 'x'); },
  (r, d) => { d.sub = { a: r.below(9) }; },
  (r, d) => { d.list.push({ x: r.below(9) }); },
  (r, d) => { if (d.list.length > 0) d.list[0].x = r.below(9); },
  (r, d) => { d.list = d.list.slice(1); },
  (r, d) => { d.owner = r.below(4); },
];

async function documents({ uri, port, name, sequences, seed: firstSeed, show, done }) {
  const proxy = new Proxy(port);
  const there = uri.replace(`:${port}/`, `:${await proxy.listen()}/`);
  const connection = await mongoose.createConnection(there, { dbName: name, maxPoolSize: 3, minHeartbeatFrequencyMS: 1, heartbeatFrequencyMS: 500 }).asPromise();
  try {
    connection.model('Owner', new mongoose.Schema({ _id: Number, name: String }));
    const Thing = connection.model('Thing', new mongoose.Schema({
      _id: Number, name: String, n: Number, tags: [String], sub: { a: Number }, list: [{ _id: false, x: Number }], owner: { type: Number, ref: 'Owner' } }, { optimisticConcurrency: true, collection: 'things' }));
    await connection.model('Owner').create([0, 1, 2].map(_id => ({ _id, name: `owner ${_id}` })));
    await Thing.createCollection();
    for (let seed = firstSeed; seed < firstSeed + sequences; seed++) {
      const r = new Random(seed);
      await Thing.deleteMany({});
      const expected = new Map();
      const step = async () => {
        const id = r.below(3);
        const known = expected.get(id);
        if (!known) {
          const made = { _id: id, name: 'new', n: 0, tags: [], sub: { a: 1 }, list: [], owner: r.below(4) };
          await Thing.create([made]);
          expected.set(id, { ...made, __v: 0 });
          return;
        }
        const [mine, stale] = [await Thing.findById(id), await Thing.findById(id)];
        if (!same(mine.toObject(), known)) throw new Error(`read ${JSON.stringify(mine)} instead of ${JSON.stringify(known)}`);
        const kind = r.weighted([[5, 'save'], [2, 'rival'], [2, 'abort'], [2, 'commit'], [1, 'delete'], [1, 'populate']]);
        const change = document => { for (let i = 1 + r.below(3); i > 0; i--) r.pick(changes)(r, document); };
        const saved = () => expected.set(id, { ...plain(mine.toObject()) });
        if (kind === 'delete') {
          await mine.deleteOne();
          expected.delete(id);
        } else if (kind === 'populate') {
          const { owner } = await Thing.findById(id).populate('owner');
          if ((owner?.name ?? null) !== (known.owner < 3 ? `owner ${known.owner}` : null)) throw new Error(`populate gave ${owner} for ${known.owner}`);
        } else if (kind === 'abort' || kind === 'commit') {
          const session = await connection.startSession();
          session.startTransaction();
          change(mine);
          await mine.save({ session });
          if (!same((await Thing.findById(id)).toObject(), known)) throw new Error('others see what is not committed');
          if (kind === 'commit') {
            await session.commitTransaction();
            saved();
          } else await session.abortTransaction();
          await session.endSession();
        } else {
          change(mine);
          const changed = mine.isModified();
          if (r.chance(0.2)) proxy.lose(c => writes.has(c), r.pick(['reply', 'client']));
          await mine.save();
          proxy.spare();
          saved();
          if (changed && mine.__v !== known.__v + 1) throw new Error(`version ${mine.__v} follows ${known.__v}`);
          if (kind === 'rival' && changed) {
            stale.name = `stale ${r.next()}`;
            const failure = await stale.save().then(() => null, e => e);
            if (failure?.name !== 'VersionError') throw new Error(`a stale document is saved: ${failure}`);
          }
        }
      };
      for (let i = 0; i < 10; i++) {
        try {
          await step();
          const stored = await Thing.find().sort({ _id: 1 }).lean();
          if (!same(stored, [...expected.values()].sort((a, b) => a._id - b._id))) throw new Error(`stored is ${JSON.stringify(stored)} instead of ${JSON.stringify([...expected.values()])}`);
        } catch (error) {
          show({ seed, what: 'documents', operation: { op: 'step', number: i }, expected: 'agreement', actual: `${error.name}: ${error.message}` });
          return;
        }
      }
      done.sequences++;
      done.operations += 10;
    }
  } finally {
    done.losses += proxy.losses;
    await connection.close();
    await proxy.close();
  }
}

module.exports = { documents };
