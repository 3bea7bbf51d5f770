// Functions of lodash that migrations use, in their documented behaviour.
const isNil = (value) => value === null || value === undefined;
const isObject = (value) => !isNil(value) && typeof value === 'object';
const steps = (path) => (Array.isArray(path) ? path : String(path).replace(/\[(\w+)\]/g, '.$1').split('.').filter((step) => step !== ''));
const get = (value, path, other) => {
  const found = steps(path).reduce((item, step) => (isNil(item) ? undefined : item[step]), value);
  return found === undefined ? other : found;
};
const matches = (wanted) => (item) => Object.keys(wanted).every((key) => !isNil(item) && item[key] === wanted[key]);
const iteratee = (given) => {
  if (given === undefined) return (value) => value;
  if (typeof given === 'function') return given;
  if (Array.isArray(given)) return (item) => get(item, given[0]) === given[1];
  return isObject(given) ? matches(given) : (item) => get(item, given);
};
const entries = (value) => (isNil(value) ? [] : Array.isArray(value) ? value.map((item, at) => [at, item]) : Object.entries(value));
const items = (value) => (typeof value === 'string' ? value.split('') : entries(value).map(([, item]) => item));
const map = (value, given) => { const run = iteratee(given); return entries(value).map(([key, item]) => run(item, key, value)); };
const filter = (value, given) => { const test = iteratee(given); return entries(value).filter(([key, item]) => test(item, key, value)).map(([, item]) => item); };
const each = (value, run) => {
  for (const [key, item] of entries(value)) { if (run(item, key, value) === false) break; }
  return value;
};
const flattenDeep = (value) => value.reduce((all, item) => all.concat(Array.isArray(item) ? flattenDeep(item) : [item]), []);
const uniqBy = (value, given) => {
  const keyOf = iteratee(given);
  const seen = [];
  return value.filter((item) => { const key = keyOf(item); if (seen.includes(key)) return false; seen.push(key); return true; });
};
const words = (text) => String(text).replace(/([a-z\d])([A-Z])/g, '$1 $2').replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2').replace(/([A-Za-z])(\d)/g, '$1 $2').replace(/(\d)([A-Za-z])/g, '$1 $2').split(/[^A-Za-z\d]+/).filter((word) => word !== '');
const upperFirst = (text) => (text === '' ? '' : text[0].toUpperCase() + text.slice(1));
const capitalize = (text) => upperFirst(String(text).toLowerCase());
const order = (value, keys, ways) => {
  const by = (isNil(keys) ? [undefined] : Array.isArray(keys) ? keys : [keys]).map(iteratee);
  return items(value).slice().sort((a, b) => {
    for (let at = 0; at < by.length; at++) {
      const first = by[at](a);
      const second = by[at](b);
      const sign = ways && ways[at] === 'desc' ? -1 : 1;
      if (first < second) return -sign;
      if (first > second) return sign;
    }
    return 0;
  });
};
const picked = (value, names) => Object.fromEntries(names.flat(Infinity).filter((name) => !isNil(value) && name in value).map((name) => [name, value[name]]));
const cloneDeep = (value) => (Array.isArray(value) ? value.map(cloneDeep) : isObject(value) && !(value instanceof Date) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cloneDeep(item)])) : value);

module.exports = {
  get, map, filter, flattenDeep, uniqBy, upperFirst, capitalize, cloneDeep, isNil, isObject,
  each, forEach: each,
  forOwn: each,
  identity: (value) => value,
  noop: () => undefined,
  clone: (value) => (Array.isArray(value) ? value.slice() : isObject(value) ? { ...value } : value),
  has: (value, path) => { const all = steps(path); const last = all[all.length - 1]; const at = all.length > 1 ? get(value, all.slice(0, -1)) : value; return isObject(at) && Object.keys(at).includes(String(last)); },
  isEmpty: (value) => isNil(value) || typeof value === 'number' || typeof value === 'boolean' || (typeof value === 'string' ? value === '' : Object.keys(value).length === 0),
  isArray: (value) => Array.isArray(value),
  isString: (value) => typeof value === 'string',
  isNumber: (value) => typeof value === 'number',
  isUndefined: (value) => value === undefined,
  isNull: (value) => value === null,
  isEqual: (first, second) => first === second || JSON.stringify(first) === JSON.stringify(second),
  reject: (value, given) => { const test = iteratee(given); return filter(value, (item, key) => !test(item, key)); },
  find: (value, given) => items(value).find(iteratee(given)),
  some: (value, given) => items(value).some(iteratee(given)),
  every: (value, given) => items(value).every(iteratee(given)),
  includes: (value, item) => (typeof value === 'string' ? value.includes(item) : items(value).includes(item)),
  reduce: (value, run, start) => entries(value).reduce((all, [key, item]) => run(all, item, key, value), start),
  flatMap: (value, given) => map(value, given).flat(),
  flatten: (value) => value.flat(),
  compact: (value) => value.filter(Boolean),
  chunk: (value, size = 1) => Array.from({ length: Math.ceil(value.length / size) }, (none, at) => value.slice(at * size, (at + 1) * size)),
  concat: (value, ...more) => [].concat(value, ...more),
  uniq: (value) => uniqBy(value),
  union: (...lists) => uniqBy(lists.flat()),
  difference: (value, ...gone) => value.filter((item) => !gone.flat().includes(item)),
  without: (value, ...gone) => value.filter((item) => !gone.includes(item)),
  intersection: (first, ...others) => uniqBy(first.filter((item) => others.every((other) => other.includes(item)))),
  head: (value) => value[0],
  first: (value) => value[0],
  last: (value) => value[value.length - 1],
  tail: (value) => value.slice(1),
  initial: (value) => value.slice(0, -1),
  take: (value, count = 1) => value.slice(0, count),
  drop: (value, count = 1) => value.slice(count),
  reverse: (value) => value.reverse(),
  size: (value) => items(value).length,
  range: (from, to, step = 1) => { const [low, high] = to === undefined ? [0, from] : [from, to]; return Array.from({ length: Math.max(0, Math.ceil((high - low) / step)) }, (none, at) => low + at * step); },
  times: (count, run = (at) => at) => Array.from({ length: count }, (none, at) => run(at)),
  zip: (...lists) => Array.from({ length: Math.max(...lists.map((one) => one.length)) }, (none, at) => lists.map((one) => one[at])),
  zipObject: (keys, values) => Object.fromEntries(keys.map((key, at) => [key, values[at]])),
  sortBy: (value, ...keys) => order(value, keys.length ? keys.flat() : undefined),
  orderBy: order,
  groupBy: (value, given) => { const keyOf = iteratee(given); const groups = {}; for (const item of items(value)) { const key = String(keyOf(item)); groups[key] = [...(groups[key] || []), item]; } return groups; },
  keyBy: (value, given) => { const keyOf = iteratee(given); return Object.fromEntries(items(value).map((item) => [keyOf(item), item])); },
  sum: (value) => value.reduce((all, item) => all + item, 0),
  max: (value) => (value.length ? value.reduce((a, b) => (b > a ? b : a)) : undefined),
  min: (value) => (value.length ? value.reduce((a, b) => (b < a ? b : a)) : undefined),
  keys: (value) => Object.keys(value || {}),
  values: (value) => Object.values(value || {}),
  toPairs: (value) => Object.entries(value || {}),
  entries: (value) => Object.entries(value || {}),
  fromPairs: (pairs) => Object.fromEntries(pairs),
  invert: (value) => Object.fromEntries(Object.entries(value).map(([key, item]) => [item, key])),
  pick: (value, ...names) => picked(value, names),
  omit: (value, ...names) => Object.fromEntries(Object.entries(value || {}).filter(([key]) => !names.flat(Infinity).includes(key))),
  pickBy: (value, given) => { const test = iteratee(given); return Object.fromEntries(Object.entries(value).filter(([key, item]) => test(item, key))); },
  omitBy: (value, given) => { const test = iteratee(given); return Object.fromEntries(Object.entries(value).filter(([key, item]) => !test(item, key))); },
  mapValues: (value, given) => { const run = iteratee(given); return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, run(item, key, value)])); },
  mapKeys: (value, given) => { const run = iteratee(given); return Object.fromEntries(Object.entries(value).map(([key, item]) => [run(item, key, value), item])); },
  assign: (target, ...sources) => Object.assign(target, ...sources),
  defaults: (target, ...sources) => { for (const source of sources) for (const key of Object.keys(source || {})) if (target[key] === undefined) target[key] = source[key]; return target; },
  camelCase: (text) => words(text).map((word, at) => (at === 0 ? word.toLowerCase() : capitalize(word))).join(''),
  snakeCase: (text) => words(text).map((word) => word.toLowerCase()).join('_'),
  kebabCase: (text) => words(text).map((word) => word.toLowerCase()).join('-'),
  startCase: (text) => words(text).map(upperFirst).join(' '),
  lowerCase: (text) => words(text).map((word) => word.toLowerCase()).join(' '),
  upperCase: (text) => words(text).map((word) => word.toUpperCase()).join(' '),
  lowerFirst: (text) => (text === '' ? '' : text[0].toLowerCase() + text.slice(1)),
  toLower: (text) => String(text).toLowerCase(),
  toUpper: (text) => String(text).toUpperCase(),
  trim: (text) => String(text).trim(),
  padStart: (text, size, fill) => String(text).padStart(size, fill),
  repeat: (text, count) => text.repeat(count),
  replace: (text, old, fresh) => text.replace(old, fresh),
  split: (text, between) => text.split(between),
  join: (value, between = ',') => value.join(between),
};
