// BSON values for the model and the oracle: a seeded source of random choices, the order of BSON, and a text that is equal
// exactly when two values are, types and the order of fields included.
'use strict';
const { EJSON, Int32, Double, Long, Decimal128, ObjectId, Binary, Timestamp, MinKey, MaxKey } = require('mongodb').BSON;

/** Choices that depend on the seed alone. */
class Random {
  constructor(seed) {
    this.state = (seed ^ 0x9e3779b9) >>> 0;
    for (let i = 0; i < 4; i++) this.next();
  }

  next() { // mulberry32
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** 0 up to n - 1. */
  below(n) { return Math.floor((this.next() / 4294967296) * n); }

  /** Whether something of this probability happens. */
  chance(p) { return this.next() / 4294967296 < p; }

  pick(values) { return values[this.below(values.length)]; }

  some(n, make) { return Array.from({ length: n }, (_, i) => make(i)); }

  /** Picks by weight: [[weight, value], ...]. */
  weighted(choices) {
    let at = this.below(choices.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, value] of choices) {
      if ((at -= weight) < 0) return value;
    }
    throw new Error('unreachable');
  }
}

const isNumber = v => v instanceof Int32 || v instanceof Double || v instanceof Long || v instanceof Decimal128 || typeof v === 'number';
const isPlain = v => v !== null && typeof v === 'object' && (Object.getPrototypeOf(v) === Object.prototype || Object.getPrototypeOf(v) === null);
const toNumber = v => (typeof v === 'number' ? v : v instanceof Decimal128 ? Number(v.toString()) : v instanceof Long ? v.toNumber() : v.valueOf());

// Places of the types in the order of BSON.
function rank(v) {
  if (v instanceof MinKey) return 0;
  if (v === undefined || v === null) return 1;
  if (isNumber(v)) return 2;
  if (typeof v === 'string') return 3;
  if (Array.isArray(v)) return 5;
  if (v instanceof Binary) return 6;
  if (v instanceof ObjectId) return 7;
  if (typeof v === 'boolean') return 8;
  if (v instanceof Date) return 9;
  if (v instanceof Timestamp) return 10;
  if (v instanceof RegExp) return 11;
  if (v instanceof MaxKey) return 12;
  if (isPlain(v)) return 4;
  throw new Error(`No place in the order for ${v?.constructor?.name}`);
}

const plainly = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

function compareNumbers(a, b) {
  if (a instanceof Long && b instanceof Long) return a.compare(b);
  const [x, y] = [toNumber(a), toNumber(b)];
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) ? (Number.isNaN(y) ? 0 : -1) : 1;
  return plainly(x, y);
}

/** The order of BSON: by type, numbers of all types together, then by value. */
function compare(a, b) {
  const [r, s] = [rank(a), rank(b)];
  if (r !== s) return r - s;
  switch (r) {
    case 2: return compareNumbers(a, b);
    case 3: return Buffer.compare(Buffer.from(a), Buffer.from(b));
    case 4: {
      const [x, y] = [Object.entries(a), Object.entries(b)];
      for (let i = 0; i < Math.min(x.length, y.length); i++) {
        const order = rank(x[i][1]) - rank(y[i][1]) || plainly(x[i][0], y[i][0]) || compare(x[i][1], y[i][1]);
        if (order) return order;
      }
      return x.length - y.length;
    }
    case 5: {
      for (let i = 0; i < Math.min(a.length, b.length); i++) {
        const order = compare(a[i], b[i]);
        if (order) return order;
      }
      return a.length - b.length;
    }
    case 6: return a.length() - b.length() || a.sub_type - b.sub_type || Buffer.compare(Buffer.from(a.value()), Buffer.from(b.value()));
    case 7: return Buffer.compare(Buffer.from(a.id), Buffer.from(b.id));
    case 8: return Number(a) - Number(b);
    case 9: return a - b;
    case 10: return a.compare(b);
    case 11: return plainly(a.source, b.source) || plainly(a.flags, b.flags);
    default: return 0;
  }
}

const text = value => EJSON.stringify(value === undefined ? null : value, { relaxed: false });
const fromText = json => EJSON.parse(json, { relaxed: false });
const int = n => new Int32(n);
const double = n => new Double(n);
const long = n => Long.fromNumber(n);

module.exports = { Random, compare, rank, isNumber, isPlain, toNumber, text, fromText, int, double, long, Int32, Double, Long, Decimal128, ObjectId, Binary, Timestamp, MinKey, MaxKey };
