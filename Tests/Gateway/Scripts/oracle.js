// Filters, sorts, projections and pipelines against the gateway, and the same ones run by mingo, which knows MongoDB's query language and
// shares nothing with the server.
//   MODEL_URI=CONNECTION_STRING node oracle.js DATABASE [--queries N] [--seed S] [--show N]
// Where mingo differs from MongoDB's manual, `deviations` says so with the manual's sentence, and model-collection.js judges filters and sorts instead.
'use strict';
const { MongoClient } = require('mongodb');
const mingo = require('mingo');
const { Random, text, isPlain, toNumber, isNumber, int, double, long, ObjectId, Binary } = require('./model-values.js');
const { matches, sort } = require('./model-collection.js');

const uri = process.env.MODEL_URI;
const [, , name, ...flags] = process.argv;
const flag = (key, otherwise) => (flags.includes(key) ? Number(flags[flags.indexOf(key) + 1]) : otherwise);
const [queries, firstSeed, limit] = [flag('--queries', 20000), flag('--seed', 1), flag('--show', 20)];

// ---- Documents --------------------------------------------------------------------------------------------------

const words = ['', 'a', 'b', 'ab', 'Abc', 'zebra', 'äö', 'x y', 'a,b'];
const number = r => r.weighted([[5, int(r.below(9) - 3)], [2, double(r.below(20) / 4 - 1)], [2, long(r.below(9))], [1, double(2.5)], [1, int(100)]]);
const date = r => new Date(Date.UTC(2020, r.below(24), 1 + r.below(28), r.below(24), r.below(60), 7, 5));
const scalar = r => r.weighted([[4, number(r)], [3, r.pick(words)], [1, null], [1, r.chance(0.5)], [1, date(r)], [1, new ObjectId(`65000000000000000000000${r.below(4)}`)], [1, new Binary(Buffer.from([r.below(3)]))]]);
const maybe = (r, p, make) => (r.chance(p) ? make() : undefined);

function document(r, _id) {
  const d = {
    _id,
    a: maybe(r, 0.85, () => (r.chance(0.1) ? null : number(r))),
    b: maybe(r, 0.85, () => (r.chance(0.1) ? null : r.pick(words))),
    c: maybe(r, 0.8, () => r.some(r.below(4), () => number(r))),
    d: maybe(r, 0.8, () => ({ x: number(r), ...(r.chance(0.7) ? { y: r.pick(words) } : {}) })),
    e: maybe(r, 0.7, () => r.some(r.below(3), () => ({ y: number(r), ...(r.chance(0.5) ? { z: r.pick(words) } : {}) }))),
    f: maybe(r, 0.85, () => (r.chance(0.1) ? null : date(r))),
    g: maybe(r, 0.7, () => r.chance(0.5)),
    k: maybe(r, 0.8, () => (r.chance(0.2) ? r.some(r.below(3), () => scalar(r)) : r.chance(0.1) ? [[number(r)], number(r)] : scalar(r))),
  };
  return Object.fromEntries(Object.entries(d).filter(([, v]) => v !== undefined));
}

// As mingo wants it: numbers are those of JavaScript.
const plain = v => (isNumber(v) ? toNumber(v) : Array.isArray(v) ? v.map(plain) : isPlain(v) ? Object.fromEntries(Object.entries(v).map(([k, e]) => [k, plain(e)])) : v);

// ---- Filters ----------------------------------------------------------------------------------------------------

const comparison = r => r.pick(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte']);
const kinds = { a: number, b: r => r.pick(words), c: number, 'd.x': number, 'd.y': r => r.pick(words), 'e.y': number, 'e.z': r => r.pick(words), f: date, g: r => r.chance(0.5), k: scalar, 'c.0': number, 'e.0.y': number, nowhere: scalar };

// `exact` leaves out what mingo gets wrong, for filters inside of pipelines.
function filter(r, depth = 2, exact = false) {
  const path = r.pick(Object.keys(kinds).filter(p => !exact || !/\.0/.test(p)));
  const value = () => {
    const v = kinds[path](r);
    return exact && v === null ? 0 : v; // {$gte: null} is not mingo's
  };
  return r.weighted([
    [6, () => ({ [path]: { [comparison(r)]: value() } })],
    [3, () => ({ [path]: value() })],
    [1, () => ({ [exact ? r.pick(['a', 'b', 'f', 'd.x', 'nowhere']) : path]: null })],
    [exact ? 0 : 1, () => ({ k: { [comparison(r)]: scalar(r) } })],
    [2, () => ({ [path]: { $in: r.some(1 + r.below(3), () => (!exact && r.chance(0.1) ? null : value())) } })],
    [1, () => ({ [path]: { $nin: r.some(1 + r.below(3), value) } })],
    [1, () => ({ [path]: { $exists: r.chance(0.5) } })],
    [1, () => ({ [r.pick(exact ? ['a', 'b', 'f', 'g', 'd'] : ['a', 'b', 'f', 'g', 'k', 'd', 'c'])]: { $type: r.pick(['string', 'number', 'bool', 'date', 'null', 'object', 'array', 'objectId']) } })],
    [1, () => ({ [r.pick(['c', 'e', 'k', 'a'])]: { $size: r.below(4) } })],
    [1, () => ({ [exact ? 'c' : r.pick(['c', 'k', 'a'])]: { $all: r.some(1 + r.below(2), () => number(r)) } })],
    [exact ? 0 : 1, () => ({ [r.pick(['a', 'c', 'd.x'])]: { $mod: [r.pick([2, 3]), r.below(2)] } })],
    [1, () => ({ [r.pick(['b', 'd.y', 'e.z'])]: { $regex: r.pick(['^a', 'b$', 'A', '[x-z]', '^$']), $options: r.pick(['', 'i']) } })],
    [1, () => ({ [r.pick(['b', 'd.y'])]: { $in: [/^a/, r.pick(words)] } })],
    [1, () => ({ c: { $elemMatch: { $gt: number(r), $lt: number(r) } } })],
    [1, () => ({ e: { $elemMatch: { y: { [comparison(r)]: number(r) }, ...(r.chance(0.5) ? { z: r.pick(words) } : {}) } } })],
    [1, () => ({ [path]: { $not: { [comparison(r)]: value() } } })],
    [1, () => ({ a: { $gte: number(r), $lt: number(r) } })],
    [exact ? 1 : 0, () => ({ $expr: bool(r, 1) })],
    [depth ? 3 : 0, () => ({ [r.pick(['$and', '$or', '$nor'])]: r.some(1 + r.below(2), () => filter(r, depth - 1, exact)) })],
  ])();
}

// ---- Expressions, by what they give ------------------------------------------------------------------------------

const num = (r, depth = 2) => r.weighted([
  [4, () => r.pick(['$a', '$d.x'])], [2, () => ({ $literal: number(r) })],
  ...(depth === 0 ? [] : [
    [2, () => ({ [r.pick(['$add', '$multiply'])]: r.some(2, () => num(r, depth - 1)) })],
    [1, () => ({ $subtract: [num(r, depth - 1), num(r, depth - 1)] })],
    [1, () => ({ $divide: [num(r, depth - 1), r.pick([2, 4])] })],
    [1, () => ({ $mod: [{ $ifNull: [num(r, depth - 1), 1] }, r.pick([2, 3])] })],
    [1, () => ({ [r.pick(['$abs', '$ceil', '$floor'])]: num(r, depth - 1) })],
    [1, () => ({ $trunc: [num(r, depth - 1), r.below(2)] })],
    [1, () => ({ $pow: [num(r, depth - 1), 2] })],
    [1, () => ({ $sqrt: { $abs: num(r, depth - 1) } })],
    [1, () => ({ $size: list(r, depth - 1) })],
    [1, () => ({ $strLenCP: { $ifNull: [str(r, depth - 1), ''] } })],
    [1, () => ({ $indexOfBytes: [ascii(r), r.pick(['a', 'b'])] })],
    [1, () => ({ [r.pick(['$year', '$month', '$dayOfMonth', '$hour', '$minute', '$second', '$millisecond', '$dayOfWeek', '$dayOfYear', '$isoWeek', '$isoWeekYear', '$isoDayOfWeek'])]: { $ifNull: [when(r, depth - 1), date(r)] } })],
    [1, () => ({ [r.pick(['$sum', '$avg', '$max', '$min'])]: list(r, depth - 1) })],
    [1, () => ({ $cmp: r.some(2, () => ({ $ifNull: [num(r, depth - 1), 1] })) })],
    [1, () => ({ $cond: [bool(r, depth - 1), num(r, depth - 1), num(r, depth - 1)] })],
    [1, () => ({ $ifNull: [num(r, depth - 1), 0] })],
    [1, () => ({ $switch: { branches: [{ case: bool(r, depth - 1), then: num(r, depth - 1) }], default: 7 } })],
    [1, () => ({ $subtract: [when(r, depth - 1), when(r, depth - 1)] })],
    [1, () => ({ [r.pick(['$toInt', '$toDouble', '$toLong'])]: { $ifNull: [num(r, 0), 0] } })],
    [1, () => ({ $arrayElemAt: [list(r, depth - 1), r.below(3) - 1] })],
    [1, () => ({ $reduce: { input: list(r, depth - 1), initialValue: 0, in: { $add: ['$$value', '$$this'] } } })],
    [1, () => ({ $let: { vars: { v: num(r, depth - 1) }, in: { $add: ['$$v', 1] } } })],
    [1, () => ({ [r.pick(['$indexOfArray'])]: [list(r, depth - 1), number(r)] })],
    [1, () => ({ [r.pick(['$first', '$last'])]: { $concatArrays: [[1], list(r, depth - 1), [2]] } })],
  ])])();

const str = (r, depth = 2) => r.weighted([
  [4, () => r.pick(['$b', '$d.y'])], [2, () => ({ $literal: r.pick(words) })],
  ...(depth === 0 ? [] : [
    [2, () => ({ $concat: r.some(2, () => str(r, depth - 1)) })],
    [1, () => ({ [r.pick(['$toUpper', '$toLower'])]: ascii(r) })],
    [1, () => ({ $substrCP: [{ $ifNull: [str(r, depth - 1), ''] }, r.below(3), 2] })],
    [1, () => ({ [r.pick(['$trim', '$ltrim', '$rtrim'])]: { input: str(r, depth - 1) } })],
    [1, () => ({ $toString: { $toInt: { $ifNull: [num(r, 0), 0] } } })],
    [1, () => ({ $ifNull: [str(r, depth - 1), 'none'] })],
    [1, () => ({ $dateToString: { date: when(r, depth - 1), format: r.pick(['%Y-%m-%d', '%H:%M:%S', '%Y/%j', '%d.%m.%Y %H']) } })],
    [1, () => ({ [r.pick(['$replaceOne', '$replaceAll'])]: { input: str(r, depth - 1), find: 'a', replacement: 'ZZ' } })],
    [1, () => ({ $type: r.pick(['$b', '$g', '$f', '$c', '$d', '$nowhere']) })],
    [1, () => ({ $arrayElemAt: [{ $split: [{ $ifNull: [str(r, depth - 1), ''] }, ','] }, 0] })],
    [1, () => ({ $cond: { if: bool(r, depth - 1), then: str(r, depth - 1), else: str(r, depth - 1) } })],
  ])])();
const ascii = r => ({ $literal: r.pick(words.filter(w => /^[ -~]*$/.test(w))) });

const bool = (r, depth = 2) => r.weighted([
  [2, () => ({ [comparison(r)]: r.some(2, () => ({ $ifNull: [num(r, Math.max(0, depth - 1)), 0] })) })],
  [1, () => ({ [comparison(r)]: r.some(2, () => ({ $ifNull: [str(r, Math.max(0, depth - 1)), ''] })) })],
  [1, () => ({ [comparison(r)]: r.some(2, () => ({ $ifNull: [when(r, 0), date(r)] })) })],
  ...(depth === 0 ? [] : [
    [1, () => ({ [r.pick(['$and', '$or'])]: r.some(2, () => bool(r, depth - 1)) })],
    [1, () => ({ $not: [bool(r, depth - 1)] })],
    [1, () => ({ $in: [num(r, depth - 1), list(r, depth - 1)] })],
    [1, () => ({ $isArray: [r.pick(['$c', '$a', '$k'])] })],
    [1, () => ({ $isNumber: r.pick(['$c', '$a', '$k']) })],
    [1, () => ({ $setIsSubset: [list(r, depth - 1), list(r, depth - 1)] })],
    [1, () => ({ $setEquals: [list(r, depth - 1), list(r, depth - 1)] })],
    [1, () => ({ [r.pick(['$anyElementTrue', '$allElementsTrue'])]: [list(r, depth - 1)] })],
    [1, () => ({ $regexMatch: { input: { $ifNull: [str(r, depth - 1), ''] }, regex: r.pick(['^a', 'b$', '.']) } })],
    [1, () => ({ $eq: [{ $type: '$k' }, r.pick(['array', 'string', 'missing'])] })],
  ])])();

// Always a list of numbers.
const list = (r, depth = 1) => r.weighted([
  [4, () => ({ $ifNull: ['$c', []] })], [1, () => ({ $literal: r.some(r.below(3), () => number(r)) })],
  ...(depth === 0 ? [] : [
    [1, () => ({ $concatArrays: [list(r, depth - 1), list(r, depth - 1)] })],
    [1, () => ({ $slice: [list(r, depth - 1), r.pick([1, 2, -1, -2])] })],
    [1, () => ({ $slice: [list(r, depth - 1), r.pick([0, 1, -2]), 2] })],
    [1, () => ({ $reverseArray: list(r, depth - 1) })],
    [1, () => ({ $filter: { input: list(r, depth - 1), as: 'n', cond: { [comparison(r)]: ['$$n', number(r)] } } })],
    [1, () => ({ $map: { input: list(r, depth - 1), as: 'n', in: { $add: ['$$n', 1] } } })],
    [1, () => ({ $range: [0, r.below(4)] })],
    [1, () => ({ $sortArray: { input: list(r, depth - 1), sortBy: r.pick([1, -1]) } })],
    [1, () => ({ $sortArray: { input: { [r.pick(['$setUnion', '$setIntersection', '$setDifference'])]: [list(r, depth - 1), list(r, depth - 1)] }, sortBy: 1 } })],
    [1, () => ({ $ifNull: ['$e.y', []] })],
  ])])();

const when = (r, depth = 1) => r.weighted([
  [4, () => '$f'], [1, () => date(r)],
  ...(depth === 0 ? [] : [
    [1, () => ({ $add: [when(r, 0), r.pick([1000, 86400000])] })],
    [1, () => ({ $dateAdd: { startDate: { $ifNull: [when(r, 0), date(r)] }, unit: r.pick(['day', 'month', 'hour']), amount: 1 + r.below(3) } })],
    [1, () => ({ $dateTrunc: { date: { $ifNull: [when(r, 0), date(r)] }, unit: r.pick(['day', 'month', 'hour', 'year']) } })],
  ])])();

const any = r => r.pick([num, str, bool, list, when])(r, 1 + r.below(2));

// ---- Stages -----------------------------------------------------------------------------------------------------

const key = r => r.pick(['$a', '$b', '$d.y', '$g', { $year: { $ifNull: ['$f', new Date(0)] } }, null, { a: { $ifNull: ['$g', 'none'] }, b: { $ifNull: ['$d.y', 'none'] } }]);
const accumulator = r => r.pick([
  { $sum: num(r, 1) }, { $sum: 1 }, { $avg: num(r, 1) }, { $min: num(r, 1) }, { $max: num(r, 1) }, { $min: str(r, 0) }, { $max: '$f' }, { $count: {} },
  { $first: '$_id' }, { $last: '$_id' }, { $push: '$_id' }, { $stdDevPop: '$a' }, { $firstN: { input: '$_id', n: 2 } }, { $maxN: { input: '$_id', n: 2 } },
  { $bottomN: { n: 2, sortBy: { _id: 1 }, output: '$_id' } }]);

const order = (r, fields = ['a', 'b', 'd.x', 'f', 'g', 'c', 'k']) => ({ [r.pick(fields)]: r.pick([1, -1]), _id: r.pick([1, -1]) });

const projection = r => r.pick([
  { a: 1, b: 1 }, { _id: 0, d: 1 }, { 'd.x': 1 }, { c: 0, k: 0 }, { 'e.y': 1 }, { 'e.z': 0, f: 0 },
  { a: 1, n: num(r) }, { s: str(r), l: { $concatArrays: [list(r), []] } }, { t: when(r), q: bool(r) }, { 'in.deep': { $ifNull: [any(r), 0] }, 'in.other': '$a' }, { o: { p: { $ifNull: [any(r), 0] } } }]);

// Stages that leave the fields of documents and their _id as they are, and stages that end a pipeline.
const middle = r => r.weighted([
  [4, () => [{ $match: filter(r, 1, true) }]],
  [2, () => [{ [r.pick(['$addFields', '$set'])]: { n: any(r) } }]],
  [1, () => [{ $set: { 'd.x': { $ifNull: [num(r), 0] }, m: { [r.pick(['p', 'q'])]: r.pick([str, list, when])(r, 0) } } }]],
  [2, () => [{ $sort: order(r, ['d.x', 'g', 'd.y']) }, ...(r.chance(0.7) ? [{ $limit: 1 + r.below(6) }] : [{ $skip: r.below(4) }])]],
  [1, () => [{ $unset: r.pick(['k', 'd.y', ['b', 'e.z']]) }]],
  [1, () => [{ $lookup: { from: 'other', localField: r.pick(['a', 'b', 'd.x']), foreignField: r.pick(['a', '_id', 'b']), as: 'found' } }, { $set: { found: { $sortArray: { input: '$found._id', sortBy: 1 } } } }]],
  [1, () => [{ $lookup: { from: 'other', let: { v: { $ifNull: ['$d.x', 0] } }, pipeline: [{ $match: { $expr: { [comparison(r)]: [{ $ifNull: ['$a', 0] }, '$$v'] } } }, { $sort: { _id: 1 } }, { $limit: 3 }, { $project: { a: 1 } }], as: 'found' } }]],
])();
const last = r => r.weighted([
  [3, () => [{ $project: projection(r) }]],
  [4, () => [{ $sort: { _id: 1 } }, { $group: { _id: key(r), v: accumulator(r), w: accumulator(r) } }]],
  [1, () => [{ $unwind: r.pick(['$c', '$e', { path: '$c', preserveNullAndEmptyArrays: true }, { path: '$c', includeArrayIndex: 'i' }]) }]],
  [1, () => [{ $unwind: '$e' }, { $group: { _id: '$e.z', n: { $sum: '$e.y' } } }]],
  [1, () => [{ $bucket: { groupBy: { $ifNull: ['$d.x', -100] }, boundaries: [-5.3, 0.1, 3.1, 200], default: 'none', output: { n: { $sum: 1 }, ids: { $max: '$_id' } } } }, { $match: { n: { $gt: 0 } } }]],
  [1, () => [{ $sortByCount: r.pick(['$b', '$g', '$a']) }]],
  [1, () => [{ $match: { _id: { $gt: 0 } } }, { $count: 'total' }]],
  [1, () => [{ $match: { d: { $exists: true } } }, { $replaceRoot: { newRoot: { $mergeObjects: ['$d', { id: '$_id' }] } } }]],
  [1, () => [{ $replaceWith: { id: '$_id', v: any(r) } }]],
  [1, () => [{ $unionWith: 'other' }, { $group: { _id: null, n: { $sum: 1 }, s: { $sum: '$a' } } }]],
  [1, () => [{ $unionWith: { coll: 'other', pipeline: [{ $match: filter(r, 0, true) }] } }, { $project: { a: 1, b: 1 } }]],
  [1, () => [{ $facet: { one: [{ $match: filter(r, 0, true) }, { $group: { _id: null, n: { $sum: 1 } } }], two: [{ $sort: order(r, ['d.x', 'g', 'd.y']) }, { $limit: 3 }, { $project: { _id: 1 } }], three: [{ $sortByCount: '$g' }, { $group: { _id: null, all: { $sum: '$count' } } }] } }]],
])();
const pipeline = r => [...r.some(r.below(3), () => middle(r)).flat(), ...(r.chance(0.8) ? last(r) : [])];

// ---- What mingo does otherwise than the manual says --------------------------------------------------------------

const within = (value, test) => test(value) || (Array.isArray(value) ? value.some(v => within(v, test)) : isPlain(value) && Object.entries(value).some(([k, v]) => test(k) || within(v, test)));
const has = (...names) => c => within(c.query, v => names.includes(v));

const deviations = [
  {
    why: '$mod: "floating point arguments are rounded towards zero"; $all: "{ $all: [ x ] } is equivalent to { $and: [ { field: x } ] }" also for a field that is no array; "c.0" of an array without elements is no field that could be null',
    applies: ({ query, documents, actual }) => query.kind === 'filter' && JSON.stringify(actual) === JSON.stringify(textOf(documents.filter(d => matches(d, query.filter)), true)),
  },
  {
    why: '$sort: "the sort compares the smallest element of an array ascending, the largest descending"; "treats a non-existent field as it would null"; strings, objects, arrays, ObjectIds, booleans and dates follow numbers in this order',
    applies: ({ query, documents, actual }) => query.kind === 'sort' && JSON.stringify(actual) === JSON.stringify(textOf(sort(documents.filter(d => matches(d, query.filter)), query.sort).slice(query.skip, query.skip + query.limit), true)),
  },
  {
    why: '$count: a pipeline "returns no document" when there is none to count',
    applies: ({ query, actual, expected }) => query.kind === 'aggregate' && query.pipeline.at(-1).$count !== undefined && actual.length === 0 && expected[0] === '{"total":0}',
  },
  {
    why: '$set of a document adds its fields to the document that is there: "specify each field to add", as with dotted paths',
    applies: ({ query }) => query.kind === 'aggregate' && query.pipeline.filter(({ $set: set }) => isPlain(set?.m) && !Object.keys(set.m)[0].startsWith('$')).length > 1,
  },
];

// ---- Comparison -------------------------------------------------------------------------------------------------

// A text that is equal for equal results: the order of fields is not part of a result, nor the last digits of a sum.
function normal(v) {
  if (isNumber(v)) {
    const n = toNumber(v);
    return Number.isInteger(n) ? n + 0 : Number(n.toPrecision(12));
  }
  if (Array.isArray(v)) return v.map(normal);
  if (isPlain(v)) return Object.fromEntries(Object.entries(v).filter(([, e]) => e !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, e]) => [k, normal(e)]));
  if (v instanceof Date) return Number.isNaN(+v) ? 'no date' : `date ${v.toISOString()}`;
  if (v instanceof ObjectId || v instanceof Binary) return `${v.constructor.name} ${v}`;
  return v === undefined ? null : v;
}
const textOf = (documents, ordered) => {
  const texts = documents.map(d => JSON.stringify(normal(d)));
  return ordered ? texts : texts.sort();
};
const isOrdered = query => query.kind !== 'aggregate' || query.pipeline.findLastIndex(s => s.$sort) > query.pipeline.findLastIndex(s => s.$group || s.$sortByCount || s.$bucket || s.$unionWith || s.$facet);

function make(r) {
  return r.weighted([
    [3, () => ({ kind: 'filter', filter: filter(r, 2, r.chance(0.3)) })],
    [2, () => ({ kind: 'sort', filter: filter(r, 0), sort: order(r), skip: r.below(3), limit: 1 + r.below(8) })],
    [1, () => ({ kind: 'project', filter: filter(r, 0, true), projection: projection(r) })],
    [6, () => ({ kind: 'aggregate', pipeline: pipeline(r) })],
  ])();
}

const server = {
  filter: (c, q) => c.find(q.filter).sort({ _id: 1 }).toArray(),
  sort: (c, q) => c.find(q.filter).sort(q.sort).skip(q.skip).limit(q.limit).toArray(),
  project: (c, q) => c.find(q.filter).project(q.projection).sort({ _id: 1 }).toArray(),
  aggregate: (c, q) => c.aggregate(q.pipeline).toArray(),
};

function oracle(documents, other, query) {
  const q = plain(query);
  const options = { collectionResolver: () => structuredCloneOf(other) };
  const all = structuredCloneOf(documents);
  switch (q.kind) {
    case 'filter': return mingo.find(all, q.filter, {}, options).sort({ _id: 1 }).all();
    case 'sort': return mingo.find(all, q.filter, {}, options).sort(q.sort).skip(q.skip).limit(q.limit).all();
    case 'project': return mingo.find(all, q.filter, q.projection, options).all();
    default: return new mingo.Aggregator(q.pipeline, options).run(all);
  }
}
const structuredCloneOf = documents => documents.map(plain);

async function main() {
  const client = new MongoClient(uri, { maxPoolSize: 2 });
  const db = client.db(name);
  const [collection, others] = [db.collection('c'), db.collection('other')];
  const counts = { filter: 0, sort: 0, project: 0, aggregate: 0, refused: 0, deviating: 0 };
  let [documents, other, disagreements] = [[], [], 0];
  const started = Date.now();
  for (let seed = firstSeed; seed < firstSeed + queries && disagreements < limit; seed++) {
    // New documents for every hundred queries; those of a query depend on its seed alone.
    if (documents.length === 0 || seed % 100 === 0) {
      const base = new Random(Math.floor(seed / 100) * 100 + 500000000);
      documents = base.some(20, i => document(base, int(i + 1)));
      other = base.some(8, i => document(base, int(i + 1)));
      await collection.deleteMany({});
      await others.deleteMany({});
      await collection.insertMany(documents);
      await others.insertMany(other);
    }
    const query = make(new Random(seed));
    counts[query.kind]++;
    const judge = result => Promise.resolve().then(result).then(d => textOf(d, isOrdered(query)), e => [`error ${e.message}`]);
    const actual = await judge(() => server[query.kind](collection, query));
    const expected = await judge(() => oracle(documents, other, query));
    if (JSON.stringify(actual) === JSON.stringify(expected)) continue;
    const deviation = deviations.find(d => d.applies({ query, documents, other, actual, expected }));
    if (deviation) {
      deviation.count = (deviation.count ?? 0) + 1;
      counts.deviating++;
      continue;
    }
    disagreements++;
    const differ = actual.findIndex((t, i) => t !== expected[i]);
    console.log(`DISAGREEMENT seed ${seed}: ${text(query)}\n  mingo  ${expected.length}: ${expected[differ < 0 ? actual.length : differ]}\n  came   ${actual.length}: ${actual[differ < 0 ? actual.length : differ]}`);
  }
  for (const d of deviations.filter(d => d.count)) console.log(`mingo deviates ${d.count} times: ${d.why}`);
  console.log(`oracle: ${counts.filter} filters, ${counts.sort} sorts, ${counts.project} projections, ${counts.aggregate} pipelines, ${counts.deviating} where mingo is known to deviate, ${disagreements} disagreements, ${((Date.now() - started) / 1000).toFixed(1)} s`);
  await db.dropDatabase();
  await client.close();
  process.exit(disagreements === 0 ? 0 : 1);
}

main().catch(error => { console.error(error); process.exit(1); });
