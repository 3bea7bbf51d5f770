// Functions of ramda that programs put queries together with, in their documented behaviour: curried, data last.
const curryN = (count, run) => {
  const collect = (given) => (...more) => {
    const all = [...given, ...more];
    return all.length >= count ? run(...all) : collect(all);
  };
  return collect([]);
};
const list = (value) => Array.from(value);
const isNil = (value) => value === null || value === undefined;
const isEmpty = (value) =>
  value === '' || (Array.isArray(value) ? value.length === 0 : !isNil(value) && typeof value === 'object' && Object.keys(value).length === 0);
const equals = (a, b) => a === b || JSON.stringify(a) === JSON.stringify(b);
const pipe = (first, ...rest) => (...given) => rest.reduce((value, run) => run(value), first(...given));
const compose = (...all) => pipe(...list(all).reverse());
const path = (names, value) => names.reduce((found, name) => (isNil(found) ? undefined : found[name]), value);
const mapped = (run, value) =>
  Array.isArray(value) ? value.map((item) => run(item)) : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, run(item)]));
const filtered = (test, value) =>
  Array.isArray(value)
    ? value.filter((item) => test(item))
    : Object.fromEntries(Object.entries(value).filter(([, item]) => test(item)));
const grouped = (keyOf, items) => {
  const groups = {};
  for (const item of items) {
    const key = String(keyOf(item));
    groups[key] = [...(groups[key] || []), item];
  }
  return groups;
};
const flatten = (items) => items.reduce((all, item) => all.concat(Array.isArray(item) ? flatten(item) : [item]), []);
const sorted = (keyOf, items) =>
  list(items).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
const uniq = (items) => items.filter((item, at) => items.findIndex((other) => equals(other, item)) === at);

module.exports = {
  compose, pipe, flatten, uniq, isNil, isEmpty, curryN,
  curry: (run) => curryN(run.length, run),
  identity: (value) => value,
  always: (value) => () => value,
  T: () => true,
  F: () => false,
  not: (value) => !value,
  complement: (test) => (...given) => !test(...given),
  tap: curryN(2, (run, value) => { run(value); return value; }),
  equals: curryN(2, equals),
  map: curryN(2, mapped),
  filter: curryN(2, filtered),
  reject: curryN(2, (test, value) => filtered((item) => !test(item), value)),
  reduce: curryN(3, (run, start, items) => items.reduce((all, item) => run(all, item), start)),
  forEach: curryN(2, (run, items) => { items.forEach((item) => run(item)); return items; }),
  forEachObjIndexed: curryN(2, (run, value) => { Object.keys(value).forEach((key) => run(value[key], key, value)); return value; }),
  mapObjIndexed: curryN(2, (run, value) => Object.fromEntries(Object.keys(value).map((key) => [key, run(value[key], key, value)]))),
  chain: curryN(2, (run, items) => items.flatMap((item) => run(item))),
  find: curryN(2, (test, items) => items.find((item) => test(item))),
  any: curryN(2, (test, items) => items.some((item) => test(item))),
  all: curryN(2, (test, items) => items.every((item) => test(item))),
  head: (items) => items[0],
  last: (items) => items[items.length - 1],
  tail: (items) => items.slice(1),
  init: (items) => items.slice(0, -1),
  take: curryN(2, (count, items) => items.slice(0, count)),
  drop: curryN(2, (count, items) => items.slice(count)),
  length: (items) => items.length,
  reverse: (items) => (typeof items === 'string' ? items.split('').reverse().join('') : list(items).reverse()),
  join: curryN(2, (between, items) => items.join(between)),
  split: curryN(2, (between, text) => text.split(between)),
  replace: curryN(3, (old, fresh, text) => text.replace(old, fresh)),
  toUpper: (text) => text.toUpperCase(),
  toLower: (text) => text.toLowerCase(),
  trim: (text) => text.trim(),
  concat: curryN(2, (first, second) => first.concat(second)),
  append: curryN(2, (item, items) => [...items, item]),
  prepend: curryN(2, (item, items) => [item, ...items]),
  includes: curryN(2, (item, items) => items.includes(item)),
  contains: curryN(2, (item, items) => items.includes(item)),
  without: curryN(2, (gone, items) => items.filter((item) => !gone.includes(item))),
  difference: curryN(2, (first, second) => uniq(first.filter((item) => !second.includes(item)))),
  intersection: curryN(2, (first, second) => uniq(first.filter((item) => second.includes(item)))),
  union: curryN(2, (first, second) => uniq(first.concat(second))),
  range: curryN(2, (from, to) => Array.from({ length: to - from }, (none, at) => from + at)),
  zip: curryN(2, (first, second) => first.slice(0, second.length).map((item, at) => [item, second[at]])),
  zipObj: curryN(2, (keys, values) => Object.fromEntries(keys.slice(0, values.length).map((key, at) => [key, values[at]]))),
  sortBy: curryN(2, sorted),
  groupBy: curryN(2, grouped),
  indexBy: curryN(2, (keyOf, items) => Object.fromEntries(items.map((item) => [keyOf(item), item]))),
  keys: (value) => Object.keys(value),
  values: (value) => Object.values(value),
  toPairs: (value) => Object.entries(value),
  fromPairs: (pairs) => Object.fromEntries(pairs),
  prop: curryN(2, (name, value) => (isNil(value) ? undefined : value[name])),
  propOr: curryN(3, (other, name, value) => (isNil(value) || isNil(value[name]) ? other : value[name])),
  pluck: curryN(2, (name, items) => items.map((item) => item[name])),
  path: curryN(2, path),
  pathOr: curryN(3, (other, names, value) => { const found = path(names, value); return isNil(found) ? other : found; }),
  has: curryN(2, (name, value) => !isNil(value) && Object.keys(value).includes(name)),
  pick: curryN(2, (names, value) => Object.fromEntries(names.filter((name) => name in value).map((name) => [name, value[name]]))),
  omit: curryN(2, (names, value) => Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)))),
  assoc: curryN(3, (name, item, value) => ({ ...value, [name]: item })),
  dissoc: curryN(2, (name, value) => Object.fromEntries(Object.entries(value).filter(([key]) => key !== name))),
  merge: curryN(2, (first, second) => ({ ...first, ...second })),
  mergeRight: curryN(2, (first, second) => ({ ...first, ...second })),
  mergeLeft: curryN(2, (first, second) => ({ ...second, ...first })),
  mergeAll: (all) => Object.assign({}, ...all),
  defaultTo: curryN(2, (other, value) => (isNil(value) ? other : value)),
  ifElse: curryN(3, (test, yes, no) => (...given) => (test(...given) ? yes(...given) : no(...given))),
  when: curryN(3, (test, run, value) => (test(value) ? run(value) : value)),
  unless: curryN(3, (test, run, value) => (test(value) ? value : run(value))),
  times: curryN(2, (run, count) => Array.from({ length: count }, (none, at) => run(at))),
};
