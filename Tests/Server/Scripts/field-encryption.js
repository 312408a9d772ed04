// Node.js' official driver as another program that encrypts fields. Usage: node field-encryption.js DATABASE PROVIDER TENANT; in the environment
// CONNECTION_STRING, MASTER_KEY (base64), READ and WRITE: documents as Extended JSON, plain. Reads the first one, which was written encrypted, and writes the
// second.
'use strict';
const assert = require('node:assert/strict');
const { Binary, BSON, ClientEncryption, MongoClient } = require('mongodb');
const { CONNECTION_STRING: uri, MASTER_KEY: key, READ: read, WRITE: write } = process.env;
const [, , name, provider, tenant] = process.argv;
const deterministic = 'AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic';
const random = 'AEAD_AES_256_CBC_HMAC_SHA_512-Random';

async function main() {
  const settings = { keyVaultNamespace: `${name}._keyVault`, kmsProviders: { [provider]: { key: Buffer.from(key, 'base64') } } };
  const plain = new MongoClient(uri);
  const automatic = new MongoClient(uri, { autoEncryption: { ...settings, bypassAutoEncryption: true } });
  try {
    const encryption = new ClientEncryption(plain, settings);
    const stored = plain.db(name).collection('customers');
    const expected = BSON.EJSON.parse(read, { relaxed: false });

    // As the driver decrypts it by itself, and field by field.
    const found = await automatic.db(name).collection('customers').findOne({ _id: expected._id }, { promoteValues: false });
    assert.equal(BSON.EJSON.stringify(found, { relaxed: false }), BSON.EJSON.stringify(expected, { relaxed: false }));
    const raw = await stored.findOne({ _id: expected._id });
    for (const field of ['email', 'phone', 'address']) {
      assert.ok(raw[field] instanceof Binary && raw[field].sub_type === 6, `${field} is encrypted`);
      assert.deepEqual(await encryption.decrypt(raw[field]), BSON.EJSON.parse(read)[field]);
    }
    const keyAltName = `tenant:${tenant}`;
    const email = await encryption.encrypt(expected.email, { algorithm: deterministic, keyAltName });
    assert.deepEqual(email.buffer, raw.email.buffer);
    assert.equal(await stored.countDocuments({ email }), 1);

    const document = BSON.EJSON.parse(write, { relaxed: false });
    for (const field of ['email', 'phone']) document[field] = await encryption.encrypt(document[field], { algorithm: deterministic, keyAltName });
    document.address = await encryption.encrypt(document.address, { algorithm: random, keyAltName });
    await stored.insertOne(document);
    console.log('read and written');
  } finally {
    await automatic.close();
    await plain.close();
  }
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
