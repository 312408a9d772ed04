// mongosh against the gateway: mongosh CONNECTION_STRING --file mongosh.js, with the database's name in PLATFORM_DATABASE.
// Prints one line per check; the first that fails ends the shell with an error.
const assert = require('node:assert/strict');
// The shell's arrays are of another realm than the assertion library's.
const same = (actual, expected) => assert.equal(JSON.stringify(actual), JSON.stringify(expected));
db = db.getSiblingDB(process.env.PLATFORM_DATABASE);
// The library cannot run the shell's commands itself: the shell makes only the script's own functions wait for them.
const fails = (run, code) => {
  let failure = null;
  try { run(); } catch (e) { failure = e; }
  assert.ok(failure, `no error ${code}`);
  assert.equal(failure.code, code);
};
const check = (what, run) => { run(); print(`ok ${what}`); };

check('server commands', () => {
  assert.equal(db.hello().setName, 'rs0');
  assert.equal(rs.status().members[0].stateStr, 'PRIMARY');
  assert.equal(db.version(), '7.0.0');
  assert.equal(db.adminCommand({ ping: 1 }).ok, 1);
  assert.ok(db.serverStatus().connections.current >= 1);
  assert.ok(db.hostInfo().system.numCores >= 1);
  assert.ok(db.adminCommand({ getCmdLineOpts: 1 }).parsed.net.port > 0);
  assert.equal(db.adminCommand({ getParameter: 1, featureCompatibilityVersion: 1 }).featureCompatibilityVersion.version, '7.0');
  assert.ok(db.adminCommand({ whatsmyuri: 1 }).you.includes(':'));
  assert.equal(db.runCommand({ connectionStatus: 1 }).authInfo.authenticatedUsers[0].user, 'platform');
  assert.ok(Array.isArray(db.adminCommand({ getLog: 'startupWarnings' }).log));
  assert.ok(Object.keys(db.adminCommand({ listCommands: 1 }).commands).includes('find'));
});
check('documents', () => {
  db.a.insertMany([{ _id: 1, v: 1, t: 'green apples', p: { type: 'Point', coordinates: [13.4, 52.5] } }, { _id: 2, v: 2, t: 'bread' }]);
  assert.equal(db.a.insertOne({ _id: 3, v: 3 }).insertedId, 3);
  assert.equal(db.a.updateOne({ _id: 3 }, { $set: { v: 4 } }).modifiedCount, 1);
  assert.equal(db.a.findOneAndDelete({ _id: 3 }).v, 4);
  assert.equal(db.a.countDocuments(), 2);
  same(db.a.distinct('v'), [1, 2]);
  assert.equal(db.a.find({ v: { $gt: 1 } }).toArray().length, 1);
});
check('indexes', () => {
  assert.equal(db.a.createIndex({ t: 'text' }), 't_text');
  assert.equal(db.a.createIndex({ p: '2dsphere' }), 'p_2dsphere');
  assert.equal(db.a.find({ $text: { $search: 'apple' } }).toArray()[0]._id, 1);
  assert.equal(db.a.find({ p: { $near: { $geometry: { type: 'Point', coordinates: [13.4, 52.5] }, $maxDistance: 1000 } } }).toArray().length, 1);
  assert.equal(db.a.getIndexes().length, 3);
  assert.ok(db.a.aggregate([{ $indexStats: {} }]).toArray().length >= 1);
  assert.equal(db.a.dropIndex('t_text').nIndexesWas, 3);
  assert.equal(db.a.find({ _id: 1 }).explain().queryPlanner.winningPlan.inputStage.indexName, '_id_');
});
check('collections', () => {
  db.createCollection('v', { validator: { $jsonSchema: { bsonType: 'object', required: ['a'] } } });
  fails(() => db.v.insertOne({ b: 1 }), 121);
  assert.equal(db.runCommand({ collMod: 'v', validationLevel: 'off' }).ok, 1);
  assert.ok(db.v.insertOne({ b: 1 }).acknowledged);
  db.createView('w', 'a', [{ $match: { v: 2 } }]);
  assert.equal(db.w.countDocuments(), 1);
  assert.equal(db.v.renameCollection('x').ok, 1);
  assert.ok(db.getCollectionNames().includes('x'));
  assert.ok(db.x.validate().valid);
  assert.equal(typeof Number(db.a.stats().count), 'number');
  assert.equal(db.stats().db, db.getName());
  assert.ok(db.x.drop());
});
check('known faults of the engine are corrected', () => {
  db.a.updateOne({ _id: 2 }, [{ $replaceWith: { $mergeObjects: ['$$ROOT', { n: 1 }] } }]);
  same(db.a.findOne({ _id: 2 }), { _id: 2, v: 2, t: 'bread', n: 1 });
  same(db.a.aggregate([{ $match: { v: 99 } }, { $count: 'n' }]).toArray(), []);
  fails(() => db.a.find().min({ _id: 1 }).hint({ _id: 1 }).toArray(), 115);
});
check('a transaction with two sorted cursors', () => {
  const session = db.getMongo().startSession();
  session.startTransaction();
  const c = session.getDatabase(db.getName()).c;
  c.insertMany([...Array(200).keys()].map(i => ({ _id: i, i })));
  const up = c.find({ i: { $gte: 0 } }).sort({ i: 1 }).batchSize(20);
  const down = c.find({ i: { $gte: 0 } }).sort({ i: -1 }).batchSize(30);
  for (let n = 0; n < 200; n++) {
    assert.equal(up.next().i, n);
    assert.equal(down.next().i, 199 - n);
  }
  session.commitTransaction();
  session.endSession();
  assert.equal(db.c.countDocuments(), 200);
});
check('users', () => {
  const admin = db.getSiblingDB('admin');
  const user = 'shell_' + db.getName();
  admin.createUser({ user, pwd: 'first', roles: ['readAnyDatabase'] });
  fails(() => admin.createUser({ user, pwd: 'again', roles: ['readAnyDatabase'] }), 51003);
  admin.updateUser(user, { pwd: 'second' });
  assert.ok(admin.getUser(user));
  admin.dropUser(user);
  assert.equal(admin.getUser(user), null);
});
check('operations', () => {
  assert.ok(db.adminCommand({ currentOp: 1 }).inprog.length > 0);
  fails(() => db.runCommand({ noSuchCommand: 1 }), 59);
  assert.ok(db.adminCommand({ listDatabases: 1 }).databases.some(d => d.name === db.getName()));
});
db.dropDatabase();
