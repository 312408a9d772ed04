// The Node.js driver's and Mongoose's operations against the gateway, and the same ones against a collection in memory. Each answer and,
// after each sequence, what is stored must be equal, types and the order of fields included.
//   MODEL_URI=CONNECTION_STRING node model.js DATABASE [--sequences N] [--seed S] [--clients N] [--show N]
// A proxy in front of the gateway loses answers. A disagreement is printed with its seed and the fewest operations that show it, and ends
// the program with 1; --seed S --sequences 1 runs that sequence alone.
'use strict';
const { MongoClient } = require('mongodb');
const mongoose = require('mongoose');
const { Random, compare, text, isPlain, isNumber, toNumber, Int32, Double } = require('./model-values.js');
const { Collection, Either, Refused, Now, clone } = require('./model-collection.js');
const { sequence } = require('./model-sequences.js');
const { Proxy } = require('./model-proxy.js');
const { rivals } = require('./model-rivals.js');
const { documents } = require('./model-documents.js');

const uri = process.env.MODEL_URI.replace(/[?].*/, '?authSource=admin&directConnection=true'); // through the proxy, not around it
const [, , name, ...flags] = process.argv;
const flag = (key, otherwise) => (flags.includes(key) ? Number(flags[flags.indexOf(key) + 1]) : otherwise);
const [sequences, firstSeed, clients, limit] = [flag('--sequences', 20000), flag('--seed', 1), flag('--clients', 8), flag('--show', 20)];
const port = Number(new URL(uri).port);

// ---- Equality ---------------------------------------------------------------------------------------------------

/** Whether an answer is what the model expects. */
function agrees(expected, actual) {
  if (expected instanceof Either) return expected.values.includes(actual);
  if (expected instanceof Now) return actual instanceof Date && Math.abs(Date.now() - actual) < 600000;
  if (Array.isArray(expected)) return Array.isArray(actual) && expected.length === actual.length && expected.every((e, i) => agrees(e, actual[i]));
  if (isPlain(expected) && isPlain(actual)) {
    const [keys, others] = [Object.keys(expected), Object.keys(actual)];
    return keys.length === others.length && keys.every((key, i) => key === others[i] && agrees(expected[key], actual[key]));
  }
  return text(expected) === text(actual);
}

// ---- The model's answers ----------------------------------------------------------------------------------------

const isMany = s => s.updateMany || s.deleteMany;
const kindOf = s => (s.insertOne ? 'insert' : s.deleteOne || s.deleteMany ? 'delete' : 'update');

// The commands that the driver makes of a bulk: runs of one kind, or, when no order is asked for, one command for each kind.
function commandsOf({ statements, ordered }) {
  const all = statements.map((statement, index) => ({ statement, index, kind: kindOf(statement) }));
  if (!ordered) return ['insert', 'update', 'delete'].map(kind => all.filter(s => s.kind === kind)).filter(c => c.length > 0);
  return all.reduce((commands, s) => {
    if (commands.at(-1)?.[0].kind === s.kind) commands.at(-1).push(s);
    else commands.push([s]);
    return commands;
  }, []);
}

// An unordered bulk may be run in any order; the gateway takes a command whose statements all name one document in the order of their keys. Only a
// unique index makes the difference seen.
function keyOf({ statement: { insertOne, ...others } }) {
  const key = insertOne ? insertOne.document._id : Object.values(others)[0].filter._id;
  return isPlain(key) && Object.keys(key)[0]?.startsWith('$') ? undefined : key;
}
const inKeyOrder = command => (command.every(s => keyOf(s) !== undefined && !isMany(s.statement)) ? command.toSorted((a, b) => compare(keyOf(a), keyOf(b))) : command);

function bulk(collection, commands, ordered) {
  const total = { inserted: 0, matched: 0, modified: 0, deleted: 0, upserted: [], errors: [] };
  // The driver counts an upsert's place from the first statement of its command.
  for (const { statement, index, place } of commands.flatMap(command => command.map((s, i) => ({ ...s, place: command[0].index + i })))) {
    const [[kind, s]] = Object.entries(statement);
    try {
      if (kind === 'insertOne') {
        collection.insert(s.document);
        total.inserted++;
      } else if (kind.startsWith('delete')) {
        total.deleted += collection.delete(s.filter, { multi: kind === 'deleteMany' }).length;
      } else {
        const done = collection.update(s.filter, s.update ?? s.replacement, { ...s, multi: kind === 'updateMany' });
        total.matched += done.matched;
        total.modified += done.modified;
        if ('upserted' in done) total.upserted.push([place, done.upserted]);
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      total.errors.push([index, error.code]);
      if (ordered) break;
    }
  }
  total.upserted.sort((a, b) => a[0] - b[0]);
  total.errors.sort((a, b) => a[0] - b[0]);
  return total;
}

const found = ({ before, after }, wantsAfter, collection, projection) => {
  const document = wantsAfter ? after : before;
  return document === null ? null : new Collection([document]).find({}, { projection })[0];
};

// What an operation answers, and what it does to the collection.
const model = {
  insertOne: (c, o) => { c.insert(o.document); return { insertedId: o.document._id }; },
  insertMany: (c, o) => bulk(c, [o.documents.map((document, index) => ({ statement: { insertOne: { document } }, index }))], o.ordered),
  updateOne: (c, o) => updated(c.update(o.filter, o.update, o)),
  updateMany: (c, o) => updated(c.update(o.filter, o.update, { ...o, multi: true })),
  replaceOne: (c, o) => updated(c.update(o.filter, o.replacement, o)),
  deleteOne: (c, o) => ({ deleted: c.delete(o.filter).length }),
  deleteMany: (c, o) => ({ deleted: c.delete(o.filter, { multi: true }).length }),
  findOneAndUpdate: (c, o) => found(c.update(o.filter, o.update, o), o.after, c, o.projection),
  findOneAndReplace: (c, o) => found(c.update(o.filter, o.replacement, o), o.after, c, o.projection),
  findOneAndDelete: (c, o) => new Collection(c.delete(o.filter, o)).find({}, { projection: o.projection })[0] ?? null,
  bulkWrite: (c, o) => bulk(c, o.byKey ? commandsOf(o).map(inKeyOrder) : commandsOf(o), o.ordered),
  bulkCommand: (c, o) => bulk(c, [o.statements.map((statement, index) => ({ statement, index }))], o.ordered),
  find: (c, o) => c.find(o.filter, o),
  findOne: (c, o) => c.find(o.filter, { ...o, limit: 1 })[0] ?? null,
  countDocuments: (c, o) => c.find(o.filter).length,
  estimatedDocumentCount: c => c.documents.length,
  distinct: (c, o) => byValue(c.distinct(o.field, o.filter)),
};
// Which of equal numbers of different types is kept, nobody says.
const byValue = values => values.map(v => (isNumber(v) ? new Double(toNumber(v)) : v)).sort(compare);
const updated = ({ matched, modified, upserted }) => ({ matched, modified, upserted: upserted ?? null });

// ---- The driver and Mongoose ------------------------------------------------------------------------------------

const raw = { promoteValues: false, promoteLongs: false };
const results = {
  update: r => ({ matched: Number(r.matchedCount), modified: Number(r.modifiedCount), upserted: r.upsertedId ?? null }),
  bulk: (r, errors) => ({
    inserted: Number(r.insertedCount), matched: Number(r.matchedCount), modified: Number(r.modifiedCount), deleted: Number(r.deletedCount),
    upserted: Object.entries(r.upsertedIds).map(([index, id]) => [Number(index), id]), errors: errors.map(e => [Number(e.index), Number(e.code)]).sort((a, b) => a[0] - b[0]) }),
};
const failedInBulk = async run => {
  try {
    return results.bulk(await run, []);
  } catch (error) {
    const failures = [error.writeErrors ?? []].flat();
    if (failures.length === 0) throw error.cause ?? error;
    return results.bulk(error.result, failures.map(e => e.err ?? e));
  }
};

const optionsOf = o => Object.fromEntries(['upsert', 'arrayFilters', 'sort', 'projection', 'ordered', 'skip', 'limit', 'batchSize'].filter(k => o[k] !== undefined).map(k => [k, o[k]]));

const driver = {
  insertOne: async (c, o, s) => ({ insertedId: (await c.insertOne(o.document, s)).insertedId }),
  insertMany: (c, o, s) => failedInBulk(c.bulkWrite(o.documents.map(document => ({ insertOne: { document } })), { ordered: o.ordered, ...s })),
  updateOne: async (c, o, s) => results.update(await c.updateOne(o.filter, o.update, { ...optionsOf(o), ...s })),
  updateMany: async (c, o, s) => results.update(await c.updateMany(o.filter, o.update, { ...optionsOf(o), ...s })),
  replaceOne: async (c, o, s) => results.update(await c.replaceOne(o.filter, o.replacement, { ...optionsOf(o), ...s })),
  deleteOne: async (c, o, s) => ({ deleted: Number((await c.deleteOne(o.filter, s)).deletedCount) }),
  deleteMany: async (c, o, s) => ({ deleted: Number((await c.deleteMany(o.filter, s)).deletedCount) }),
  findOneAndUpdate: (c, o, s) => c.findOneAndUpdate(o.filter, o.update, { ...optionsOf(o), returnDocument: o.after ? 'after' : 'before', ...raw, ...s }),
  findOneAndReplace: (c, o, s) => c.findOneAndReplace(o.filter, o.replacement, { ...optionsOf(o), returnDocument: o.after ? 'after' : 'before', ...raw, ...s }),
  findOneAndDelete: (c, o, s) => c.findOneAndDelete(o.filter, { ...optionsOf(o), ...raw, ...s }),
  bulkWrite: (c, o, s) => failedInBulk(c.bulkWrite(o.statements, { ordered: o.ordered, ...s })),
  bulkCommand: (c, o) => bulkCommand(c, o),
  find: (c, o, s) => c.find(o.filter, { ...optionsOf(o), ...raw, ...s }).toArray(),
  findOne: (c, o, s) => c.findOne(o.filter, { ...optionsOf(o), ...raw, ...s }),
  countDocuments: async (c, o, s) => Number(await c.countDocuments(o.filter, s)),
  estimatedDocumentCount: async c => Number(await c.estimatedDocumentCount()),
  distinct: async (c, o, s) => byValue(await c.distinct(o.field, o.filter, { ...raw, ...s })),
};

const lean = { lean: true };
const objectMapper = {
  ...driver,
  insertOne: async (m, o, s) => { const [d] = await m.create([o.document], s); return { insertedId: d._id }; },
  updateOne: async (m, o, s) => results.update(await m.updateOne(o.filter, o.update, { ...optionsOf(o), updatePipeline: true, ...s })),
  updateMany: async (m, o, s) => results.update(await m.updateMany(o.filter, o.update, { ...optionsOf(o), updatePipeline: true, ...s })),
  findOneAndUpdate: (m, o, s) => m.findOneAndUpdate(o.filter, o.update, { ...optionsOf(o), returnDocument: o.after ? 'after' : 'before', updatePipeline: true, ...lean, ...raw, ...s }),
  findOneAndReplace: (m, o, s) => m.findOneAndReplace(o.filter, o.replacement, { ...optionsOf(o), returnDocument: o.after ? 'after' : 'before', ...lean, ...raw, ...s }),
  findOneAndDelete: (m, o, s) => m.findOneAndDelete(o.filter, { ...optionsOf(o), ...lean, ...raw, ...s }),
  find: (m, o, s) => m.find(o.filter, null, { ...optionsOf(o), ...lean, ...raw, ...s }),
  findOne: (m, o, s) => m.findOne(o.filter, null, { ...optionsOf(o), ...lean, ...raw, ...s }),
  distinct: (m, o, s) => driver.distinct(m.collection, o, s),
  bulkCommand: (m, o) => bulkCommand(m.collection, o),
};

// The command bulkWrite, which drivers do not send to a server of this version.
async function bulkCommand(collection, { statements, ordered }) {
  const database = collection.db ?? collection.conn.db;
  const ops = statements.map(statement => {
    const [[kind, s]] = Object.entries(statement);
    if (kind === 'insertOne') return { insert: 0, document: s.document };
    if (kind.startsWith('delete')) return { delete: 0, filter: s.filter, multi: kind === 'deleteMany' };
    return {
      update: 0, filter: s.filter, updateMods: s.update ?? s.replacement, multi: kind === 'updateMany',
      ...(s.upsert ? { upsert: true } : {}), ...(s.arrayFilters ? { arrayFilters: s.arrayFilters } : {}) };
  });
  const namespace = `${database.databaseName ?? database.name}.${collection.collectionName ?? collection.name}`;
  const r = await collection.conn?.getClient().db('admin').command({ bulkWrite: 1, ops, nsInfo: [{ ns: namespace }], ordered }, raw)
    ?? await clientOf(collection).db('admin').command({ bulkWrite: 1, ops, nsInfo: [{ ns: namespace }], ordered }, raw);
  const each = r.cursor.firstBatch;
  return {
    inserted: Number(r.nInserted), matched: Number(r.nMatched), modified: Number(r.nModified), deleted: Number(r.nDeleted),
    upserted: each.filter(e => e.upserted).map(e => [Number(e.idx), e.upserted._id]), errors: each.filter(e => Number(e.ok) !== 1).map(e => [Number(e.idx), Number(e.code)]) };
}
const clientOf = collection => collection.client ?? collection.s?.db?.client ?? collection.db.client;

// ---- One sequence -----------------------------------------------------------------------------------------------

const writes = new Set(['insert', 'update', 'delete', 'findAndModify', 'find', 'aggregate', 'count', 'distinct', 'bulkWrite', 'commitTransaction', 'abortTransaction']);
const reads = new Set(['find', 'findOne', 'countDocuments', 'estimatedDocumentCount', 'distinct']);

// Whether the driver repeats the first command of an operation whose answer is lost.
function isRepeated(o, retry) {
  if (reads.has(o.op) || o.op === 'commit' || o.op === 'abort') return true;
  if (!retry || o.op === 'updateMany' || o.op === 'deleteMany' || o.op === 'bulkCommand') return false;
  return o.op !== 'bulkWrite' || !commandsOf(o)[0].some(s => isMany(s.statement));
}

const outcome = async run => {
  try {
    return await run();
  } catch (error) {
    // A bulk wraps what was lost, and keeps its text only.
    if (/Network|PoolCleared/.test(error.constructor.name) || /^connection \d+ to .* closed$/.test(error.message)) return { error: 'network' };
    return { error: error.code === undefined ? `${error.constructor.name}: ${error.message}` : Number(error.code) };
  }
};

const modelOutcome = run => {
  try {
    return run();
  } catch (error) {
    if (error instanceof Refused) return { error: error.code };
    throw error;
  }
};

class Worker {
  constructor(number) { this.number = number; }

  async open() {
    this.proxy = new Proxy(port);
    const there = uri.replace(`:${port}/`, `:${await this.proxy.listen()}/`);
    const options = { maxPoolSize: 4, serverSelectionTimeoutMS: 20000, minHeartbeatFrequencyMS: 1, heartbeatFrequencyMS: 500 };
    this.plain = new MongoClient(uri, { maxPoolSize: 2 });
    this.collectionName = `w${this.number}`;
    this.clients = [];
    const schema = new mongoose.Schema({ _id: mongoose.Schema.Types.Mixed }, { strict: false, versionKey: false, minimize: false, id: false, autoIndex: false, autoCreate: false, collection: this.collectionName });
    for (const retryWrites of [true, false]) {
      const client = await new MongoClient(there, { ...options, retryWrites }).connect();
      const collection = client.db(name).collection(this.collectionName);
      Object.defineProperty(collection, 'db', { value: client.db(name), configurable: true });
      const connection = await mongoose.createConnection(there, { ...options, retryWrites, dbName: name }).asPromise();
      const mapped = connection.model('Thing', schema);
      mapped.collection.conn ??= connection;
      this.clients.push({ retryWrites, mongoose: false, on: driver, collection, start: () => client.startSession() });
      this.clients.push({ retryWrites, mongoose: true, on: objectMapper, collection: mapped, start: () => connection.startSession() });
      (this.closing ??= []).push(() => client.close(), () => connection.close());
    }
    this.direct = this.plain.db(name).collection(this.collectionName);
    await this.direct.createIndex({ u: 1 }, { unique: true, sparse: true });
  }

  async close() {
    for (const close of this.closing) await close();
    await this.plain.close();
    await this.proxy.close();
  }

  stored(read = {}) { return this.direct.find({}, { ...raw, ...read }).sort({ _id: 1 }).toArray(); }

  /** Runs a sequence and returns the first disagreement, or null. */
  async run({ documents, operations, retry, mongoose: mapped }) {
    await this.direct.deleteMany({});
    if (documents.length > 0) await this.direct.insertMany(documents.map(clone));
    const client = this.clients.find(c => c.retryWrites === retry && c.mongoose === mapped);
    const turned = mapped ? operations.map(turn) : operations;
    let [collection, before, session, tx, failed] = [new Collection(documents.map(clone)), null, null, 0, false];
    try {
      for (const [at, o] of turned.entries()) {
        if (o.op === 'peek') {
          const expected = (before ?? collection).find({}, { sort: { _id: 1 } });
          const actual = await this.stored();
          if (!agrees(expected, actual)) return { at, operation: o, expected, actual, what: 'what others see during a transaction' };
          continue;
        }
        if (o.tx && failed && o.op !== 'abort' && o.op !== 'commit') continue;
        if (session && o.tx !== tx) { // its end was left out
          await session.abortTransaction();
          await session.endSession();
          [session, collection, before] = [null, before, null];
        }
        if (o.op !== 'commit' && o.op !== 'abort' && o.tx && !session) {
          session = await client.start();
          tx = o.tx;
          session.startTransaction();
          [before, failed] = [collection.copy(), false];
        }
        if (o.op === 'commit' || o.op === 'abort') {
          if (!session) continue;
          const commits = o.op === 'commit' && !failed;
          if (o.lose && !failed) this.proxy.lose(c => c === 'commitTransaction' || c === 'abortTransaction', o.lose);
          const ended = await outcome(() => (commits ? session.commitTransaction() : session.abortTransaction()));
          this.proxy.spare();
          await session.endSession();
          session = null;
          if (!commits) collection = before;
          before = null;
          if (ended?.error !== undefined) return { at, operation: o, expected: 'a transaction that ends', actual: ended };
          continue;
        }
        const repeated = isRepeated(o, retry);
        const lost = o.lose !== undefined;
        const untouched = o.op === 'bulkWrite' && !o.ordered && !o.tx ? collection.copy() : null;
        let expected;
        if (lost && !repeated) {
          // What was sent is done all the same, and nothing after it.
          if (o.op === 'bulkWrite') bulk(collection, [commandsOf(o)[0]], o.ordered);
          else modelOutcome(() => model[o.op](collection, o));
          expected = { error: 'network' };
        } else expected = modelOutcome(() => model[o.op](collection, o));
        if (o.tx) {
          const errors = expected?.errors?.length > 0;
          failed = expected?.error !== undefined || errors;
        }
        if (lost) this.proxy.lose(c => writes.has(c), repeated ? o.lose : 'reply');
        // The driver writes an _id into documents and Mongoose casts in place, so they get copies.
        const sent = copyOf(operations[at]);
        const actual = await outcome(() => client.on[o.op](client.collection, sent, session ? { session } : {}));
        if (lost && this.proxy.spare()) throw new Error(`Nothing was lost of ${text(o)}`);
        if (o.tx && failed) {
          // Whatever it says of the rest: the transaction is over.
          if (actual?.error === undefined && !(actual?.errors?.length > 0)) return { at, operation: o, expected, actual };
          const [code, wanted] = [actual.error ?? actual.errors[0][1], failureOf(o, expected)];
          if (!agrees(wanted, code)) return { at, operation: o, expected, actual };
        } else if (!agrees(expected, actual ?? null)) {
          if (!untouched || !agrees(modelOutcome(() => model[o.op](untouched, { ...o, byKey: true })), actual ?? null)) return { at, operation: o, expected, actual };
          collection = untouched;
        }
      }
      if (session) {
        await session.abortTransaction();
        await session.endSession();
        [session, collection] = [null, before];
      }
      const [expected, actual] = [collection.find({}, { sort: { _id: 1 } }), await this.stored()];
      if (!agrees(expected, actual)) return { at: operations.length, operation: { op: 'stored' }, expected, actual };
      return null;
    } finally {
      this.proxy.spare();
      if (session) {
        await session.abortTransaction().catch(() => null);
        await session.endSession();
      }
    }
  }

  /** Leaves operations and documents out as long as the sequence still disagrees. */
  async shrink(sequence_, disagreement) {
    let [smallest, shown] = [{ ...sequence_, operations: sequence_.operations.slice(0, disagreement.at + 1) }, disagreement];
    for (const part of ['operations', 'documents']) {
      for (let at = smallest[part].length - 1; at >= 0; at--) {
        const fewer = { ...smallest, [part]: smallest[part].filter((_, i) => i !== at) };
        const still = await this.run(fewer).catch(() => null);
        if (still && still.operation.op === shown.operation.op) [smallest, shown] = [fewer, still];
      }
    }
    for (const [at, o] of smallest.operations.entries()) {
      for (let s = (o.statements?.length ?? 0) - 1; s >= 0 && smallest.operations[at].statements.length > 1; s--) {
        const less = { ...smallest.operations[at], statements: smallest.operations[at].statements.filter((_, i) => i !== s) };
        const fewer = { ...smallest, operations: smallest.operations.map((other, i) => (i === at ? less : other)) };
        const still = await this.run(fewer).catch(() => null);
        if (still && still.operation.op === shown.operation.op) [smallest, shown] = [fewer, still];
      }
    }
    return { ...shown, sequence: smallest };
  }
}

// Mongoose sends the operators of an update in the opposite order and numbers of JavaScript in $inc, and forgets that findOneAndUpdate shall leave _id out.
const casted = n => (Number.isInteger(toNumber(n)) && Math.abs(toNumber(n)) <= 2147483647 ? new Int32(toNumber(n)) : new Double(toNumber(n)));
const reversed = update => (!isPlain(update) || !Object.keys(update)[0]?.startsWith('$') ? update : Object.fromEntries(Object.entries(update).reverse().map(
  ([operator, fields]) => [operator, operator === '$inc' ? Object.fromEntries(Object.entries(fields).map(([path, n]) => [path, casted(n)])) : fields])));
const turn = o => ({
  ...o, ...(o.op === 'findOneAndUpdate' && o.projection?._id === 0 && Object.values(o.projection).includes(1) ? { projection: Object.fromEntries(Object.entries(o.projection).filter(([key]) => key !== '_id')) } : {}),
  ...(o.update ? { update: reversed(o.update) } : {}),
  ...(o.op === 'bulkWrite' ? { statements: o.statements.map(s => Object.fromEntries(Object.entries(s).map(([kind, of]) => [kind, of.update ? { ...of, update: reversed(of.update) } : of]))) } : {}) });

// What a failed operation says in a transaction: the first error, or that there is no transaction any more when a bulk without order sends another
// command after the one that failed.
function failureOf(o, { error, errors }) {
  if (error !== undefined) return error;
  const commands = o.op === 'bulkWrite' ? commandsOf(o) : [];
  const failed = commands.findIndex(command => command.some(s => errors.some(([index]) => index === s.index)));
  if (!o.ordered && failed >= 0 && failed < commands.length - 1) return 251;
  return errors.find(([index]) => failed < 0 || commands[failed].some(s => s.index === index))[1];
}

const copyOf = o => Object.fromEntries(Object.entries(o).map(([key, value]) => [key, clone(value)]));

// ---- All of them ------------------------------------------------------------------------------------------------

async function main() {
  const disagreements = [];
  const done = { sequences: 0, operations: 0, losses: 0, rounds: 0 };
  const started = Date.now();
  const show = d => {
    disagreements.push(d);
    console.log(`DISAGREEMENT seed ${d.seed}${d.what ? ` (${d.what})` : ''}: ${text(d.operation)}\n  expected ${text(d.expected)}\n  came     ${text(d.actual)}${d.sequence ? `\n  sequence ${text(d.sequence)}` : ''}`);
  };
    // Each client has a collection of its own. A twentieth are rounds in which all clients meet, and another one documents of Mongoose.
  const alone = Math.ceil(sequences * 0.9);
  let next = firstSeed;
  await Promise.all(Array.from({ length: Math.min(clients, alone) }, async (_, number) => {
    const worker = new Worker(number);
    await worker.open();
    try {
      while (next < firstSeed + alone && disagreements.length < limit) {
        const seed = next++;
        const made = sequence(new Random(seed));
        const disagreement = await worker.run(made).catch(error => { throw new Error(`Seed ${seed}: ${error.stack}`); });
        done.sequences++;
        done.operations += made.operations.length;
        if (disagreement) show({ seed, ...await worker.shrink(made, disagreement) });
      }
      done.losses += worker.proxy.losses;
    } finally {
      await worker.close();
    }
  }));
  const twentieth = Math.floor((sequences - alone) / 2);
  await documents({ uri, port, name, sequences: Math.max(1, twentieth), seed: firstSeed, show, done });
  await rivals({ uri, port, name, clients, rounds: Math.max(1, Math.floor(twentieth / clients)), seed: firstSeed, show, done });
  const seconds = (Date.now() - started) / 1000;
  console.log(`model: ${done.sequences} sequences, ${done.operations} operations, ${done.losses} answers lost, ${done.rounds} rounds of ${clients} rivals, ${disagreements.length} disagreements, ${seconds.toFixed(1)} s`);
  const cleaner = new MongoClient(uri);
  await cleaner.db(name).dropDatabase();
  await cleaner.close();
  process.exit(disagreements.length === 0 ? 0 : 1);
}

main().catch(error => { console.error(error); process.exit(1); });
