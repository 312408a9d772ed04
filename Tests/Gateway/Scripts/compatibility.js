// What of MongoDB's commands and features the gateway has, shown by mongosh: the page docs/gateway-compatibility.md is made of what this prints.
//   mongosh CONNECTION_STRING --file compatibility.js, with the database's name in PLATFORM_DATABASE
// Prints 'ok WHAT' or 'not ok WHAT: WHY' per check and, per command or feature, 'entry {JSON}'. Ends with an error when a check failed.
const assert = require('node:assert/strict');
const name = process.env.PLATFORM_DATABASE;
const admin = db.getSiblingDB('admin');
db = db.getSiblingDB(name);

// The shell's arrays are of another realm than the assertion library's.
const same = (actual, expected) => assert.equal(EJSON.stringify(actual), EJSON.stringify(expected));
const equal = (actual, expected) => assert.equal(actual, expected);
const truthy = (value) => assert.ok(value);
// The library cannot run the shell's commands itself: the shell makes only the script's own functions wait for them.
const fails = (run, code) => {
  let failure = null;
  try { run(); } catch (e) { failure = e; }
  assert.ok(failure, `no error ${code}`);
  assert.equal(failure.code, code, `code ${failure.code} (${failure.message}) instead of ${code}`);
  return failure;
};
const ok = (command, on) => { const reply = (on || db).runCommand(command); assert.equal(reply.ok, 1); return reply; };
let checks = 0;
let failures = 0;
const entry = (group, what, status, difference, tests) => {
  for (const test of Object.keys(tests)) {
    try {
      tests[test]();
      print(`ok ${what}: ${test}`);
      checks++;
    } catch (e) {
      failures++;
      print(`not ok ${what}: ${test}: ${e.stack || e}`);
    }
  }
  print('entry ' + JSON.stringify({ group, what, status, difference, checks: Object.keys(tests).length }));
};
const supported = (group, what, difference, tests) => entry(group, what, 'supported', difference, tests);
const emulated = (group, what, difference, tests) => entry(group, what, 'emulated', difference, tests);
const refused = (group, what, difference, tests) => entry(group, what, 'refused', difference, tests);
const range = (n) => [...Array(n).keys()];

// ---- Reading -------------------------------------------------------------------------------------------------------------------
db.read.insertMany(range(300).map(i => ({ _id: i, n: i, g: i % 5, tags: ['t' + i % 3, 'all'], s: i % 2 ? 'odd' : 'even', in: { x: i } })));
const reading = 'Reading';
supported(reading, 'find', 'The options min, max, returnKey, showRecordId and the hint {$natural: -1} are refused; noCursorTimeout (10 minutes hold), allowDiskUse and allowPartialResults have no effect.', {
  'by equality': () => same(db.read.findOne({ _id: 7 }, { n: 1 }), { _id: 7, n: 7 }),
  'by range': () => equal(db.read.find({ n: { $gte: 10, $lt: 20 } }).itcount(), 10),
  'by $in, $or and $nor': () => equal(db.read.find({ $or: [{ n: { $in: [1, 2] } }, { n: 3 }], $nor: [{ n: 2 }] }).itcount(), 2),
  'by $elemMatch and $all': () => equal(db.read.find({ tags: { $all: ['t0', 'all'], $elemMatch: { $eq: 't0' } } }).itcount(), 100),
  'by regular expression': () => equal(db.read.find({ s: /^od/ }).itcount(), 150),
  'by $expr': () => equal(db.read.find({ $expr: { $eq: ['$n', { $multiply: ['$g', 2] }] } }).itcount(), 1),
  'by $type, $exists and $mod': () => equal(db.read.find({ n: { $type: 'int', $mod: [100, 0] }, 'in.x': { $exists: true } }).itcount(), 3),
  'sort, skip and limit': () => same(db.read.find({}, { n: 1, _id: 0 }).sort({ n: -1 }).skip(1).limit(2).toArray(), [{ n: 298 }, { n: 297 }]),
  'projection with $slice': () => same(db.read.findOne({ _id: 1 }, { tags: { $slice: 1 } }).tags, ['t1']),
  'projection with an expression': () => same(db.read.findOne({ _id: 4 }, { _id: 0, d: { $add: ['$n', 1] } }), { d: 5 }),
  'hint': () => equal(db.read.find({ n: 3 }).hint({ _id: 1 }).itcount(), 1),
  'collation': () => equal(db.read.find({ s: 'ODD' }).collation({ locale: 'en', strength: 2 }).itcount(), 150),
  'maxTimeMS': () => fails(() => db.read.find({ $expr: { $gt: [{ $size: { $filter: { input: { $range: [0, 200000] }, cond: { $gt: [{ $mod: ['$$this', 7] }, 5] } } } }, 0] } }).maxTimeMS(1).toArray(), 50),
  'min and max are refused': () => fails(() => db.read.find().min({ _id: 1 }).hint({ _id: 1 }).toArray(), 115),
});
supported(reading, 'getMore', '', {
  'all batches in order': () => same(db.read.find().sort({ n: 1 }).batchSize(50).map(d => d.n).toArray(), range(300)),
  'a cursor of another session is refused': () => {
    const [a, b] = [db.getMongo().startSession(), db.getMongo().startSession()];
    const id = ok({ find: 'read', batchSize: 1 }, a.getDatabase(name)).cursor.id;
    fails(() => b.getDatabase(name).runCommand({ getMore: id, collection: 'read' }), 13);
    a.endSession(); b.endSession();
  },
  'an unknown cursor': () => fails(() => db.runCommand({ getMore: Long('123'), collection: 'read' }), 43),
});
supported(reading, 'killCursors', '', {
  'an open cursor': () => {
    const id = ok({ find: 'read', sort: { n: 1 }, batchSize: 2 }).cursor.id;
    equal(ok({ killCursors: 'read', cursors: [id] }).cursorsKilled.length, 1);
    fails(() => db.runCommand({ getMore: id, collection: 'read' }), 43);
  },
  'an unknown one': () => equal(ok({ killCursors: 'read', cursors: [Long('1')] }).cursorsNotFound.length, 1),
});
supported(reading, 'count', 'Without a query and from 10,000 documents on, what PostgreSQL\'s statistics say.', {
  'with a query': () => equal(ok({ count: 'read', query: { g: 1 } }).n, 60),
  'with skip and limit': () => equal(ok({ count: 'read', query: {}, skip: 290, limit: 20 }).n, 10),
  'estimated': () => equal(db.read.estimatedDocumentCount(), 300),
  'of a missing collection': () => equal(ok({ count: 'nothing' }).n, 0),
});
supported(reading, 'distinct', 'Collations other than simple are refused.', {
  'values': () => same(db.read.distinct('g').sort(), [0, 1, 2, 3, 4]),
  'of array elements with a query': () => same(db.read.distinct('tags', { n: 1 }).sort(), ['all', 't1']),
  'a collation is refused': () => fails(() => db.read.distinct('s', {}, { collation: { locale: 'en', strength: 2 } }), 115),
});
supported(reading, 'aggregate', '$listSessions, $planCacheStats, $function, $accumulator, $where and $merge with a pipeline are refused, as is $merge of two documents with equal \'on\' fields; $sample sorts the whole input at random.', {
  '$match, $group and $sort': () => same(db.read.aggregate([{ $match: { g: { $lt: 2 } } }, { $group: { _id: '$g', n: { $sum: 1 } } }, { $sort: { _id: 1 } }]).toArray(), [{ _id: 0, n: 60 }, { _id: 1, n: 60 }]),
  '$lookup with a pipeline': () => equal(db.read.aggregate([{ $match: { _id: 1 } }, { $lookup: { from: 'read', let: { g: '$g' }, pipeline: [{ $match: { $expr: { $eq: ['$g', '$$g'] } } }], as: 'peers' } }]).next().peers.length, 60),
  '$unwind and $project': () => equal(db.read.aggregate([{ $match: { _id: { $lt: 2 } } }, { $unwind: '$tags' }, { $project: { t: '$tags' } }]).itcount(), 4),
  '$facet and $bucket': () => equal(db.read.aggregate([{ $facet: { b: [{ $bucket: { groupBy: '$n', boundaries: [0, 100, 300] } }] } }]).next().b.length, 2),
  '$setWindowFields': () => equal(db.read.aggregate([{ $match: { n: { $lt: 3 } } }, { $setWindowFields: { sortBy: { n: 1 }, output: { t: { $sum: '$n', window: { documents: ['unbounded', 'current'] } } } } }, { $sort: { n: -1 } }, { $limit: 1 }]).next().t, 3),
  '$graphLookup': () => equal(db.read.aggregate([{ $match: { _id: 1 } }, { $graphLookup: { from: 'read', startWith: '$g', connectFromField: 'g', connectToField: '_id', as: 'up' } }]).next().up.length, 1),
  '$unionWith and $count': () => same(db.read.aggregate([{ $unionWith: 'read' }, { $count: 'n' }]).toArray(), [{ n: 600 }]),
  '$count of nothing is nothing': () => same(db.read.aggregate([{ $match: { n: -1 } }, { $count: 'n' }]).toArray(), []),
  '$sample takes documents from everywhere': () => truthy(Math.max(...db.read.aggregate([{ $sample: { size: 60 } }]).map(d => d.n).toArray()) - Math.min(...db.read.aggregate([{ $sample: { size: 60 } }]).map(d => d.n).toArray()) > 100),
  '$out': () => { db.read.aggregate([{ $match: { n: { $lt: 5 } } }, { $out: 'out' }]); equal(db.out.countDocuments(), 5); },
  '$merge': () => { db.read.aggregate([{ $match: { n: { $lt: 8 } } }, { $merge: { into: 'out', whenMatched: 'keepExisting' } }]); equal(db.out.countDocuments(), 8); },
  '$merge with a pipeline is refused': () => fails(() => db.read.aggregate([{ $merge: { into: 'out', whenMatched: [{ $set: { a: 1 } }] } }]).toArray(), 115),
  '$merge of equal keys is refused': () => {
    db.merged.createIndex({ k: 1 }, { unique: true });
    db.merged.insertOne({ k: 'same' });
    fails(() => db.read.aggregate([{ $match: { n: { $lt: 2 } } }, { $project: { _id: 0, k: 'same' } }, { $merge: { into: 'merged', on: 'k' } }]).toArray(), 115);
  },
  '$documents': () => same(admin.aggregate([{ $documents: [{ a: 1 }, { a: 2 }] }, { $match: { a: 2 } }]).toArray(), [{ a: 2 }]),
  '$collStats': () => truthy('count' in db.read.aggregate([{ $collStats: { count: {} } }]).next()),
  'an unknown stage': () => fails(() => db.read.aggregate([{ $noSuchStage: 1 }]).toArray(), 40324),
  'explain: true': () => equal(ok({ aggregate: 'read', pipeline: [{ $match: { n: 1 } }], explain: true }).queryPlanner.winningPlan.stage, 'COLLSCAN'),
});
supported(reading, 'change streams', 'See [change streams](change-streams.md#what-differs).', {
  'watch': () => {
    const stream = db.watched.watch([{ $match: { operationType: 'insert' } }]);
    db.watched.insertOne({ _id: 1 });
    let event = null;
    while ((event = stream.tryNext()) === null) { /* it comes */ }
    same(event.documentKey, { _id: 1 });
    stream.close();
  },
  'a stage that is not allowed': () => fails(() => db.runCommand({ aggregate: 'read', pipeline: [{ $changeStream: {} }, { $count: 'n' }], cursor: {} }), 20),
  'splitting large events is refused': () => fails(() => db.runCommand({ aggregate: 'read', pipeline: [{ $changeStream: {} }, { $changeStreamSplitLargeEvent: {} }], cursor: {} }), 115),
});
refused(reading, 'tailable cursors', 'They need capped collections.', {
  'find with tailable': () => fails(() => db.runCommand({ find: 'read', tailable: true }), 2),
});
refused(reading, 'mapReduce, $where, server-side JavaScript', 'The backend runs no JavaScript.', {
  'mapReduce': () => fails(() => db.runCommand({ mapReduce: 'read', map: 'f', reduce: 'g', out: 'h' }), 59),
  '$where': () => truthy([115, 2, 9].includes((() => { try { db.read.find({ $where: 'true' }).toArray(); } catch (e) { return e.code; } })())),
});

supported(reading, 'read concern', 'The level snapshot is given in transactions and refused with error 72 outside, as is atClusterTime: the backend keeps no snapshot between commands.', {
  'levels': () => ['local', 'available', 'majority', 'linearizable'].forEach(level => ok({ find: 'read', limit: 1, readConcern: { level } })),
  'unknown': () => fails(() => db.runCommand({ find: 'read', readConcern: { level: 'x' } }), 9),
  'snapshot': () => fails(() => db.runCommand({ find: 'read', readConcern: { level: 'snapshot' } }), 72),
});
supported(reading, 'hint', 'An update, delete or bulkWrite in which one names no index is refused as a whole.', {
  'of an index': () => equal(db.read.find({ _id: 7 }).hint('_id_').itcount(), 1),
  'of none': () => { fails(() => db.read.find().hint('none').itcount(), 2); fails(() => db.read.updateOne({}, { $set: { a: 1 } }, { hint: 'none' }), 2); },
});
supported(reading, 'maxTimeMS', '', { 'out of range': () => fails(() => db.runCommand({ ping: 1, maxTimeMS: -1 }), 2) });
supported(reading, 'API version', 'Version 1, in which nothing is deprecated.', {
  'strict': () => fails(() => db.runCommand({ distinct: 'read', key: 'n', apiVersion: '1', apiStrict: true }), 323),
  'unknown': () => fails(() => db.runCommand({ ping: 1, apiVersion: '2' }), 322),
});
supported(reading, '$readPreference', 'Every mode leads to a set of one member; on a secondary of three, reads need leave and writes are refused (10107).', { 'an unknown mode': () => fails(() => db.runCommand({ find: 'read', $readPreference: { mode: 'x' } }), 9) });
refused(reading, 'system collections', 'Other than system.profile, and with local.oplog.rs and config.transactions: error 115, so that nobody takes what is not there for empty.', {
  'of a database': () => fails(() => db.getCollection('system.views').findOne(), 115),
  'the oplog': () => fails(() => db.getSiblingDB('local').getCollection('oplog.rs').findOne(), 115),
});
// ---- Writing -------------------------------------------------------------------------------------------------------------------
const writing = 'Writing';
supported(writing, 'insert', '', {
  'one and many': () => { equal(db.w.insertOne({ _id: 1, a: 1 }).insertedId, 1); equal(Object.keys(db.w.insertMany([{ _id: 2 }, { _id: 3 }]).insertedIds).length, 2); },
  'an _id is made': () => truthy(db.w.insertOne({ a: 5 }).insertedId),
  'every BSON type comes back': () => {
    const types = { _id: 'types', d: 1.5, l: Long('9007199254740993'), dec: Decimal128('9.99'), date: new Date(1), bin: new Binary(Buffer.from('x')), u: UUID('3b241101-e2bb-4255-8caf-4136c566a962'), re: /a/i, ts: Timestamp({ t: 1, i: 2 }), n: null, o: { a: [1, { b: 2 }] }, min: MinKey(), max: MaxKey() };
    db.w.insertOne(types);
    same(db.w.findOne({ _id: 'types' }), types);
  },
  'a duplicate names its key': () => {
    const e = fails(() => db.w.insertOne({ _id: 1 }), 11000);
    same([e.keyPattern, e.keyValue], [{ _id: 1 }, { _id: 1 }]);
    truthy(e.message.startsWith(`E11000 duplicate key error collection: ${name}.w index: _id_ dup key: { _id: 1 }`));
  },
  'unordered inserts go on after an error': () => { const e = fails(() => db.w.insertMany([{ _id: 1 }, { _id: 10 }], { ordered: false }), 11000); equal(db.w.countDocuments({ _id: 10 }), 1); },
  'ordered inserts stop at it': () => { fails(() => db.w.insertMany([{ _id: 11 }, { _id: 1 }, { _id: 12 }]), 11000); same(db.w.countDocuments({ _id: { $in: [11, 12] } }), 1); },
  'a document of more than 16 MB': () => truthy((() => { try { db.w.insertOne({ a: 'x'.repeat(17 * 1024 * 1024) }); } catch (e) { return true; } })()),
});
supported(writing, 'update', 'A change of _id by a pipeline is ignored instead of refused; collations other than simple are refused.', {
  'operators': () => { db.w.updateOne({ _id: 1 }, { $set: { b: 1, 'c.d': 2 }, $inc: { a: 2 }, $push: { l: { $each: [3, 1, 2], $sort: 1 } }, $currentDate: { t: true } }); const d = db.w.findOne({ _id: 1 }); same([d.b, d.c, d.a, d.l], [1, { d: 2 }, 3, [1, 2, 3]]); truthy(d.t instanceof Date); },
  '$unset, $rename, $min, $max, $mul': () => { db.w.updateOne({ _id: 1 }, { $unset: { b: '' }, $rename: { c: 'e' }, $min: { a: 2 }, $mul: { m: 2 } }); const d = db.w.findOne({ _id: 1 }); same([d.b, d.e, d.a, d.m], [undefined, { d: 2 }, 2, 0]); },
  'arrays': () => { db.w.updateOne({ _id: 1 }, { $pull: { l: 1 } }); db.w.updateOne({ _id: 1 }, { $addToSet: { l: 3 } }); db.w.updateOne({ _id: 1 }, { $pop: { l: -1 } }); same(db.w.findOne({ _id: 1 }).l, [3]); },
  'the positional operator and array filters': () => {
    db.w.insertOne({ _id: 'arr', a: [{ k: 1, v: 0 }, { k: 2, v: 0 }] });
    db.w.updateOne({ _id: 'arr', 'a.k': 2 }, { $set: { 'a.$.v': 5 } });
    db.w.updateOne({ _id: 'arr' }, { $set: { 'a.$[x].v': 7 } }, { arrayFilters: [{ 'x.k': 1 }] });
    same(db.w.findOne({ _id: 'arr' }).a.map(x => x.v), [7, 5]);
  },
  'many': () => equal(db.read.updateMany({ g: 0 }, { $set: { z: 1 } }).modifiedCount, 60),
  'upsert': () => { const r = db.w.updateOne({ _id: 'up' }, { $set: { a: 1 }, $setOnInsert: { b: 2 } }, { upsert: true }); equal(r.insertedId, 'up'); same(db.w.findOne({ _id: 'up' }), { _id: 'up', a: 1, b: 2 }); },
  'replacement': () => { db.w.replaceOne({ _id: 'up' }, { c: 1 }); same(db.w.findOne({ _id: 'up' }), { _id: 'up', c: 1 }); },
  'a pipeline': () => { db.w.updateOne({ _id: 'up' }, [{ $set: { d: { $add: ['$c', 1] } } }, { $unset: 'c' }]); same(db.w.findOne({ _id: 'up' }), { _id: 'up', d: 2 }); },
  'a pipeline with $replaceWith keeps one _id': () => { db.w.updateOne({ _id: 'up' }, [{ $replaceWith: { $mergeObjects: ['$$ROOT', { n: 1 }] } }]); same(db.w.findOne({ _id: 'up' }), { _id: 'up', d: 2, n: 1 }); },
  'a changed _id': () => fails(() => db.w.updateOne({ _id: 1 }, { $set: { _id: 2 } }), 66),
  'the duplicate that an update would make names its key': () => {
    db.w.createIndex({ sku: 1 }, { unique: true, sparse: true });
    db.w.insertMany([{ _id: 's1', sku: 'a' }, { _id: 's2', sku: 'b' }]);
    same(fails(() => db.w.updateOne({ _id: 's2' }, { $set: { sku: 'a' } }), 11000).keyValue, { sku: 'a' });
  },
  'a collation is refused': () => fails(() => db.w.updateOne({ sku: 'A' }, { $set: { a: 1 } }, { collation: { locale: 'en', strength: 2 } }), 115),
});
supported(writing, 'delete', '', {
  'one': () => equal(db.w.deleteOne({ _id: 10 }).deletedCount, 1),
  'many': () => equal(db.w.deleteMany({ _id: { $in: ['s1', 's2'] } }).deletedCount, 2),
  'none': () => equal(db.w.deleteOne({ _id: 'none' }).deletedCount, 0),
});
supported(writing, 'findAndModify', 'The options hint and collation are refused.', {
  'the document before': () => { db.fam.insertMany([{ _id: 1, n: 1 }, { _id: 2, n: 2 }]); equal(db.fam.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } }).n, 1); },
  'the document after, sorted, with fields': () => same(db.fam.findOneAndUpdate({}, { $inc: { n: 10 } }, { sort: { _id: -1 }, returnDocument: 'after', projection: { _id: 0 } }), { n: 12 }),
  'remove': () => equal(db.fam.findOneAndDelete({ _id: 2 })._id, 2),
  'upsert': () => equal(db.fam.findOneAndReplace({ _id: 9 }, { x: 1 }, { upsert: true, returnDocument: 'after' }).x, 1),
  '$$NOW on a missing collection': () => truthy(db.fam2.findOneAndUpdate({ _id: 1 }, [{ $set: { t: '$$NOW' } }], { upsert: true, returnDocument: 'after' }).t instanceof Date),
  'a duplicate names its key': () => {
    db.fam.createIndex({ k: 1 }, { unique: true, sparse: true });
    db.fam.insertMany([{ _id: 'a', k: 1 }, { _id: 'b', k: 2 }]);
    same(fails(() => db.fam.findOneAndUpdate({ _id: 'b' }, { $set: { k: 1 } }), 11000).keyValue, { k: 1 });
  },
  'hint is refused': () => fails(() => db.runCommand({ findAndModify: 'fam', query: {}, update: { $set: { a: 1 } }, hint: '_id_' }), 115),
});
supported(writing, 'write concern', 'What is confirmed is in the journal, and on a majority unless less is asked for.', {
  'that cannot be met': () => { fails(() => db.runCommand({ insert: 'concerned', documents: [{ _id: 1 }], writeConcern: { w: 2 } }), 100); equal(db.concerned.countDocuments({}), 1); },
  'of an unknown mode': () => fails(() => db.runCommand({ insert: 'concerned', documents: [{}], writeConcern: { w: 'x' } }), 79),
  'malformed': () => fails(() => db.runCommand({ insert: 'concerned', documents: [{}], writeConcern: { w: -1 } }), 9),
});
emulated(writing, 'bulkWrite', 'Split into inserts, updates and deletes; a repetition after a loss of the gateway is not recognised.', {
  'several collections and kinds': () => {
    const r = ok({ bulkWrite: 1, ops: [{ insert: 0, document: { _id: 1 } }, { insert: 0, document: { _id: 2 } }, { update: 0, filter: { _id: 1 }, updateMods: { $set: { a: 1 } } }, { update: 1, filter: { _id: 5 }, updateMods: { $set: { a: 1 } }, upsert: true }, { delete: 0, filter: { _id: 2 } }], nsInfo: [{ ns: name + '.bw' }, { ns: name + '.bw2' }] }, admin);
    same([r.nInserted, r.nMatched, r.nModified, r.nUpserted, r.nDeleted, r.nErrors], [2, 1, 1, 1, 1, 0]);
    equal(r.cursor.firstBatch[3].upserted._id, 5);
  },
  'ordered stops, unordered goes on': () => {
    const ops = [{ insert: 0, document: { _id: 1 } }, { insert: 0, document: { _id: 50 } }];
    const stopped = ok({ bulkWrite: 1, ops, nsInfo: [{ ns: name + '.bw' }] }, admin);
    same([stopped.nErrors, stopped.nInserted, stopped.cursor.firstBatch.length], [1, 0, 1]);
    same([ok({ bulkWrite: 1, ops, nsInfo: [{ ns: name + '.bw' }], ordered: false, errorsOnly: true }, admin)].map(r => [r.nErrors, r.nInserted, r.cursor.firstBatch.length])[0], [1, 1, 1]);
  },
  'a wrong namespace number': () => fails(() => admin.runCommand({ bulkWrite: 1, ops: [{ insert: 3, document: {} }], nsInfo: [{ ns: name + '.bw' }] }), 2),
});

// ---- Collections and databases ---------------------------------------------------------------------------------------------------
const collections = 'Collections and databases';
supported(collections, 'create', 'Capped and clustered collections, encryptedFields, a default collation and options of a storage engine are refused.', {
  'a plain collection': () => { db.createCollection('plain'); truthy(db.getCollectionNames().includes('plain')); },
  'again, with the same options': () => equal(db.createCollection('plain').ok, 1),
  'again, with others': () => fails(() => db.createCollection('plain', { validator: { a: 1 } }), 48),
  'a view': () => { db.createView('view', 'read', [{ $match: { g: 1 } }, { $project: { n: 1 } }]); equal(db.view.countDocuments({ n: { $lt: 10 } }), 2); },
  'a view is not written to': () => fails(() => db.view.insertOne({}), 166),
  'a wrong name': () => fails(() => db.createCollection('a$b'), 73),
  'capped is refused': () => fails(() => db.createCollection('capped', { capped: true, size: 4096 }), 115),
  'clustered is refused': () => fails(() => db.createCollection('clustered', { clusteredIndex: { key: { _id: 1 }, unique: true } }), 115),
});
emulated(collections, 'time series collections', 'An ordinary collection that demands a date, with an index on meta and time and a TTL index; no compression; system.buckets is refused, so mongodump says that it cannot dump them. What MongoDB 7.0 refuses of them is refused.', {
  'made and listed': () => {
    db.createCollection('ts', { timeseries: { timeField: 't', metaField: 'm', granularity: 'minutes' }, expireAfterSeconds: 3600 });
    const info = db.getCollectionInfos({ name: 'ts' })[0];
    same([info.type, info.options.timeseries, Number(info.options.expireAfterSeconds)], ['timeseries', { timeField: 't', metaField: 'm', granularity: 'minutes', bucketMaxSpanSeconds: 86400 }, 3600]);
  },
  'a measurement without a date is refused': () => fails(() => db.ts.insertOne({ m: 1 }), 2),
  'measurements are found': () => { db.ts.insertMany(range(10).map(i => ({ t: new Date(1e12 + i), m: i % 2, v: i }))); equal(db.ts.aggregate([{ $match: { m: 1 } }, { $group: { _id: '$m', v: { $sum: '$v' } } }]).next().v, 25); },
  'the life is changed': () => { ok({ collMod: 'ts', expireAfterSeconds: 60 }); equal(Number(db.getCollectionInfos({ name: 'ts' })[0].options.expireAfterSeconds), 60); },
  'its indexes': () => same(db.ts.getIndexes().map(i => i.name), ['m_1_t_1']),
  'buckets': () => fails(() => db.getCollection('system.buckets.ts').findOne(), 115),
  'a wrong granularity': () => fails(() => db.createCollection('ts2', { timeseries: { timeField: 't', granularity: 'days' } }), 2),
  'several with one key': () => { db.ts.deleteMany({}); range(2).forEach(i => db.ts.insertOne({ _id: 1, t: new Date(), m: i, v: i })); equal(db.ts.countDocuments({ _id: 1 }), 2); },
  'an update of meta fields': () => { same([db.ts.updateMany({ m: 0 }, { $set: { m: 7 } }).modifiedCount, db.ts.find({}, { _id: 0, m: 1, v: 1 }).sort({ v: 1 }).toArray()], [1, [{ m: 7, v: 0 }, { m: 1, v: 1 }]]); },
  'other updates are refused': () => { fails(() => db.ts.updateOne({ m: 1 }, { $set: { m: 2 } }), 72); fails(() => db.ts.updateMany({ m: 1 }, { $set: { v: 2 } }), 72); fails(() => db.ts.updateMany({ v: 1 }, { $set: { m: 2 } }), 72); fails(() => db.ts.replaceOne({ m: 1 }, { m: 2 }), 72); },
  'any delete': () => same([db.ts.deleteOne({ v: 1 }).deletedCount, db.ts.findOneAndDelete({ v: 0 }).m, db.ts.countDocuments()], [1, 7, 0]),
  'unique and text indexes are refused': () => { fails(() => db.ts.createIndex({ m: 1 }, { unique: true }), 72); fails(() => db.ts.createIndex({ v: 'text' }), 72); },
  '$merge and $out are refused': () => { fails(() => db.read.aggregate([{ $merge: 'ts' }]).toArray(), 51183); fails(() => db.read.aggregate([{ $out: 'ts' }]).toArray(), 7406100); },
  'without a time field': () => fails(() => db.createCollection('ts3', { timeseries: { metaField: 'm' } }), 40414),
});
const schema = {
  bsonType: 'object', title: 'Order', required: ['n'], additionalProperties: false,
  properties: {
    _id: {}, n: { bsonType: 'number', minimum: 1, description: 'at least one' }, k: { anyOf: [{ bsonType: 'string' }, { bsonType: 'int' }] },
    no: { not: { bsonType: 'string' } }, both: { allOf: [{ minimum: 2 }, { maximum: 4 }] }, one: { oneOf: [{ multipleOf: 2 }, { multipleOf: 3 }] },
    map: { bsonType: 'object', patternProperties: { '^x': { bsonType: 'int' } }, minProperties: 1, maxProperties: 2 },
    list: { bsonType: 'array', uniqueItems: true, items: { bsonType: 'object', required: ['a'], additionalProperties: { bsonType: 'string' }, properties: { a: {} } } },
    pay: { bsonType: 'object', dependencies: { card: ['cvc'] } },
  },
};
const valid = (d) => db.schema.insertOne(d);
const invalid = (d) => fails(() => db.schema.insertOne(d), 121);
emulated(collections, '$jsonSchema', 'Keywords that the backend lacks are rewritten with the same meaning (docs/gateway.md); encryptMetadata is left out with a warning in the reply.', {
  'the validator reads back as given': () => { db.createCollection('schema', { validator: { $jsonSchema: schema } }); same(db.getCollectionInfos({ name: 'schema' })[0].options.validator, { $jsonSchema: schema }); },
  'bsonType number': () => { valid({ n: 1 }); valid({ n: Decimal128('2') }); invalid({ n: 'x' }); },
  'additionalProperties': () => invalid({ n: 1, other: 1 }),
  'anyOf': () => { valid({ n: 1, k: 'a' }); invalid({ n: 1, k: 1.5 }); },
  'not': () => { valid({ n: 1, no: 1 }); invalid({ n: 1, no: 'a' }); },
  'allOf': () => { valid({ n: 1, both: 3 }); invalid({ n: 1, both: 5 }); invalid({ n: 1, both: 1 }); },
  'oneOf': () => { valid({ n: 1, one: 4 }); invalid({ n: 1, one: 6 }); invalid({ n: 1, one: 5 }); },
  'patternProperties, minProperties, maxProperties': () => { valid({ n: 1, map: { x1: 1, y: 'a' } }); invalid({ n: 1, map: { x1: 'a' } }); invalid({ n: 1, map: {} }); invalid({ n: 1, map: { a: 1, b: 1, c: 1 } }); },
  'items with additionalProperties': () => { valid({ n: 1, list: [{ a: 1, b: 'x' }] }); invalid({ n: 1, list: [{ a: 1, b: 2 }] }); invalid({ n: 1, list: [{ b: 'x' }] }); },
  'uniqueItems': () => invalid({ n: 1, list: [{ a: 1 }, { a: 1 }] }),
  'dependencies': () => { valid({ n: 1, pay: { card: 1, cvc: 2 } }); invalid({ n: 1, pay: { card: 1 } }); },
  'errInfo names the rule': () => {
    const details = invalid({ n: 0 }).errInfo.details;
    same(details, { operatorName: '$jsonSchema', title: 'Order', schemaRulesNotSatisfied: [{ operatorName: 'properties', propertiesNotSatisfied: [{ propertyName: 'n', description: 'at least one', details: [{ operatorName: 'minimum', specifiedAs: { minimum: 1 }, reason: 'comparison failed', consideredValue: 0 }] }] }] });
  },
  'errInfo of an update': () => equal(fails(() => db.schema.updateOne({ k: 'a' }, { $set: { n: -1 } }), 121).errInfo.details.schemaRulesNotSatisfied[0].propertiesNotSatisfied[0].propertyName, 'n'),
  'errInfo of findAndModify': () => equal(fails(() => db.schema.findOneAndUpdate({ k: 'a' }, { $unset: { n: '' } }), 121).errInfo.details.schemaRulesNotSatisfied[0].missingProperties[0], 'n'),
  'bypassDocumentValidation': () => equal(ok({ insert: 'schema', documents: [{ _id: 'bad', z: 1 }], bypassDocumentValidation: true }).n, 1),
  'finding what does not conform': () => same(db.schema.find({ $nor: [{ $jsonSchema: schema }] }, { _id: 1 }).toArray(), [{ _id: 'bad' }]),
  'what is left out is said': () => truthy(ok({ create: 'schema2', validator: { $jsonSchema: { encryptMetadata: {}, required: ['a'] } } }).warnings[0].includes('encryptMetadata')),
  'an unknown keyword': () => fails(() => db.createCollection('schema3', { validator: { $jsonSchema: { format: 'x' } } }), 9),
});
supported(collections, 'validators with query operators', '', {
  'an expression': () => { db.createCollection('expr', { validator: { a: { $gt: 5 }, $expr: { $lt: ['$b', '$a'] } } }); db.expr.insertOne({ a: 6, b: 1 }); same(fails(() => db.expr.insertOne({ a: 1, b: 9 }), 121).errInfo.details.clausesNotSatisfied.map(c => c.index), [0, 1]); },
  'validationAction warn': () => { db.createCollection('warn', { validator: { a: 1 }, validationAction: 'warn' }); truthy(db.warn.insertOne({ a: 2 }).acknowledged); },
});
supported(collections, 'collMod', '', {
  'validator and level': () => { ok({ collMod: 'plain', validator: { $jsonSchema: { required: ['a'], additionalProperties: false, properties: { _id: {}, a: {} } } }, validationLevel: 'moderate' }); fails(() => db.plain.insertOne({ a: 1, b: 1 }), 121); same(db.getCollectionInfos({ name: 'plain' })[0].options.validator.$jsonSchema.additionalProperties, false); },
  'validator removed': () => { ok({ collMod: 'plain', validator: {} }); truthy(db.plain.insertOne({ b: 1 }).acknowledged); },
  'a view': () => { ok({ collMod: 'view', viewOn: 'read', pipeline: [{ $match: { g: 2 } }] }); equal(db.view.countDocuments({ g: 2 }), 60); },
  'an index is hidden and shown': () => { db.plain.createIndex({ h: 1 }); same(ok({ collMod: 'plain', index: { name: 'h_1', hidden: true } }).hidden_new, true); same(ok({ collMod: 'plain', index: { keyPattern: { h: 1 }, hidden: false } }).hidden_new, false); },
  'a missing collection': () => fails(() => db.runCommand({ collMod: 'nothing', validationLevel: 'off' }), 26),
});
supported(collections, 'drop', '', {
  'a collection': () => { db.gone.insertOne({}); truthy(db.gone.drop()); truthy(!db.getCollectionNames().includes('gone')); },
  'a missing one': () => equal(ok({ drop: 'nothing' }).ok, 1),
});
supported(collections, 'renameCollection', 'Not across databases.', {
  'to a new name, with its validator': () => { db.createCollection('from', { validator: { $jsonSchema: { additionalProperties: false, properties: { _id: {} } } } }); equal(db.from.renameCollection('to').ok, 1); fails(() => db.to.insertOne({ a: 1 }), 121); same(db.getCollectionInfos({ name: 'to' })[0].options.validator.$jsonSchema.additionalProperties, false); },
  'onto another one': () => { db.onto.insertOne({}); fails(() => db.to.renameCollection('onto'), 48); equal(db.to.renameCollection('onto', true).ok, 1); },
  'on another database than admin': () => fails(() => db.runCommand({ renameCollection: name + '.a', to: name + '.b' }), 13),
});
supported(collections, 'listCollections', '', {
  'by name and type': () => { equal(db.getCollectionInfos({ name: 'read' })[0].type, 'collection'); equal(db.getCollectionInfos({ type: 'view' })[0].name, 'view'); },
  'names only': () => same(Object.keys(ok({ listCollections: 1, nameOnly: true }).cursor.firstBatch[0]), ['name', 'type']),
});
supported(collections, 'listDatabases', '', {
  'with sizes': () => { const d = admin.adminCommand({ listDatabases: 1 }).databases.find(d => d.name === name); truthy(Number(d.sizeOnDisk) > 0); },
  'filtered': () => equal(admin.adminCommand({ listDatabases: 1, filter: { name } }).databases.length, 1),
});
supported(collections, 'dropDatabase', '', {
  'with its collections': () => { const other = db.getSiblingDB(name + 'x'); other.a.insertOne({}); equal(other.dropDatabase().ok, 1); same(other.getCollectionNames(), []); },
});
supported(collections, 'collStats', 'Counts and sizes follow PostgreSQL\'s statistics.', {
  'sizes of indexes': () => { const s = ok({ collStats: 'read' }); truthy(s.indexSizes._id_ > 0 && s.nindexes === 1 && s.totalIndexSize > 0); },
  'scale': () => fails(() => db.runCommand({ collStats: 'read', scale: 0 }), 2),
});
supported(collections, 'dbStats', 'Counts and sizes follow PostgreSQL\'s statistics.', { 'collections and sizes': () => { const s = db.stats(); truthy(s.db === name && s.collections > 5 && s.indexes > 5); } });
supported(collections, 'dataSize', 'Of whole collections, estimated.', { 'of a collection': () => truthy('size' in ok({ dataSize: name + '.read' })), 'of a range is refused': () => fails(() => db.runCommand({ dataSize: name + '.read', min: { _id: 1 }, max: { _id: 2 } }), 115) });
supported(collections, 'validate', '', { 'valid, with records and indexes': () => { const v = db.read.validate(); same([v.valid, Number(v.nrecords), v.nIndexes], [true, 300, 1]); } });
supported(collections, 'compact', 'VACUUM of PostgreSQL.', { 'a collection': () => equal(ok({ compact: 'read' }).ok, 1) });

// ---- Indexes -----------------------------------------------------------------------------------------------------------------------
const indexing = 'Indexes';
supported(indexing, 'createIndexes', 'Returns when the index can be used; maxTimeMS ends the wait, not the build. Collations and storageEngine are refused; background and dropDups have no effect; 64 indexes per collection; wildcard indexes are not compound.', {
  'compound': () => equal(db.read.createIndex({ g: 1, n: -1 }), 'g_1_n_-1'),
  'unique': () => { db.ix.insertMany([{ a: 1 }, { a: 2 }]); db.ix.createIndex({ a: 1 }, { unique: true }); fails(() => db.ix.insertOne({ a: 1 }), 11000); },
  'unique over duplicates': () => { db.ix2.insertMany([{ a: 1 }, { a: 1 }]); fails(() => db.ix2.createIndex({ a: 1 }, { unique: true }), 11000); },
  'partial': () => { db.ix.createIndex({ p: 1 }, { unique: true, partialFilterExpression: { p: { $gt: 10 } } }); db.ix.insertMany([{ a: 5, p: 1 }, { a: 6, p: 1 }, { a: 7, p: 11 }]); fails(() => db.ix.insertOne({ a: 8, p: 11 }), 11000); },
  'sparse, hashed and wildcard': () => same(db.ix.createIndexes([{ s: 1 }]).concat(db.ix.createIndex({ h: 'hashed' }), db.ix.createIndex({ 'w.$**': 1 })), ['s_1', 'h_hashed', 'w.$**_1']),
  'TTL': () => { db.ix.createIndex({ t: 1 }, { expireAfterSeconds: 100 }); equal(db.ix.getIndexes().find(i => i.name === 't_1').expireAfterSeconds, 100); },
  'text': () => { db.text.insertMany([{ _id: 1, t: 'green apples' }, { _id: 2, t: 'bread' }]); db.text.createIndex({ t: 'text' }); equal(db.text.find({ $text: { $search: 'apple' } }).toArray()[0]._id, 1); },
  '2dsphere': () => { db.geo.insertOne({ p: { type: 'Point', coordinates: [13.4, 52.5] } }); db.geo.createIndex({ p: '2dsphere' }); equal(db.geo.find({ p: { $near: { $geometry: { type: 'Point', coordinates: [13.4, 52.5] }, $maxDistance: 1000 } } }).toArray().length, 1); },
  'hidden': () => { db.read.createIndex({ s: 1 }, { hidden: true }); truthy(db.read.getIndexes().find(i => i.name === 's_1').hidden); equal(db.read.find({ s: 'none' }).explain().queryPlanner.winningPlan.stage, 'COLLSCAN'); },
  'again, with other options': () => truthy([85, 86].includes((() => { try { db.ix.createIndex({ a: 1 }, { unique: false, sparse: true }); } catch (e) { return e.code; } })())),
  'a collation is refused': () => fails(() => db.ix.createIndex({ c: 1 }, { collation: { locale: 'en', strength: 2 } }), 115),
});
supported(indexing, 'listIndexes', 'In one page whatever batchSize says.', { 'as they were given': () => truthy(db.read.getIndexes().every(i => !i.storageEngine)), 'all of them': () => truthy(db.read.getIndexes().length >= 3), 'of a missing collection': () => fails(() => db.runCommand({ listIndexes: 'nothing' }), 26) });
supported(indexing, 'dropIndexes', '', { 'by name': () => truthy(db.read.dropIndex('s_1').nIndexesWas >= 3), 'an unknown one': () => fails(() => db.read.dropIndex('nope'), 27), 'all but _id': () => { db.ix.dropIndexes(); equal(db.ix.getIndexes().length, 1); } });
supported(indexing, '$indexStats', '', { 'uses are counted': () => { db.read.find({ g: 3, n: { $gt: 5 } }).toArray(); const s = db.read.aggregate([{ $indexStats: {} }]).toArray().find(i => i.name === 'g_1_n_-1'); truthy(s.accesses.since instanceof Date && s.key.g === 1); } });
supported(indexing, 'explain', 'PostgreSQL\'s plan in the server\'s stages; rejectedPlans is always empty; an update or delete is measured by doing and undoing it.', {
  'a collection scan': () => { const e = db.read.find({ in: 1 }).explain('executionStats'); same([e.queryPlanner.winningPlan.stage, e.executionStats.nReturned, e.executionStats.totalDocsExamined, e.executionStats.totalKeysExamined], ['COLLSCAN', 0, 300, 0]); },
  'an index scan with its bounds': () => {
    db.big.insertMany(range(3000).map(i => ({ a: i % 50, b: i })));
    db.big.createIndex({ a: 1, b: 1 });
    const e = db.big.find({ a: 5, b: { $lt: 500 } }).explain('executionStats');
    const scan = e.queryPlanner.winningPlan.inputStage;
    same([scan.stage, scan.indexName, scan.keyPattern, e.executionStats.nReturned, e.executionStats.totalDocsExamined], ['IXSCAN', 'a_1_b_1', { a: 1, b: 1 }, 10, 10]);
    truthy(scan.indexBounds && e.executionStats.executionTimeMillis >= 0);
  },
  'by _id': () => equal(db.read.find({ _id: 3 }).explain().queryPlanner.winningPlan.inputStage.indexName, '_id_'),
  'a sort and a limit': () => truthy(JSON.stringify(db.read.find().sort({ in: 1 }).limit(2).explain().queryPlanner.winningPlan).includes('"SORT"')),
  'aggregate, count and distinct': () => { truthy(db.read.explain().aggregate([{ $group: { _id: '$g' } }]).queryPlanner); truthy(ok({ explain: { count: 'read', query: { g: 1 } } }).queryPlanner); truthy(ok({ explain: { distinct: 'read', key: 'g' } }).queryPlanner); },
  'an update is undone': () => { equal(ok({ explain: { update: 'read', updates: [{ q: { _id: 1 }, u: { $set: { undone: 1 } } }] } }).queryPlanner.winningPlan.stage, 'UPDATE'); equal(db.read.countDocuments({ undone: 1 }), 0); },
  'findAndModify': () => equal(db.read.explain().findAndModify({ query: { g: 1 }, remove: true }).queryPlanner.winningPlan.stage, 'DELETE'),
  'a wrong verbosity': () => fails(() => db.runCommand({ explain: { find: 'read' }, verbosity: 'loud' }), 2),
  'another command': () => fails(() => db.runCommand({ explain: { ping: 1 } }), 115),
});

// ---- Sessions and transactions -------------------------------------------------------------------------------------------------------
const sessions = 'Sessions and transactions';
supported(sessions, 'startSession', '', { 'an id': () => truthy(ok({ startSession: 1 }).id.id) });
supported(sessions, 'refreshSessions', '', { 'of a session': () => equal(ok({ refreshSessions: [{ id: UUID() }] }).ok, 1) });
supported(sessions, 'endSessions', '', { 'of a session': () => equal(ok({ endSessions: [{ id: UUID() }] }).ok, 1) });
supported(sessions, 'killSessions', '', { 'its transaction is aborted': () => { const s = db.getMongo().startSession(); s.startTransaction(); const c = s.getDatabase(name).tx; c.insertOne({ _id: 'k' }); ok({ killSessions: [s.id] }); fails(() => c.insertOne({ _id: 'l' }), 251); s.endSession(); equal(db.tx.countDocuments({ _id: { $in: ['k', 'l'] } }), 0); } });
const inTransaction = (run) => { const s = db.getMongo().startSession(); s.startTransaction(); try { run(s.getDatabase(name), s); } finally { s.endSession(); } };
supported(sessions, 'commitTransaction', '', {
  'all or nothing over collections': () => { inTransaction((d, s) => { d.tx.insertOne({ _id: 1 }); d.tx2.insertOne({ _id: 1 }); equal(db.tx.countDocuments({ _id: 1 }), 0); s.commitTransaction(); }); equal(db.tx.countDocuments({ _id: 1 }) + db.tx2.countDocuments({ _id: 1 }), 2); },
  'a commit is repeated': () => { inTransaction((d, s) => { d.tx.insertOne({ _id: 2 }); s.commitTransaction(); s.commitTransaction(); }); equal(db.tx.countDocuments({ _id: 2 }), 1); },
  'two sorted cursors in one': () => inTransaction((d, s) => { const up = d.read.find().sort({ n: 1 }).batchSize(20), down = d.read.find().sort({ n: -1 }).batchSize(30); for (const i of range(300)) { equal(up.next().n, i); equal(down.next().n, 299 - i); } s.commitTransaction(); }),
  'a conflict is a WriteConflict that may be repeated': () => { db.tx.insertOne({ _id: 'c', n: 0 }); inTransaction((d, s) => { d.tx.findOne({ _id: 'c' }); db.tx.updateOne({ _id: 'c' }, { $inc: { n: 1 } }); const e = fails(() => d.tx.updateOne({ _id: 'c' }, { $inc: { n: 1 } }), 112); truthy(e.hasErrorLabel('TransientTransactionError')); }); },
  'commands that do not belong in one': () => inTransaction((d, s) => fails(() => d.runCommand({ collMod: 'read', validationLevel: 'off' }), 263)),
  'an unknown one': () => fails(() => admin.runCommand({ commitTransaction: 1, lsid: { id: UUID() }, txnNumber: Long('9'), autocommit: false }), 251),
});
supported(sessions, 'abortTransaction', '', { 'leaves nothing': () => { inTransaction((d, s) => { d.tx.insertOne({ _id: 'gone' }); s.abortTransaction(); }); equal(db.tx.countDocuments({ _id: 'gone' }), 0); }, 'a failed write aborts': () => inTransaction((d, s) => { fails(() => d.tx.insertOne({ _id: 1 }), 11000); fails(() => d.tx.insertOne({ _id: 'after' }), 251); }) });
supported(sessions, 'retryable writes', '', { 'a repetition gets the first reply': () => { const w = { update: 'retry', updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } }, upsert: true }], txnNumber: Long('1000000') }; const other = new Mongo(db.getMongo()._uri); const s = other.startSession(); for (const i of range(3)) ok(w, s.getDatabase(name)); s.endSession(); other.close(); equal(db.retry.findOne().n, 1); } });
supported(sessions, 'killAllSessions', '', { 'of a user that has none': () => equal(ok({ killAllSessions: [{ user: 'nobody', db: 'admin' }] }).ok, 1) });

// ---- Access ----------------------------------------------------------------------------------------------------------------------------
const access = 'Access';
const user = 'shell_' + name;
supported(access, 'createUser', 'No two users have the same name, whatever their databases are, and they log in on any of them. SCRAM-SHA-256 only.', {
  'reading': () => equal(admin.createUser({ user, pwd: 'first', roles: ['readAnyDatabase'], customData: { team: 'a' } }).ok, 1),
  'with addresses': () => equal(admin.createUser({ user: user + '2', pwd: 'x', roles: ['root'], authenticationRestrictions: [{ clientSource: ['127.0.0.1', '10.0.0.0/8'] }] }).ok, 1),
  'again': () => fails(() => admin.createUser({ user, pwd: 'again', roles: ['readAnyDatabase'] }), 51003),
  'rights on one database': () => equal(admin.createUser({ user: user + '4', pwd: 'x', roles: [{ role: 'readWrite', db: name }] }).ok, 1),
  'a role that there is not': () => fails(() => admin.createUser({ user: user + '3', pwd: 'x', roles: ['nothing'] }), 31),
  'a wrong address': () => fails(() => admin.createUser({ user: user + '3', pwd: 'x', roles: ['root'], authenticationRestrictions: [{ clientSource: ['here'] }] }), 2),
  'names of the backend': () => fails(() => admin.createUser({ user: 'pg_x', pwd: 'x', roles: ['root'] }), 2),
});
supported(access, 'usersInfo', 'Credentials are never shown; no filter.', {
  'what their roles allow': () => truthy(admin.getUser(user + '4', { showPrivileges: true }).inheritedPrivileges.some(p => p.resource.db === name && p.actions.includes('insert'))),
  'one, with custom data': () => same([admin.getUser(user).customData, admin.getUser(user).roles], [{ team: 'a' }, [{ role: 'readAnyDatabase', db: 'admin' }]]),
  'all': () => truthy(admin.getUsers().users.length >= 3),
  'with restrictions': () => same(admin.getUser(user + '2', { showAuthenticationRestrictions: true }).authenticationRestrictions, [{ clientSource: ['127.0.0.1', '10.0.0.0/8'] }]),
  'an unknown one': () => equal(admin.getUser('nobody'), null),
});
supported(access, 'updateUser', '', { 'password, data and roles': () => { admin.updateUser(user, { pwd: 'second', customData: { team: 'b' }, roles: ['readWriteAnyDatabase', 'clusterAdmin'] }); same([admin.getUser(user).customData.team, admin.getUser(user).roles.length], ['b', 2]); }, 'an unknown one': () => fails(() => admin.updateUser('nobody', { pwd: 'x' }), 11) });
supported(access, 'revokeRolesFromUser', '', { 'one of two': () => { admin.revokeRolesFromUser(user, ['clusterAdmin']); same(admin.getUser(user).roles, [{ role: 'readWriteAnyDatabase', db: 'admin' }]); } });
supported(access, 'grantRolesToUser', '', { 'all rights': () => equal(admin.grantRolesToUser(user, ['root']).ok, 1) });
supported(access, 'dropUser', '', { 'all of them': () => { admin.dropUser(user); admin.dropUser(user + '2'); admin.dropUser(user + '4'); equal(admin.getUser(user), null); }, 'an unknown one': () => truthy((() => { try { return admin.dropUser('nobody') === false; } catch (e) { return e.code === 11; } })()) });
const role = 'role_' + name;
const privilege = (...actions) => ({ resource: { db: name, collection: 'c' }, actions });
supported(access, 'createRole', 'Without authenticationRestrictions.', {
  'with a privilege': () => equal(admin.createRole({ role, privileges: [privilege('find')], roles: [] }).ok, 1),
  'again': () => fails(() => admin.createRole({ role, privileges: [], roles: [] }), 51002),
  'of a database, for another one': () => fails(() => db.createRole({ role, privileges: [{ resource: { db: 'other', collection: '' }, actions: ['find'] }], roles: [] }), 49),
  'an action that there is not': () => fails(() => admin.runCommand({ createRole: role + '2', privileges: [privilege('fnd')], roles: [] }), 2),
});
supported(access, 'updateRole', '', { 'privileges and roles': () => { admin.updateRole(role, { privileges: [privilege('find', 'insert')], roles: ['clusterMonitor'] }); same(admin.getRole(role).roles.length, 1); }, 'a built-in one': () => fails(() => admin.runCommand({ updateRole: 'root', roles: [] }), 49) });
supported(access, 'grantPrivilegesToRole', '', { 'one more action': () => { admin.grantPrivilegesToRole(role, [privilege('remove')]); same(admin.getRole(role, { showPrivileges: true }).privileges[0].actions, ['find', 'insert', 'remove']); } });
supported(access, 'revokePrivilegesFromRole', '', { 'an action': () => { admin.revokePrivilegesFromRole(role, [privilege('insert')]); same(admin.getRole(role, { showPrivileges: true }).privileges[0].actions, ['find', 'remove']); } });
supported(access, 'revokeRolesFromRole', '', { 'all': () => { admin.revokeRolesFromRole(role, ['clusterMonitor']); equal(admin.getRole(role).roles.length, 0); } });
supported(access, 'grantRolesToRole', '', { 'one': () => { admin.grantRolesToRole(role, [{ role: 'read', db: name }]); equal(admin.getRole(role).inheritedRoles.length, 1); }, 'itself': () => fails(() => admin.runCommand({ grantRolesToRole: role, roles: [role] }), 49) });
supported(access, 'rolesInfo', 'Privileges with each role only, not as a fragment of a user.', { 'built in': () => equal(admin.getRoles({ showBuiltinRoles: true, showPrivileges: true }).roles.filter(r => r.isBuiltin).length, 17), 'an unknown one': () => equal(ok({ rolesInfo: 'x' }, admin).roles.length, 0) });
supported(access, 'dropRole', '', { 'that is there': () => { admin.dropRole(role); equal(admin.getRole(role), null); }, 'an unknown one': () => fails(() => admin.runCommand({ dropRole: role }), 31) });
supported(access, 'connectionStatus', '', { 'who': () => equal(ok({ connectionStatus: 1 }).authInfo.authenticatedUsers[0].user, 'platform') });
supported(access, 'saslStart', 'SCRAM-SHA-256 only.', { 'another mechanism': () => fails(() => admin.runCommand({ saslStart: 1, mechanism: 'PLAIN', payload: new Binary(Buffer.from('')) }), 334) });
supported(access, 'saslContinue', '', { 'without a start': () => fails(() => admin.runCommand({ saslContinue: 1, conversationId: 1, payload: new Binary(Buffer.from('')) }), 17) });
supported(access, 'logout', 'Deprecated, as in the server.', { 'is known': () => truthy('logout' in admin.adminCommand({ listCommands: 1 }).commands) });

// ---- Server ------------------------------------------------------------------------------------------------------------------------------
const server = 'Server';
supported(server, 'hello', 'A set of one is primary while its backend answers; three elect their primary.', { 'replica set and primary': () => { const h = db.hello(); truthy(h.isWritablePrimary && h.setName === 'rs0' && h.primary === h.me && h.maxWireVersion === 21); } });
supported(server, 'isMaster', '', { 'the older name': () => truthy(ok({ isMaster: 1 }).ismaster) });
supported(server, 'ping', '', { 'ok': () => equal(ok({ ping: 1 }).ok, 1) });
supported(server, '$clusterTime and operationTime', '`operationTime` is the time by the clock of the member; `$clusterTime` is moved on by each write, too, and by a client\'s later time, up to a year ahead; the signature is empty.', { 'in every reply': () => { const [a, b] = [ok({ ping: 1 }), ok({ ping: 1 })]; truthy(a.operationTime && b.$clusterTime.clusterTime && b.operationTime.getHighBits() >= a.operationTime.getHighBits()); } });
supported(server, 'buildInfo', 'Version 7.0.0, of which it speaks the protocol.', { 'version': () => equal(db.version(), '7.0.0') });
supported(server, 'whatsmyuri', '', { 'address': () => truthy(ok({ whatsmyuri: 1 }).you.includes(':')) });
supported(server, 'listCommands', '', { 'find is one': () => truthy('find' in db.adminCommand({ listCommands: 1 }).commands) });
supported(server, 'hostInfo', '', { 'cores': () => truthy(db.hostInfo().system.numCores >= 1) });
supported(server, 'serverStatus', 'The gateway\'s own figures; no storage engine section.', {
  'connections, network and memory': () => { const s = db.serverStatus(); truthy(s.connections.current >= 1 && s.network.bytesIn > 0 && s.mem.resident > 0 && s.uptime > 0 && s.pid > 0); },
  'operations are counted': () => { const before = db.serverStatus().opcounters.insert; db.w.insertOne({}); equal(Number(db.serverStatus().opcounters.insert - before), 1); },
  'commands are counted with their failures': () => { const c = db.serverStatus().metrics.commands; truthy(c.find.total > 10 && c.insert.failed >= 0 && c.createRole.failed > 0); },
  'transactions are counted': () => { const t = db.serverStatus().transactions; truthy(t.totalStarted > 3 && t.totalCommitted >= 2 && t.totalAborted >= 2); },
});
supported(server, 'replSetGetStatus', '', { 'primary': () => equal(rs.status().members[0].stateStr, 'PRIMARY') });
supported(server, 'replSetGetConfig', '', { 'one member': () => equal(rs.conf().members.length, 1) });
supported(server, 'replSetStepDown', 'A set of one has nobody to hand over to.', {
  'nobody could take over': () => fails(() => admin.runCommand({ replSetStepDown: 60, secondaryCatchUpPeriodSecs: 0 }), 262),
  'the periods contradict each other': () => fails(() => admin.runCommand({ replSetStepDown: 5, secondaryCatchUpPeriodSecs: 9 }), 2),
});
supported(server, 'replSetFreeze', '', { 'not a primary': () => fails(() => admin.runCommand({ replSetFreeze: 1 }), 95) });
refused(server, 'replSetInitiate', 'The set is there from the start, as its settings say.', { 'already initialized': () => fails(() => admin.runCommand({ replSetInitiate: {} }), 23) });
refused(server, 'replSetReconfig', 'The members are named in the settings.', { 'refused with its reason': () => fails(() => admin.runCommand({ replSetReconfig: {} }), 115) });
supported(server, 'getParameter', 'A few parameters; none can be set.', { 'the compatibility version': () => equal(db.adminCommand({ getParameter: 1, featureCompatibilityVersion: 1 }).featureCompatibilityVersion.version, '7.0'), 'an unknown one': () => fails(() => db.adminCommand({ getParameter: 1, nope: 1 }), 72) });
supported(server, 'getCmdLineOpts', '', { 'port': () => truthy(db.adminCommand({ getCmdLineOpts: 1 }).parsed.net.port > 0) });
supported(server, 'getLog', 'The last 1,024 lines of the gateway\'s own log.', { 'names': () => same(db.adminCommand({ getLog: '*' }).names, ['global', 'startupWarnings']), 'global': () => truthy(Array.isArray(db.adminCommand({ getLog: 'global' }).log)), 'an unknown one': () => fails(() => db.adminCommand({ getLog: 'x' }), 2) });
supported(server, 'getDefaultRWConcern', '', { 'majority': () => equal(db.adminCommand({ getDefaultRWConcern: 1 }).defaultWriteConcern.w, 'majority') });
supported(server, 'connPoolStats', 'The connections to the backend.', { 'in use and available': () => truthy(db.adminCommand({ connPoolStats: 1 }).totalAvailable > 0) });
supported(server, 'currentOp', 'What PostgreSQL is doing, also by $currentOp; opid is a text; idleCursors, targetAllNodes and backtrace are refused.', { 'by the stage': () => truthy(admin.aggregate([{ $currentOp: { allUsers: true } }]).toArray().length >= 1), 'itself': () => truthy(db.adminCommand({ currentOp: 1 }).inprog.length >= 1), 'conditions': () => equal(db.adminCommand({ currentOp: 1, secs_running: { $gt: 1000 } }).inprog.length, 0) });
supported(server, 'killOp', '', { 'an opid of a wrong form': () => truthy((() => { try { db.adminCommand({ killOp: 1, op: 'x' }); } catch (e) { return e.code > 0; } })()) });
emulated(server, 'profile', 'system.profile keeps the last 4,096 entries of a database; entries have planSummary and hasSortStage, and of one command of a shape in a minute docsExamined and keysExamined; a filter is refused.', {
  'level and limit': () => { equal(db.setProfilingLevel(2, { slowms: 50 }).was, 0); const s = db.getProfilingStatus(); same([s.was, s.slowms, s.sampleRate], [2, 50, 1]); },
  'a command is kept with its plan': () => {
    db.read.find({ 'in.x': 77 }).toArray();
    let found = [];
    for (let i = 0; i < 100 && found.length === 0; i++) { found = db.system.profile.find({ op: 'query', 'command.filter.in.x': 77 }).toArray().concat(db.system.profile.find({ op: 'query', ns: name + '.read' }).toArray()); if (found.length === 0) sleep(50); }
    const e = found[0];
    same([e.ns, e.nreturned, e.planSummary, e.user], [name + '.read', 1, 'COLLSCAN', 'platform']);
    truthy(e.millis >= 0 && e.responseLength > 0 && e.ts instanceof Date && e.client && e.queryHash);
  },
  'it is listed': () => truthy(db.getCollectionNames().includes('system.profile')),
  'it is not written to': () => fails(() => db.system.profile.insertOne({}), 13),
  'off again, and dropped': () => { equal(db.setProfilingLevel(0, { slowms: 100 }).was, 2); equal(ok({ drop: 'system.profile' }).ok, 1); },
  'a wrong level': () => fails(() => db.runCommand({ profile: 7 }), 2),
});
refused(server, 'all other commands', 'Error 59 CommandNotFound.', {
  'an unknown one': () => { const e = fails(() => db.runCommand({ noSuchCommand: 1 }), 59); equal(e.codeName, 'CommandNotFound'); },
  'setParameter, fsync, shutdown, reIndex, top': () => { for (const c of ['setParameter', 'fsync', 'shutdown', 'reIndex', 'top']) fails(() => db.adminCommand({ [c]: 1 }), 59); },
});

db.dropDatabase();
print(`checks ${checks} failures ${failures}`);
if (failures > 0) quit(1);
