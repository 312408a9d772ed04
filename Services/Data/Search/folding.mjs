// Writes folding.txt from the Unicode data of Node.js: node folding.mjs > folding.txt
// It is run by hand, for a newer Unicode. The words in databases are made by the table: a change to it needs a migration that makes them anew.

// Letters that are written differently, and have no decomposition.
const letters = { 'ø': 'o', 'đ': 'd', 'ð': 'd', 'ħ': 'h', 'ł': 'l', 'ŧ': 't', 'æ': 'ae', 'œ': 'oe', 'þ': 'th' };

const nfd = text => text.normalize('NFD');

// Marks of another class than 0 change places in a normal form; U+0334 has class 1, and U+0345 the greatest there is, 240.
const combines = c => nfd(c) === c && (nfd('a' + c + '\u0334') !== 'a' + c + '\u0334' || nfd('a\u0345' + c) !== 'a\u0345' + c || c === '\u0334' || c === '\u0345');

// U+200B parts words where no space is written.
const ignored = c => c !== '\u200b' && /\p{Default_Ignorable_Code_Point}/u.test(c);
const removed = c => ignored(c) || c === '\u0640' || /\p{Me}/u.test(c) || (/[\p{M}\p{Lm}]/u.test(c) && /\p{Diacritic}/u.test(c)) || (/\p{M}/u.test(c) && combines(c));

// Decimal digits stand in rows of ten.
const digit = c => {
  let first = c.codePointAt(0);
  while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first--;
  return String((c.codePointAt(0) - first) % 10);
};

const once = text => [...text.normalize('NFKD')].map(c => removed(c) ? '' : letters[c] ?? (/\p{Nd}/u.test(c) ? digit(c) : c.toUpperCase().toLowerCase())).join('');

function fold(text) {
  for (let next = once(text); ; text = next, next = once(text)) if (next === text) return text;
}

const isText = code => (code < 0xd800 || code > 0xdfff) && !/\p{Cn}|\p{Co}/u.test(String.fromCodePoint(code));
const isHangul = code => code >= 0xac00 && code <= 0xd7a3;
const hex = code => code.toString(16).toUpperCase();

const sources = new Map();
for (let code = 0; code <= 0x10ffff; code++) {
  if (!isText(code) || isHangul(code)) continue;
  const c = String.fromCodePoint(code);
  const folded = fold(c);
  if (folded !== [...nfd(c)].map(fold).join('')) throw new Error(`${hex(code)} folds otherwise when it is decomposed.`);
  if (folded !== c) sources.set(folded, [...(sources.get(folded) ?? []), code]);
}

const ranges = codes => codes.reduce((all, code) => {
  if (all.length > 0 && all.at(-1)[1] === code - 1) all.at(-1)[1] = code; else all.push([code, code]);
  return all;
}, []).map(([from, to]) => from === to ? hex(from) : `${hex(from)}-${hex(to)}`);

console.log(`# Unicode ${process.versions.unicode}, folded: made by folding.mjs. What characters become, then the characters; "-" is nothing.`);
for (const [folded, codes] of sources) console.log([folded === '' ? '-' : [...folded].map(c => hex(c.codePointAt(0))).join('+'), ...ranges(codes)].join(' '));
