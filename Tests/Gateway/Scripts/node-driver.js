// The Node.js driver against the gateway. Usage: node node-driver.js CONNECTION_STRING DATABASE; NODE_PATH leads to the
// driver. Prints one line per check and exits with 1 at the first that fails.
'use strict';
const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { MongoClient, GridFSBucket, Long } = require('mongodb');

const [, , uri, name] = process.argv;

async function main() {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 10000 });
  await client.connect();
  const db = client.db(name);
  const check = async (what, run) => {
    await run();
    console.log(`ok ${what}`);
  };

  try {
    await check('insert, find and count', async () => {
      const c = db.collection('crud');
      assert.equal((await c.insertMany([...Array(500).keys()].map(i => ({ _id: i, n: i, g: i % 5 })))).insertedCount, 500);
      assert.deepEqual(await c.findOne({ _id: 7 }), { _id: 7, n: 7, g: 2 });
      assert.equal(await c.countDocuments({ g: 1 }), 100);
      assert.equal(await c.estimatedDocumentCount(), 500);
      assert.deepEqual((await c.distinct('g')).sort(), [0, 1, 2, 3, 4]);
    });
    await check('a sorted cursor of many batches', async () => {
      const seen = [];
      for await (const d of db.collection('crud').find().sort({ n: -1 }).batchSize(50)) seen.push(d.n);
      assert.deepEqual(seen, [...Array(500).keys()].reverse());
    });
    await check('update, replace, findOneAndUpdate, delete', async () => {
      const c = db.collection('crud');
      assert.equal((await c.updateMany({ g: 0 }, { $set: { z: 1 } })).modifiedCount, 100);
      assert.equal((await c.replaceOne({ _id: 1000 }, { n: 1 }, { upsert: true })).upsertedId, 1000);
      assert.equal((await c.findOneAndUpdate({ _id: 1 }, { $inc: { n: 5 } }, { returnDocument: 'after' })).n, 6);
      assert.equal((await c.deleteMany({ z: 1 })).deletedCount, 100);
    });
    await check('aggregation', async () => {
      const rows = await db.collection('crud').aggregate([
        { $match: { g: { $exists: true } } }, { $group: { _id: '$g', n: { $sum: 1 } } }, { $sort: { _id: 1 } }]).toArray();
      assert.deepEqual(rows.map(r => r._id), [1, 2, 3, 4]);
    });
    await check('bulk write', async () => {
      const r = await db.collection('bulk').bulkWrite([
        { insertOne: { document: { _id: 1 } } }, { insertOne: { document: { _id: 2 } } },
        { updateOne: { filter: { _id: 1 }, update: { $set: { a: 1 } } } }, { deleteOne: { filter: { _id: 2 } } }]);
      assert.deepEqual([r.insertedCount, r.modifiedCount, r.deletedCount], [2, 1, 1]);
    });
    await check('a duplicate key', async () => {
      await db.collection('bulk').createIndex({ sku: 1 }, { unique: true, sparse: true });
      await db.collection('bulk').insertOne({ sku: 'a' });
      await assert.rejects(db.collection('bulk').insertOne({ sku: 'a' }), e => e.code === 11000 && /^E11000/.test(e.message));
    });
    await check('a committed and an aborted transaction', async () => {
      const c = db.collection('tx');
      await c.insertOne({ _id: 0 });
      await client.withSession(async session => {
        await session.withTransaction(async () => {
          await c.insertOne({ _id: 1 }, { session });
          await db.collection('tx2').insertOne({ _id: 1 }, { session });
        });
        await assert.rejects(session.withTransaction(async () => {
          await c.insertOne({ _id: 2 }, { session });
          throw new Error('undo');
        }), /undo/);
      });
      assert.deepEqual((await c.find().sort({ _id: 1 }).toArray()).map(d => d._id), [0, 1]);
      assert.equal(await db.collection('tx2').countDocuments(), 1);
    });
    await check('conflicting transactions are repeated until both are done', async () => {
      const c = db.collection('tx');
      await c.insertOne({ _id: 'n', n: 0 });
      await Promise.all([1, 2, 3].map(() => client.withSession(session => session.withTransaction(async () => {
        const { n } = await c.findOne({ _id: 'n' }, { session });
        await c.updateOne({ _id: 'n' }, { $set: { n: n + 1 } }, { session });
      }))));
      assert.equal((await c.findOne({ _id: 'n' })).n, 3);
    });
    await check('GridFS', async () => {
      const bucket = new GridFSBucket(db, { chunkSizeBytes: 64 * 1024 });
      const data = Buffer.alloc(1_000_000, 'gridfs ');
      await pipeline(Readable.from([data]), bucket.openUploadStream('file.bin'));
      const chunks = [];
      for await (const chunk of bucket.openDownloadStreamByName('file.bin')) chunks.push(chunk);
      assert.ok(Buffer.concat(chunks).equals(data));
    });
    await check('collections and indexes', async () => {
      assert.ok((await db.listCollections().toArray()).some(c => c.name === 'crud'));
      assert.deepEqual((await db.collection('bulk').indexes()).map(i => i.name), ['_id_', 'sku_1']);
      await db.collection('bulk').dropIndex('sku_1');
      assert.ok((await client.db().admin().listDatabases()).databases.some(d => d.name === name));
    });
    await check('errors by code', async () => {
      await assert.rejects(db.command({ noSuchCommand: 1 }), e => e.code === 59 && e.codeName === 'CommandNotFound');
      await assert.rejects(db.collection('crud').aggregate([{ $noSuchStage: 1 }]).toArray(), e => e.code === 40324);
    });
    await check('explain', async () => {
      const plan = await db.collection('crud').find({ _id: 3 }).explain('executionStats');
      assert.equal(plan.queryPlanner.winningPlan.inputStage.indexName, '_id_');
      assert.equal(plan.executionStats.nReturned, 1);
    });
    await check('an unordered bulk write tells of each failure', async () => {
      const c = db.collection('unordered');
      await c.insertOne({ _id: 2 });
      const e = await c.bulkWrite([1, 2, 3, 2].map(i => ({ insertOne: { document: { _id: i } } })), { ordered: false }).then(() => null, e => e);
      assert.deepEqual([e.code, e.writeErrors.length, e.result.insertedCount], [11000, 2, 2]);
      assert.deepEqual(e.writeErrors.map(w => w.index), [1, 3]);
      assert.deepEqual(e.writeErrors[0].err.errmsg.includes('dup key: { _id: 2 }'), true);
    });
    await check('a duplicate names its key', async () => {
      await assert.rejects(db.collection('unordered').insertOne({ _id: 1 }), e => e.keyPattern._id === 1 && e.keyValue._id === 1);
    });
    await check('an invalid document names the rule', async () => {
      await db.createCollection('valid', { validator: { $jsonSchema: { required: ['a'], additionalProperties: false, properties: { _id: {}, a: { bsonType: 'number' } } } } });
      await assert.rejects(db.collection('valid').insertOne({ b: 1 }), e => e.code === 121 && e.errInfo.details.schemaRulesNotSatisfied.length === 2);
      assert.ok((await db.listCollections({ name: 'valid' }).next()).options.validator.$jsonSchema.properties.a.bsonType === 'number');
    });
    await check('sessions: implicit, explicit and causally consistent', async () => {
      const c = db.collection('sessions');
      await client.withSession({ causalConsistency: true }, async session => {
        await c.insertOne({ _id: 1 }, { session });
        assert.equal((await c.findOne({ _id: 1 }, { session }))._id, 1);
        assert.ok(session.id.id);
      });
    });
    await check('a cursor belongs to its session', async () => {
      await client.withSession(async one => client.withSession(async other => {
        const { cursor } = await db.command({ find: 'crud', batchSize: 2 }, { session: one });
        const id = Long.fromString(String(cursor.id));
        await assert.rejects(db.command({ getMore: id, collection: 'crud' }, { session: other }), e => e.code === 13);
        assert.ok((await db.command({ getMore: id, collection: 'crud' }, { session: one })).cursor.nextBatch.length > 0);
      }));
    });
    await check('a failed write aborts its transaction and says so with a label', async () => {
      const session = client.startSession();
      try {
        session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } });
        await db.collection('tx').insertOne({ _id: 'lost' }, { session });
        await assert.rejects(db.collection('tx').insertOne({ _id: 0 }, { session }), e => e.code === 11000);
        await assert.rejects(db.collection('tx').findOne({}, { session }), e => e.code === 251 && e.hasErrorLabel('TransientTransactionError'));
        await session.abortTransaction();
      } finally {
        await session.endSession();
      }
      assert.equal(await db.collection('tx').countDocuments({ _id: 'lost' }), 0);
    });
    await check('a commit may be sent again', async () => {
      const session = client.startSession();
      session.startTransaction();
      await db.collection('tx').insertOne({ _id: 'twice' }, { session });
      await session.commitTransaction();
      await session.commitTransaction();
      await session.endSession();
      assert.equal(await db.collection('tx').countDocuments({ _id: 'twice' }), 1);
    });
    await check('GridFS: listed, renamed, read in part and deleted', async () => {
      const bucket = new GridFSBucket(db, { bucketName: 'files', chunkSizeBytes: 1024 });
      const upload = bucket.openUploadStream('a', { metadata: { kind: 'test' } });
      await pipeline(Readable.from([Buffer.from('0123456789'.repeat(1000))]), upload);
      await bucket.rename(upload.id, 'b');
      const [file] = await bucket.find({ 'metadata.kind': 'test' }).toArray();
      assert.deepEqual([file.filename, file.length], ['b', 10000]);
      const part = [];
      for await (const chunk of bucket.openDownloadStream(upload.id, { start: 1020, end: 1030 })) part.push(chunk);
      assert.equal(Buffer.concat(part).toString(), '0123456789');
      await bucket.delete(upload.id);
      assert.equal(await db.collection('files.chunks').countDocuments(), 0);
    });
    await check('indexes: TTL, partial, hidden, dropped all at once', async () => {
      const c = db.collection('indexed');
      await c.insertOne({ t: new Date(), a: 1 });
      await c.createIndexes([
        { key: { t: 1 }, expireAfterSeconds: 3600 }, { key: { a: 1 }, unique: true, partialFilterExpression: { a: { $gt: 0 } } }, { key: { h: 1 }, hidden: true }]);
      const indexes = await c.indexes();
      assert.deepEqual([indexes.find(i => i.key.t).expireAfterSeconds, indexes.find(i => i.key.h).hidden], [3600, true]);
      await c.dropIndexes();
      assert.equal((await c.indexes()).length, 1);
    });
    await check('a time limit', async () => {
      const slow = [{ $project: { n: { $size: { $filter: { input: { $range: [0, 400000] }, cond: { $gt: [{ $mod: ['$$this', 7] }, 5] } } } } } }];
      await assert.rejects(db.collection('crud').aggregate(slow, { maxTimeMS: 1 }).toArray(), e => e.code === 50);
    });
    await check('compressed messages', async () => {
      const packed = new MongoClient(uri, { compressors: ['zlib'] });
      try {
        const text = 'compressible '.repeat(10000);
        await packed.db(name).collection('packed').insertOne({ _id: 1, text });
        assert.equal((await packed.db(name).collection('packed').findOne({ _id: 1 })).text, text);
      } finally {
        await packed.close();
      }
    });
    await check('what is refused', async () => {
      await assert.rejects(db.collection('crud').watch([{ $changeStreamSplitLargeEvent: {} }]).next(), e => e.code === 115);
      await assert.rejects(db.createCollection('capped', { capped: true, size: 1000 }), e => e.code === 115);
      const wrong = new MongoClient(uri.replace(/:[^:@]+@/, ':wrong@'), { serverSelectionTimeoutMS: 5000 });
      await assert.rejects(wrong.connect(), e => e.code === 18);
      await wrong.close();
    });
  } finally {
    await db.dropDatabase();
    await client.close();
  }
}

main().catch(e => { console.error(e); process.exit(1); });
