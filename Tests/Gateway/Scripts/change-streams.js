// Change streams of the Node.js driver and Mongoose against the gateway. Usage: node change-streams.js CONNECTION_STRING DATABASE; NODE_PATH leads to
// both. Prints one line per check and exits with 1 at the first that fails.
'use strict';
const assert = require('node:assert/strict');
const { Binary, MongoClient, Long, Timestamp } = require('mongodb');
const mongoose = require('mongoose');

const [, , uri, name] = process.argv;

/** The next `count` events of a stream. */
async function take(stream, count) {
  const events = [];
  while (events.length < count) {
    const event = await stream.next();
    events.push(event);
  }
  return events;
}

const kinds = events => events.map(e => e.operationType);
const refuses = (promise, code) => assert.rejects(promise, e => { assert.equal(e.code, code, e.message); return true; });

async function opened(target, pipeline, options) {
  const stream = target.watch(pipeline ?? [], { maxAwaitTimeMS: 200, ...options });
  // Opens the cursor: what is written from here on is seen.
  assert.equal(await stream.tryNext(), null);
  return stream;
}

async function main() {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 10000 });
  await client.connect();
  const db = client.db(name);
  const check = async (what, run) => {
    await run();
    console.log(`ok ${what}`);
  };

  try {
    await check('insert, update, replace and delete of a collection', async () => {
      const c = db.collection('first');
      const stream = await opened(c);
      await c.insertOne({ _id: 1, a: 1, b: { c: 1, d: [1, 2, 3] } });
      await c.updateOne({ _id: 1 }, { $set: { a: 2, 'b.c': 3 }, $unset: { 'b.x': 1 } });
      await c.updateOne({ _id: 1 }, { $push: { 'b.d': 4 }, $unset: { a: 1 } });
      await c.updateOne({ _id: 1 }, { $pop: { 'b.d': 1 } });
      await c.replaceOne({ _id: 1 }, { z: 1 });
      await c.findOneAndReplace({ _id: 1 }, { z: 2 });
      await c.updateOne({ _id: 1 }, { $set: { z: 2 } }); // changes nothing, so there is no event
      await c.deleteOne({ _id: 1 });
      const events = await take(stream, 7);
      assert.deepEqual(kinds(events), ['insert', 'update', 'update', 'update', 'replace', 'replace', 'delete']);
      for (const e of events) {
        assert.deepEqual(e.ns, { db: name, coll: 'first' });
        assert.deepEqual(e.documentKey, { _id: 1 });
        assert.ok(e.clusterTime instanceof Timestamp && e.wallTime instanceof Date && typeof e._id._data === 'string');
        assert.equal(e.lsid, undefined);
      }
      assert.deepEqual(events[0].fullDocument, { _id: 1, a: 1, b: { c: 1, d: [1, 2, 3] } });
      assert.deepEqual(events[1].updateDescription, { updatedFields: { a: 2, 'b.c': 3 }, removedFields: [], truncatedArrays: [] });
      assert.deepEqual(events[2].updateDescription, { updatedFields: { 'b.d.3': 4 }, removedFields: ['a'], truncatedArrays: [] });
      assert.deepEqual(events[3].updateDescription, { updatedFields: {}, removedFields: [], truncatedArrays: [{ field: 'b.d', newSize: 3 }] });
      assert.equal('fullDocument' in events[1], false);
      assert.deepEqual(events[4].fullDocument, { _id: 1, z: 1 });
      assert.equal('fullDocument' in events[6], false);
      const tokens = events.map(e => e._id._data);
      assert.deepEqual(tokens.toSorted(), tokens);
      assert.equal(new Set(tokens).size, tokens.length);
      await stream.close();
    });

    await check('a stream of a database, of the cluster, and of another collection', async () => {
      const [ofDb, ofAll, other] = [await opened(db), await opened(client), await opened(db.collection('other'))];
      await db.collection('one').insertOne({ _id: 1 });
      await db.collection('two').insertOne({ _id: 2 });
      await client.db(`${name}x`).collection('three').insertOne({ _id: 3 });
      await db.collection('other').insertOne({ _id: 4 });
      assert.deepEqual((await take(ofDb, 3)).map(e => [e.ns.coll, e.documentKey._id]), [['one', 1], ['two', 2], ['other', 4]]);
      assert.deepEqual((await take(ofAll, 4)).map(e => `${e.ns.db}.${e.ns.coll}`), [`${name}.one`, `${name}.two`, `${name}x.three`, `${name}.other`]);
      assert.deepEqual((await take(other, 1)).map(e => e.documentKey._id), [4]);
      assert.equal(await other.tryNext(), null);
      await Promise.all([ofDb, ofAll, other].map(s => s.close()));
      await client.db(`${name}x`).dropDatabase();
    });

    await check('updateLookup, and a document that is gone by then', async () => {
      const c = db.collection('lookup');
      const stream = await opened(c, [], { fullDocument: 'updateLookup' });
      await c.insertMany([{ _id: 1, n: 0 }, { _id: 2, n: 0 }]);
      await c.updateMany({}, { $inc: { n: 1 } });
      await c.updateOne({ _id: 1 }, { $inc: { n: 1 } });
      await c.deleteOne({ _id: 2 });
      const events = await take(stream, 6);
      assert.deepEqual(events[2].fullDocument, { _id: 1, n: 2 });
      assert.equal(events[3].fullDocument, null);
      assert.deepEqual(events[4].updateDescription.updatedFields, { n: 2 });
      await stream.close();
    });

    await check('images before and after', async () => {
      const c = await db.createCollection('images', { changeStreamPreAndPostImages: { enabled: true } });
      assert.deepEqual((await db.listCollections({ name: 'images' }).toArray())[0].options, { changeStreamPreAndPostImages: { enabled: true } });
      const stream = await opened(c, [], { fullDocument: 'required', fullDocumentBeforeChange: 'required' });
      await c.insertOne({ _id: 1, n: 1 });
      await c.updateOne({ _id: 1 }, { $inc: { n: 1 } });
      await c.replaceOne({ _id: 1 }, { n: 7 });
      await c.deleteOne({ _id: 1 });
      const [insert, update, replace, gone] = await take(stream, 4);
      assert.equal('fullDocumentBeforeChange' in insert, false);
      assert.deepEqual([update.fullDocumentBeforeChange, update.fullDocument], [{ _id: 1, n: 1 }, { _id: 1, n: 2 }]);
      assert.deepEqual([replace.fullDocumentBeforeChange, replace.fullDocument], [{ _id: 1, n: 2 }, { _id: 1, n: 7 }]);
      assert.deepEqual(gone.fullDocumentBeforeChange, { _id: 1, n: 7 });
      await stream.close();
      await db.command({ collMod: 'images', changeStreamPreAndPostImages: { enabled: false } });
      const without = await opened(c, [], { fullDocument: 'whenAvailable', fullDocumentBeforeChange: 'whenAvailable' });
      const required = await opened(c, [], { fullDocumentBeforeChange: 'required' });
      await c.insertOne({ _id: 2, n: 1 });
      await c.updateOne({ _id: 2 }, { $inc: { n: 1 } });
      const [, unseen] = await take(without, 2);
      assert.deepEqual([unseen.fullDocumentBeforeChange, unseen.fullDocument], [null, null]);
      await required.next();
      await refuses(required.next(), 47);
      await without.close();
    });

    await check('a transaction: one time, its session and number; nothing of an aborted one', async () => {
      const c = db.collection('tx');
      const stream = await opened(db);
      await client.withSession(session => session.withTransaction(async () => {
        await c.insertOne({ _id: 1 }, { session });
        await db.collection('tx2').insertOne({ _id: 1 }, { session });
        await c.updateOne({ _id: 1 }, { $set: { a: 1 } }, { session });
        await c.replaceOne({ _id: 1 }, { b: 1 }, { session });
        await c.updateOne({ _id: 1 }, { $set: { c: 1 } }, { session });
      }));
      await assert.rejects(client.withSession(session => session.withTransaction(async () => {
        await c.insertOne({ _id: 2 }, { session });
        throw new Error('undo');
      })), /undo/);
      await c.insertOne({ _id: 3 });
      const events = await take(stream, 6);
      assert.deepEqual(kinds(events), ['insert', 'insert', 'update', 'replace', 'update', 'insert']);
      const inside = events.slice(0, 5);
      for (const e of inside) {
        assert.ok(e.clusterTime.equals(inside[0].clusterTime));
        assert.equal(e.lsid.id.toString('hex'), inside[0].lsid.id.toString('hex'));
        assert.equal(e.lsid.uid.length(), 32);
        assert.equal(Number(e.txnNumber), Number(inside[0].txnNumber));
      }
      assert.equal(events[5].documentKey._id, 3);
      assert.equal(events[5].lsid, undefined);
      assert.ok(events[5].clusterTime.greaterThan(inside[0].clusterTime));
      await stream.close();
    });

    await check('a resume at every token, after and with startAfter', async () => {
      const c = db.collection('resume');
      const stream = await opened(c);
      await c.insertMany([...Array(6).keys()].map(i => ({ _id: i })));
      await c.deleteMany({ _id: { $lt: 3 } });
      const events = await take(stream, 9);
      for (let i = 0; i < events.length; i++) {
        for (const option of ['resumeAfter', 'startAfter']) {
          const again = c.watch([], { [option]: events[i]._id, maxAwaitTimeMS: 50 });
          const rest = await take(again, events.length - i - 1);
          assert.deepEqual(rest.map(e => e._id._data), events.slice(i + 1).map(e => e._id._data));
          assert.equal(await again.tryNext(), null);
          await again.close();
        }
      }
      await stream.close();
    });

    await check('startAtOperationTime, and the token of an empty page', async () => {
      const c = db.collection('time');
      await c.insertOne({ _id: 'before' });
      const { operationTime } = await db.command({ ping: 1 });
      await c.insertOne({ _id: 'after' });
      const stream = c.watch([], { startAtOperationTime: operationTime });
      assert.equal((await stream.next()).documentKey._id, 'after');
      await stream.close();
      const idle = await opened(c);
      const token = idle.resumeToken;
      await c.insertOne({ _id: 'missed' });
      await idle.close();
      const again = c.watch([], { resumeAfter: token });
      assert.equal((await again.next()).documentKey._id, 'missed');
      await again.close();
    });

    await check('startAtOperationTime after a client has seen a time that is ahead of the clock', async () => {
      const c = db.collection('ahead');
      await c.insertOne({ _id: 'before' });
      const operationTime = await client.withSession(async session => {
        const clusterTime = new Timestamp({ t: Math.floor(Date.now() / 1000) + 100, i: 1 });
        session.advanceClusterTime({ clusterTime, signature: { hash: new Binary(Buffer.alloc(20)), keyId: Long.ZERO } });
        const reply = await db.command({ ping: 1 }, { session });
        assert.ok(reply.$clusterTime.clusterTime.greaterThanOrEqual(clusterTime));
        return reply.operationTime;
      });
      await c.insertOne({ _id: 'after' });
      const stream = c.watch([], { startAtOperationTime: operationTime });
      assert.equal((await stream.next()).documentKey._id, 'after');
      await stream.close();
    });

    await check('tokens move on while nothing happens in what is watched', async () => {
      const stream = await opened(db.collection('quiet'));
      const before = stream.resumeToken._data;
      await db.collection('loud').insertMany([...Array(50).keys()].map(i => ({ _id: i })));
      for (let i = 0; i < 50 && stream.resumeToken._data === before; i++) assert.equal(await stream.tryNext(), null);
      assert.ok(stream.resumeToken._data > before);
      await stream.close();
    });

    await check('drop and rename end a stream of a collection, startAfter goes on behind', async () => {
      const c = db.collection('ends');
      await c.insertOne({ _id: 1 });
      const stream = await opened(c);
      const ofDb = await opened(db);
      await c.drop();
      const events = await take(stream, 2);
      assert.deepEqual(kinds(events), ['drop', 'invalidate']);
      await assert.rejects(stream.next());
      await refuses(c.watch([], { resumeAfter: events[1]._id }).next(), 260);
      await c.insertOne({ _id: 2 });
      const again = c.watch([], { startAfter: events[1]._id });
      assert.equal((await again.next()).documentKey._id, 2);
      await c.rename('ended');
      assert.deepEqual(kinds(await take(again, 2)), ['rename', 'invalidate']);
      await db.collection('taken').insertOne({ _id: 3 });
      await db.collection('ended').rename('taken', { dropTarget: true });
      const seen = await take(ofDb, 5);
      assert.deepEqual(kinds(seen), ['drop', 'insert', 'rename', 'insert', 'rename']);
      assert.deepEqual(seen[2].to, { db: name, coll: 'ended' });
      assert.deepEqual([seen[4].ns.coll, seen[4].to.coll], ['ended', 'taken']);
      await ofDb.close();
    });

    await check('dropDatabase', async () => {
      const gone = client.db(`${name}gone`);
      await gone.collection('a').insertOne({ _id: 1 });
      const [ofDb, ofCollection, ofAll] = [await opened(gone), await opened(gone.collection('a')), await opened(client)];
      await gone.dropDatabase();
      assert.deepEqual(kinds(await take(ofDb, 3)), ['drop', 'dropDatabase', 'invalidate']);
      assert.deepEqual(kinds(await take(ofCollection, 2)), ['drop', 'invalidate']);
      assert.deepEqual((await take(ofAll, 2)).map(e => [e.operationType, e.ns]), [
        ['drop', { db: gone.databaseName, coll: 'a' }], ['dropDatabase', { db: gone.databaseName }]]);
      await ofAll.close();
    });

    await check('expanded events', async () => {
      const stream = await opened(db, [], { showExpandedEvents: true });
      const c = await db.createCollection('expanded');
      await c.createIndex({ a: 1 }, { unique: true, name: 'a_1' });
      await c.insertOne({ _id: 1, a: { 0: 1 } });
      await c.updateOne({ _id: 1 }, { $set: { 'a.0': 2, 'b': 1 } });
      await db.command({ collMod: 'expanded', validator: { a: { $exists: true } } });
      await c.dropIndex('a_1');
      await c.drop();
      const events = await take(stream, 7);
      assert.deepEqual(kinds(events), ['create', 'createIndexes', 'insert', 'update', 'modify', 'dropIndexes', 'drop']);
      assert.deepEqual(events[1].operationDescription.indexes, [{ v: 2, key: { a: 1 }, name: 'a_1', unique: true }]);
      assert.deepEqual(events[3].updateDescription.updatedFields, { 'a.0': 2, b: 1 });
      assert.deepEqual(events[3].updateDescription.disambiguatedPaths, { 'a.0': ['a', '0'] });
      assert.deepEqual(events[4].operationDescription.validator, { a: { $exists: true } });
      assert.equal(new Set(events.map(e => e.collectionUUID?.toString('hex'))).size, 1);
      await stream.close();
    });

    await check('a pipeline: every allowed stage, and those that are not', async () => {
      const c = db.collection('stages');
      const stream = await opened(c, [
        { $match: { operationType: { $in: ['insert', 'delete'] }, 'fullDocument.n': { $gt: 1 } } },
        { $addFields: { twice: { $multiply: ['$fullDocument.n', 2] } } }, { $set: { more: 1 } }, { $unset: 'more' },
        { $redact: { $cond: [{ $eq: ['$twice', 6] }, '$$PRUNE', '$$KEEP'] } },
        { $replaceWith: { $mergeObjects: ['$$ROOT', { last: true }] } }, { $project: { twice: 1, last: 1, documentKey: 1 } }]);
      await c.insertMany([1, 2, 3, 4].map(n => ({ _id: n, n })));
      const events = await take(stream, 2);
      assert.deepEqual(events.map(({ _id, ...rest }) => rest), [
        { documentKey: { _id: 2 }, twice: 4, last: true }, { documentKey: { _id: 4 }, twice: 8, last: true }]);
      await stream.close();
      for (const stage of [{ $group: { _id: 1 } }, { $lookup: { from: 'a', as: 'b', pipeline: [] } }, { $out: 'a' }, { $limit: 1 }, { $sort: { a: 1 } }]) {
        await refuses(c.watch([stage]).next(), 20);
      }
      await refuses(c.watch([{ $changeStreamSplitLargeEvent: {} }]).next(), 115);
      await refuses(c.watch([{ $match: { $nonsense: 1 } }]).next(), 2);
      await refuses(c.aggregate([{ $match: {} }, { $changeStream: {} }]).toArray(), 40602);
      const lossy = c.watch([{ $project: { _id: 0 } }]);
      lossy.tryNext().catch(() => {});
      const raw = await db.command({ aggregate: 'stages', pipeline: [{ $changeStream: {} }, { $project: { _id: 0 } }], cursor: {} });
      await c.insertOne({ _id: 9 });
      await refuses(db.command({ getMore: Long.fromValue(raw.cursor.id), collection: 'stages', maxTimeMS: 20000 }), 280);
      await lossy.close().catch(() => {});
    });

    await check('a pipeline is the stream\'s own, whatever the connection that brought it has brought since', async () => {
      const only = new MongoClient(uri, { maxPoolSize: 1 });
      try {
        const same = only.db(name);
        const project = { $project: { documentKey: 1, constant: { $literal: 'x'.repeat(500) } } };
        const { cursor } = await same.command({ aggregate: 'own', pipeline: [{ $changeStream: {} }, project], cursor: {} });
        for (let i = 0; i < 10; i++) await same.collection('own').insertOne({ _id: i, filler: 'y'.repeat(100 * i) });
        const page = await same.command({ getMore: Long.fromValue(cursor.id), collection: 'own', batchSize: 1, maxTimeMS: 20000 });
        const [{ _id, ...event }] = page.cursor.nextBatch;
        assert.deepEqual(event, { documentKey: { _id: 0 }, constant: 'x'.repeat(500) });
        await same.command({ killCursors: 'own', cursors: [Long.fromValue(cursor.id)] });
      } finally {
        await only.close();
      }
    });

    await check('what is malformed or not supported is refused', async () => {
      const c = db.collection('refused');
      await refuses(c.watch([], { resumeAfter: { _data: 'zz' } }).next(), 260);
      await refuses(c.watch([], { resumeAfter: { nothing: 1 } }).next(), 40647);
      const foreign = await opened(c);
      const data = foreign.resumeToken._data;
      await foreign.close();
      await refuses(c.watch([], { resumeAfter: { _data: `82${'00'.repeat(4)}${data.slice(10)}` } }).next(), 286);
      await refuses(c.watch([], { resumeAfter: { _data: `${data.slice(0, 10)}${'0'.repeat(15)}1${data.slice(26)}` } }).next(), 286);
      await refuses(c.watch([], { startAtOperationTime: new Timestamp({ t: 1000, i: 1 }) }).next(), 286);
      await refuses(db.command({ aggregate: 'refused', pipeline: [{ $changeStream: { nonsense: 1 } }], cursor: {} }), 40415);
      await refuses(db.command({ aggregate: 'refused', pipeline: [{ $changeStream: { fullDocument: 'x' } }], cursor: {} }), 2);
      await refuses(client.db('admin').collection('a').watch().next(), 73);
      await refuses(db.collection('system.profile').watch().next(), 73);
      await db.createCollection('seen', { viewOn: 'refused', pipeline: [] });
      await refuses(db.collection('seen').watch().next(), 166);
      await client.withSession(async session => {
        session.startTransaction();
        await refuses(c.aggregate([{ $changeStream: {} }], { session }).next(), 263);
        await session.abortTransaction().catch(() => {});
      });
    });

    await check('large documents, and an event that is too large', async () => {
      const c = await db.createCollection('large', { changeStreamPreAndPostImages: { enabled: true } });
      const stream = await opened(c, [], { fullDocumentBeforeChange: 'whenAvailable' });
      const plain = await opened(c);
      const text = 'x'.repeat(9 << 20);
      await c.insertOne({ _id: 1, text });
      await c.updateOne({ _id: 1 }, { $set: { n: 1 } });
      await c.replaceOne({ _id: 1 }, { text: `${text}y` });
      assert.equal((await stream.next()).fullDocument.text.length, text.length);
      assert.equal((await stream.next()).fullDocumentBeforeChange.text.length, text.length);
      await refuses(stream.next(), 10334);
      assert.deepEqual(kinds(await take(plain, 3)), ['insert', 'update', 'replace']);
      await plain.close();
    });

    await check('a closed stream leaves no cursor, a killed one is resumed by the driver', async () => {
      const c = db.collection('killed');
      const stream = await opened(c);
      const { cursor } = await db.command({ aggregate: 'killed', pipeline: [{ $changeStream: {} }], cursor: {} });
      const killed = await db.command({ killCursors: 'killed', cursors: [Long.fromValue(cursor.id)] });
      assert.equal(killed.cursorsKilled.length, 1);
      await refuses(db.command({ getMore: Long.fromValue(cursor.id), collection: 'killed' }), 43);
      await db.command({ killCursors: 'killed', cursors: [stream.cursor.id] });
      await c.insertOne({ _id: 1 });
      assert.equal((await stream.next()).documentKey._id, 1);
      await stream.close();
    });

    await check('Mongoose watches a model', async () => {
      await mongoose.connect(uri, { dbName: name });
      const Shirt = mongoose.model('Shirt', new mongoose.Schema({ size: String, count: Number }));
      const events = [];
      const { operationTime } = await db.command({ ping: 1 });
      const stream = Shirt.watch([], { fullDocument: 'updateLookup', startAtOperationTime: operationTime });
      const done = new Promise((resolve, reject) => {
        stream.on('change', e => { events.push(e); if (events.length === 3) resolve(); });
        stream.on('error', reject);
      });
      const shirt = await Shirt.create({ size: 'M', count: 1 });
      shirt.count = 2;
      await shirt.save();
      await shirt.deleteOne();
      await done;
      assert.deepEqual(kinds(events), ['insert', 'update', 'delete']);
      assert.deepEqual([events[1].updateDescription.updatedFields, events[2].documentKey], [{ count: 2 }, { _id: shirt._id }]);
      await stream.close();
      await mongoose.disconnect();
    });
  } finally {
    await db.dropDatabase();
    await client.close();
  }
}

main().catch(error => {
  console.error(error);
  process.exit(1);
});
