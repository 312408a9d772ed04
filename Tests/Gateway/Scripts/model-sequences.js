// Sequences of operations, made from a seed: documents to begin with, and operations one after the other, some in transactions.
'use strict';
const { int, double, long } = require('./model-values.js');

const keys = 8;
const words = ['', 'a', 'ab', 'Zebra', 'äö', 'b c', '$x', 'x.y'];
const id = r => (r.chance(0.85) ? int(r.below(keys)) : r.pick(words.slice(1, 4)));
const number = r => r.weighted([
  [6, int(r.below(10) - 3)], [2, double(r.below(20) / 4)], [2, long(r.below(10))], [1, int(2147483647)], [1, long(5000000000)], [1, double(-0.5)]]);
const scalar = r => r.weighted([[4, number(r)], [3, r.pick(words)], [1, null], [1, r.chance(0.5)], [1, new Date(1e12 + r.below(5) * 1000)]]);
const tag = r => (r.chance(0.6) ? r.pick(words) : int(r.below(5)));
const item = r => ({ q: int(r.below(6)), ...(r.chance(0.5) ? { w: r.pick(words) } : {}) });

function document(r, _id = id(r)) {
  const d = { _id };
  if (r.chance(0.25)) d.u = int(r.below(6));
  if (r.chance(0.9)) d.n = r.chance(0.9) ? number(r) : r.pick(words);
  if (r.chance(0.5)) d.s = scalar(r);
  if (r.chance(0.6)) d.tags = r.some(r.below(4), () => tag(r));
  if (r.chance(0.5)) d.items = r.some(r.below(3), () => item(r));
  if (r.chance(0.5)) d.sub = { x: number(r), ...(r.chance(0.5) ? { y: scalar(r) } : {}) };
  return d;
}

const comparison = r => r.pick(['$gt', '$gte', '$lt', '$lte', '$eq', '$ne']);

function condition(r, depth = 1) {
  return r.weighted([
    [4, () => ({ n: { [comparison(r)]: number(r) } })],
    [2, () => ({ s: scalar(r) })],
    [2, () => ({ 'sub.x': { [comparison(r)]: number(r) } })],
    [2, () => ({ tags: tag(r) })],
    [1, () => ({ n: { $in: r.some(3, () => number(r)) } })],
    [1, () => ({ s: { $nin: r.some(2, () => scalar(r)) } })],
    [1, () => ({ [r.pick(['u', 'sub', 'sub.y', 'tags', 'n'])]: { $exists: r.chance(0.5) } })],
    [1, () => ({ n: { $type: r.pick(['int', 'double', 'long', 'number', 'string']) } })],
    [1, () => ({ tags: { $size: int(r.below(4)) } })],
    [1, () => ({ tags: { $all: r.some(2, () => tag(r)) } })],
    [1, () => ({ n: { $mod: [int(3), int(r.below(3))] } })],
    [1, () => ({ s: { $regex: r.pick(['^a', 'b', 'ra$', '^$']) } })],
    [1, () => ({ items: { $elemMatch: { q: { [comparison(r)]: int(r.below(6)) } } } })],
    [1, () => ({ tags: { $elemMatch: { $gt: int(1), $lt: int(4) } } })],
    [1, () => ({ n: { $not: { $gt: number(r) } } })],
    [1, () => (depth ? { [r.pick(['$and', '$or', '$nor'])]: r.some(2, () => condition(r, depth - 1)) } : {})],
  ])();
}

// Filters of one document name its _id, so that nobody may choose another one.
const one = r => ({ _id: id(r), ...(r.chance(0.25) ? condition(r, 0) : {}) });
const many = r => (r.chance(0.15) ? {} : condition(r));

function replacement(r) {
  const { _id, ...rest } = document(r, int(0));
  return rest;
}

// One operator with its fields; the fields of different operators do not meet.
const operators = {
  $set: r => r.pick([{ s: scalar(r) }, { 'sub.x': number(r) }, { s: scalar(r), 'sub.y': scalar(r) }, { tags: r.some(2, () => tag(r)) }, { 'new.deep': scalar(r), a: number(r) }]),
  $unset: r => ({ [r.pick(['s', 'sub.y', 'tags', 'items', 'b', 'u'])]: '' }),
  $inc: r => (r.chance(0.8) ? { n: number(r) } : { n: number(r), 'sub.x': int(1) }),
  $mul: r => ({ [r.pick(['n', 'sub.x', 'm'])]: number(r) }),
  $min: r => r.pick([{ n: number(r) }, { s: scalar(r) }, { 'sub.y': scalar(r) }]),
  $max: r => r.pick([{ n: number(r) }, { s: scalar(r) }, { 'sub.y': scalar(r) }]),
  $bit: r => ({ bits: { [r.pick(['and', 'or', 'xor'])]: int(r.below(16)) } }),
  $currentDate: r => ({ at: r.chance(0.5) ? true : { $type: 'date' } }),
  $rename: r => r.pick([{ s: 'moved' }, { 'sub.y': 's' }, { moved: 'm2' }]),
  $setOnInsert: r => ({ made: number(r) }),
  $push: r => r.pick([
    { tags: tag(r) }, { items: item(r) }, { tags: { $each: r.some(2, () => tag(r)) } },
    { tags: { $each: r.some(2, () => tag(r)), $position: int(r.below(4) - 1) } },
    // What is new stays, so that an array that is cut is never the one that was there.
    { tags: { $each: [`new${r.next()}`], $slice: int(-1 - r.below(3)) } },
    { tags: { $each: [`new${r.next()}`], $position: int(0), $slice: int(1 + r.below(3)) } },
    { tags: { $each: r.some(2, () => tag(r)), $sort: r.pick([int(1), int(-1)]) } },
    { tags: { $each: [`zzz${r.next()}`], $sort: int(1), $slice: int(-2) } },
    { items: { $each: [item(r)], $sort: { q: 1, w: -1 } } }]),
  $addToSet: r => ({ tags: r.chance(0.5) ? tag(r) : { $each: r.some(3, () => tag(r)) } }),
  $pull: r => r.pick([{ tags: tag(r) }, { tags: { $in: r.some(2, () => tag(r)) } }, { tags: { $gte: int(2) } }, { items: { q: { $lt: int(r.below(6)) } } }, { items: { q: int(r.below(6)) } }]),
  $pullAll: r => ({ tags: r.some(2, () => tag(r)) }),
  $pop: r => ({ [r.pick(['tags', 'items'])]: int(r.pick([1, -1])) }),
};

const overlap = (a, b) => a === b || a.startsWith(b + '.') || b.startsWith(a + '.');

function operatorUpdate(r) {
  const update = {};
  const taken = [];
  for (let n = 1 + r.below(3); n > 0; n--) {
    const operator = r.pick(Object.keys(operators));
    const fields = operators[operator](r);
    const paths = Object.entries(fields).flatMap(([path, argument]) => (operator === '$rename' ? [path, argument] : [path]));
    if (update[operator] || paths.some(path => taken.some(other => overlap(path, other)))) continue;
    taken.push(...paths);
    update[operator] = fields;
  }
  return update;
}

const pipelineStages = r => r.pick([
  { $set: { n: { $add: ['$n', int(1)] } } },
  { $set: { s: { $concat: [{ $ifNull: ['$s', 'none'] }, '!'] }, copy: '$sub.x' } },
  { $set: { big: { $gt: ['$n', int(3)] }, m: { $cond: [{ $isArray: '$tags' }, '$tags', []] } } },
  { $addFields: { literal: { $literal: '$n' }, product: { $multiply: ['$n', '$sub.x'] } } },
  { $unset: r.pick(['s', 'sub.y', ['tags', 'items']]) },
  { $replaceWith: { $mergeObjects: ['$$ROOT', { replaced: true }] } },
  { $replaceWith: { $mergeObjects: [{ _id: '$_id', first: '$n' }, '$$ROOT'] } },
]);

// The change of an update, with the options that belong to it.
function changeOf(r) {
  return r.weighted([
    [12, () => ({ update: operatorUpdate(r) })],
    [2, () => ({ update: r.some(1 + r.below(2), () => pipelineStages(r)) })],
    [1, () => ({ update: { $set: { 'items.$[f].q': int(99) } }, arrayFilters: [{ 'f.q': { [comparison(r)]: int(r.below(6)) } }] })],
    [1, () => ({ update: { $inc: { 'items.$[].q': int(1) } } })],
    [1, () => ({ update: { $set: { 'tags.$[t]': 'was' } }, arrayFilters: [{ t: tag(r) }] })],
    [1, () => ({ update: { $set: { 'tags.0': tag(r) } } })],
  ])();
}

// An update by place, whose filter finds the place.
function positional(r) {
  const q = int(r.below(6));
  return r.pick([
    { filter: { _id: id(r), 'items.q': q }, update: { $set: { 'items.$.w': 'here' } } },
    { filter: { _id: id(r), items: { $elemMatch: { q: { $gte: q } } } }, update: { $inc: { 'items.$.q': int(10) } } }]);
}

const upsert = r => (r.chance(0.3) ? { upsert: true } : {});

const order = r => ({ [r.pick(['n', 's', 'tags', 'sub.x', 'u'])]: r.pick([1, -1]), _id: 1 });
const projection = r => r.pick([{ n: 1 }, { n: 1, _id: 0 }, { tags: 0 }, { 'sub.x': 1, s: 1 }, { 'sub.x': 0, items: 0 }, { 'items.q': 1 }, { _id: 0 }, { 'items.w': 0, _id: 0 }]);
const options = r => ({
  ...(r.chance(0.6) ? { sort: order(r) } : { sort: { _id: 1 } }), ...(r.chance(0.3) ? { skip: r.below(3) } : {}),
  ...(r.chance(0.4) ? { limit: 1 + r.below(4) } : {}), ...(r.chance(0.4) ? { projection: projection(r) } : {})});

// A statement of a bulk.
function statement(r) {
  return r.weighted([
    [5, () => ({ insertOne: { document: document(r) } })],
    [5, () => (r.chance(0.1) ? { updateOne: positional(r) } : { updateOne: { filter: one(r), ...changeOf(r), ...upsert(r) } })],
    [1, () => ({ updateMany: { filter: many(r), ...changeOf(r) } })],
    [2, () => ({ replaceOne: { filter: one(r), replacement: replacement(r), ...upsert(r) } })],
    [5, () => ({ deleteOne: { filter: one(r) } })],
    [1, () => ({ deleteMany: { filter: many(r) } })],
  ])();
}

function operation(r) {
  return r.weighted([
    [3, () => ({ op: 'insertOne', document: document(r) })],
    [2, () => ({ op: 'insertMany', documents: r.some(1 + r.below(5), () => document(r)), ordered: r.chance(0.5) })],
    [6, () => ({ op: 'updateOne', filter: one(r), ...changeOf(r), ...upsert(r) })],
    [1, () => ({ op: 'updateOne', ...positional(r) })],
    [3, () => ({ op: 'updateMany', filter: many(r), ...changeOf(r) })],
    [3, () => ({ op: 'replaceOne', filter: one(r), replacement: replacement(r), ...upsert(r) })],
    [3, () => ({ op: 'deleteOne', filter: one(r) })],
    [1, () => ({ op: 'deleteMany', filter: many(r) })],
    [3, () => ({ op: 'findOneAndUpdate', ...target(r), ...changeOf(r), after: r.chance(0.5) })],
    [1, () => ({ op: 'findOneAndReplace', ...target(r), replacement: replacement(r), after: r.chance(0.5) })],
    [2, () => ({ op: 'findOneAndDelete', ...target(r, false) })],
    [6, () => ({ op: 'bulkWrite', statements: r.some(1 + r.below(7), () => statement(r)), ordered: r.chance(0.5) })],
    [1, () => ({ op: 'bulkCommand', statements: r.some(1 + r.below(5), () => statement(r)), ordered: r.chance(0.5) })],
    [3, () => ({ op: 'find', filter: many(r), ...options(r), batchSize: 2 + r.below(3) })],
    [1, () => ({ op: 'findOne', filter: many(r), ...options(r) })],
    [1, () => ({ op: 'countDocuments', filter: many(r) })],
    [1, () => ({ op: 'estimatedDocumentCount' })],
    [1, () => ({ op: 'distinct', field: r.pick(['n', 's', 'tags', 'items.q', 'sub.x']), filter: many(r) })],
  ])();
}

// What a findOneAnd... looks for: one document by its _id, or the first of many in an order.
const target = (r, inserts = true) => (r.chance(0.6)
  ? { filter: one(r), ...(inserts ? upsert(r) : {}), ...(r.chance(0.3) ? { projection: projection(r) } : {}) }
  : { filter: many(r), sort: order(r), ...(r.chance(0.3) ? { projection: projection(r) } : {}) });

/** The sequence of a seed: {documents, operations}; an operation of a transaction has the transaction's number, `tx`. */
function sequence(r) {
  const documents = [...new Map(r.some(r.below(7), i => document(r, int(i))).map(d => [d.u === undefined ? d._id : `u${d.u}`, d])).values()];
  const operations = [];
  for (let n = 3 + r.below(7), tx = 0; n > 0; n--) {
    if (r.chance(0.12)) {
      const end = r.pick(['commit', 'commit', 'abort']);
      tx++;
      for (let m = 1 + r.below(4); m > 0; m--) {
        const inside = operation(r);
        if (inside.op === 'estimatedDocumentCount' || inside.op === 'bulkCommand') continue;
        operations.push({ ...inside, tx });
        if (r.chance(0.2)) operations.push({ op: 'peek' });
      }
      operations.push({ op: end, tx, ...(r.chance(0.2) ? { lose: r.pick(['reply', 'client']) } : {}) });
    } else operations.push(r.chance(0.05) ? { ...operation(r), lose: r.pick(['reply', 'reply', 'client']) } : operation(r));
  }
  return { documents, operations, retry: r.chance(0.7), mongoose: r.chance(0.25) };
}

module.exports = { sequence };
