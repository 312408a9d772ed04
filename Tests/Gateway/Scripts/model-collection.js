// A collection in memory: what MongoDB's manual says of filters, updates and the results of writes, for the operators that
// model.js uses. It shares nothing with the server under test.
'use strict';
const { compare, rank, isNumber, isPlain, toNumber, text, Int32, Double, Long, ObjectId } = require('./model-values.js');

/** An error that the server is expected to answer with this code. */
class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** One of several values: an update of many documents says why it failed on the one that it met first. */
class Either {
  constructor(values) { this.values = values; }
}

/** Stands for the server's time, which only it knows; each is another one. */
class Now extends Date {
  static #count = 0;

  constructor() { super(4e12 + Now.#count++); }
}

const equal = (a, b) => compare(a, b) === 0;
const clone = v => (Array.isArray(v) ? v.map(clone) : isPlain(v) ? Object.fromEntries(Object.entries(v).map(([k, e]) => [k, clone(e)])) : v);
const same = (a, b) => text(a) === text(b);
const isIndex = part => /^\d+$/.test(part);

// ---- Filters ----------------------------------------------------------------------------------------------------

// All values that a path leads to; arrays on the way are passed through. undefined stands for a missing field.
function* values(value, parts) {
  if (parts.length === 0) {
    yield value;
    return;
  }
  const [head, ...rest] = parts;
  if (Array.isArray(value)) {
    if (isIndex(head) && Number(head) < value.length) yield* values(value[Number(head)], rest);
    for (const element of value) if (isPlain(element)) yield* values(element, parts);
  } else if (isPlain(value) && Object.hasOwn(value, head)) {
    yield* values(value[head], rest);
  } else {
    yield undefined;
  }
}

// An array is itself and each of its elements.
function* candidates(document, path) {
  for (const value of values(document, path.split('.'))) {
    yield value;
    if (Array.isArray(value)) yield* value;
  }
}

const bracket = rank;
const ordered = (a, b, holds) => bracket(a) === bracket(b) && holds(compare(a, b));
const equals = (v, wanted) => (wanted === null ? v === undefined || v === null : v !== undefined && equal(v, wanted));

const isWanted = (v, wanted) => (wanted instanceof RegExp ? typeof v === 'string' && wanted.test(v) : equals(v, wanted));

const types = { string: v => typeof v === 'string', int: v => v instanceof Int32, double: v => v instanceof Double, long: v => v instanceof Long, number: isNumber, array: Array.isArray, object: isPlain, bool: v => typeof v === 'boolean', date: v => v instanceof Date, null: v => v === null, objectId: v => v instanceof ObjectId };

function holds(document, path, operator, argument, all) {
  const any = test => [...candidates(document, path)].some(test);
  switch (operator) {
    case '$eq': return any(v => equals(v, argument));
    case '$ne': return !any(v => equals(v, argument));
    case '$gt': return any(v => ordered(v, argument, c => c > 0));
    case '$gte': return any(v => ordered(v, argument, c => c >= 0));
    case '$lt': return any(v => ordered(v, argument, c => c < 0));
    case '$lte': return any(v => ordered(v, argument, c => c <= 0));
    case '$in': return argument.some(wanted => any(v => isWanted(v, wanted)));
    case '$nin': return !argument.some(wanted => any(v => isWanted(v, wanted)));
    case '$exists': return [...values(document, path.split('.'))].some(v => v !== undefined) === argument;
    case '$type': return any(types[argument]);
    case '$size': return [...values(document, path.split('.'))].some(v => Array.isArray(v) && v.length === toNumber(argument));
    case '$all': return argument.every(wanted => any(v => equals(v, wanted)));
    case '$mod': return any(v => isNumber(v) && Math.trunc(toNumber(v)) % toNumber(argument[0]) === toNumber(argument[1]));
    case '$regex': return any(v => typeof v === 'string' && new RegExp(argument, all.$options ?? '').test(v));
    case '$options': return true;
    case '$elemMatch': return [...values(document, path.split('.'))].some(v => Array.isArray(v) && v.some(e => matchesElement(e, argument)));
    case '$not': return !matchesField(document, path, argument);
    default: throw new Error(`The model has no ${operator}`);
  }
}

const isOperators = v => isPlain(v) && Object.keys(v)[0]?.startsWith('$');
const matchesField = (document, path, condition) =>
  isOperators(condition)
    ? Object.entries(condition).every(([operator, argument]) => holds(document, path, operator, argument, condition))
    : holds(document, path, '$eq', condition);
// What $elemMatch, $pull and array filters ask of one element.
const matchesElement = (element, condition) =>
  isOperators(condition) && !['$and', '$or', '$nor'].includes(Object.keys(condition)[0])
    ? Object.entries(condition).every(([operator, argument]) => holds({ element }, 'element', operator, argument))
    : isPlain(element) && matches(element, condition);

/** Whether a document meets a filter. */
function matches(document, filter) {
  return Object.entries(filter).every(([key, condition]) => {
    switch (key) {
      case '$and': return condition.every(part => matches(document, part));
      case '$or': return condition.some(part => matches(document, part));
      case '$nor': return !condition.some(part => matches(document, part));
      default: return matchesField(document, key, condition);
    }
  });
}

// ---- Sorts and projections --------------------------------------------------------------------------------------

// An array sorts by its least element upwards and by its greatest downwards. MongoDB has an empty one before null; the engine
// takes it for null (docs/gateway.md).
function sortKey(document, path, direction) {
  const keys = [...values(document, path.split('.'))].flatMap(v => (Array.isArray(v) && v.length > 0 ? v : [Array.isArray(v) ? null : v]));
  return keys.reduce((least, v) => (compare(v, least) * direction < 0 ? v : least), keys[0]) ?? null;
}

function sort(documents, order) {
  const entries = Object.entries(order);
  return [...documents].sort((a, b) => {
    for (const [path, direction] of entries) {
      const c = compare(sortKey(a, path, direction), sortKey(b, path, direction)) * direction;
      if (c) return c;
    }
    return 0;
  });
}

/** Inclusions or exclusions of fields, also of embedded ones. */
function project(document, projection) {
  const entries = Object.entries(projection ?? {});
  if (entries.length === 0) return clone(document);
  const including = entries.some(([path, on]) => path !== '_id' && on);
  const tree = {};
  for (const [path] of entries) {
    const parts = path.split('.');
    let node = tree;
    for (const part of parts.slice(0, -1)) node = node[part] ??= {};
    node[parts.at(-1)] = true;
  }
  const include = (value, node) => {
    if (Array.isArray(value)) return value.filter(e => isPlain(e) || Array.isArray(e)).map(e => include(e, node));
    if (!isPlain(value)) return undefined;
    const kept = {};
    for (const [key, v] of Object.entries(value)) {
      const part = node[key] === true ? clone(v) : node[key] ? include(v, node[key]) : undefined;
      if (part !== undefined) kept[key] = part;
    }
    return kept;
  };
  const exclude = (value, node) => {
    if (Array.isArray(value)) return value.map(e => exclude(e, node));
    if (!isPlain(value)) return value;
    return Object.fromEntries(Object.entries(value).filter(([key]) => node[key] !== true).map(([key, v]) => [key, node[key] ? exclude(v, node[key]) : clone(v)]));
  };
  if (!including) return exclude(document, tree);
  const { _id: id = true } = projection;
  if (id) tree._id = true;
  else delete tree._id;
  return include(document, tree);
}

// ---- Expressions of pipelines -----------------------------------------------------------------------------------

function arithmetic(values, start, ints) {
  for (const v of values) { // one after the other: what comes after a null is not looked at
    if (v === null || v === undefined) return null;
    if (!isNumber(v)) throw new Refused(14, 'only numbers are added and multiplied');
  }
  if (values.some(v => v instanceof Double)) return new Double(values.map(toNumber).reduce(ints, start));
  const exact = values.map(v => BigInt(v.toString())).reduce(ints, BigInt(start));
  if (exact < -(2n ** 63n) || exact >= 2n ** 63n) return new Double(Number(exact));
  return values.some(v => v instanceof Long) || exact < -2147483648n || exact > 2147483647n ? Long.fromBigInt(exact) : new Int32(Number(exact));
}

function evaluate(expression, document) {
  if (typeof expression === 'string' && expression === '$$ROOT') return document;
  if (typeof expression === 'string' && expression.startsWith('$')) return fieldOf(document, expression.slice(1).split('.'));
  if (Array.isArray(expression)) return expression.map(e => evaluate(e, document) ?? null);
  if (!isPlain(expression)) return expression;
  const [[operator, argument] = ['']] = Object.entries(expression);
  if (!operator.startsWith('$')) {
    return Object.fromEntries(Object.entries(expression).map(([k, e]) => [k, evaluate(e, document)]).filter(([, v]) => v !== undefined));
  }
  if (operator === '$literal') return argument;
  const all = Array.isArray(argument) ? argument.map(e => evaluate(e, document)) : [evaluate(argument, document)];
  switch (operator) {
    case '$add': return arithmetic(all, 0, (a, b) => a + b);
    case '$multiply': return arithmetic(all, 1, (a, b) => a * b);
    case '$ifNull': return all.find(v => v !== null && v !== undefined) ?? all.at(-1);
    case '$concat': {
      if (all.some(v => v === null || v === undefined)) return null;
      if (all.some(v => typeof v !== 'string')) throw new Refused(16702, '$concat takes strings');
      return all.join('');
    }
    case '$gt': return compare(all[0], all[1]) > 0;
    case '$eq': return (all[0] === undefined) === (all[1] === undefined) && compare(all[0], all[1]) === 0;
    case '$cond': return truth(all[0]) ? all[1] : all[2];
    case '$isArray': return Array.isArray(all[0]);
    case '$mergeObjects': return Object.assign({}, ...all.filter(v => v !== null && v !== undefined).map(clone));
    default: throw new Error(`The model has no ${operator}`);
  }
}
const truth = v => !(v === null || v === undefined || v === false || (isNumber(v) && toNumber(v) === 0));
const fieldOf = (value, parts) => {
  if (parts.length === 0) return value;
  if (Array.isArray(value)) return value.filter(isPlain).map(e => fieldOf(e, parts)).filter(v => v !== undefined);
  return isPlain(value) ? fieldOf(value[parts[0]], parts.slice(1)) : undefined;
};

function runPipeline(document, pipeline) {
  let result = clone(document);
  for (const stage of pipeline) {
    const [[name, argument]] = Object.entries(stage);
    switch (name) {
      case '$set': case '$addFields': {
        const before = result;
        result = { ...result };
        for (const [key, expression] of Object.entries(argument)) {
          const value = evaluate(expression, before);
          if (value !== undefined) result[key] = clone(value);
          else delete result[key];
        }
        break;
      }
      case '$unset': result = project(result, Object.fromEntries([argument].flat().map(path => [path, 0]))); break;
      case '$replaceWith': result = clone(evaluate(argument, result)); break;
      default: throw new Error(`The model has no ${name}`);
    }
  }
  if (result._id !== undefined && document._id !== undefined && !same(result._id, document._id)) throw new Refused(66, 'the _id is immutable');
  const { _id: ignored, ...rest } = result;
  return document._id === undefined ? result : { _id: document._id, ...rest };
}

// ---- Updates ----------------------------------------------------------------------------------------------------

// A number of the same type that is equal is no change: 0.0 stays 0.0 when it is multiplied by -1.
const unlessEqual = (old, made) => (old.constructor === made.constructor && equal(old, made) ? old : made);

// Adds or multiplies as the types of both allow.
function calculate(a, b, int, big) {
  if (a instanceof Double || b instanceof Double) return new Double(int(toNumber(a), toNumber(b)));
  const exact = big(BigInt(a.toString()), BigInt(b.toString()));
  if (a instanceof Int32 && b instanceof Int32 && exact >= -2147483648n && exact <= 2147483647n) return new Int32(Number(exact));
  if (exact < -(2n ** 63n) || exact >= 2n ** 63n) throw new Refused(2, 'the result is no 64-bit integer');
  return Long.fromBigInt(exact);
}

const arrayOf = (old, code) => {
  if (old !== undefined && !Array.isArray(old)) throw new Refused(code, 'the field is no array');
  return old;
};

// What an operator makes of the old value; undefined means that the field is missing.
const operators = {
  $set: (old, argument) => clone(argument),
  $setOnInsert: (old, argument, context) => (context.inserting ? clone(argument) : old),
  $unset: () => undefined,
  $inc: (old, argument) => {
    if (old === undefined) return argument;
    if (!isNumber(old)) throw new Refused(14, 'only numbers are added to');
    return unlessEqual(old, calculate(old, argument, (a, b) => a + b, (a, b) => a + b));
  },
  $mul: (old, argument) => {
    if (old === undefined) return argument instanceof Double ? new Double(0) : argument instanceof Long ? Long.fromNumber(0) : new Int32(0);
    if (!isNumber(old)) throw new Refused(14, 'only numbers are multiplied');
    return unlessEqual(old, calculate(old, argument, (a, b) => a * b, (a, b) => a * b));
  },
  $min: (old, argument) => (old === undefined || compare(argument, old) < 0 ? clone(argument) : old),
  $max: (old, argument) => (old === undefined || compare(argument, old) > 0 ? clone(argument) : old),
  $currentDate: () => new Now(),
  $bit: (old, argument) => {
    if (old !== undefined && !(old instanceof Int32)) throw new Refused(2, 'only integers have bits');
    const [[operation, operand]] = Object.entries(argument);
    const [a, b] = [old === undefined ? 0 : old.valueOf(), operand.valueOf()];
    return new Int32(operation === 'and' ? a & b : operation === 'or' ? a | b : a ^ b);
  },
  $push: (old, argument) => {
    const array = [...(arrayOf(old, 2) ?? [])];
    if (!isPlain(argument) || !Object.hasOwn(argument, '$each')) return [...array, clone(argument)];
    const { $each, $position, $slice, $sort } = argument;
    const at = $position === undefined ? array.length : toNumber($position);
    array.splice(at < 0 ? Math.max(0, array.length + at) : at, 0, ...$each.map(clone));
    if ($sort !== undefined) {
      array.sort(isPlain($sort)
        ? (a, b) => Object.entries($sort).reduce((c, [key, by]) => c || compare(a?.[key] ?? null, b?.[key] ?? null) * by, 0)
        : (a, b) => compare(a, b) * toNumber($sort));
    }
    if ($slice === undefined) return array;
    const n = toNumber($slice);
    return n >= 0 ? array.slice(0, n) : array.slice(n);
  },
  $addToSet: (old, argument) => {
    const array = [...(arrayOf(old, 2) ?? [])];
    for (const value of isPlain(argument) && Object.hasOwn(argument, '$each') ? argument.$each : [argument]) {
      if (!array.some(e => equal(e, value))) array.push(clone(value));
    }
    return array;
  },
  $pull: (old, argument) => arrayOf(old, 2)?.filter(e => !(isPlain(argument) ? matchesElement(e, argument) : equal(e, argument))),
  $pullAll: (old, argument) => arrayOf(old, 2)?.filter(e => !argument.some(wanted => equal(e, wanted))),
  $pop: (old, argument) => {
    const array = arrayOf(old, 2); // MongoDB: 14 TypeMismatch
    return array && (toNumber(argument) === 1 ? array.slice(0, -1) : array.slice(1));
  },
};

const makesNothing = new Set(['$unset', '$pull', '$pullAll', '$pop']);

// Changes the value at a path with an operator, in place.
function change(target, parts, operator, argument, context) {
  const [head, ...rest] = parts;
  if (head.startsWith('$[')) {
    if (!Array.isArray(target)) throw new Refused(2, 'the path must exist to apply array updates');
    const name = head.slice(2, -1);
    const filter = name === '' ? null : context.arrayFilters[name];
    target.forEach((element, i) => {
      if (filter === null || matches({ [name]: element }, filter)) change(target, [String(i), ...rest], operator, argument, context);
    });
    return;
  }
  const key = head === '$' ? String(context.position) : head;
  if (Array.isArray(target) && !isIndex(key)) {
    if (makesNothing.has(operator)) return;
    throw new Refused(28, 'no field can be made in an array');
  }
  const old = Array.isArray(target) ? target[Number(key)] : Object.hasOwn(target, key) ? target[key] : undefined;
  const put = value => {
    if (Array.isArray(target)) {
      while (target.length < Number(key)) target.push(null);
      target[Number(key)] = value;
    } else target[key] = value;
  };
  if (rest.length > 0) {
    if (old === undefined) {
      if (rest[0].startsWith('$[')) throw new Refused(2, 'the path must exist to apply array updates');
      if (makesNothing.has(operator) || (operator === '$setOnInsert' && !context.inserting)) return;
      put({});
      change(target[key], rest, operator, argument, context);
    } else if (isPlain(old) || Array.isArray(old)) change(old, rest, operator, argument, context);
    else if (rest[0].startsWith('$[')) throw new Refused(28, 'array updates are for arrays'); // MongoDB: 2 BadValue
    else if (!makesNothing.has(operator) && !(operator === '$setOnInsert' && !context.inserting)) throw new Refused(28, 'no field can be made in a value');
    return;
  }
  const value = operators[operator](old, argument, context);
  if (value !== undefined) put(value);
  else if (old !== undefined) {
    if (Array.isArray(target)) target[Number(key)] = null;
    else delete target[key];
  }
}

function rename(document, from, to) {
  const source = from.split('.');
  const parent = source.slice(0, -1).reduce((v, part) => (isPlain(v) ? v[part] : undefined), document);
  if (!isPlain(parent) || !Object.hasOwn(parent, source.at(-1))) return;
  const value = parent[source.at(-1)];
  change(document, to.split('.'), '$set', value, {});
  delete parent[source.at(-1)];
}

const headOf = path => path.split('.')[0];

/** The document after an update with operators, a replacement or a pipeline. */
function update(document, alteration, { arrayFilters = [], inserting = false, position } = {}) {
  if (Array.isArray(alteration)) return runPipeline(document, alteration);
  if (!Object.keys(alteration)[0]?.startsWith('$')) {
    if (Object.hasOwn(alteration, '_id') && document._id !== undefined && !same(alteration._id, document._id)) throw new Refused(66, 'the _id is immutable');
    const { _id: id = document._id, ...rest } = alteration;
    return { ...(id === undefined ? {} : { _id: id }), ...clone(rest) };
  }
  const context = { inserting, position, arrayFilters: Object.fromEntries(arrayFilters.map(f => [Object.keys(f)[0].split('.')[0], f])) };
  const result = clone(document);
  // MongoDB makes new fields in the order of their names; the engine in the order in which the update names them (docs/gateway.md).
  const changes = Object.entries(alteration).flatMap(([operator, fields]) => Object.entries(fields).map(([path, argument]) => ({ operator, path, argument })));
  const heads = changes.flatMap(c => (c.operator === '$rename' ? [c.path, c.argument] : [c.path]).map(headOf));
  const place = c => heads.indexOf(headOf(c.operator === '$rename' ? c.argument : c.path));
  changes.sort((a, b) => place(a) - place(b));
  for (const { operator, path, argument } of changes) {
    if (operator === '$rename') rename(result, path, argument);
    else change(result, path.split('.'), operator, argument, context);
  }
  if (document._id !== undefined && !same(result._id, document._id)) throw new Refused(66, 'the _id is immutable');
  return result;
}

// The equalities of a filter, with which an upsert begins; no field may have two.
function equalities(filter, into = {}, seen = new Set()) {
  for (const [key, condition] of Object.entries(filter)) {
    if (key === '$and') condition.forEach(part => equalities(part, into, seen));
    if (key.startsWith('$')) continue;
    const wanted = !isOperators(condition) ? [condition] : Object.hasOwn(condition, '$eq') ? [condition.$eq] : condition.$all ?? [];
    for (const value of wanted) {
      if (seen.has(key)) throw new Refused(54, 'two values are asked of one field');
      seen.add(key);
      change(into, key.split('.'), '$set', value, {});
    }
  }
  return into;
}

/** Documents by _id in the order of their insertion, with a unique field 'u'. */
class Collection {
  constructor(documents = []) { this.documents = documents; }

  copy() { return new Collection(this.documents.map(clone)); }

  insert(document) {
    const { _id, ...rest } = document;
    const added = { _id, ...clone(rest) };
    this.#unique(added);
    this.documents.push(added);
  }

  // What a unique index over u for documents that have it allows.
  #unique(document, except) {
    for (const other of this.documents) {
      if (other !== except && (equal(other._id, document._id) || (Object.hasOwn(document, 'u') && Object.hasOwn(other, 'u') && equal(other.u, document.u)))) {
        throw new Refused(11000, 'duplicate key');
      }
    }
  }

  find(filter, { sort: order, skip = 0, limit = 0, projection } = {}) {
    let found = this.documents.filter(d => matches(d, filter));
    if (order) found = sort(found, order);
    found = found.slice(skip, limit ? skip + limit : undefined);
    return found.map(d => project(d, projection));
  }

  distinct(path, filter) {
    const found = [];
    for (const document of this.documents.filter(d => matches(d, filter))) {
      for (const value of values(document, path.split('.'))) {
        for (const v of Array.isArray(value) ? value : [value]) if (v !== undefined && !found.some(f => equal(f, v))) found.push(v);
      }
    }
    return found;
  }

  /** An update, which says how many matched and changed, what was inserted, and the documents before and after. */
  update(filter, alteration, { multi = false, upsert = false, arrayFilters, sort: order } = {}) {
    let found = this.documents.filter(d => matches(d, filter));
    if (order) found = sort(found, order);
    if (!multi) found = found.slice(0, 1);
    const result = { matched: found.length, modified: 0, before: null, after: null };
    if (found.length === 0 && upsert) {
      const isReplacement = !Array.isArray(alteration) && !Object.keys(alteration)[0]?.startsWith('$');
      const base = isReplacement ? equalities({ _id: filter._id }) : equalities(filter);
      const made = update(base, alteration, { arrayFilters, inserting: true });
      const document = Object.hasOwn(made, '_id') ? made : { _id: base._id, ...made };
      if (document._id === undefined) throw new Error('The model makes no _id: give one in the filter');
      this.insert(document);
      return { ...result, upserted: document._id, after: document };
    }
    // An update of many that fails on one document may leave others changed or not; here it leaves none.
    const codes = new Set();
    const changes = found.map(document => {
      try {
        return [document, update(document, alteration, { arrayFilters, position: positionOf(document, filter) })];
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        codes.add(error.code);
        return null;
      }
    });
    if (codes.size > 0) throw new Refused(codes.size === 1 ? [...codes][0] : new Either([...codes]), 'it cannot be updated');
    for (const [document, changed] of changes) {
      this.#unique(changed, document);
      result.before = clone(document);
      if (!same(changed, document)) {
        result.modified++;
        for (const key of Object.keys(document)) delete document[key];
        Object.assign(document, changed);
      }
      result.after = document;
    }
    return result;
  }

  delete(filter, { multi = false, sort: order } = {}) {
    let found = this.documents.filter(d => matches(d, filter));
    if (order) found = sort(found, order);
    if (!multi) found = found.slice(0, 1);
    this.documents = this.documents.filter(d => !found.includes(d));
    return found;
  }
}

// The place that $ stands for: of the first element that the filter's condition on the array meets.
function positionOf(document, filter) {
  for (const [path, condition] of Object.entries(filter)) {
    const [head, ...rest] = path.split('.');
    const array = document[head];
    if (!Array.isArray(array) || (rest.length === 0 && isPlain(condition) && !Object.hasOwn(condition, '$elemMatch'))) {
      if (!Array.isArray(array) || path.startsWith('$')) continue;
    }
    const at = array.findIndex(e => rest.length ? isPlain(e) && matchesField(e, rest.join('.'), condition) : isPlain(condition) && condition.$elemMatch ? matchesElement(e, condition.$elemMatch) : matchesField({ e }, 'e', condition));
    if (at >= 0) return at;
  }
  return undefined;
}

module.exports = { Collection, Either, Refused, Now, matches, sort, project, update, same, clone };
