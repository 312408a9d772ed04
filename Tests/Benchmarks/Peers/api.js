// The API that somebody would write with Fastify, Mongoose and ioredis: the same routes, queries, indexes and JSON as ours, products read through
// Redis, an order in a transaction. It keeps no idempotency and no events. Usage: BENCH_URI=... BENCH_REDIS=... node api.js PORT
'use strict';
const fastify = require('fastify');
const mongoose = require('mongoose');
const Redis = require('ioredis');

const { Schema } = mongoose;
const { ObjectId, Decimal128 } = mongoose.Types;

const CACHE_SECONDS = 300;
const TENANT_MS = 30_000;
const MAX_LIMIT = 100;

const model = (name, fields) => mongoose.model(name, new Schema(fields, { versionKey: false, autoIndex: false, autoCreate: false, collection: name }));
const Id = Schema.Types.ObjectId;
const Tenant = model('tenants', { slug: String, name: String, currency: String, status: String });
const Store = model('stores', { tenantId: Id, status: String });
const Customer = model('customers', { tenantId: Id });
const Product = model('products', {
  tenantId: Id, sku: String, name: String, description: String, categoryId: Id, price: Schema.Types.Decimal128, currency: String, tags: [String],
  status: String, createdAt: Date, updatedAt: Date,
});
const Inventory = model('inventory', { tenantId: Id, productId: Id, storeId: Id, onHand: Number, reserved: Number, updatedAt: Date });
const Order = model('orders', {
  tenantId: Id, number: String, customerId: Id, storeId: Id,
  lines: [new Schema({
    productId: Id, sku: String, name: String, quantity: Number, unitPrice: Schema.Types.Decimal128, total: Schema.Types.Decimal128,
  }, { _id: false })],
  itemCount: Number, currency: String, subtotal: Schema.Types.Decimal128, tax: Schema.Types.Decimal128, total: Schema.Types.Decimal128, status: String,
  placedAt: Date, updatedAt: Date,
});

const string = { type: 'string' };
const number = { type: 'number' };
const strings = { type: 'array', items: string };
const object = properties => ({ type: 'object', properties });
const list = items => ({ type: 'array', items });
const summarySchema = object({ id: string, sku: string, name: string, categoryId: string, price: number, currency: string, tags: strings });
const orderSchema = object({
  id: string, number: string, customerId: string, storeId: string,
  lines: list(object({ productId: string, sku: string, name: string, quantity: number, unitPrice: number, total: number })),
  currency: string, subtotal: number, tax: number, total: number, status: string, placedAt: string,
});
const id = { type: 'string', pattern: '^[0-9a-f]{24}$' };
const bodySchema = {
  type: 'object', required: ['customerId', 'storeId', 'lines'],
  properties: {
    customerId: id, storeId: id,
    lines: {
      type: 'array', minItems: 1, maxItems: 100,
      items: {
        type: 'object', required: ['productId', 'quantity'],
        properties: { productId: id, quantity: { type: 'integer', minimum: 1, maximum: 1_000_000 } },
      },
    },
  },
};

class Refusal extends Error {
  constructor(statusCode, message) {
    super(message);
    this.statusCode = statusCode;
  }
}

const tenants = new Map();
async function tenantOf(slug) {
  const known = tenants.get(slug);
  if (known && known.until > Date.now()) return known.tenant;
  const tenant = await Tenant.findOne({ slug, status: 'active' }).lean();
  if (!tenant) throw new Refusal(404, 'There is no tenant of this name.');
  tenants.set(slug, { tenant, until: Date.now() + TENANT_MS });
  return tenant;
}

const summary = product => ({
  id: String(product._id), sku: product.sku, name: product.name, categoryId: String(product.categoryId), price: Number(product.price),
  currency: product.currency, tags: product.tags,
});

function routes(app, redis) {
  const keyOf = (tenant, product) => `peer:${tenant}:product:${product}`;

  app.get('/tenants/:tenant/products/:id', { schema: { params: object({ tenant: string, id }) } }, async (request, reply) => {
    const tenant = await tenantOf(request.params.tenant);
    const key = keyOf(tenant._id, request.params.id);
    reply.type('application/json; charset=utf-8');
    const cached = await redis.get(key);
    if (cached !== null) return reply.header('X-Cache', 'hit').send(cached);

    const productId = new ObjectId(request.params.id);
    const [product, items] = await Promise.all([
      Product.findOne({ _id: productId, tenantId: tenant._id, status: 'active' })
        .select('sku name description categoryId price currency tags updatedAt').lean(),
      Inventory.find({ tenantId: tenant._id, productId }).select('storeId onHand reserved').lean(),
    ]);
    if (!product) throw new Refusal(404, 'The tenant has no product of this id on sale.');
    const stock = items.map(item => ({ storeId: String(item.storeId), available: item.onHand - item.reserved }))
      .sort((a, b) => (a.storeId < b.storeId ? -1 : 1));
    const body = JSON.stringify({
      ...summary(product), description: product.description, available: stock.reduce((sum, item) => sum + item.available, 0), stock,
      updatedAt: product.updatedAt.toISOString(),
    });
    await redis.set(key, body, 'EX', CACHE_SECONDS);
    return reply.header('X-Cache', 'miss').send(body);
  });

  app.get('/tenants/:tenant/products', {
    schema: {
      querystring: object({ limit: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: 20 } }),
      response: { 200: object({ items: list(summarySchema), nextCursor: { type: ['string', 'null'] } }) },
    },
  }, async request => {
    const tenant = await tenantOf(request.params.tenant);
    const { limit } = request.query;
    const found = await Product.find({ tenantId: tenant._id, status: 'active' })
      .sort({ createdAt: -1, _id: -1 }).limit(limit + 1).select('sku name categoryId price currency tags createdAt').lean();
    const last = found.length > limit ? found[limit - 1] : null;
    return {
      items: found.slice(0, limit).map(summary),
      nextCursor: last && Buffer.from(JSON.stringify({ k: last.createdAt, i: last._id })).toString('base64url'),
    };
  });

  app.post('/tenants/:tenant/orders', { schema: { body: bodySchema, response: { 201: orderSchema } } }, async (request, reply) => {
    const tenant = await tenantOf(request.params.tenant);
    const order = await place(tenant, request.body);
    await redis.del(order.lines.map(line => keyOf(tenant._id, line.productId)));
    return reply.code(201).send({
      id: String(order._id), number: order.number, customerId: String(order.customerId), storeId: String(order.storeId),
      lines: order.lines.map(line => ({
        productId: String(line.productId), sku: line.sku, name: line.name, quantity: line.quantity, unitPrice: Number(line.unitPrice),
        total: Number(line.total),
      })),
      currency: order.currency, subtotal: Number(order.subtotal), tax: 0, total: Number(order.total), status: order.status,
      placedAt: order.placedAt.toISOString(),
    });
  });
}

async function place(tenant, body) {
  const tenantId = tenant._id;
  const storeId = new ObjectId(body.storeId);
  const wanted = body.lines.map(line => ({ productId: new ObjectId(line.productId), quantity: line.quantity }));
  const [customer, store, found] = await Promise.all([
    Customer.findOne({ _id: body.customerId, tenantId }).select('_id').lean(),
    Store.findOne({ _id: storeId, tenantId }).select('status').lean(),
    Product.find({ _id: { $in: wanted.map(line => line.productId) }, tenantId, status: 'active' }).select('sku name price currency').lean(),
  ]);
  const products = new Map(found.map(product => [String(product._id), product]));
  if (!customer || !store || products.size !== wanted.length) throw new Refusal(404, 'The tenant has no such customer, store or products.');
  if (store.status !== 'open') throw new Refusal(409, 'The store is closed.');

  const now = new Date();
  const cents = price => Math.round(Number(price) * 100);
  const money = amount => Decimal128.fromString((amount / 100).toFixed(2));
  const lines = wanted.map(line => {
    const product = products.get(String(line.productId));
    return {
      productId: product._id, sku: product.sku, name: product.name, quantity: line.quantity, unitPrice: product.price,
      total: money(cents(product.price) * line.quantity),
    };
  });
  const total = money(lines.reduce((sum, line) => sum + cents(line.total), 0));
  const orderId = new ObjectId();
  const order = {
    _id: orderId, tenantId, number: `ORD-${String(orderId).toUpperCase()}`, customerId: customer._id, storeId, lines,
    itemCount: lines.reduce((sum, line) => sum + line.quantity, 0), currency: tenant.currency, subtotal: total, tax: money(0), total,
    status: 'pending', placedAt: now, updatedAt: now,
  };
  // In one order for all, so that orders for the same products wait for each other instead of dead-locking.
  wanted.sort((a, b) => (String(a.productId) < String(b.productId) ? -1 : 1));
  const session = await mongoose.startSession();
  try {
    await session.withTransaction(async () => {
      for (const { productId, quantity } of wanted) {
        const left = await Inventory.findOneAndUpdate(
          { tenantId, productId, storeId, $expr: { $gte: [{ $subtract: ['$onHand', '$reserved'] }, quantity] } },
          { $inc: { onHand: -quantity }, $set: { updatedAt: now } },
          { session, returnDocument: 'after', lean: true },
        );
        if (!left) throw new Refusal(409, 'The stock is short.');
      }
      await Order.create([order], { session });
    }, { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority', j: true } });
  } finally {
    await session.endSession();
  }
  return order;
}

async function main() {
  await mongoose.connect(process.env.BENCH_URI, {
    minPoolSize: 10, maxPoolSize: 100, readConcern: { level: 'majority' }, writeConcern: { w: 'majority', j: true },
  });
  const redis = new Redis(process.env.BENCH_REDIS);
  const app = fastify({ logger: false });
  routes(app, redis);
  await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) });
}

main().catch(error => {
  console.error(error.message);
  process.exit(1);
});
